"""%azureml usage: how many requests and tokens went to each model, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.pricing import format_cost, round_cost
from azml_magics.display.sortable_table import SortableTable
from azml_magics.display.text_output import TextOutput
from azml_magics.usage import UsageKey, UsageTotals

if TYPE_CHECKING:
    from azml_magics.usage import UsageTally

    from ..context import NotebookContext
    from ..parsed_options import UsageOptions

_ALWAYS = ("config", "requests", "failed", "tokens in", "tokens out")


def show_usage(context: NotebookContext, options: UsageOptions) -> SortableTable | TextOutput:
    """Return a table of what this session has used, by config and model, and by day with --by day."""
    tally: UsageTally = context.session.usage
    if options.with_history:
        tally = tally.with_exchanges(each for each in context.session.full_history() if each.is_earlier)
    counts = tally.counts(by_day=options.by == "day")
    if not counts:
        return TextOutput("No prompt has been sent yet.")
    total = UsageTotals()
    for usage in counts.values():
        total.add(usage)
    lines = [_line(key, usage) for key, usage in counts.items()]
    if len(lines) > 1:
        lines.append(_line(UsageKey("total", "", ""), total))
    names = [name for name in lines[0] if name in _ALWAYS or any(line[name] for line in lines)]
    return SortableTable.of(names, [[line[name] for name in names] for line in lines], _note(total), _text)


class _Cost(float):
    """A cost, which is written with as many digits as it needs."""


def _line(key: UsageKey, usage: UsageTotals) -> dict[str, str | float | None]:
    """The cells of a line by their headings."""
    return {
        "day": key.day or None,
        "config": key.config or "(unnamed)",
        "model": key.model or None,
        "requests": usage.requests,
        "failed": usage.failed,
        "tokens in": usage.prompt_tokens,
        "cached": usage.cached_tokens,
        "tokens out": usage.completion_tokens,
        "reasoning": usage.reasoning_tokens,
        "cost": _Cost(round_cost(usage.cost)) if usage.priced else None,
    }


def _text(value: str | float | None) -> str:
    if isinstance(value, _Cost):
        return format_cost(value)
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _note(total: UsageTotals) -> str:
    """What the costs leave out; "" if nothing has a price."""
    if not total.priced or not total.unpriced:
        return ""
    responses = "1 response is" if total.unpriced == 1 else f"{total.unpriced:,} responses are"
    return f"{responses} not in the cost: no --price in the config, or no token counts from the endpoint."
