"""The progress of an evaluation, a line for each setting, in a terminal or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.text import one_line

from .rows_progress import RowsProgress

if TYPE_CHECKING:
    from azml_magics.rows.progress import Progress

_MAX_LINES = 12
_MAX_LABEL = 40  # characters


class SettingsProgress(RowsProgress):
    """A context manager that draws the progress it is called with; in a notebook a bar for each setting."""

    def _text(self, progress: Progress) -> str:
        by_setting = getattr(progress, "by_setting", ())
        lines = [super()._text(progress)]
        if len(by_setting) > 1:
            width = min(_MAX_LABEL, max(len(label) for label, _ in by_setting))
            lines += [
                f"{one_line(label, width):<{width}}  {each.bar()} {each}" for label, each in by_setting[:_MAX_LINES]
            ]
        return "\n".join(lines)
