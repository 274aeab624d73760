"""Evaluation: the outcomes of all rows with all settings, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from ..compare.comparison import Batch
from ..compare.data_frame import make_data_frame
from ..core.errors import EvaluationFailed, UsageError
from ..core.text import one_line
from ..rows.table_rows import NOT_SENT
from .confusion import count_labels
from .confusion_section import ConfusionTable
from .failure_groups import group_failures
from .failure_list import Failures
from .figures import measure_kappa, summarize
from .flips import Flips, Side, find_flips
from .judge_usage import JudgeUsage
from .outcome import RIGHT, Outcome
from .outcomes import Outcomes
from .plot import Plot
from .report import report_sections
from .requirements import Requirement, check_requirements, parse_requirements
from .section import Section, sections_to_markdown, sections_to_text
from .settings import Setting
from .summary_table import Summary


class Evaluation(Batch):
    """What came of every row of a table with every setting: a sequence of `Outcome`s, and their figures.

    Attributes:
        outcomes: The outcomes, row by row, in a row by setting, then by repeat.
        plan: What was asked: the prompt, the settings, the expectations.
        progress: The counts of the run.
        note: A sentence about the run, such as why it ended early; "" if there is nothing to say.
        flips: What changed against the baseline that the run was given; None without one.
        judge_usage: What the requests of each judge used and cost; the settings' figures do not have them.

    Examples:
        >>> evaluation.summary()[0].accuracy.mean
        0.93
        >>> evaluation.failures()[0].cause
        "expected 'cross', got 'glad'"
        >>> evaluation.to_pandas().groupby("config")["right"].mean()  # doctest: +SKIP
    """

    def __init__(
        self, outcomes: Outcomes, plan: Any, *, progress: Any = None, note: str = "", is_complete: bool = True
    ) -> None:
        """Hold the outcomes.

        Args:
            outcomes: What came of every row with every setting.
            plan: What was asked.
            progress: The counts of the run.
            note: A sentence about the run.
            is_complete: Whether no further outcomes come.
        """
        super().__init__((), is_complete=is_complete)
        self.outcomes = outcomes
        self.plan = plan
        self.progress = progress
        self.note = note
        self._summary: Summary | None = None
        self.flips: Flips | None = None
        self.judge_usage: tuple[JudgeUsage, ...] = ()

    # ---- a sequence of outcomes

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Batch: ...
    def __getitem__(self, index: int | slice) -> Outcome | Batch:
        if isinstance(index, slice):
            return Batch(self.outcomes[index], is_complete=self.is_complete)
        return self.outcomes[index]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    @property
    def settings(self) -> Sequence[Setting]:
        """The settings, without their repeats."""
        return self.outcomes.settings

    # ---- figures

    def summary(self) -> Summary:  # type: ignore[override]  # a batch says one line, this a line each
        """Return the figures of each setting, in their order.

        Accuracy and means come with 95 % intervals, and from the second setting on with the difference to the first one
        on the same rows and its p-value. Repeats of a row count as one observation. A failed row counts nowhere but
        among the failures.
        """
        if self._summary is None or not self.is_complete:
            self._summary = Summary(summarize(self.outcomes, expects=bool(self.plan.expectations)))
        return self._summary

    def failures(self, examples: int = 3) -> Failures:
        """Return what is wrong or failed, grouped by cause, the most frequent first.

        Args:
            examples: How many outcomes to return of each group.
        """
        return Failures(group_failures(self.outcomes, examples))

    def kappa(self, setting: int = 0) -> float | None:
        """Return Fleiss' kappa of the repeats: how much more they agree than by chance, 1 for always.

        Args:
            setting: The index of the setting.

        Returns:
            None without repeats, or if all answers are the same.
        """
        return measure_kappa(self.outcomes.columns, setting)

    def confusion(self, setting: int = 0, score: str = RIGHT) -> ConfusionTable | None:
        """Return how often each label was given where another was expected; None for more than 20 labels, or none.

        Args:
            setting: The index of the setting.
            score: The score that compared them: "right", or the name of a field if several were expected.
        """
        return count_labels(self.outcomes, self.settings[setting], score)

    def flipped(self, baseline: Evaluation | str | Path) -> Flips:
        """Return the rows that became right or wrong against a baseline, and what differs besides.

        Args:
            baseline: An earlier evaluation, or the path of its journal: its responses are scored as those of today.

        Raises:
            JournalError: The journal cannot be read, or has none of the rows.
            UsageError: The baseline is something else.
        """
        here = Side(self.outcomes, self.plan.prompt)
        if isinstance(baseline, (str, Path)):
            from .baseline import read_baseline

            return find_flips(read_baseline(baseline, self.plan, self.outcomes), here)
        if not isinstance(baseline, Evaluation):
            raise UsageError(
                f"A baseline is an evaluation or the path of its journal, not {type(baseline).__name__}",
                remedy="Keep the result of the earlier evaluation, or give it a journal.",
            )
        return find_flips(Side(baseline.outcomes, baseline.plan.prompt), here)

    def require(self, requirements: str | Sequence[str] | Sequence[Requirement]) -> None:
        """Check requirements such as "accuracy>=0.9", which every setting must meet, or "small.accuracy>=0.9".

        Raises:
            EvaluationFailed: One is not met; the message names the figures and the first rows that are wrong.
            UsageError: One cannot be read, or names an unknown figure or setting.
        """
        several = [requirements] if isinstance(requirements, str) else list(requirements)
        parsed = [each for each in several if isinstance(each, Requirement)]
        texts = [each for each in several if isinstance(each, str)]
        parsed += parse_requirements(texts, self.settings, self.outcomes.columns.scores)
        try:
            check_requirements(parsed, self.summary(), self.outcomes)
        except EvaluationFailed as failed:
            failed.batch = self
            raise

    # ---- exports

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a flat dict for each outcome: its row's columns, the setting, the response's facts and the scores.

        A failed row has an error and no scores: they are missing, not wrong.
        """
        return [self.to_line(outcome) for outcome in self.outcomes]

    def to_line(self, outcome: Outcome) -> dict[str, Any]:
        """Return an outcome as a flat dict with every score of the evaluation, None for those that it lacks."""
        names = self.outcomes.columns.scores
        return {**outcome.to_dict(), **{name: None for name in names if name not in outcome.scores}}

    def to_pandas(self) -> Any:
        """Return the outcomes in long form as a pandas DataFrame: a line for each row, setting and repeat.

        Scores of true and false are booleans, missing where a row failed.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        frame = make_data_frame(self.to_dicts(), "to_dicts() works without it.")
        columns = self.outcomes.columns
        kinds = {
            name: "float64" if name in columns.numeric else "boolean"
            for name in columns.scores
            if name in frame.columns
        }
        return frame.astype(kinds)

    def to_jsonl(self, path: str | Path, setting: int | None = None) -> None:
        """Write the responses as JSON lines that azure-ai-evaluation and Foundry read.

        Each line has `query`, `response`, and, where known, `context` and `ground_truth`. Failed rows are left out.

        Args:
            path: The file, which is replaced.
            setting: The index of a setting whose responses to write; None for all, with a `setting` in each line.
        """
        from .jsonl_file import write_jsonl

        write_jsonl(self.outcomes, path, setting)

    def to_mlflow(self, experiment: str | None = None, run_name: str | None = None) -> list[str]:
        """Log the evaluation to MLflow: a run for each setting, with its figures, parameters and outcomes.

        Args:
            experiment: The experiment; None for MLflow's active one.
            run_name: What the names of the runs begin with.

        Returns:
            The ids of the runs, in the order of the settings.

        Raises:
            MissingPackageError: mlflow is not installed.
        """
        from .mlflow_runs import log_runs

        return log_runs(self.summary(), self._lines_of, self.plan.prompt, experiment, run_name)

    def _lines_of(self, setting: Setting) -> list[dict[str, Any]]:
        return [self.to_line(outcome) for outcome in self.outcomes if outcome.setting.index == setting.index]

    def headline(self) -> str:
        """Return how many responses there are and how many failed, and the run's note, in one line."""
        columns, width = self.outcomes.columns, self.outcomes.width
        unsent = columns.error.count(NOT_SENT)
        failed = len(columns) - unsent - columns.error.count("")
        rows = f"{self.outcomes.rows:,} row{'' if self.outcomes.rows == 1 else 's'}"
        number, repeats = len(self.settings), self.outcomes.repeats
        settings = f" x {number} settings" if number > 1 else ""
        settings += f" x {repeats} repeats" if repeats > 1 else ""
        settings += f" = {len(columns):,} responses" if width > 1 else ""
        counts = f"{rows}{settings}" + (f", {failed:,} failed" if failed else "")
        counts += f", {unsent:,} {NOT_SENT}" if unsent else ""
        return one_line(". ".join(filter(None, [counts, self.note])))

    # ---- shown

    def sections(self, *, times: bool = False) -> list[Section]:
        """Return the tables that show the evaluation: summary, failures, confusions of a single setting, flips.

        Args:
            times: Whether to show latencies, which differ from run to run.
        """
        confusion = self.confusion() if len(self.settings) == 1 else None
        return report_sections(
            self.headline(), self.summary(), self.failures(), self.flips, confusion, times=times, notes=self.judge_usage
        )

    def to_text(self, *, times: bool = False) -> str:
        """Return the evaluation as text.

        Args:
            times: Whether to show latencies; without them the same responses give the same text.
        """
        return sections_to_text(self.sections(times=times))

    def to_markdown(self) -> str:
        """Return the evaluation as Markdown, for GitHub or a report."""
        return sections_to_markdown(self.sections(times=True))

    def plot(self, score: str = "accuracy") -> Plot:
        """Return a plot of a score with its interval against cost and latency, a point for each setting.

        Notebooks show it as SVG. Its `to_svg()` and `to_matplotlib()` return it for other places.

        Args:
            score: The name of the score.

        Raises:
            UsageError: No setting has a value of that score.
        """
        return Plot.of(self.summary(), score)
