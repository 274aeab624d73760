"""What an evaluation is about to send, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.pricing import PER, format_cost, read_price
from ..core.text import one_line
from ..core.tokens import BYTES_PER_TOKEN, estimate_tokens

if TYPE_CHECKING:
    from ..rows.journal_summary import JournalSummary
    from ..rows.run_options import RunOptions
    from .plan import EvaluationPlan

_SAMPLED = 100  # rows whose prompts are estimated
_MAX_LABELS = 4


def announce(plan: EvaluationPlan, options: RunOptions, summary: JournalSummary | None = None) -> str:
    """Return how many requests are sent, to which settings, and what the prompts take.

    Args:
        plan: What is sent.
        options: The limits and the journal.
        summary: What the journal has; None if it has nothing.
    """
    requests = describe_requests(plan)
    pace = f"up to {options.concurrency} at a time" + (" for each endpoint" if len(plan.settings) > 1 else "")
    journal = f"the journal {options.journal}"
    if summary is None or summary.found == 0:
        with_journal = f", with {journal}" if options.journal else ""
        parts = [f"Sending {requests}, {pace}{with_journal}.", _estimate(plan)]
    elif summary.found is None:
        has = f"it has {summary.entries:,} responses and errors"
        parts = [f"Sending what {journal} lacks of {requests}, {pace}: {has}."]
    elif summary.missing:
        parts = [f"Sending {summary.missing:,} of {requests}, {pace}: {journal} has {summary.found:,}."]
    else:
        parts = [f"Sending nothing of {requests}: {journal} has all responses."]
    if plan.judges:
        names = " and ".join(judge.config.name or "the judge" for judge in plan.judges)
        parts.append(f"Then {names} {'judges' if len(plan.judges) == 1 else 'judge'} the responses.")
    return " ".join(filter(None, [*parts, *plan.notes]))


def describe_requests(plan: EvaluationPlan) -> str:
    """Return such as "60 rows by 2 settings (small, large), 3 times = 360 requests"."""
    length = plan.table.length
    rows = "the rows" if length is None else f"{length:,} row{'' if length == 1 else 's'}"
    labels = [one_line(setting.label, 40) for setting in plan.settings]
    more = f", … {len(labels) - _MAX_LABELS} more" if len(labels) > _MAX_LABELS else ""
    names = ", ".join(filter(None, labels[:_MAX_LABELS])) + more
    settings = f" by {len(labels)} settings ({names})" if len(labels) > 1 else f" to {names}" if names else ""
    times = f", {plan.repeats} times" if plan.repeats > 1 else ""
    is_product = len(labels) > 1 or plan.repeats > 1
    total = f" = {plan.requests:,} requests" if is_product and plan.requests is not None else ""
    return f"{rows}{settings}{times}{total}"


def _estimate(plan: EvaluationPlan) -> str:
    """A sentence about the prompts' tokens and costs; "" if they cannot be known before they are read."""
    if callable(plan.prompt) or not plan.table.length:
        return ""
    records = list(plan.table.peek(_SAMPLED))
    tokens, cost, is_priced = 0.0, 0.0, True
    for row_prompt in plan.row_prompts:
        counts = []
        for record in records:
            try:
                counts.append(estimate_tokens(row_prompt.messages(record)).tokens)  # by bytes: the same everywhere
            except Exception:  # noqa: BLE001, S112, PERF203 - the error of this row, which the run reports
                continue
        if not counts:
            return ""
        of_setting = sum(counts) / len(records) * plan.table.length * plan.repeats
        tokens += of_setting
        price = read_price(row_prompt.config.price)
        is_priced = is_priced and price is not None
        cost += of_setting * price.input / PER if price else 0.0
    shown = f"About {_rounded(tokens):,} tokens of prompts (estimated: bytes / {BYTES_PER_TOKEN})"
    return f"{shown}, which cost about {format_cost(cost)}; the responses come on top." if is_priced else f"{shown}."


def _rounded(tokens: float) -> int:
    """An estimate with two significant digits."""
    return int(float(f"{tokens:.2g}"))
