"""Outcomes as examples in a table: short texts, in which what all prompts share is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..core.text import one_line
from .outcome import RIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .outcome import Outcome

_MAX_PART = 160  # characters of a prompt or a response
_MIN_SHARED = 5  # characters: less is not worth an ellipsis


class Example(NamedTuple):
    """An outcome in a few short texts.

    Attributes:
        row: The row's label in the table.
        setting: The setting and the repeat; "" if all examples have the same one.
        prompt: What sets the prompt apart from those of the other examples.
        expected: What the row expects.
        response: What was compared, the response's text, or the failure.
    """

    row: str
    setting: str
    prompt: str
    expected: str
    response: str

    def __str__(self) -> str:
        where = f"row {self.row}, {self.setting}" if self.setting else f"row {self.row}"
        return f"{where}: {self.prompt} -> {self.response}"


def describe_examples(outcomes: Sequence[Outcome]) -> list[Example]:
    """Return the examples of a table, in the order of the outcomes."""
    prompts = _without_shared_ends([" ".join(outcome.prompt.split()) for outcome in outcomes])
    settings = [_setting_text(outcome) for outcome in outcomes]
    if len(set(settings)) == 1:
        settings = [""] * len(settings)
    return [
        Example(
            row_text(outcome), setting, one_line(prompt, _MAX_PART), _expected_text(outcome), response_text(outcome)
        )
        for outcome, setting, prompt in zip(outcomes, settings, prompts, strict=True)
    ]


def row_text(outcome: Outcome) -> str:
    """Return the row's label in the table."""
    return one_line(str(outcome.row_index if outcome.row_label is None else outcome.row_label), _MAX_PART)


def response_text(outcome: Outcome) -> str:
    """Return what was compared, the response's text, or the failure."""
    if outcome.error is not None:
        return one_line(outcome.failure, _MAX_PART)
    score = outcome.scores.get(RIGHT)
    return one_line(score.answer if score is not None and score.answer is not None else outcome.text, _MAX_PART)


def _setting_text(outcome: Outcome) -> str:
    repeat = f" (repeat {outcome.setting.repeat})" if outcome.setting.repeat > 1 else ""
    return f"{outcome.setting.label}{repeat}"


def _expected_text(outcome: Outcome) -> str:
    parts = (f"{name}={value}" if name else str(value) for name, value in outcome.expected.items())
    return one_line(", ".join(parts), _MAX_PART)


def _without_shared_ends(prompts: Sequence[str]) -> list[str]:
    """Return prompts without the words at their beginnings and ends that all of them have."""
    if len(set(prompts)) < 2:  # noqa: PLR2004 - one prompt shares nothing with another
        return list(prompts)
    first = _shared_beginning(prompts).rpartition(" ")[0]
    last = _shared_beginning([prompt[len(first) :][::-1] for prompt in prompts])[::-1].partition(" ")[2]
    first, last = (shared if len(shared) >= _MIN_SHARED else "" for shared in (first, last))
    head, tail = "… " if first else "", " …" if last else ""
    return [f"{head}{prompt[len(first) : len(prompt) - len(last)].strip()}{tail}" for prompt in prompts]


def _shared_beginning(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    least, greatest = min(texts), max(texts)  # the two that differ first
    at = next((at for at, (a, b) in enumerate(zip(least, greatest, strict=False)) if a != b), len(least))
    return least[:at]
