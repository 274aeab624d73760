"""%azureml key: keys in the system keyring, typed at a hidden prompt, and where configs find theirs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import KeyRefusedError, UsageError
from azml_magics.core.key_sources import KeyringKey, prompt_for_key
from azml_magics.core.keys import KeyRef, key_source
from azml_magics.core.text import did_you_mean
from azml_magics.display.table import TableOutput
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import KeyOptions

_ACTIONS = ("set", "list", "delete")
_FORMS = "Write key set keyring:SERVICE/NAME, key list, or key delete keyring:SERVICE/NAME."


def manage_keys(context: NotebookContext, options: KeyOptions) -> Any:
    """Store, list or delete keys. No key is ever shown.

    Raises:
        UsageError: The line has another form.
        KeyRefusedError: A key was written on the line.
        KeyNotFoundError: The keyring cannot be used, or nothing was typed.
    """
    action, *rest = options.words or ("list",)
    if action not in _ACTIONS:
        raise UsageError("key takes set, list or delete", remedy=f"{did_you_mean(action, _ACTIONS)} {_FORMS}".strip())
    if action == "list":
        if rest:
            raise UsageError("key list takes nothing more", remedy=_FORMS)
        return _list(context)
    source = _keyring_key(rest)
    keyring = importlib.import_module("azml_magics.azure.keyring_keys")
    if action == "set":
        keyring.store(source, prompt_for_key(f"Key for {source}: "))
        return TextOutput(f"Stored. A config uses it with --key {source}.")
    keyring.delete(source)
    return TextOutput(f"Deleted {source} from the keyring.")


def _keyring_key(words: list[str]) -> KeyringKey:
    if len(words) > 1:
        raise KeyRefusedError(
            "A key is typed at a hidden prompt: on the line it would stay in the notebook and its history",
            remedy="Treat it as leaked if it was one. Write only where it goes: key set keyring:SERVICE/NAME.",
        )
    source = key_source(KeyRef.parse(words[0])) if words else None
    if not isinstance(source, KeyringKey):
        raise UsageError("Only keys in the system keyring are stored and deleted here", remedy=_FORMS)
    return source


def _list(context: NotebookContext) -> TableOutput | TextOutput:
    keyring = importlib.import_module("azml_magics.azure.keyring_keys")
    stored = keyring.stored_references()
    users: dict[str, list[str]] = {reference: [] for reference in stored}
    states: dict[str, str] = dict.fromkeys(stored, "stored with %azureml key set")
    for name in context.session.names():
        config = context.session.get(name)
        for source in config.all_key_sources:
            users.setdefault(str(source), []).append(name)
            states.setdefault(str(source), source.state(config.endpoint_url))
    rows = [(reference, states[reference], ", ".join(names)) for reference, names in users.items()]
    return TableOutput(("key", "state", "configs"), rows) if rows else TextOutput("No config refers to a key.")
