"""The trace of one run over rows: a span around its requests, which its threads inherit."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

from ..core.tracing import trace_block

if TYPE_CHECKING:
    from .progress import Progress
    from .prompts import RowPrompt
    from .run_options import RunOptions


class RunTrace:
    """The span of a run, in a context of its own: it may begin and end in different threads.

    Attributes:
        context: The context that threads of the run copy.
    """

    def __init__(self, row_prompt: RowPrompt, options: RunOptions) -> None:
        """Prepare the span of a run below the current one."""
        self.context = contextvars.copy_context()
        prompt = row_prompt.prompt
        self._span = trace_block(
            "map_rows",
            mlflow=row_prompt.client.traces_to_mlflow,
            inputs=None if callable(prompt) or prompt is None else {"prompt": prompt},
            config=row_prompt.config.name,
            concurrency=options.concurrency,
        )

    def start(self) -> None:
        """Start the span."""
        self.context.run(self._span.__enter__)

    def end(self, progress: Progress, error: BaseException | None) -> None:
        """End the span, with the counts of the run and what ended it early."""
        self._span.set(
            **{"rows.total": progress.total, "rows.done": progress.done, "rows.failed": progress.failed},
            **{"rows.reused": progress.reused or None, "rows.tokens": progress.tokens},
        )
        self.context.run(self._span.__exit__, type(error) if error else None, error, None)
