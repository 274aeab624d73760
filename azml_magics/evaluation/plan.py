"""What an evaluation sends, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..core.errors import JournalError, UsageError
from ..core.text import one_line
from ..rows.request_identity import canonical_json, prompt_settings
from ..rows.selection import select_rows
from ..rows.sources import collect_rows, table_of
from ..rows.table_rows import RESPONSE_COLUMNS
from ..rows.targets import make_row_prompt
from .expectations import Expectations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.client import Client
    from ..core.prompt.schema import Schema
    from ..rows.prompts import Prompt, RowPrompt
    from ..rows.table import Table
    from .scoring import Judge, Scorer
    from .settings import Setting


@dataclass(frozen=True)
class EvaluationPlan:
    """Rows by settings by repeats, with what their responses are measured by.

    Attributes:
        settings: The settings without their repeats, whose index is their place; no two send the same.
        row_prompts: The prompt of each setting.
        table: The rows that were selected.
        repeats: How often each request is sent.
        expectations: The columns with the right answers.
        scorers: What measures each response.
        judges: Who is asked about responses.
        notes: A sentence for everything that differs from what a user may expect.
    """

    settings: tuple[Setting, ...]
    row_prompts: tuple[RowPrompt, ...]
    table: Table
    repeats: int = 1
    expectations: Expectations = field(default_factory=Expectations)
    scorers: tuple[Scorer, ...] = ()
    judges: tuple[Judge, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def client(self) -> Client:
        """What sends the requests."""
        return self.row_prompts[0].client

    @property
    def prompt(self) -> Prompt:
        """The prompt, which all settings share."""
        return self.row_prompts[0].prompt

    @property
    def schema(self) -> Schema | None:
        """The schema that every response must match, None for texts."""
        return self.row_prompts[0].schema

    @property
    def requests(self) -> int | None:
        """How many requests there are for the rows, None if only reading tells."""
        length = self.table.length
        return None if length is None else length * len(self.settings) * self.repeats

    def shared_settings(self) -> dict[str, Any]:
        """Return what all settings share, for the first line of a journal."""
        return {"evaluation": 1, **prompt_settings(self.prompt, self.row_prompts[0].variables, self.schema)}


def make_plan(
    settings: Sequence[Setting],
    prompt: Prompt | None,
    rows: Any,
    *,
    repeats: int = 1,
    expectations: Expectations | None = None,
    scorers: Sequence[Scorer] = (),
    judges: Sequence[Judge] = (),
    schema: Schema | None = None,
    variables: Mapping[str, Any] | None = None,
    limit: int | None = None,
    sample: int | None = None,
    client: Client | None = None,
) -> EvaluationPlan:
    """Check that settings, prompt, rows and expectations fit each other.

    Args:
        settings: The settings. One that sends the same as an earlier one is left out, as a note says.
        prompt: A text or messages with `{column}`s, or a function of a row's values; None for a chain that takes rows.
        rows: What `map_rows` takes.
        repeats: How often each request is sent.
        expectations: The columns with the right answers.
        scorers: What measures each response.
        judges: Who is asked about responses.
        schema: The schema that every response must match.
        variables: Values of names in the prompt that are not columns.
        limit: Only the first N rows.
        sample: Only N random rows.
        client: Sends the requests; None for the default client.

    Raises:
        UsageError: The rows cannot be read, the prompt uses no column, or a column or a number is wrong.
        UndefinedVariableError: A variable of the prompt is not a column and has no value.
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise UsageError(f"n takes a whole number of at least 1, not {one_line(repr(repeats), 40)}")
    expectations = expectations or Expectations()
    pairs = [
        (
            setting,
            make_row_prompt(
                setting.config if setting.runnable is None else setting.runnable,
                prompt,
                variables,
                schema,
                client,
                name=setting.config.name,
            ),
        )
        for setting in settings
    ]
    rows, collected = collect_rows(rows, limit)
    table = select_rows(table_of(rows, pairs[0][1].default_column), limit, sample)
    if table.columns:  # a table without rows has none, and nothing is sent for it
        for _, row_prompt in pairs:
            row_prompt.check(table.columns, table.hint)
        expectations.check(table.columns, _fields(pairs[0][1]))
    kept, notes = _without_duplicates(pairs)
    return EvaluationPlan(
        tuple(setting for setting, _ in kept),
        tuple(row_prompt for _, row_prompt in kept),
        table,
        repeats,
        expectations,
        tuple(scorers),
        tuple(judges),
        (*notes, *collected, *kept[0][1].surprises),
    )


def _fields(row_prompt: RowPrompt) -> tuple[str, ...] | None:
    """Return the names of the schema's fields, None without a schema."""
    if row_prompt.schema is None:
        return None
    return tuple(column.name for column in row_prompt.columns[: -len(RESPONSE_COLUMNS)])


def _identity_of(row_prompt: RowPrompt) -> bytes:
    """Return what makes two settings the same; a chain that tells nothing of itself is like no other."""
    try:
        return canonical_json(row_prompt.settings())
    except JournalError:
        return str(id(row_prompt)).encode()


def _without_duplicates(
    pairs: Sequence[tuple[Setting, RowPrompt]],
) -> tuple[list[tuple[Setting, RowPrompt]], list[str]]:
    """Return the settings that differ in what they send, numbered anew, and a sentence for each other one."""
    first: dict[bytes, Setting] = {}
    kept: list[tuple[Setting, RowPrompt]] = []
    notes = []
    for setting, row_prompt in pairs:
        identity = _identity_of(row_prompt)
        if identity in first:
            label, other = setting.label, first[identity].label
            is_same = label == other
            notes.append(
                f"{label} is given twice and sent once." if is_same else f"{label} is left out: {other} sends the same."
            )
            continue
        first[identity] = setting
        kept.append((replace(setting, index=len(kept)), row_prompt))
    return kept, notes
