"""Spans of calls, and of the cells, rows and evaluations around them, for OpenTelemetry and MLflow. No HTTP.

A span begins only if OpenTelemetry has a tracer provider in this process, or a client traces into MLflow. Neither is
imported to find out, and an error of a tracer never reaches a call.
"""

from __future__ import annotations

from .spans import AnyBlockSpan, AnyCallSpan, LastingSpan, trace_block, trace_call
from .traced_call import TracedCall
from .tracers import choose_tracers, is_tracing, without_spans

__all__ = [
    "AnyBlockSpan",
    "AnyCallSpan",
    "LastingSpan",
    "TracedCall",
    "choose_tracers",
    "is_tracing",
    "trace_block",
    "trace_call",
    "without_spans",
]
