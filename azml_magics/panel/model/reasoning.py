"""How the models' thoughts are shown in the panel: as the notebook's setting says."""

from __future__ import annotations

from dataclasses import replace

from azml_magics.compare.comparison import Batch


def with_reasoning(batch: Batch, mode: str) -> Batch:
    """Return the batch whose responses show the models' thoughts "folded", "open" or "hidden"."""
    if mode == Batch.show_reasoning:
        return batch
    responses = [replace(row.response, show_reasoning=mode) if row.response else None for row in batch]
    rows = [replace(row, response=response) for row, response in zip(batch, responses, strict=True)]
    shown = Batch(rows, is_complete=batch.is_complete)
    shown.show_reasoning = mode
    return shown
