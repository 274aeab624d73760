"""Responses as JSON lines, as azure-ai-evaluation, Foundry and promptflow read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.paths import path_of
from ..core.text import replace_surrogates
from .answers import as_text
from .scorer_arguments import expected_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .outcome import Outcome
    from .outcomes import Outcomes


def write_jsonl(outcomes: Outcomes, path: str | Path, setting: int | None) -> None:
    """Write a line with `query`, `response`, and, where known, `context` and `ground_truth` for each response.

    The file is complete or unchanged.

    Args:
        outcomes: The outcomes.
        path: The file, which is replaced.
        setting: The index of the setting to write, None for all.

    Raises:
        UsageError: The file cannot be written, or there is no such setting.
    """
    if setting is not None and not 0 <= setting < len(outcomes.settings):
        raise UsageError(f"There is no setting {setting}: the evaluation has {len(outcomes.settings)}, counted from 0")
    target = path_of(path)
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_lines(outcomes, setting))
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error


def _lines(outcomes: Outcomes, setting: int | None) -> Iterator[str]:
    is_named = setting is None and len(outcomes.settings) > 1
    for outcome in outcomes:
        if outcome.response is None or outcome.error is not None:
            continue
        if setting is None or outcome.setting.index == setting:
            line = json.dumps(_line(outcome, is_named=is_named), ensure_ascii=False)
            yield replace_surrogates(line) + "\n"


def _line(outcome: Outcome, *, is_named: bool) -> dict[str, Any]:
    expected, context = expected_value(outcome), outcome.row.get("context")
    line = {"query": outcome.prompt, "response": outcome.text}
    line |= {"context": as_text(context)} if context is not None else {}
    line |= {"ground_truth": as_text(expected)} if expected is not None else {}
    return line | ({"setting": outcome.setting.label} if is_named else {})
