"""Judges: models that are asked how good a response is, or which of two is better.

What is judged is fenced in the prompt by lines that it cannot contain, so that a response that talks to the judge stays
material. A verdict is JSON of a schema: the reason first, because a model that gives its reason first judges better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.config import LLMConfig
from ..core.errors import UsageError
from ..core.text import did_you_mean
from .judge_prompts import compare_message, rubric_variables, score_message
from .matches import describe_error
from .outcome import Score
from .scoring import JudgeRequest
from .verdicts import SCORE_SCHEMA, VALUES, WINNER_SCHEMA, as_score, reason_of, verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from .outcome import Outcome
    from .scoring import Judge
    from .settings import Setting

NAME = "judge"
PAIR = 2  # settings that are compared with each other
_ALONE = "alone"  # the only request about one outcome


def make_judges(
    configs: LLMConfig | Sequence[LLMConfig] | None,
    rubric: str,
    settings: Sequence[Setting],
    *,
    pairwise: bool | None = None,
) -> list[Judge]:
    """Return a judge for each config.

    Args:
        configs: The config of the judge, or those of several.
        rubric: What makes a response good; `{column}` takes the row's value.
        settings: The settings of the evaluation.
        pairwise: Whether the responses of two settings are compared with each other; by default if there are two.

    Raises:
        UsageError: There is no rubric, a config is given twice, or pairs are requested of more or fewer settings.
    """
    several: list[LLMConfig] = [configs] if isinstance(configs, LLMConfig) else list(configs or ())
    if not several:
        if rubric:
            raise UsageError("There is a rubric and no judge", remedy="Name the config that judges by it.")
        return []
    if not isinstance(rubric, str) or not rubric.strip():
        raise UsageError(
            "A judge needs a rubric", remedy="Say what makes a response good, and the scores from worst to best."
        )
    is_pairwise = len(settings) == PAIR if pairwise is None else pairwise
    if is_pairwise and len(settings) != PAIR:
        raise UsageError(f"A judge compares the responses of two settings, and there are {len(settings)}")
    names = _names(several, f"{NAME}_wins" if is_pairwise else NAME)
    kind = PairJudge if is_pairwise else ScoreJudge
    return [kind(name, config, rubric) for name, config in zip(names, several, strict=True)]


def describe_judges(judges: Sequence[Judge], settings: Sequence[Setting]) -> list[str]:
    """Return a sentence for each judge that judges its own responses: models favour them."""
    own = {_identity(setting.config): setting.label for setting in settings}
    return [
        f"The judge {judge.config.name or judge.name} also gives the responses of {own[_identity(judge.config)]}: "
        "models favour their own."
        for judge in judges
        if _identity(judge.config) in own
    ]


class _RubricJudge:
    """What both judges have."""

    def __init__(self, name: str, config: LLMConfig, rubric: str) -> None:
        self.name = name
        self.config = config
        self.rubric = rubric

    def check(self, columns: Sequence[str]) -> None:
        """Check that the rubric's variables are columns of the table.

        Raises:
            UsageError: One is not.
        """
        check_rubric(self.rubric, columns)


class ScoreJudge(_RubricJudge):
    """Gives each response a score by the rubric.

    Attributes:
        name: The name of its score.
        config: The config of its requests.
        rubric: What makes a response good.
        schema: That of its verdicts.
        is_pairwise: It judges each response alone.
    """

    schema: Schema | None = SCORE_SCHEMA
    is_pairwise = False

    def requests(self, outcomes: Sequence[Outcome]) -> Sequence[JudgeRequest]:
        """Return the request about an outcome."""
        return [JudgeRequest(_ALONE, [score_message(self.rubric, outcome)]) for outcome in outcomes[:1]]

    def read(
        self, outcomes: Sequence[Outcome], responses: Mapping[str, Response | Exception]
    ) -> Sequence[Sequence[Score]]:
        """Return the score of the outcome."""
        try:
            verdict = verdict_of(responses[_ALONE])
            score = Score(self.name, as_score(verdict.get("score")), reason_of(verdict))
        except Exception as error:  # noqa: BLE001 - no verdict, or one that is none: the error of this row
            score = Score(self.name, None, error=describe_error(error))
        return [[score] for _ in outcomes]


class PairJudge(_RubricJudge):
    """Compares the responses of two settings, in both orders: 1 for the better one, 0 for the other, 0.5 for a tie.

    Where the orders disagree there is no score: the judge was moved by the order.

    Attributes:
        name: The name of its score.
        config: The config of its requests.
        rubric: What makes a response good.
        schema: That of its verdicts.
        is_pairwise: It judges the responses of one row together.
    """

    schema: Schema | None = WINNER_SCHEMA
    is_pairwise = True

    def requests(self, outcomes: Sequence[Outcome]) -> Sequence[JudgeRequest]:
        """Return two requests for each pair, one for each order; [] for a row without a pair."""
        return [
            JudgeRequest(_key(one, other), [compare_message(self.rubric, one, other)])
            for pair in _pairs(outcomes)
            for one, other in (pair, pair[::-1])
        ]

    def read(
        self, outcomes: Sequence[Outcome], responses: Mapping[str, Response | Exception]
    ) -> Sequence[Sequence[Score]]:
        """Return the scores of the outcomes; none for one without a partner."""
        found: dict[int, Score] = {}
        for first, second in _pairs(outcomes):
            try:
                value, reason = _read_both(responses[_key(first, second)], responses[_key(second, first)])
            except Exception as error:  # noqa: BLE001 - no verdict, or one that is none: the error of this row
                scores = (Score(self.name, None, error=describe_error(error)),) * PAIR
            else:
                values = (None, None) if value is None else (value, 1 - value)
                scores = (Score(self.name, values[0], reason), Score(self.name, values[1], reason))
            found |= {id(first): scores[0], id(second): scores[1]}
        return [[found[id(outcome)]] if id(outcome) in found else [] for outcome in outcomes]


def check_rubric(rubric: str, columns: Sequence[str]) -> None:
    """Check that the variables of a rubric are columns of the table.

    Raises:
        UsageError: One is not.
    """
    unknown = [name for name in rubric_variables(rubric, columns) if name not in columns]
    if unknown:
        raise UsageError(
            f"The rubric has {{{unknown[0]}}}, which is not a column.{did_you_mean(unknown[0], columns)}",
            remedy=f"Write {{{{{unknown[0]}}}}} for the word in braces.",
        )


def _pairs(outcomes: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Return the outcomes of both settings that belong together: those with the same repeat."""
    by_repeat: dict[int, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda each: each.setting.index):
        by_repeat.setdefault(outcome.setting.repeat, []).append(outcome)
    return [(pair[0], pair[1]) for pair in by_repeat.values() if len(pair) == PAIR]


def _key(first: Outcome, second: Outcome) -> str:
    return f"{first.setting.repeat}: {first.setting.index} < {second.setting.index}"


def _read_both(forward: Response | Exception, backward: Response | Exception) -> tuple[float | None, str]:
    """Return the value of the first response and the reason; None if the two orders disagree."""
    verdicts = verdict_of(forward), verdict_of(backward)
    first, swapped = (VALUES[verdict["winner"]] for verdict in verdicts)
    if first != 1 - swapped:
        return None, f"The two orders disagree. {reason_of(verdicts[0])}".strip()
    return first, reason_of(verdicts[0])


def _names(configs: Sequence[LLMConfig], stem: str) -> list[str]:
    """Return the name of each judge's score: with the config's name if there are several."""
    if len(configs) == 1:
        return [stem]
    names = [f"{stem}_{config.name or number}" for number, config in enumerate(configs, start=1)]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise UsageError(f"Two judges are named {twice!r}", remedy="Give their configs different names.")
    return names


def _identity(config: LLMConfig) -> tuple[Any, ...]:
    return config.endpoint_url, config.deployment_name, config.model
