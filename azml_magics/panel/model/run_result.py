"""What the result tabs show: the calls of one click and how far they are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import SchemaError

from .attachment import names_of
from .call_options import NO_OPTIONS, CallOptions
from .prompt_draft import PromptDraft, strip_blank_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.compare.comparison import Row
    from azml_magics.compare.side_by_side import BatchRequest
    from azml_magics.core.config import LLMConfig

    from .asking import Asking


REPAIR_NOTE: Final = "repair"  # of an exchange that ends with the two messages of a repair


class Asked(NamedTuple):
    """What was in the controls when a prompt was sent.

    Attributes:
        config: the config.
        system: its system message, with its variables.
        prompt: the prompt, with its variables.
        options: the schema and the tools.
        conversation: the conversation that it went on with; "" for one prompt.
        asking: the question of the conversation that was sent; None for one prompt.
        is_repair: whether a corrected response was asked for.
    """

    config: LLMConfig
    system: str
    prompt: PromptDraft
    options: CallOptions = NO_OPTIONS
    conversation: str = ""
    asking: Asking | None = None
    is_repair: bool = False

    def to_notes(self, *, unless: str = "") -> dict[str, Any]:
        """The prompt and the options as they were typed, as notes of an exchange; no prompt that is just `unless`."""
        prompt, options = self.prompt, self.options.to_notes()
        notes: dict[str, Any] = {"options": options} if options else {}
        notes |= {"conversation": self.conversation} if self.conversation else {}
        notes |= {REPAIR_NOTE: True} if self.is_repair else {}
        notes |= {"attachments": names_of(prompt.attachments)} if prompt.attachments else {}
        if prompt.template or strip_blank_lines(prompt.text) != unless:
            notes |= {"prompt": prompt.text, "variables": prompt.overrides()}
            notes |= {"template": prompt.template} if prompt.template else {}
        return notes


def _new_id() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True)
class RunResult:
    """The calls of one click on Run, Compare or Repair.

    Attributes:
        requests: the calls.
        batch: their rows, one for each call.
        is_running: whether rows may still change.
        number: the last call's number in the history; 0 while it runs.
        ids: the versions' ids, one for each call; () while it runs.
        asked: what was in the controls; None if that is not known.
        exchange_id: the id that the first call that was sent gets in the history.
        repaired: the index of the only call that was sent, which replaces a response; None if all were sent.
    """

    requests: Sequence[BatchRequest]
    batch: Batch
    is_running: bool = False
    number: int = 0
    ids: Sequence[str] = ()
    asked: Asked | None = None
    exchange_id: str = field(default_factory=_new_id)
    repaired: int | None = None

    @property
    def row(self) -> Row:
        """The first row, which is the only one of a single run."""
        return self.batch[0]

    @property
    def sent(self) -> Sequence[int]:
        """The indexes of the calls that were sent."""
        return range(len(self.requests)) if self.repaired is None else [self.repaired]

    def with_rows(self, rows: Batch) -> RunResult:
        """The result with the rows of the calls that were sent."""
        batch = list(self.batch)
        for index, row in zip(self.sent, rows, strict=True):
            batch[index] = row
        return replace(self, batch=Batch(batch, is_complete=rows.is_complete))

    def mismatch(self, index: int = 0) -> SchemaError | None:
        """What does not match the schema in a response, if it can be repaired; after a repair that failed, the same."""
        request, error = self.requests[index], self.batch[index].error
        if self.is_running or request.schema is None or error is None:
            return None
        if isinstance(error, SchemaError):
            return error if error.error_code == SchemaError.error_code else None  # a truncated one needs more tokens
        return request.repairs

    def repair(self, index: int = 0) -> RunResult | None:
        """The result while a corrected response is asked for; None if there is nothing to repair."""
        wrong = self.mismatch(index)
        if wrong is None:
            return None
        requests = [replace(each, repairs=wrong) if at == index else each for at, each in enumerate(self.requests)]
        asked = self.asked and self.asked._replace(is_repair=True)
        return replace(self, requests=requests, is_running=True, asked=asked, repaired=index, exchange_id=_new_id())
