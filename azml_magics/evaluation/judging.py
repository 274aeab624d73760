"""The judge's half of an evaluation: requests about the responses, through the same journal and rate limiters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import PromptError
from ..core.text import one_line
from ..rows.prompts import RowPrompt
from ..rows.runner import Run
from ..rows.table_rows import Record
from .judge_usage import JudgeUsage
from .outcome import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..core.messages import Message
    from ..core.response import Response
    from ..rows.journal import Journal
    from ..rows.run_options import RunOptions
    from ..rows.table_rows import TableRow
    from ..rows.token_budget import TokenBudget
    from .outcome import Outcome
    from .outcomes import Outcomes
    from .plan import EvaluationPlan
    from .scoring import Judge

_LOOK_AHEAD = 1024  # requests that may be made before the first of them is read
_MESSAGES = "messages"


class Judging:
    """Sends a judge's requests and adds its scores to the outcomes."""

    def __init__(
        self,
        plan: EvaluationPlan,
        judge: Judge,
        outcomes: Outcomes,
        options: RunOptions,
        *,
        journal: Journal | None,
        budget: TokenBudget,
    ) -> None:
        """Prepare to ask.

        Args:
            plan: The evaluation, for its client.
            judge: Who is asked.
            outcomes: What it is asked about.
            options: The limits of its endpoint.
            journal: The journal of the evaluation, which stays open.
            budget: The limit of tokens, which it shares with the rows.
        """
        self.judge = judge
        self._outcomes = outcomes
        self._groups: dict[int, tuple[list[int], dict[str, Response | Exception], int]] = {}
        self._group_of: dict[int, tuple[int, str]] = {}
        self.asked = self.judged = 0
        self.usage = JudgeUsage(judge.name, judge.config)
        row_prompt = RowPrompt(judge.config, _messages_of, None, judge.schema, plan.client)
        self.run = Run(
            row_prompt,
            self._requests(),
            options,
            journal=journal,
            look_ahead=_LOOK_AHEAD,
            budget=budget,
            closes_journal=False,
        )

    def _positions(self) -> Iterator[list[int]]:
        """Yield the outcomes that are judged together."""
        width = self._outcomes.width if self.judge.is_pairwise else 1
        errors = self._outcomes.columns.error
        for begin in range(0, len(self._outcomes), width):
            positions = [position for position in range(begin, begin + width) if not errors[position]]
            if positions:
                yield positions

    def _requests(self) -> Iterator[Record]:
        """Yield the judge's requests as rows. Threads of the run read them, one at a time."""
        number = 0
        for group, positions in enumerate(self._positions()):
            try:
                requests = list(self.judge.requests([self._outcomes[position] for position in positions]))
            except Exception as error:  # noqa: BLE001 - a rubric that names a column that this row lacks, for example
                self._add_error(positions, error)
                continue
            if requests:
                self._groups[group] = positions, {}, len(requests)
            for request in requests:
                self._group_of[number] = group, request.key
                yield Record(number, number, {_MESSAGES: list(request.messages)})
                number += 1
                self.asked = number

    def handle(self, rows: Sequence[tuple[Record, TableRow]]) -> None:
        """Read the responses of the judge that have arrived."""
        for record, row in rows:
            self.run.left.pop(record.position, None)
            group, key = self._group_of.pop(record.position)
            positions, responses, expected = self._groups[group]
            error = row.error if isinstance(row.error, Exception) else None
            self.usage.add(row.response, row.error, reused=row.reused)
            responses[key] = error or row.response or PromptError("The judge was not asked")
            if len(responses) == expected:
                del self._groups[group]
                self._read(positions, responses)

    def _read(self, positions: list[int], responses: Mapping[str, Response | Exception]) -> None:
        outcomes: list[Outcome] = [self._outcomes[position] for position in positions]
        try:
            found = self.judge.read(outcomes, responses)
        except Exception as error:  # noqa: BLE001 - a reply that the judge cannot read is the error of its row
            self._add_error(positions, error)
            return
        for position, scores in zip(positions, found, strict=True):
            self._outcomes.add_scores(position, scores)
        self.judged += len(positions)

    def _add_error(self, positions: list[int], error: Exception) -> None:
        why = f"{type(error).__name__}: {one_line(str(getattr(error, 'cause', error)), 300)}"
        for position in positions:
            self._outcomes.add_scores(position, [Score(self.judge.name, None, error=why)])


# Any: the values of a row, which here are the messages of a request.
def _messages_of(values: Mapping[str, Any]) -> Sequence[Message]:
    messages: Sequence[Message] = values[_MESSAGES]
    return messages
