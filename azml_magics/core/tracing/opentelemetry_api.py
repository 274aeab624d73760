"""OpenTelemetry's API, if this process uses it: its tracer, its context, and how the context goes out in headers.

It is looked up, not imported: a process without the module cannot have a tracer provider. With the API alone, or its
no-op provider, nothing is traced either.
"""

from __future__ import annotations

import contextlib
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..version import __version__
from .quiet import quietly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MODULE = "opentelemetry.trace"
_HTTPX = "opentelemetry.instrumentation.httpx"
_TRACE_HEADER = "traceparent"


def find_opentelemetry() -> OpenTelemetry | None:
    """Return OpenTelemetry if a tracer provider is set in this process, else None."""
    trace = sys.modules.get(_MODULE)
    return None if trace is None else quietly(_find, trace)


def _find(trace: Any) -> OpenTelemetry | None:
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return None
    return _of(provider)


@lru_cache(maxsize=1)
def _of(provider: Any) -> OpenTelemetry:
    return OpenTelemetry(provider)


class OpenTelemetry:
    """What this package uses of OpenTelemetry's API.

    Attributes:
        trace, context: The API's modules.
        tracer: The tracer of this package.
    """

    def __init__(self, provider: Any) -> None:
        """Get the tracer of a provider."""
        from opentelemetry import context, propagate, trace

        self.trace: Any = trace
        self.context: Any = context
        self._propagate: Any = propagate
        self.tracer: Any = provider.get_tracer("azml_magics", __version__)

    def inject(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that carry the current context; none if `headers` have a trace of the user's.

        Args:
            headers: Those of the request. They win over headers of the same name.
        """
        given = {name.lower() for name in headers}
        if _TRACE_HEADER in given:
            return {}
        carrier: dict[str, str] = {}
        self._propagate.inject(carrier)
        return {name: value for name, value in carrier.items() if name.lower() not in given}

    @contextlib.contextmanager
    def continue_trace(self, carrier: Mapping[str, str]) -> Iterator[None]:
        """Continue the trace that `carrier` brings from another thread or process, in this block."""
        token = self.context.attach(self._propagate.extract(carrier))
        try:
            yield
        finally:
            self.context.detach(token)


def current_carrier() -> dict[str, str]:
    """Return what carries the current trace to a worker; {} without one."""
    opentelemetry = find_opentelemetry()
    return (opentelemetry and quietly(opentelemetry.inject, {})) or {}


@contextlib.contextmanager
def continue_trace(carrier: Mapping[str, str]) -> Iterator[None]:
    """Continue the trace of `current_carrier` in this block, if this process has a tracer provider."""
    opentelemetry = find_opentelemetry() if carrier else None
    with contextlib.nullcontext() if opentelemetry is None else opentelemetry.continue_trace(carrier):
        yield


def has_http_spans() -> bool:
    """Whether OpenTelemetry's instrumentation of httpx makes a span for every request itself, and its headers."""
    module = sys.modules.get(_HTTPX)
    if module is None:
        return False
    return bool(quietly(lambda: module.HTTPXClientInstrumentor().is_instrumented_by_opentelemetry))
