"""The trace of one run over rows: a span around its requests, which its threads inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.tracing import LastingSpan, trace_block

if TYPE_CHECKING:
    from .progress import Progress
    from .prompts import RowPrompt
    from .run_options import RunOptions


def trace_run(row_prompt: RowPrompt, options: RunOptions) -> LastingSpan:
    """Return the span of a run below the current one. Threads of the run copy its context."""
    prompt = row_prompt.prompt
    return LastingSpan(
        trace_block(
            "map_rows",
            {"config": row_prompt.config.name, "concurrency": options.concurrency},
            mlflow=row_prompt.client.traces_to_mlflow,
            inputs=None if callable(prompt) or prompt is None else {"prompt": prompt},
        )
    )


def end_trace(span: LastingSpan, progress: Progress, error: BaseException | None) -> None:
    """End the span of a run, with its counts and what ended it early."""
    counts = {"total": progress.total, "done": progress.done, "failed": progress.failed, "tokens": progress.tokens}
    span.set(**{f"rows.{name}": count for name, count in counts.items()}, **{"rows.reused": progress.reused or None})
    span.__exit__(type(error) if error else None, error, None)
