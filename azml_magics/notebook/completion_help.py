"""What each completion does, in a few words: JupyterLab and a terminal show them beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azml_magics.core.errors import AzmlError
from azml_magics.core.text import one_line

from .verbs import VERBS, options_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.wire.base import Kwarg

    from .context import NotebookContext

_SHOWN_KINDS = {
    "variable-or-path": "variable",
    "configs": "config",
    "call": "config",
    "conversation-action": "action",
    "key-action": "action",
    "discovered": "deployment",
    "kept": "config",
}
_MAX_HELP = 72  # characters: a longer line would widen the list over the cell
_KEY_FORMS = {
    "env:": "an environment variable",
    "keyring:": "the system's keyring: keyring:SERVICE/NAME",
    "entra": "a token of your sign-in",
    "entra:cli": "a token of `az login`",
    "entra:managed": "a token of this machine's managed identity",
    "entra:device": "a token of a sign-in with a code, in any browser",
    "entra:browser": "a token of a sign-in in this machine's browser",
    "azure-key": "the endpoint's own key, which Azure lists if you may",
    "aml-token": "a token that Azure ML gives for the endpoint",
    "keyvault:": "a secret of a key vault: keyvault:VAULT/SECRET",
    "databricks:": "a secret of Databricks: databricks:SCOPE/KEY",
    "ask": "a hidden prompt, for this session",
    "none": "no key is sent",
}
_CONVERSATION_ACTIONS = {
    "show": "show its messages",
    "clear": "forget it, or all of them",
    "export": "write its messages as JSON",
}
_KEY_ACTIONS = {
    "set": "store a key, typed at a hidden prompt",
    "list": "list where configs find their keys",
    "delete": "delete a key from the keyring",
}


def label(kind: str, text: str) -> str:
    """Return what a frontend shows beside a completion: its kind, and what it does if that is known."""
    kind = _SHOWN_KINDS.get(kind, kind)
    return f"{kind}: {one_line(text, _MAX_HELP)}" if text else kind


def describe(context: NotebookContext, kind: str, name: str) -> str:
    """Return what a completion does, or what it stands for; "" if nothing is known.

    Args:
        context: The notebook.
        kind: The kind of the completion, as options.py has it.
        name: The completion.
    """
    if name.startswith("$"):
        return type(context.variables.get(name[1:])).__name__
    if kind == "variable":
        return type(context.variables.get(name)).__name__
    if kind == "verb":
        return VERBS[name].help if name in VERBS else "the content formatters"
    if kind == "formatter":
        return _describe_formatter(name)
    if kind in {"config", "configs", "call"}:
        return _describe_config(context, name.rpartition(",")[2])
    texts = {"key": _KEY_FORMS, "conversation-action": _CONVERSATION_ACTIONS, "key-action": _KEY_ACTIONS}.get(kind, {})
    if kind == "template" and name == "none":
        return "send the cell as it is, without variables"
    return texts.get(name, "")


def describe_flag(verb: str | None, flag: str) -> str:
    """Return the help of an option of a verb, or of the cell for None."""
    return next((str(keywords.get("help", "")) for flags, keywords in options_of(verb) if flag in flags), "")


def describe_kwarg(kwarg: Kwarg) -> str:
    """Return the type, range and meaning of a model kwarg."""
    low, high = kwarg.minimum, kwarg.maximum
    if low is not None and high is not None:
        limits = f" {low:g} to {high:g}"
    else:
        limits = f" from {low:g}" if low is not None else f" up to {high:g}" if high is not None else ""
    return f"{kwarg.type}{limits}, {kwarg.help}"


def describe_kwargs(context: NotebookContext, words: list[str]) -> dict[str, str]:
    """Return the kwargs that a line may set as completions ("temperature="), with what each one is.

    Args:
        context: The notebook.
        words: The line so far.
    """
    found: dict[str, str] = {}
    for kwarg in _kwargs(context, words):
        found.setdefault(f"{kwarg.name}=", describe_kwarg(kwarg))
    return found


def _describe_config(context: NotebookContext, name: str) -> str:
    """The host of a config's endpoint."""
    try:
        config = context.session.get(name)
    except AzmlError:
        return "the last call" if name == "last" else ""
    return urlsplit(config.endpoint_url).netloc.rpartition("@")[2]


def _describe_formatter(name: str) -> str:
    from azml_magics.core import wire
    from azml_magics.core.wire.registry import ALIASES

    if name in ALIASES:
        return f"an older name of {ALIASES[name]}"
    try:
        formatter = wire.get(name)
    except AzmlError:
        return ""
    return formatter.description if formatter.content_formatter is None else _first_line(formatter.content_formatter)


def _first_line(formatter: Any) -> str:
    """The first line of the docstring of a user's own formatter, or its class's name."""
    text = (type(formatter).__doc__ or "").strip()
    return text.splitlines()[0] if text else type(formatter).__name__


def _kwargs(context: NotebookContext, words: list[str]) -> Sequence[Kwarg]:
    """The kwargs of the formatter that the line names, else of its config's formatter, else of any."""
    from azml_magics.core import wire

    named = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in {"-f", "--formatter"}), "")
    config = next((word for word in words if word in context.session.names()), context.session.active)
    try:
        if named:
            return wire.get(named).known_kwargs
        saved = context.session.get(config)
        return wire.formatter_for(saved).kwargs_for(saved)
    except AzmlError:
        return [kwarg for name in wire.names() for kwarg in wire.get(name).known_kwargs]
