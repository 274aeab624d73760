"""The spans of an exchange with tools: one around it, and one for each call of a tool.

Source: OpenTelemetry's semantic conventions for "execute tool" and "invoke agent" spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..redaction import redact
from ..tracing import trace_block

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextvars import Context

    from ..response import ToolRun
    from ..tracing import AnyBlockSpan

_TOOL_FAILED = "tool-failed"


def trace_exchange(*, mlflow: bool) -> AnyBlockSpan:
    """Return a span around an exchange.

    Args:
        mlflow: Whether MLflow traces, too.
    """
    return trace_block("invoke_agent", {"gen_ai.operation.name": "invoke_agent"}, mlflow=mlflow)


def trace_tool(call: ToolRun, keys: Sequence[str], *, mlflow: bool, within: Context | None) -> AnyBlockSpan:
    """Return the span of a call of a tool; its arguments are recorded only where content is, with the keys masked.

    Args:
        call: The call.
        keys: What is masked in its arguments.
        mlflow: Whether MLflow traces, too.
        within: The context of the exchange, if that is not the caller's.
    """
    facts = {"operation.name": "execute_tool", "tool.name": call.name, "tool.call.id": call.id}
    attributes = {f"gen_ai.{name}": value for name, value in facts.items()}
    name = f"execute_tool {call.name}".rstrip()
    return trace_block(name, attributes, mlflow=mlflow, inputs=redact(call.arguments, *keys), within=within)


def record_tool(span: AnyBlockSpan, ran: ToolRun) -> ToolRun:
    """Note what came of a call, and return it."""
    if ran.is_error:
        span.set(**{"error.type": _TOOL_FAILED})
    span.record(ran.result)
    return ran
