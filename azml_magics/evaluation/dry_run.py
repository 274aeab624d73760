"""The first requests of an evaluation that sends nothing."""

from __future__ import annotations

from ..core.request_text import format_request
from ..rows.dry_run import DryRun
from .announcement import describe_requests
from .plan import EvaluationPlan  # noqa: TC001 - get_type_hints() needs it

_SHOWN = 3


def dry_run(plan: EvaluationPlan) -> DryRun:
    """Return the first requests. Nothing is sent, no row of an iterator is lost, and no key is looked up.

    Args:
        plan: What would be sent. The first requests are those of its settings for the first row, then the second, …
    """
    requests: list[str | Exception] = []
    for record in plan.table.peek(_SHOWN):
        for row_prompt in plan.row_prompts:
            if len(requests) == _SHOWN:
                break
            try:
                config, messages = row_prompt.request(row_prompt.messages(record))
                requests.append(format_request(config, messages, client=row_prompt.client))
            except Exception as error:  # noqa: BLE001 - the row's, also of the user's own function; three at most
                requests.append(error)
    return DryRun(tuple(requests), describe_requests(plan), plan.notes)
