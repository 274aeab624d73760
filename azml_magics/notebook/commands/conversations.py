"""%azureml conversations: list, show, clear or export the conversations of -c NAME."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import DocumentError, UnknownNameError, UsageError
from azml_magics.core.messages import preview_text, without_items
from azml_magics.core.paths import path_of, write_private
from azml_magics.core.text import one_line
from azml_magics.display.table import TableOutput
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from azml_magics.conversations import Conversation
    from azml_magics.core.messages import Message

    from ..context import NotebookContext
    from ..parsed_options import ConversationsOptions

_ACTIONS = ("show", "clear", "export")


def manage_conversations(context: NotebookContext, options: ConversationsOptions) -> Any:
    """List the conversations, or show, clear or export one.

    Raises:
        UnknownNameError: There is no such action or conversation.
        UsageError: Words are missing.
        DocumentError: The file cannot be written.
    """
    action, *words = options.words or ["list"]
    conversations = context.session.conversations
    if action == "list":
        return _list(conversations)
    if action not in _ACTIONS:
        raise UnknownNameError.of("action of %azureml conversations", action, _ACTIONS)
    if action == "clear" and not words:
        count = len(conversations)
        conversations.clear()
        return TextOutput(f"Cleared {count} conversation{'s' if count != 1 else ''}.")
    if len(words) != (2 if action == "export" else 1):
        raise UsageError(f"%azureml conversations {action} takes NAME" + (" and FILE" if action == "export" else ""))
    turns = _find(conversations, words[0]).turns
    if action == "clear":
        del conversations[words[0]]
        return TextOutput(f"Cleared {words[0]}.")
    if action == "export":
        return _export(words[0], turns, path_of(words[1]))
    return TextOutput("\n\n".join(f"{turn['role']}: {preview_text(turn)}" for turn in turns))


def _list(conversations: Mapping[str, Conversation]) -> Any:
    if not conversations:
        return TextOutput("No conversations. A cell with -c NAME starts one.")
    rows = [
        (name, str(sum(t["role"] == "user" for t in each.turns)), one_line(preview_text(each.turns[-1]), 60))
        for name, each in conversations.items()
    ]
    return TableOutput(("conversation", "prompts", "last response"), rows)


def _find(conversations: Mapping[str, Conversation], name: str) -> Conversation:
    if name not in conversations:
        raise UnknownNameError.of("conversation", name, conversations)
    return conversations[name]


def _export(name: str, turns: Sequence[Message], path: Path) -> TextOutput:
    """Write the turns as JSON: the messages of OpenAI's chat API."""
    text = json.dumps([without_items(turn) for turn in turns], indent=2, ensure_ascii=False) + "\n"
    try:  # a surrogate is not valid UTF-8, and its JSON escape is
        write_private(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror or error}", remedy="Choose another.") from None
    return TextOutput(f"Wrote {len(turns)} messages of {name} to {path}.")
