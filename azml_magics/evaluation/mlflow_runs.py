"""An evaluation in MLflow: a run for each setting. mlflow is optional and imported when needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..core.errors import MissingPackageError
from ..core.install_hint import package_command
from .outcome import RIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .settings import Setting
    from .summary import ScoreSummary, SettingSummary

_UNUSABLE = re.compile(r"[^\w\-. /]")  # in the name of a metric
_MAX_PARAMETER = 500  # characters that every version of MLflow takes
_TABLE = "outcomes.json"
_PROMPT = "prompt.txt"


def log_runs(
    summaries: Sequence[SettingSummary],
    lines_of: Callable[[Setting], list[dict[str, Any]]],
    prompt: Any,
    experiment: str | None,
    run_name: str | None,
) -> list[str]:
    """Log a run for each setting, with its figures as metrics, its values as parameters and its outcomes as a table.

    Args:
        summaries: The figures of each setting.
        lines_of: Returns the outcomes of a setting as flat dicts.
        prompt: The prompt; only a text is logged.
        experiment: The experiment; None for MLflow's active one.
        run_name: What the names of the runs begin with.

    Returns:
        The ids of the runs, in the order of the settings.

    Raises:
        MissingPackageError: mlflow is not installed.
    """
    try:
        import mlflow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError as error:
        raise MissingPackageError(
            "to_mlflow() needs mlflow", remedy=f"Run {package_command('mlflow')}. to_pandas() works without it."
        ) from error
    if experiment is not None:
        mlflow.set_experiment(experiment)
    is_inside = mlflow.active_run() is not None
    ids = []
    for summary in summaries:
        name = " ".join(filter(None, [run_name, summary.label])) or None
        with mlflow.start_run(run_name=name, nested=is_inside) as run:
            _log_run(mlflow, summary, lines_of(summary.setting), prompt)
            ids.append(str(run.info.run_id))
    return ids


def metrics_of(summary: SettingSummary) -> dict[str, float]:
    """Return the figures of a setting by name, those that are known."""
    figures: dict[str, float | None] = {
        "rows": summary.rows,
        "errors": summary.failed,
        "latency_p50": summary.latency_p50,
        "latency_p95": summary.latency_p95,
        "prompt_tokens": summary.prompt_tokens,
        "completion_tokens": summary.completion_tokens,
        "cost": summary.cost,
        "agreement": summary.agreement,
    }
    for score in summary.scores.values():
        figures |= _score_metrics(score)
    return {name: float(value) for name, value in figures.items() if value is not None}


def _score_metrics(score: ScoreSummary) -> dict[str, float | None]:
    name = "accuracy" if score.name == RIGHT else _UNUSABLE.sub("_", f"{score.name}_mean")
    figures: dict[str, float | None] = {name: score.mean, f"{name}_n": score.n}
    if score.interval:
        figures |= {f"{name}_low": score.interval.low, f"{name}_high": score.interval.high}
    if score.difference:
        figures |= {f"{name}_difference": score.difference.value, f"{name}_p": score.difference.p}
    return figures


def _log_run(mlflow: Any, summary: SettingSummary, lines: list[dict[str, Any]], prompt: Any) -> None:
    setting = summary.setting
    config = setting.config
    known = {
        **setting,
        **config.model_kwargs,
        "config": config.name,
        "deployment": config.deployment_name,
        "model": config.model,
    }
    mlflow.log_params(
        {name: str(value)[:_MAX_PARAMETER] for name, value in known.items() if value is not None and str(value)}
    )
    mlflow.log_metrics(metrics_of(summary))
    if isinstance(prompt, str):
        mlflow.log_text(prompt, _PROMPT)
    if lines:
        names = dict.fromkeys(name for line in lines for name in line)
        mlflow.log_table({name: [_plain(line.get(name)) for line in lines] for name in names}, _TABLE)


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)
