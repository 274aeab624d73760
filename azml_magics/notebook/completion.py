"""Completion after %azureml and in %%azureml cells, made from the parsers, the session and the notebook's variables."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics import kept_configs
from azml_magics.core.errors import AzmlError
from azml_magics.core.paths import path_of

from . import args, completion_help
from .options import MATCHES, REQUIREMENTS
from .verbs import VERBS, options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .context import NotebookContext

_LINE = r"^\s*(?:[\w.,\s]+=\s*|%\w+\s+)?%(?P<cell>%?)(?:{names})(?P<rest>\s.*)?$"  # x = %azureml; %time %azureml
_OUTER_LINE = re.compile(r"\s*(%%\w+.*|#.*)?$")  # above our line: other cell magics, comments
_BRACE = re.compile(r"(?<!\{)\{(?P<start>[^\W\d]?\w*)$")
_KEY_FORMS = (
    *("env:", "keyring:", "entra", "entra:cli", "entra:managed", "entra:device", "entra:browser", "azure-key"),
    *("aml-token", "keyvault:", "databricks:", "ask", "none"),
)


class CompletionItem(NamedTuple):
    """A completion.

    Attributes:
        text: What is typed.
        type: Its kind.
        help: What it does; "" if nothing is known.
    """

    text: str
    type: str
    help: str = ""


def install(context: NotebookContext) -> None:
    """Add the matcher to IPython's completer, until the context is closed."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator,unused-ignore]  # typed in later IPythons
    def azureml_matcher(request: Any) -> Any:
        found = complete(
            context, request.full_text, request.cursor_line, request.line_with_cursor, request.cursor_position
        )
        if found is None:
            return {"completions": []}
        fragment, candidates = found
        # IPython's own completions, Python's names and files, stay away only if there is at least one of ours
        candidates = candidates or [CompletionItem(fragment, "text")]
        return {
            # the type is all that IPython passes on with a matcher's completion
            "completions": [
                SimpleCompletion(each.text, type=completion_help.label(each.type, each.help)) for each in candidates
            ],
            "matched_fragment": fragment,
            "ordered": True,
            "suppress": True,
        }

    matchers = context.shell.Completer.custom_matchers
    matchers.append(azureml_matcher)
    context.on_exit(lambda: matchers.remove(azureml_matcher) if azureml_matcher in matchers else None)


def complete(
    context: NotebookContext, text: str, line_number: int, line: str, column: int
) -> tuple[str, list[CompletionItem]] | None:
    """Complete a cell at the cursor.

    Args:
        context: The notebook.
        text: The whole cell.
        line_number: The cursor's line, counted from 0.
        line: The text of that line.
        column: The cursor's position in it.

    Returns:
        The fragment before the cursor and its candidates; None if the cell is not one of ours.
    """
    before, names = line[:column], _magic_names(context)
    start = _cell_start(text, names)
    if start is not None and line_number > start:
        above = text.split("\n")[start:line_number]
        if all(each.rstrip().endswith("\\") for each in above):  # the line goes on
            rest = " ".join(each.rstrip()[:-1] for each in above).split(None, 1)[1:]
            return _complete_line(context, " ".join([" ", *rest, before]), is_cell=True)
        brace = _BRACE.search(before)
        if not brace:
            return "", []
        return brace["start"], _filter(context, brace["start"], _variable_names(context), "variable")
    found = re.match(_LINE.format(names=names), before, re.DOTALL)
    if not found or found["rest"] is None or (found["cell"] and start is None):
        return None
    return _complete_line(context, found["rest"], is_cell=bool(found["cell"]))


def _magic_names(context: NotebookContext) -> str:
    """The magic's name and its aliases (%alias_magic), as alternatives of a pattern."""
    magics: dict[str, Any] = context.shell.magics_manager.magics["cell"]
    aliases = [name for name, magic in magics.items() if getattr(magic, "magic_name", "") == "azureml"]
    return "|".join(re.escape(name) for name in ("azureml", *aliases))


def _cell_start(text: str, names: str) -> int | None:
    """The number of the line with %%azureml, which only other cell magics and comments may precede; None without."""
    for number, line in enumerate(text.split("\n")):
        if re.match(rf"\s*%%(?:{names})(\s|$)", line):
            return number
        if not _OUTER_LINE.match(line):
            return None
    return None


def _complete_line(context: NotebookContext, rest: str, *, is_cell: bool) -> tuple[str, list[CompletionItem]]:
    if rest != args.without_comment(rest):
        return "", []
    words = rest.split()
    fragment = "" if rest[-1:].isspace() else words.pop()
    verb = None
    if not (is_cell or [*words, fragment][0].startswith(("-", "$"))):
        if not words:
            return fragment, _filter(context, fragment, VERBS, "verb")
        verb = words.pop(0)
        if verb not in VERBS or verb == "ask":
            return fragment, []
    kind = _kind_of_value(verb, words)
    if fragment.startswith("-") and kind is None:
        flags = [flag for option in options_of(verb) for flag in option[0] if flag.startswith(fragment)]
        return fragment, [CompletionItem(flag, "option", completion_help.describe_flag(verb, flag)) for flag in flags]
    if kind is None:
        kind = _kind_of_positional(verb, words)
    if kind == "kwarg" and "=" in fragment:
        return fragment, []
    return fragment, _candidates(context, kind, fragment, words)


def _kind_of_value(verb: str | None, words: list[str]) -> str | None:
    """The kind of value of the option before the cursor, "choices:…", or "" for any; None if there is no option."""
    last = next((word for word in reversed(words) if word.startswith("-")), "")
    for flags, keywords in options_of(verb):
        takes_it = last == words[-1] or keywords.get("nargs") == "*" if words else False
        if last in flags and takes_it and keywords.get("action") != "store_true":
            return "choices:" + ",".join(keywords["choices"]) if "choices" in keywords else keywords.get("kind", "")
    return None


def _kind_of_positional(verb: str | None, words: list[str]) -> str:
    """The kind of the next positional argument; "" for any or none."""
    positionals = [keywords for flags, keywords in options_of(verb) if not flags[0].startswith("-")]
    valued = {
        flag
        for flags, keywords in options_of(verb)
        for flag in flags
        if flag.startswith("-") and keywords.get("action") != "store_true"
    }
    given = [w for i, w in enumerate(words) if not w.startswith("-") and (i == 0 or words[i - 1] not in valued)]
    if not positionals:
        return ""
    at = min(len(given), len(positionals) - 1)
    if len(given) >= len(positionals) and positionals[at].get("nargs") not in {"*", "+"}:
        return ""
    return "" if positionals[at].get("nargs") == "+" and given else str(positionals[at].get("kind", ""))


def _candidates(context: NotebookContext, kind: str, fragment: str, words: list[str]) -> list[CompletionItem]:
    variables = [f"${name}" for name in _variable_names(context)]
    if kind.startswith("choices:"):
        return _filter(context, fragment, kind.removeprefix("choices:").split(","), "value")
    if kind == "kwarg":
        kwargs = completion_help.describe_kwargs(context, words)
        return [CompletionItem(name, kind, text) for name, text in kwargs.items() if name.startswith(fragment)]
    names: dict[str, Callable[[], Iterable[str]]] = {
        "config": lambda: [*context.session.names(), *(variables if fragment.startswith("$") else ())],
        "formatter": lambda: [*_formatter_names(), *(variables if fragment.startswith("$") else ())],
        "key": lambda: [*_KEY_FORMS, *(_key_variables() if fragment.startswith("env:") else ())],
        "template": lambda: ["none", *variables],
        "variable": lambda: variables,
        "variable-or-path": lambda: variables,
        "verb": lambda: [*VERBS, "formatters"],
        "configs": lambda: _complete_list(fragment, context.session.names()),
        "discovered": lambda: [row.name for row in context.state.discovery or ()],
        "kept": kept_configs.kept_names,
        "call": lambda: ["last", *context.session.names()],
        "key-action": lambda: ("keyring:",) if len(words) == 1 else () if words else ("set", "list", "delete"),
        "match": lambda: [*MATCHES, *(variables if fragment.startswith("$") else ())],
        "column": lambda: _columns(context, words, fragment),
        "requirement": lambda: REQUIREMENTS,
        "conversation": lambda: _conversations(context),
        "conversation-action": lambda: (
            _conversations(context) if len(words) == 1 else () if words else ("show", "clear", "export")
        ),
    }
    if kind == "path":
        return _paths(fragment)
    found = _filter(context, fragment, names[kind](), kind) if kind in names else []
    return found + _paths(fragment) if kind == "variable-or-path" and not fragment.startswith("$") else found


def _columns(context: NotebookContext, words: list[str], fragment: str) -> list[str]:
    """The columns of the table that --each names, as text that the line can hold."""
    at = words.index("--each") + 1 if "--each" in words else len(words)
    table = context.variables.get(words[at].removeprefix("$")) if at < len(words) else None
    names = getattr(table, "columns", None)
    if names is None and isinstance(table, list) and table and isinstance(table[0], dict):
        names = list(table[0])
    field, equals, _ = fragment.rpartition("=")
    return [f"{field}{equals}{shlex.quote(name)}" for name in names or () if isinstance(name, str)]


def _conversations(context: NotebookContext) -> list[str]:
    """The conversations' names, quoted for a line."""
    return [shlex.quote(name) for name in context.session.conversations]


def _paths(fragment: str) -> list[CompletionItem]:
    """The files and folders that begin with `fragment`; a blank in a name is escaped, as a line needs it."""
    folder, slash, start = fragment.rpartition("/")
    try:
        entries = sorted(path_of(f"{folder}{slash}" or ".").iterdir())
    except (OSError, AzmlError):
        return []
    named = [entry for entry in entries if entry.name.isprintable()]
    visible = [entry for entry in named if entry.name.startswith(start) and (start or not entry.name.startswith("."))]
    return [
        CompletionItem(f"{folder}{slash}{entry.name}".replace(" ", "\\ ") + ("/" if entry.is_dir() else ""), "path")
        for entry in visible
    ]


def _complete_list(fragment: str, names: Iterable[str]) -> list[str]:
    """The names that may follow the last comma of `fragment`, each with the text before it."""
    head, comma, _ = fragment.rpartition(",")
    taken = head.split(",")
    return [f"{head}{comma}{name}" for name in names if name not in taken]


def _variable_names(context: NotebookContext) -> list[str]:
    return [name for name in context.prompt_variables if not name.startswith("_")]


def _key_variables() -> list[str]:
    """The environment variables whose names suggest a key."""
    return sorted(f"env:{name}" for name in os.environ if "KEY" in name or "TOKEN" in name)


def _formatter_names() -> list[str]:
    from azml_magics.core import wire

    return wire.names(aliases=True)


def _filter(context: NotebookContext, fragment: str, names: Iterable[str], kind: str) -> list[CompletionItem]:
    found = [name for name in names if name.startswith(fragment)]
    return [CompletionItem(name, kind, completion_help.describe(context, kind, name)) for name in found]
