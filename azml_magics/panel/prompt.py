"""The prompt as the panel holds it: its text, and a field for each of its variables. No widgets."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.errors import PromptError
from azml_magics.core.prompt import template
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.core.messages import Message

_LONGEST_HINT = 60
_MANY = 100


class Variable(NamedTuple):
    """A `{name}` of the prompt: what was typed for it, and the notebook's value in short, None where there is none."""

    name: str
    typed: str
    notebook: str | None


class Prompt:
    """The text, and what was typed for its variables; a variable left blank takes the notebook's value."""

    def __init__(self, text: str = "", typed: Mapping[str, str] = {}) -> None:
        self.text = text
        self.typed = dict(typed)

    def variables(self, notebook: Mapping[str, Any]) -> list[Variable]:
        """The prompt's variables in order of appearance."""
        names = template.variables(self.text)
        return [
            Variable(name, self.typed.get(name, ""), _short(notebook[name]) if name in notebook else None)
            for name in names
        ]

    def given(self) -> dict[str, str]:
        """What was typed for the variables that the prompt has now."""
        return {name: self.typed[name] for name in template.variables(self.text) if self.typed.get(name)}

    def rendered(self, notebook: Mapping[str, Any]) -> str:
        """The prompt with its values, as a cell would send it; PromptError without a prompt or a value."""
        text = template.render(stripped(self.text), {**notebook, **self.given()})
        if not text:
            raise PromptError("There is no prompt", remedy="Write one into the prompt box.")
        return text


def stripped(text: str) -> str:
    """The text without the blank lines around it, as a cell's body is read."""
    return text.strip("\n").rstrip()


def _short(value: object) -> str:
    try:
        is_long = isinstance(value, list | tuple | dict | set) and len(value) > _MANY
        text = reprlib.repr(value) if is_long else str(value)  # the text of a million items takes its time
        return one_line(text[: 4 * _LONGEST_HINT], _LONGEST_HINT)
    except Exception as error:  # noqa: BLE001 - any object of the notebook's may be here
        return f"({type(value).__name__}, whose text raises {type(error).__name__})"


def as_template(text: str) -> str:
    """A prompt that renders to `text`: what looks like a variable in it is doubled."""
    parts, at = [], 0
    for _, start, end in template.spans(text):
        parts += [text[at:start], "{", text[start:end], "}"]
        at = end
    return "".join([*parts, text[at:]])


def spoken(messages: list[Message]) -> tuple[str, str | None, str]:
    """(prompt, system, note) of messages: the last user's text; the note says what of them no box can hold."""
    system = next((turn.get("content") for turn in messages if turn.get("role") == "system"), None)
    turns = [turn for turn in messages if turn.get("role") != "system"]
    last = turns[-1] if turns else {}
    content = last.get("content")
    is_text = isinstance(content, str)
    parts = [part for part in content or () if isinstance(part, dict)] if not is_text else []
    texts = [str(part.get("text", "")) for part in parts if part.get("type") == "text"]
    text = content if is_text else "\n".join(texts)
    lost = []
    if len(turns) > 1:
        lost.append("the turns before it")
    if len(texts) < len(parts):
        lost.append("its pictures")
    note = f"The boxes hold the last prompt; {' and '.join(lost)} are not restored." if lost else ""
    prompt = as_template(str(text))
    if not note and template.render(prompt, dict.fromkeys(template.variables(prompt), "")) != text:
        note = "Braces in this prompt cannot be written in the box as they were sent."
    return prompt, system if isinstance(system, str) else None, note
