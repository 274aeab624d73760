"""The prompt while it is being edited: its text, and the values typed for its variables."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.errors import PromptError
from azml_magics.core.prompt import template
from azml_magics.core.text import one_line

from .prompt_template import AS_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azml_magics.core.messages import Message

    from .attachment import Attachment

_HINT_LENGTH = 60  # characters of a value in its hint
_MANY = 100  # items from which on a container is abbreviated: the text of a million items takes seconds


class PromptVariable(NamedTuple):
    """A `{name}` of the prompt.

    Attributes:
        name: the variable's name.
        typed: the value typed in the panel; "" takes the notebook's.
        notebook: the notebook's value in short; None if the notebook has none.
    """

    name: str
    typed: str
    notebook: str | None


class PromptDraft:
    """A prompt and the values typed for its variables. A variable without a typed value takes the notebook's.

    Attributes:
        text: what is in the prompt's field.
        typed: variable -> what was typed for it.
        template: how the text becomes messages: "" fills {name}s, "none" sends it as written, "$name" is a variable
            with a prompt template of LangChain.
        slots: the variables of that template.
        attachments: the pictures and files that are sent along.
    """

    def __init__(
        self,
        text: str = "",
        typed: Mapping[str, str] = {},
        template: str = "",
        slots: Sequence[str] = (),
        attachments: Sequence[Attachment] = (),
    ) -> None:
        self.text = text
        self.typed = dict(typed)
        self.template = template
        self.slots = tuple(slots)
        self.attachments = tuple(attachments)

    def copy(self) -> PromptDraft:
        """An independent copy."""
        return PromptDraft(self.text, self.typed, self.template, self.slots, self.attachments)

    def following(self) -> PromptDraft:
        """The empty prompt that follows this one in a conversation: with the same template and variables."""
        return PromptDraft("", self.typed, self.template, self.slots)

    def is_same(self, other: PromptDraft) -> bool:
        """Whether both make the same messages as long as the notebook's variables stay the same."""
        mine, its = ((each.text, each.template, each.overrides(), each.attachments) for each in (self, other))
        return mine == its

    def names(self, system: str = "") -> list[str]:
        """The variables of the system message, of the template and of the prompt, in order of appearance."""
        own = [] if self.template == AS_WRITTEN else template.find_variables(self.text)
        return list(dict.fromkeys([*template.find_variables(system), *self.slots, *own]))

    def check_slots(self, notebook: Mapping[str, Any]) -> None:
        """Check that the template's variables have values; the prompt's text is that of the only one without.

        Raises:
            PromptError: if more or less than that is missing.
        """
        missing = ", ".join(self._open_slots(notebook))
        has_body = bool(strip_blank_lines(self.text))
        if has_body and not self.body_slot(notebook):
            why = f"it lacks {missing}" if missing else "all of its variables have values"
            raise PromptError(
                f"{self.template} has no single variable for the prompt: {why}",
                remedy="Leave one variable of the template to the prompt, or leave the prompt empty.",
            )
        if missing and not has_body:
            raise PromptError(
                f"{self.template} needs {missing}", remedy="Type a value into its field, or define it in the notebook."
            )

    def _open_slots(self, notebook: Mapping[str, Any]) -> list[str]:
        return [name for name in self.slots if name not in notebook and not self.typed.get(name)]

    def body_slot(self, notebook: Mapping[str, Any]) -> str:
        """The template's variable that the prompt's text becomes: the only one without a value; "" if there is none."""
        open_slots = self._open_slots(notebook)
        return open_slots[0] if len(open_slots) == 1 and strip_blank_lines(self.text) else ""

    def variables(self, notebook: Mapping[str, Any], system: str = "") -> list[PromptVariable]:
        """The variables of the system message and of the prompt, with the notebook's values."""
        return [
            PromptVariable(name, self.typed.get(name, ""), _short_text(notebook[name]) if name in notebook else None)
            for name in self.names(system)
            if name != self.body_slot(notebook)
        ]

    def overrides(self, system: str = "") -> dict[str, str]:
        """The values typed for the variables that the prompt and the system message have now."""
        return {name: self.typed[name] for name in self.names(system) if self.typed.get(name)}

    def render(self, notebook: Mapping[str, Any]) -> str:
        """The prompt's text with its values, as a cell would send it or, with a template, fill it in.

        Args:
            notebook: the notebook's variables.

        Raises:
            PromptError: if the prompt is empty or a variable has no value.
        """
        text = strip_blank_lines(self.text)
        if self.template != AS_WRITTEN:
            text = template.render(text, {**notebook, **self.overrides()})
        if not text and not self.slots:
            raise PromptError("There is no prompt", remedy="Write one into the prompt field.")
        return text


def strip_blank_lines(text: str) -> str:
    """The text without blank lines around it, as a cell's body is read."""
    return text.strip("\n").rstrip()


def _short_text(value: object) -> str:
    try:
        is_long = isinstance(value, list | tuple | dict | set) and len(value) > _MANY
        text = reprlib.repr(value) if is_long else str(value)
        return one_line(text[: 4 * _HINT_LENGTH], _HINT_LENGTH)
    except Exception as error:  # noqa: BLE001 - the str() of any notebook object may raise anything
        return f"({type(value).__name__}, whose text raises {type(error).__name__})"


def boxes_from_messages(messages: list[Message]) -> tuple[str, str | None, str]:
    """The contents of the panel's fields for the messages of a call.

    Returns:
        (prompt, system message or None, note). The prompt is the last message; the note names what does not fit.
    """
    system = next((message.get("content") for message in messages if message.get("role") == "system"), None)
    turns = [message for message in messages if message.get("role") != "system"]
    text, note = _text_of(turns[-1].get("content") if turns else None), ""
    prompt = template.escape(text)
    if template.render(prompt, dict.fromkeys(template.find_variables(prompt), "")) != text:
        note = "Braces in this prompt cannot be written in the field as they were sent."
    return prompt, system if isinstance(system, str) else None, note


def _text_of(content: object) -> str:
    """The text of a message's content, without its attachments."""
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list | tuple) else []
    texts = [str(part.get("text", "")) for part in parts if part.get("type") == "text"]
    return "\n".join(texts)
