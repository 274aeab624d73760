"""A baseline: the evaluation of the same rows that an earlier journal holds.

A journal has no rows. The requests of the earlier run are made again from its prompt and today's rows, and looked up by
what they were; then its responses are scored in the same way as today's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.config import LLMConfig
from ..core.errors import AzmlError, JournalError, UsageError
from ..rows.journal_reader import JournalReader
from ..rows.prompts import RowPrompt
from ..rows.request_identity import full_name, request_key, settings_digest
from ..rows.table_rows import Record
from .flips import Side
from .outcomes import Outcomes
from .scoring_pool import ScoringPool
from .settings import SINGLE_NAME, Setting

if TYPE_CHECKING:
    from pathlib import Path

    from .outcome import Outcome
    from .plan import EvaluationPlan

_VARIABLE = "variable "


class _EarlierPrompt:
    """Makes the requests of one setting of the earlier run.

    Attributes:
        row_prompt: Its prompt.
    """

    def __init__(self, settings: dict[str, Any], plan: EvaluationPlan) -> None:
        self._digest = settings_digest(settings)
        same = [each for each in plan.row_prompts if settings_digest(each.settings()) == self._digest]
        self._is_todays = bool(same)
        if same:  # also a LangChain Runnable, which its settings do not bring back
            self.row_prompt = same[0]
            return
        if "chain" in settings:
            raise UsageError("it is of a LangChain object that is not one of those here, or has changed")
        prompt: Any = settings.get("prompt", "")
        if callable(plan.prompt) and full_name(plan.prompt) == prompt:
            prompt = plan.prompt
        variables = {
            name.removeprefix(_VARIABLE): value for name, value in settings.items() if name.startswith(_VARIABLE)
        }
        self.row_prompt = RowPrompt(LLMConfig(system=settings.get("system")), prompt, variables)
        if plan.table.columns:
            self.row_prompt.check(plan.table.columns)

    def key(self, record: Record) -> bytes | None:
        """Return what identifies the request of a row, None if it cannot be made."""
        try:
            messages = self.row_prompt.messages(record)
            return self.row_prompt.key(messages) if self._is_todays else request_key(self._digest, messages)
        except Exception:  # noqa: BLE001 - a value is missing, or the user's function fails: it was not sent either
            return None


def check_baseline(path: str | Path) -> None:
    """Check that a file is a journal, before anything is sent.

    Raises:
        JournalError: It cannot be read, or is not a journal.
    """
    JournalReader(path).close()


def read_baseline(path: str | Path, plan: EvaluationPlan, today: Outcomes) -> Side:
    """Return what a journal holds of the same rows, scored as those of today.

    Args:
        path: The journal of an earlier evaluation, or of rows.
        plan: The evaluation to compare it with.
        today: Its outcomes.

    Raises:
        JournalError: The journal cannot be read, or has none of the rows.
    """
    reader = JournalReader(path)
    try:
        declared = reader.declared or [(reader.settings, {SINGLE_NAME: "baseline"})]
        prompts = [_make_prompt(settings, plan, reader.path) for settings, _ in declared]
        records = [_record_of(today, index) for index in range(today.rows)]
        keys = [[prompt.key(record) for record in records] for prompt in prompts]
        repeats = max((_repeats(reader, of_setting) for of_setting in keys), default=1)
        settings = tuple(
            Setting(index, LLMConfig(name=str(label.get(SINGLE_NAME, ""))), label)
            for index, (_, label) in enumerate(declared)
        )
        outcomes = Outcomes(settings, repeats)
        for record in records:
            outcomes.add_row(record, today.record_of(record.position)[3])
        _fill(outcomes, keys, reader, plan)
    finally:
        reader.close()
    if not any(error != "not sent" for error in outcomes.columns.error):
        raise JournalError(
            f"The baseline {reader.path.name!r} has none of these rows",
            remedy="Name the journal of a run over the same table.",
        )
    return Side(outcomes, prompts[0].row_prompt.prompt)


def _make_prompt(settings: dict[str, Any], plan: EvaluationPlan, path: Path) -> _EarlierPrompt:
    try:
        return _EarlierPrompt(settings, plan)
    except AzmlError as error:
        raise JournalError(
            f"The baseline {path.name!r} does not fit these rows: {error.cause}",
            remedy="Name the journal of a run over the same table, or pass the Evaluation of that run.",
        ) from error


def _record_of(outcomes: Outcomes, row_index: int) -> Record:
    label, values, problem, _ = outcomes.record_of(row_index)
    return Record(row_index, label, values, problem)


def _repeats(reader: JournalReader, keys: list[bytes | None]) -> int:
    """Return how often each row was sent, at most."""
    rows = Counter(key for key in keys if key is not None)
    return max((-(-reader.count(key) // times) for key, times in rows.items()), default=1) or 1


def _fill(outcomes: Outcomes, keys: list[list[bytes | None]], reader: JournalReader, plan: EvaluationPlan) -> None:
    """Look up every request, and score its response."""
    pool = ScoringPool(plan.scorers, outcomes)
    try:
        for setting, of_setting in zip(outcomes.settings, keys, strict=True):
            numbers: Counter[bytes] = Counter()
            for row_index, key in enumerate(of_setting):
                for repeat in range(1, outcomes.repeats + 1):
                    found = None if key is None else reader.find(key, numbers[key])
                    if found is None or key is None:
                        continue
                    numbers[key] += 1
                    position = outcomes.position_of(row_index, setting.index, repeat)
                    _put(outcomes, position, found, pool, plan)
        pool.wait()
    finally:
        pool.close()


def _put(outcomes: Outcomes, position: int, found: tuple[Any, Any], pool: ScoringPool, plan: EvaluationPlan) -> None:
    response, error = found
    if response is not None and error is None:
        response, error = plan.row_prompts[0].parse(response)
    outcome: Outcome = replace(outcomes[position], response=response, error=error, reused=True)
    outcomes.put(position, replace(outcome, scores=pool.score_now(outcome)))
    if error is None:
        pool.submit(position)
