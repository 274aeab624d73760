"""How the calls of a click ended, in the words of the panel's status lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import Interrupted, SchemaError

from .error_messages import describe_error

if TYPE_CHECKING:
    from azml_magics.compare.comparison import Batch

    from .changes import ChangeNotifier


def note_mismatch(state: ChangeNotifier, batch: Batch) -> None:
    """Say below the field of the schema what does not match it."""
    wrong = [row.error for row in batch if isinstance(row.error, SchemaError)]
    if wrong:
        of = f"{len(wrong)} of {len(batch)} responses. " if len(batch) > 1 else ""
        state.note("schema", f"{of}{describe_error(wrong[0])}", "bad", wrong[0].error_code)


def describe_outcome(batch: Batch) -> tuple[str, str, str]:
    """Return (a line about how the calls ended, its mood, the code of the error that it describes)."""
    if len(batch) > 1:
        failed = any(row.error is not None for row in batch)
        return f"{batch.summary()}.", "bad" if failed else "good", ""
    row = batch[0]
    if row.error is not None:
        mood = "plain" if isinstance(row.error, Interrupted) else "bad"
        return describe_error(row.error), mood, getattr(row.error, "error_code", "")
    response = row.response
    if response is not None and response.finish_reason == "length":
        return "The response was cut at its token limit: raise max_tokens for more.", "plain", ""
    return "", "plain", ""
