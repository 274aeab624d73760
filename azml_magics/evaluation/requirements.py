"""Requirements such as `accuracy>=0.9`: read before the run, checked after it."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import EvaluationFailed, UsageError
from ..core.text import did_you_mean, one_line
from .failure_groups import causes_of, failed_positions
from .outcome import RIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .outcomes import Outcomes
    from .settings import Setting
    from .summary import SettingSummary

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt
}  # fmt: skip
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FORM = re.compile(
    rf"(?P<left>(?:(?!==)[^<>!])+?)\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<limit>{_NUMBER})\s*(?P<percent>%?)"
)
_EXAMPLE = "Write it like accuracy>=0.9, small.accuracy>=0.9, errors==0 or p95<2."
_ACCURACY = "accuracy"
_PARTS = ("mean", "low", "high")  # of a score: its mean, and the bounds of its interval
_PRECISION = 1e-12  # 0.1 + 0.2 meets ==0.3
_MAX_ROWS = 5


@dataclass(frozen=True)
class Requirement:
    """What an evaluation must meet.

    Attributes:
        text: The requirement as the user wrote it.
        metric: The name of the figure.
        settings: The indexes of the settings that must meet it.
        sign: How the figure is compared with the limit.
        limit: The limit.
    """

    text: str
    metric: str
    settings: tuple[int, ...]
    sign: str
    limit: float

    def find_problems(self, summaries: Sequence[SettingSummary]) -> list[str]:
        """Return a sentence for each setting that does not meet it.

        Raises:
            KeyError: There is no such figure.
        """
        problems = []
        for index in self.settings:
            value = metrics_of(summaries[index])[self.metric]
            if value is None or not self._is_met(value):
                known = "no value" if value is None else f"{value:.4g}"
                problems.append(
                    f"{self.text}: {summaries[index].label} has {known}{_count(summaries[index], self.metric)}"
                )
        return problems

    def _is_met(self, value: float) -> bool:
        is_equal = abs(value - self.limit) <= _PRECISION * max(1.0, abs(self.limit))
        return "=" in self.sign and self.sign != "!=" if is_equal else _COMPARISONS[self.sign](value, self.limit)


def parse_requirements(
    texts: str | Iterable[str] | None, settings: Sequence[Setting], scores: Iterable[str], *, has_more: bool = False
) -> list[Requirement]:
    """Read requirements.

    Args:
        texts: One requirement or several, such as "accuracy>=0.9", "small.accuracy>=0.9", "judge.mean>=4", "errors==0",
            "p95<2" or "cost<0.5". Without the name of a setting every setting must meet it.
        settings: The settings of the evaluation.
        scores: The names of its scores.
        has_more: Whether the run may give scores of other names, as a function does that returns a dict.

    Raises:
        UsageError: A text is no requirement, or names an unknown figure or setting.
    """
    names = list(scores)
    several = [texts] if isinstance(texts, str) else list(texts or ())
    return [_parse(text, settings, names, has_more=has_more) for text in several]


def check_requirements(
    requirements: Sequence[Requirement], summaries: Sequence[SettingSummary], outcomes: Outcomes
) -> None:
    """Check that an evaluation meets its requirements.

    Args:
        requirements: The requirements.
        summaries: The figures of each setting.
        outcomes: The outcomes, for the message.

    Raises:
        EvaluationFailed: It does not; the message names the figures and the first rows that are wrong or failed.
    """
    problems, indexes = [], set()
    for requirement in requirements:
        try:
            found = requirement.find_problems(summaries)
        except KeyError:
            found = [_unknown(requirement.metric, list(metrics_of(summaries[0])))]
        problems += found
        indexes |= set(requirement.settings) if found else set()
    if not problems:
        return
    count = "a requirement" if len(problems) == 1 else f"{len(problems)} requirements"
    rows = _describe_rows(outcomes, indexes)
    raise EvaluationFailed(
        f"The evaluation does not meet {count}: {'; '.join(problems)}. {rows}".strip(),
        remedy="The error's `batch` has all outcomes.",
    )


def metrics_of(summary: SettingSummary) -> dict[str, float | None]:
    """Return the figures of a setting that a requirement can name."""
    figures: dict[str, float | None] = {}
    for score in summary.scores.values():
        name = _ACCURACY if score.name == RIGHT else score.name
        interval = score.interval or (None, None)
        values = dict(zip(_PARTS, (score.mean, *interval), strict=True))
        figures |= {name: score.mean, **{f"{name}.{part}": value for part, value in values.items()}}
    return figures | {
        "errors": summary.failed,
        "p50": summary.latency_p50,
        "p95": summary.latency_p95,
        "cost": summary.cost,
        "tokens": summary.prompt_tokens + summary.completion_tokens,
        "agreement": summary.agreement,
        "rows": summary.rows,
    }


def _known_metrics(scores: Iterable[str]) -> list[str]:
    names = [_ACCURACY if name == RIGHT else name for name in scores]
    of_scores = [each for name in names for each in (name, *(f"{name}.{part}" for part in _PARTS))]
    return [*of_scores, "errors", "p50", "p95", "cost", "tokens", "agreement", "rows"]


def _parse(text: str, settings: Sequence[Setting], scores: list[str], *, has_more: bool) -> Requirement:
    match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise UsageError(f"{one_line(str(text), 80)!r} is not a requirement", remedy=_EXAMPLE)
    left, limit = match["left"].strip(), float(match["limit"]) / (100 if match["percent"] else 1)
    known = _known_metrics(scores)
    everywhere = tuple(range(len(settings)))
    if left in known:
        metric, where = left, everywhere
    else:
        metric, where = _split(left, settings, known)
        if not metric and not has_more:
            raise UsageError(_unknown(left, known))
        metric, where = metric or left, where or everywhere
    if metric == "cost" and any(settings[index].config.price is None for index in where):
        unpriced = next(settings[index] for index in where if settings[index].config.price is None)
        raise UsageError(
            f"The requirement {text!r} needs a price, and {unpriced.label!r} has none",
            remedy="Prices are never guessed: give the price per million tokens.",
        )
    return Requirement(text.strip(), metric, where, match["sign"], limit)


def _split(left: str, settings: Sequence[Setting], known: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """Return the metric and the settings of "small.accuracy"; ("", ()) if it does not end with a metric.

    Raises:
        UsageError: There is no such setting.
    """
    metric = max((name for name in known if left.endswith(f".{name}")), key=len, default="")
    if not metric:
        return _split_unknown(left, settings)
    name = left.removesuffix(f".{metric}").strip()
    where = _find_settings(name, settings)
    if not where:
        labels = list(dict.fromkeys(setting.label for setting in settings))
        raise UsageError(
            f"There is no setting {one_line(name, 60)!r}.{did_you_mean(name, labels)}",
            remedy=f"The settings are {one_line(', '.join(labels), 200)}.",
        )
    return metric, where


def _split_unknown(left: str, settings: Sequence[Setting]) -> tuple[str, tuple[int, ...]]:
    """Return what follows the name of a setting: the score of a function that only the run tells."""
    for at, character in enumerate(left):
        if character == "." and (where := _find_settings(left[:at], settings)):
            return left[at + 1 :], where
    return "", ()


def _find_settings(name: str, settings: Sequence[Setting]) -> tuple[int, ...]:
    """Return the indexes of the settings with this label, or else with this value or `name=value`."""
    exact = tuple(setting.index for setting in settings if setting.label == name)
    return exact or tuple(
        setting.index
        for setting in settings
        if any(name in {str(value), f"{key}={value}"} for key, value in setting.items())
    )


def _unknown(metric: str, known: list[str]) -> str:
    shown = [name for name in known if not name.endswith(tuple(f".{part}" for part in _PARTS))]
    return (
        f"There is no figure {one_line(metric, 60)!r} to require.{did_you_mean(metric, known)} "
        f"The figures are {one_line(', '.join(shown), 200)}"
    )


def _count(summary: SettingSummary, metric: str) -> str:
    accuracy = summary.accuracy
    return f" ({accuracy.count:,} of {accuracy.n:,})" if metric == _ACCURACY and accuracy and accuracy.n else ""


def _describe_rows(outcomes: Outcomes, indexes: set[int]) -> str:
    """Return which rows are wrong or failed with these settings, and the cause of the first one."""
    columns = outcomes.columns
    found = [at for at in failed_positions(outcomes) if at // columns.repeats % columns.settings in indexes]
    if not found:
        return ""
    shown = [outcomes[at] for at in found[:_MAX_ROWS]]
    labels = dict.fromkeys(
        str(outcome.row_index if outcome.row_label is None else outcome.row_label) for outcome in shown
    )
    more = f" and {len(found) - len(shown):,} more" if len(found) > len(shown) else ""
    cause = next((cause for _, cause in causes_of(shown[0])), "")
    rows = f"Row{'s' if len(labels) > 1 else ''} {one_line(', '.join(labels), 100)}{more}"
    return f"{rows}: {one_line(cause, 150)}"
