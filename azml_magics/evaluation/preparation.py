"""What `evaluate` and a cell share: arguments become a checked plan; after the run, a comparison and requirements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.config import LLMConfig
from ..core.errors import UsageError
from ..core.pricing import read_price
from ..core.text import did_you_mean, one_line
from ..rows.argument_types import Target
from ..runnables.identity import run_name
from ..runnables.recognition import is_runnable
from .answers import has_expectation
from .baseline import check_baseline
from .evaluation import Evaluation
from .expectations import Expectations
from .judge_prompts import fill_rubric, read_rubric
from .judges import describe_judges, make_judges
from .labels import describe_case_variants
from .matches import match_scorer
from .outcome import RIGHT
from .plan import EvaluationPlan, make_plan
from .requirements import parse_requirements
from .scorers import as_scorers
from .settings import expand_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.client import Client
    from ..core.pricing import PriceSource
    from ..core.prompt.schema import Schema
    from ..rows.prompts import Prompt
    from .requirements import Requirement
    from .scoring import Scorer

Configs = Target | Sequence[Target] | Mapping[str, Target]
"""What is evaluated: one target of rows, several, or several by name."""


@dataclass(frozen=True)
class Prepared:
    """An evaluation that can begin.

    Attributes:
        plan: What to send.
        requirements: What the figures must meet.
        baseline: An earlier evaluation or its journal to compare with, None for none.
    """

    plan: EvaluationPlan
    requirements: tuple[Requirement, ...] = ()
    baseline: Evaluation | str | Path | None = None

    def compare(self, evaluation: Evaluation) -> None:
        """Find the rows that became right or wrong against the baseline, if there is one.

        Raises:
            JournalError: The baseline has none of the rows.
        """
        if self.baseline is not None:
            evaluation.flips = evaluation.flipped(self.baseline)

    def check(self, evaluation: Evaluation) -> None:
        """Check the requirements.

        Raises:
            EvaluationFailed: A requirement is not met.
        """
        if self.requirements:
            evaluation.require(self.requirements)


def prepare(
    configs: Configs,
    prompt: Prompt | None,
    rows: Any,
    *,
    expect: str | Mapping[str, str] | Sequence[str] | None = None,
    match: str | Callable[[Any, Any], bool] = "normalized",
    score: Any = None,
    judge: Any = None,
    rubric: str | Path = "",
    pairwise: bool | None = None,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    n: int = 1,
    price: PriceSource | Mapping[str, PriceSource] = None,
    baseline: Evaluation | str | Path | None = None,
    require: str | Sequence[str] = (),
    schema: Schema | None = None,
    variables: Mapping[str, Any] | None = None,
    limit: int | None = None,
    sample: int | None = None,
    client: Client | None = None,
    names: Sequence[str] = (),
) -> Prepared:
    """Check everything that an evaluation is made of. The arguments are those of `evaluate`.

    Besides, `names` are those of a list of configs; "" for a config's own.

    Raises:
        UsageError: An argument is wrong, or they do not fit each other.
        UndefinedVariableError: A variable of the prompt is not a column and has no value.
        JournalError: The baseline is not a journal.
    """
    listed, runnables = _list_targets(configs, names)
    settings = expand_settings(_price(listed, price), sweep, runnables)
    expectations = Expectations.from_argument(expect)
    scorers: list[Scorer] = as_scorers(score)
    if expectations:
        scorers.insert(0, match_scorer(match, expectations))
    elif match != "normalized":
        raise UsageError(
            "match compares responses with an expectation, and there is none",
            remedy="Name the column of the right answers with expect.",
        )
    plan = make_plan(
        settings,
        prompt,
        rows,
        repeats=n,
        expectations=expectations,
        scorers=scorers,
        schema=schema,
        variables=variables,
        limit=limit,
        sample=sample,
        client=client,
    )
    plan = replace(plan, notes=(*plan.notes, *_describe_labels(plan)))
    text = fill_rubric(read_rubric(rubric), variables or {}, plan.table.columns)
    plan = _with_judges(plan, judge, text, pairwise=pairwise)
    names = [*(scorer.name for scorer in plan.scorers), *(judge.name for judge in plan.judges)]
    requirements = parse_requirements(require, plan.settings, names, has_more=bool(score))
    return Prepared(plan, tuple(requirements), _checked_baseline(baseline, plan))


def _list_targets(targets: Any, names: Sequence[str]) -> tuple[list[LLMConfig], list[Any]]:
    """Return the configs of an argument, and for each the Runnable that it stands for; a mapping names them."""
    if isinstance(targets, Mapping):
        named = [(str(name), target) for name, target in targets.items()]
    else:
        is_one = isinstance(targets, (LLMConfig, str)) or not isinstance(targets, Sequence) or is_runnable(targets)
        several = [targets] if is_one else list(targets)
        named = list(zip(names or [""] * len(several), several, strict=True))
    configs = [_config_of(target, name) for name, target in named]
    return configs, [target if is_runnable(target) else None for _, target in named]


def _config_of(target: Any, name: str = "") -> LLMConfig:
    """Return the config of a target; that of a Runnable has its name only."""
    if isinstance(target, LLMConfig):
        config = target
    elif is_runnable(target):
        return LLMConfig(name=name or run_name(target) or type(target).__name__)
    elif callable(getattr(target, "to_config", None)) and not isinstance(target, type):
        config = target.to_config()
    else:
        raise UsageError(
            f"A config is an LLMConfig, not {type(target).__name__}",
            remedy="Pass a config, a list of configs, or a dict of them by name. A LangChain Runnable is taken, too.",
        )
    return config.merged(name=name) if name else config


def _judges_of(judge: Any) -> list[LLMConfig]:
    several = judge if isinstance(judge, Sequence) and not isinstance(judge, str) else [judge]
    for each in several:
        if is_runnable(each):
            raise UsageError("A judge is a config, and this is a LangChain object", remedy="Pass an LLMConfig.")
    return [_config_of(each) for each in several]


def _price(configs: list[LLMConfig], price: Any) -> list[LLMConfig]:
    """Return the configs with their prices: one price for all, or one for each by its config's name."""
    if price is None:
        return configs
    names = [config.name for config in configs]
    is_by_name = isinstance(price, Mapping) and not set(price) <= {"input", "output", "cached_input"}
    if not is_by_name:
        return [config.merged(price=read_price(price)) for config in configs]
    for name in price:
        if name not in names:
            known = one_line(", ".join(names), 200)
            raise UsageError(
                f"price names {str(name)!r}, which is not one of the configs",
                remedy=did_you_mean(str(name), names).strip() or f"The configs are {known}.",
            )
    return [
        config.merged(price=read_price(price[config.name])) if config.name in price else config for config in configs
    ]


def _with_judges(plan: EvaluationPlan, judge: Any, rubric: str, *, pairwise: bool | None) -> EvaluationPlan:
    """Return the plan with its judges, whose rubric fits the table."""
    configs = None if judge is None else _judges_of(judge)
    judges = make_judges(configs, rubric, plan.settings, pairwise=pairwise)
    for each in judges:
        if plan.table.columns:
            each.check(plan.table.columns)
        if any(each.name == scorer.name for scorer in plan.scorers):
            raise UsageError(
                f"A scorer and the judge are both named {each.name!r}",
                remedy="Each score is a column: rename the function.",
            )
    return replace(plan, judges=tuple(judges), notes=(*plan.notes, *describe_judges(judges, plan.settings)))


def _describe_labels(plan: EvaluationPlan) -> list[str]:
    """Return a sentence for each column of expectations that is empty, or whose labels differ only by case or blanks.

    A table that can be read only once is not read for that.
    """
    if plan.table.is_lazy:
        return []
    columns = dict.fromkeys(plan.expectations.columns.values())
    labels: dict[str, dict[str, None]] = {column: {} for column in columns}
    empty = set(columns) if plan.table.length else set()
    for record in plan.table.records() if columns else ():
        for column in columns:
            label = record.values.get(column)
            if column in empty and has_expectation(label):
                empty.discard(column)
            if isinstance(label, str):
                labels[column][label] = None
    said = [f"No row has an expectation in the column {column!r}." for column in columns if column in empty]
    return [*said, *filter(None, (describe_case_variants(column, labels[column]) for column in columns))]


def _checked_baseline(baseline: Any, plan: EvaluationPlan) -> Evaluation | str | Path | None:
    if baseline is None or isinstance(baseline, Evaluation):
        return baseline
    if not isinstance(baseline, (str, Path)):
        raise UsageError(
            f"A baseline is an Evaluation or the path of a journal, not {type(baseline).__name__}",
            remedy="Pass what evaluate returned, or the path of its journal.",
        )
    if not plan.expectations:
        raise UsageError(
            "A baseline tells which rows became right or wrong, and nothing says what is right",
            remedy=f"Name the column of the right answers with expect; its score is {RIGHT!r}.",
        )
    check_baseline(baseline)
    return baseline
