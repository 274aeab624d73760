"""What the engine asks of scorers and judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from .outcome import Outcome, Score


@runtime_checkable
class Scorer(Protocol):
    """Measures one response.

    Attributes:
        name: The name of its scores, for messages.
    """

    name: str

    def score(self, outcome: Outcome) -> Sequence[Score] | Awaitable[Sequence[Score]]:
        """Return the scores of a response; the engine calls it for outcomes with a response and without an error.

        What it raises becomes the outcome's score with an `error`.

        Args:
            outcome: The row, what it expects, the response.
        """


@dataclass(frozen=True)
class JudgeRequest:
    """One question to a judge.

    Attributes:
        key: Tells the requests about one row apart, such as "0" or "0<1".
        messages: The prompt.
    """

    key: str
    messages: Sequence[Message]


class Judge(Protocol):
    """Asks a model about responses. The engine sends its requests, with the journal and the limits of the run.

    Attributes:
        name: The name of its scores, for messages.
        config: The config of its requests.
        schema: The schema of its responses, None for texts.
        is_pairwise: Whether it judges all outcomes of a row together; otherwise it judges each alone.
    """

    name: str
    config: LLMConfig
    schema: Schema | None
    is_pairwise: bool

    def check(self, columns: Sequence[str]) -> None:
        """Check that the judge's prompt fits a table.

        Raises:
            UsageError: It does not.
        """

    def requests(self, outcomes: Sequence[Outcome]) -> Sequence[JudgeRequest]:
        """Return the requests about the outcomes of one row; [] if there is nothing to judge.

        Args:
            outcomes: Those of one row that have a response and no error: one, or all if the judge is pairwise.
        """

    def read(
        self, outcomes: Sequence[Outcome], responses: Mapping[str, Response | Exception]
    ) -> Sequence[Sequence[Score]]:
        """Return the scores of each of the outcomes.

        Args:
            outcomes: Those that `requests` had.
            responses: The response to each request by its key, or why there is none.
        """
