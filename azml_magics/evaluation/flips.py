"""What changed against a baseline: the rows that became right or wrong, and the difference of the prompts."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ..core.text import one_line
from .flip_list import flip_section
from .outcome import RIGHT
from .section import Section, sections_bundle
from .statistics import compare_right
from .summary import Flip

if TYPE_CHECKING:
    from .outcomes import Outcomes
    from .settings import Setting
    from .statistics import Difference

_Place = tuple[Any, ...]


class Side(NamedTuple):
    """One of two evaluations that are compared: what came of it, and its prompt."""

    outcomes: Outcomes
    prompt: Any


@dataclass(frozen=True, repr=False)
class Flips(Sequence[Flip]):
    """The rows that became right or wrong against a baseline: a sequence of `Flip`s.

    Attributes:
        flips: The rows, in the order of the table.
        difference: How the accuracy of the rows that both have differs, by the label of the setting.
        notes: What cannot be compared, a sentence each.
        prompt_difference: The lines in which the prompts differ, marked with - and +; "" if they are the same.
    """

    flips: Sequence[Flip]
    difference: dict[str, Difference]
    notes: Sequence[str] = ()
    prompt_difference: str = ""

    @property
    def became_right(self) -> list[Flip]:
        """The rows that were wrong and are right."""
        return [flip for flip in self.flips if flip.became_right]

    @property
    def became_wrong(self) -> list[Flip]:
        """The rows that were right and are wrong."""
        return [flip for flip in self.flips if not flip.became_right]

    @overload
    def __getitem__(self, index: int) -> Flip: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Flip]: ...
    def __getitem__(self, index: int | slice) -> Flip | Sequence[Flip]:
        return self.flips[index]

    def __len__(self) -> int:
        return len(self.flips)

    def __iter__(self) -> Iterator[Flip]:
        return iter(self.flips)

    def to_section(self, *, limit: int | None = None) -> Section:
        """Return the rows as a table, those that became wrong first.

        Args:
            limit: How many rows are shown at most, None for all.
        """
        changes = [f"{label}: {difference.verdict}." for label, difference in self.difference.items()]
        return flip_section(self.flips, [*changes, *self.notes], limit=limit)

    def __repr__(self) -> str:
        return self.to_section().to_text()

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return sections_bundle([self.to_section()])


def find_flips(baseline: Side, evaluation: Side) -> Flips:
    """Return the rows that became right or wrong.

    Rows are the same if all their values are. Settings are the same if their labels are; an evaluation with a single
    setting is compared with a baseline of a single one, whatever they are called.

    Args:
        baseline: The earlier evaluation.
        evaluation: The later one.
    """
    notes = list(_describe_prompts(baseline, evaluation))
    pairs = _pair_settings(baseline.outcomes.settings, evaluation.outcomes.settings)
    notes += _describe_settings(baseline, evaluation, pairs)
    before = _positions(baseline, [earlier for earlier, _ in pairs])
    after = _positions(evaluation, [later for _, later in pairs])
    shared = [key for key in after if key in before]
    notes += _describe_rows(len(before) - len(shared), len(after) - len(shared), evaluation)
    results: dict[str, list[tuple[bool, bool]]] = {later.label: [] for _, later in pairs}
    flips = []
    for key in shared:
        was, now = before[key], after[key]
        was_right, is_right = _right(baseline, was), _right(evaluation, now)
        if was_right is None or is_right is None:
            continue
        results[pairs[key[0]][1].label].append((was_right, is_right))
        if was_right != is_right:
            flips.append(Flip(baseline.outcomes[was], evaluation.outcomes[now]))
    if shared and not any(results.values()):
        notes.append("No row has a right answer to compare in both: nothing can change.")
    differences = {
        label: compare_right([was for was, _ in both], [now for _, now in both])
        for label, both in results.items()
        if both
    }
    return Flips(flips, differences, tuple(notes), diff_prompts(baseline, evaluation))


def diff_prompts(baseline: Side, evaluation: Side) -> str:
    """Return the lines in which the prompts of two evaluations differ, marked with - and +; "" if they are the same."""
    before, after = _prompt_text(baseline), _prompt_text(evaluation)
    if before == after or not before or not after:
        return ""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))
    return "\n".join(f"{line[0]} {line[1:]}" for line in lines[2:] if line[:1] in "-+")


def _positions(evaluation: Side, settings: Sequence[Setting]) -> dict[_Place, int]:
    """Return the place of each outcome by its setting, its row's values, the equal rows before it, and its repeat."""
    outcomes, found = evaluation.outcomes, {}
    seen: Counter[str] = Counter()
    for row_index in range(outcomes.rows):
        _, values, _, _ = outcomes.record_of(row_index)
        content = json.dumps(values, sort_keys=True, default=str)
        for number, setting in enumerate(settings):
            for repeat in range(1, outcomes.repeats + 1):
                found[number, content, seen[content], repeat] = outcomes.position_of(row_index, setting.index, repeat)
        seen[content] += 1
    return found


def _right(evaluation: Side, position: int) -> bool | None:
    """Return whether an outcome is right, None if that is unknown."""
    right = evaluation.outcomes.columns.scores.get(RIGHT)
    value = -1.0 if right is None else right[position]
    return bool(value) if value in {0.0, 1.0} else None


def _pair_settings(before: Sequence[Setting], after: Sequence[Setting]) -> list[tuple[Setting, Setting]]:
    if len(before) == len(after) == 1:
        return [(before[0], after[0])]
    earlier = {setting.label: setting for setting in before}
    return [(earlier[setting.label], setting) for setting in after if setting.label in earlier]


def _describe_prompts(baseline: Side, evaluation: Side) -> Iterator[str]:
    difference = diff_prompts(baseline, evaluation)
    if difference:
        yield f"The prompts differ: {one_line(difference, 300)}"


def _describe_settings(baseline: Side, evaluation: Side, pairs: Sequence[tuple[Setting, Setting]]) -> Iterator[str]:
    for whose, settings, paired in (
        ("the baseline", baseline.outcomes.settings, {earlier.label for earlier, _ in pairs}),
        ("this evaluation", evaluation.outcomes.settings, {later.label for _, later in pairs}),
    ):
        alone = [setting.label for setting in settings if setting.label not in paired]
        if alone:
            yield f"Only {whose} has the setting{'s' if len(alone) > 1 else ''} {one_line('; '.join(alone), 200)}."


def _describe_rows(only_before: int, only_after: int, evaluation: Side) -> Iterator[str]:
    thing = "row" if evaluation.outcomes.width == 1 else "outcome"
    for count, missing in ((only_before, "in the baseline alone"), (only_after, "not in the baseline")):
        if count:
            yield f"{count:,} {thing} is {missing}." if count == 1 else f"{count:,} {thing}s are {missing}."


def _prompt_text(evaluation: Side) -> str:
    """Return the prompt as text: of messages their texts, of a function nothing."""
    prompt = evaluation.prompt
    if isinstance(prompt, str):
        return prompt
    if callable(prompt) or not isinstance(prompt, Sequence):
        return ""
    return "\n".join(f"{message.get('role', '')}: {message.get('content', '')}" for message in prompt)
