"""The tracers of a call: OpenTelemetry if this process has a tracer provider, MLflow if the client asks for it."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from .mlflow_spans import MLflowTracer, shares_provider
from .opentelemetry_api import find_opentelemetry
from .opentelemetry_spans import OpenTelemetryTracer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..response import Response
    from .traced_call import TracedCall


class OpenSpan(Protocol):
    """A span that has begun, in one tracer."""

    def attach(self) -> None:
        """Make it the parent of what begins in this context."""

    def detach(self) -> None:
        """Undo `attach`, in the same context."""


class OpenCall(OpenSpan, Protocol):
    """The span of a call."""

    def end(self, response: Response | None, error: BaseException | None) -> None:
        """End it, with what has arrived and what ended the call."""


class OpenBlock(OpenSpan, Protocol):
    """The span around calls."""

    def end(self, attributes: Mapping[str, object], output: object, error: BaseException | None) -> None:
        """End it, with facts that are known now, what was made (its text may be recorded), and what ended it."""


class Tracer(Protocol):
    """Starts spans."""

    def start_call(self, call: TracedCall) -> OpenCall:
        """Start the span of a call."""

    def start_block(self, name: str, attributes: Mapping[str, object], inputs: object) -> OpenBlock:
        """Start a span around calls; `inputs` is content, such as a prompt."""


_is_suppressed: ContextVar[bool] = ContextVar("azml_magics_without_spans", default=False)


@contextlib.contextmanager
def without_spans() -> Iterator[None]:
    """Start no spans for the calls that begin in this block: another library traces them.

    A stream counts where it is made, not where it is read. The current trace still goes out with the requests.
    """
    token = _is_suppressed.set(True)
    try:
        yield
    finally:
        _is_suppressed.reset(token)


def choose_tracers(*, mlflow: bool = False) -> tuple[Tracer, ...]:
    """Return the tracers of what begins now; () in most processes.

    Args:
        mlflow: Whether MLflow is one of them.
    """
    if _is_suppressed.get():
        return ()
    found: list[Tracer] = []
    if (api := find_opentelemetry()) is not None and not (mlflow and shares_provider()):
        found.append(OpenTelemetryTracer(api))
    if mlflow:
        found.append(MLflowTracer())
    return tuple(found)


def is_tracing(*, mlflow: bool = False) -> bool:
    """Whether what begins now is traced."""
    return bool(choose_tracers(mlflow=mlflow))
