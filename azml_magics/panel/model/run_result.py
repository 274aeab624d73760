"""What the result tabs show: the calls of one click and how far they are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .attachment import names_of
from .call_options import NO_OPTIONS, CallOptions
from .prompt_draft import PromptDraft, strip_blank_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.compare.comparison import Batch, Row
    from azml_magics.compare.side_by_side import BatchRequest
    from azml_magics.core.config import LLMConfig

    from .asking import Asking


class Asked(NamedTuple):
    """What was in the controls when a prompt was sent.

    Attributes:
        config: the config.
        system: its system message, with its variables.
        prompt: the prompt, with its variables.
        options: the schema and the tools.
        conversation: the conversation that it went on with; "" for one prompt.
        asking: the question of the conversation that was sent; None for one prompt.
    """

    config: LLMConfig
    system: str
    prompt: PromptDraft
    options: CallOptions = NO_OPTIONS
    conversation: str = ""
    asking: Asking | None = None

    def to_notes(self, *, unless: str = "") -> dict[str, Any]:
        """The prompt and the options as they were typed, as notes of an exchange; no prompt that is just `unless`."""
        prompt, options = self.prompt, self.options.to_notes()
        notes: dict[str, Any] = {"options": options} if options else {}
        notes |= {"conversation": self.conversation} if self.conversation else {}
        notes |= {"attachments": names_of(prompt.attachments)} if prompt.attachments else {}
        if prompt.template or strip_blank_lines(prompt.text) != unless:
            notes |= {"prompt": prompt.text, "variables": prompt.overrides()}
            notes |= {"template": prompt.template} if prompt.template else {}
        return notes


@dataclass(frozen=True)
class RunResult:
    """The calls of one click on Run or Compare.

    Attributes:
        requests: the calls that were sent.
        batch: their rows, one for each call.
        is_running: whether rows may still change.
        number: the last call's number in the history; 0 while it runs.
        ids: the versions' ids, one for each call; () while it runs.
        asked: what was in the controls; None if that is not known.
        exchange_id: the id that the first of its calls gets in the history.
    """

    requests: Sequence[BatchRequest]
    batch: Batch
    is_running: bool = False
    number: int = 0
    ids: Sequence[str] = ()
    asked: Asked | None = None
    exchange_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def row(self) -> Row:
        """The first row, which is the only one of a single run."""
        return self.batch[0]
