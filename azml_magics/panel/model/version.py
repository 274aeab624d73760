"""A version: one run with its prompt, its settings and its response; and what differs between two of them."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azml_magics.core.text import one_line

from .attachment import restored_attachments
from .prompt_draft import PromptDraft, boxes_from_messages, strip_blank_lines
from .run_result import REPAIR_NOTE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response
    from azml_magics.exchange import Exchange

    from .attachment import Attachment

RATINGS: Final = ("good", "bad")
_PROMPT_LENGTH: Final = 48  # characters of a prompt, or of a version's name, in a label
_EXCERPT: Final = 1000  # characters of a prompt that are read for that: the list may have 200 long ones
_REPAIR_LENGTH: Final = 2  # messages: the response that did not match, and what is wrong with it
_FIELDS: Final = {  # field of a config -> its name in a difference
    "name": "config",
    "endpoint_url": "endpoint",
    "endpoint_api_type": "endpoint type",
    "deployment_name": "deployment",
    "formatter": "formatter",
    "model": "model",
    "api_version": "API version",
}


class Difference(NamedTuple):
    """One part that differs between two versions.

    Attributes:
        part: "prompt", "system", the name of a variable in braces, of a field or of a kwarg, or "response".
        before: The part of the first version as text; "" if it has none.
        after: That of the second version.
    """

    part: str
    before: str
    after: str

    def lines(self) -> list[tuple[str, str]]:
        """Return (sign, line) for every line of both: "-" for those before only, "+" for those after only, else " "."""
        before, after = self.before.splitlines(), self.after.splitlines()
        lines: list[tuple[str, str]] = []
        for kind, start, end, begin, stop in difflib.SequenceMatcher(None, before, after).get_opcodes():
            if kind == "equal":
                lines += [(" ", line) for line in before[start:end]]
                continue
            lines += [("-", line) for line in before[start:end]]
            lines += [("+", line) for line in after[begin:stop]]
        return lines


@dataclass(frozen=True)
class Version:
    """One run of the history, sent from the panel, a cell or plain Python.

    Attributes:
        exchange: The run as the session's history has it.
    """

    exchange: Exchange

    @property
    def id(self) -> str:
        """What identifies it in every session."""
        return self.exchange.id

    @property
    def name(self) -> str:
        """The name that it was given; "" without one."""
        return self._text_of_note("name")

    @property
    def rating(self) -> str:
        """ "good" or "bad"; "" if it was not rated."""
        rating = self._text_of_note("rating")
        return rating if rating in RATINGS else ""

    @property
    def note(self) -> str:
        """What was noted about it; "" if nothing was."""
        return self._text_of_note("note")

    @property
    def title(self) -> str:
        """Its name, else its number in this session, else when it ran."""
        if self.name or not self.exchange.is_earlier:
            return self.name or f"Number {self.exchange.number}"
        return f"{self.exchange.recorded_at.astimezone():%Y-%m-%d %H:%M}"

    @property
    def label(self) -> str:
        """It in one line, for a list."""
        exchange = self.exchange
        outcome = "failed" if exchange.error else f"{exchange.response.latency:.1f} s" if exchange.response else ""
        title, name = self.title.removeprefix("Number "), exchange.config.name
        parts = [one_line(title, _PROMPT_LENGTH), self.rating, one_line(name), outcome]
        return " · ".join(filter(None, [*parts, one_line(exchange.prompt[:_EXCERPT], _PROMPT_LENGTH)]))

    @property
    def messages(self) -> Sequence[Message]:
        """Its messages, without those that ask for a corrected response."""
        messages = self.exchange.messages
        return messages[:-_REPAIR_LENGTH] if self.exchange.notes.get(REPAIR_NOTE) is True else messages

    @property
    def typed_prompt(self) -> PromptDraft | None:
        """The prompt as it was typed into the panel, with its variables; None if it went out as it was typed."""
        text, variables = self.exchange.notes.get("prompt"), self.exchange.notes.get("variables")
        if not isinstance(text, str):
            return None
        typed = variables if isinstance(variables, dict) else {}
        template = self._text_of_note("template")
        values = {str(name): str(value) for name, value in typed.items()}
        return PromptDraft(text, values, template, attachments=self.attachments)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The pictures and files that its prompt was sent with."""
        content = self.messages[-1].get("content") if self.messages else None
        return restored_attachments(content, self.exchange.notes.get("attachments"))

    @property
    def response(self) -> str:
        """The text of the response, or of the error."""
        return outcome_text(self.exchange.response, self.exchange.error)

    @property
    def parts(self) -> dict[str, str]:
        """What can differ from another run: the prompt, its variables, the system message, settings, the response."""
        text, system, _ = boxes_from_messages(list(self.messages))
        prompt = self.typed_prompt or PromptDraft(text, attachments=self.attachments)
        return parts_of_run(self.exchange.config, prompt, system or "", self.response)

    def _text_of_note(self, name: str) -> str:
        value: Any = self.exchange.notes.get(name)
        return value if isinstance(value, str) else ""


def outcome_text(response: Response | None, error: BaseException | None) -> str:
    """Return the text of a response, or of the error; "" if there is neither."""
    if error is not None:
        return f"{type(error).__name__}: {error}"
    return response.text if response is not None else ""


def parts_of_run(config: LLMConfig, prompt: PromptDraft, system: str, response: str) -> dict[str, str]:
    """Return the parts of a run by their names, without keys."""
    variables = {f"{{{name}}}": value for name, value in prompt.overrides().items()}
    attached = "\n".join(one_line(each.source or each.name) for each in prompt.attachments)
    text = {"prompt": strip_blank_lines(prompt.text), **variables, "attachments": attached, "system": system}
    return {**text, **_settings_of(config), "response": response}


def compare_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """Return the parts that differ, the response last."""
    names = [*dict.fromkeys(name for name in (*before, *after) if name != "response"), "response"]
    rows = [Difference(name, before.get(name, ""), after.get(name, "")) for name in names]
    return [row for row in rows if row.before != row.after]


def _settings_of(config: LLMConfig) -> Mapping[str, str]:
    """Return the settings that shape a response as texts; keys are not among them."""
    fields = {shown: getattr(config, field) for field, shown in _FIELDS.items()}
    return {
        **{
            shown: value if isinstance(value, str) else type(value).__name__ for shown, value in fields.items() if value
        },
        **{name: json.dumps(value, ensure_ascii=False, default=str) for name, value in config.model_kwargs.items()},
    }
