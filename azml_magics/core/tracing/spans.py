"""The spans of one call or block in all tracers. Without a tracer they are one constant."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from .quiet import quietly
from .tracers import choose_tracers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Context
    from types import TracebackType

    from typing_extensions import Self

    from ..response import Response
    from .traced_call import TracedCall
    from .tracers import OpenBlock, OpenCall, OpenSpan, Tracer

_T = TypeVar("_T")


class _Attached:
    """Makes spans the current ones in a block."""

    def __init__(self, spans: list[Any]) -> None:
        self._spans: list[OpenSpan] = spans

    def __enter__(self) -> None:
        for span in self._spans:
            quietly(span.attach)

    def __exit__(self, *exception: object) -> None:
        for span in reversed(self._spans):
            quietly(span.detach)


class CallSpan:
    """The spans of one call: they begin and end with the block, and are current where `attach` says so.

    Args:
        tracers: The tracers.
        call: The call.
        read: Returns the part of a stream that has arrived.
        context: Where the call was prepared: its current span is the parent. A stream may be read elsewhere.
    """

    def __init__(
        self, tracers: tuple[Tracer, ...], call: TracedCall, read: Callable[[], Response] | None, context: Context
    ) -> None:
        self._tracers, self._call, self._read, self._context = tracers, call, read, context
        self._spans: list[OpenCall] = []
        self._response: Response | None = None

    def __enter__(self) -> Self:
        started = (quietly(self._context.run, tracer.start_call, self._call) for tracer in self._tracers)
        self._spans = [span for span in started if span is not None]
        return self

    def attach(self) -> _Attached:
        """Make them the parents of what begins in a block. Not around a `yield`, whose reader has spans of its own."""
        return _Attached(self._spans)

    def record(self, response: Response) -> Response:
        """Note the response that has arrived, and return it."""
        self._response = response
        return response

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        response = self._response or getattr(error, "response", None)
        if response is None and self._read is not None:
            response = quietly(self._read)
        for span in reversed(self._spans):
            quietly(span.end, response, error)


class BlockSpan:
    """The spans around several calls, current in the block.

    Args:
        tracers: The tracers.
        name: The name of the spans.
        attributes: What is known at the beginning.
        inputs: Content, such as a prompt; recorded only where content is.
        within: The context whose current span is the parent; None for that of the block.
    """

    def __init__(
        self,
        tracers: tuple[Tracer, ...],
        name: str,
        attributes: Mapping[str, object],
        *,
        inputs: object = None,
        within: Context | None = None,
    ) -> None:
        self._tracers, self._name, self._attributes, self._inputs = tracers, name, attributes, inputs
        self._within = within
        self._spans: list[OpenBlock] = []
        self._facts: dict[str, object] = {}
        self._output: object = None

    def __enter__(self) -> Self:
        for tracer in self._tracers:
            span = quietly(self._run, tracer.start_block, self._name, self._attributes, self._inputs)
            if span is not None:
                self._spans.append(span)
                quietly(span.attach)
        return self

    def set(self, **attributes: object) -> None:
        """Note facts that are known at the end, such as counts."""
        self._facts |= attributes

    def record(self, output: _T) -> _T:
        """Note what was made, and return it; its text is recorded only where content is."""
        self._output = output
        return output

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for span in reversed(self._spans):
            quietly(span.detach)
            quietly(self._run, span.end, self._facts, self._output, error)
        self._spans = []

    def _run(self, function: Callable[..., _T], *args: Any) -> _T:
        return function(*args) if self._within is None else self._within.run(function, *args)


class LastingSpan:
    """A span around calls that begin in a context of its own: it may last over a `yield`, and end in another thread.

    Args:
        span: The span.

    Attributes:
        context: Where it is the current one.
    """

    def __init__(self, span: AnyBlockSpan) -> None:
        self.context = copy_context()
        self._span = span

    def __enter__(self) -> Self:
        self.context.run(self._span.__enter__)
        return self

    def set(self, **attributes: object) -> None:
        """Note facts that are known at the end, such as counts."""
        self._span.set(**attributes)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.context.run(self._span.__exit__, kind, error, tb)


class _NoSpan:
    """Stands for a span if nothing is traced."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def attach(self) -> Self:
        return self

    def set(self, **attributes: object) -> None:
        pass

    def record(self, value: _T) -> _T:
        return value


NO_SPAN = _NoSpan()
AnyCallSpan: TypeAlias = "CallSpan | _NoSpan"
AnyBlockSpan: TypeAlias = "BlockSpan | _NoSpan"


def trace_call(
    tracers: tuple[Tracer, ...],
    make_call: Callable[[], TracedCall],
    read: Callable[[], Response] | None,
    context: Context | None,
) -> AnyCallSpan:
    """Return the spans of a call.

    Args:
        tracers: The tracers.
        make_call: Describes it; called only if there is a tracer.
        read: Returns the part of a stream that has arrived, for one that ends early.
        context: Where the call was prepared.
    """
    return CallSpan(tracers, make_call(), read, context or copy_context()) if tracers else NO_SPAN


def trace_block(
    name: str,
    attributes: Mapping[str, object],
    *,
    mlflow: bool = False,
    inputs: object = None,
    within: Context | None = None,
) -> AnyBlockSpan:
    """Return spans around the calls of a block.

    Args:
        name: Their name, such as "map_rows".
        attributes: What is known at the beginning; empty ones are left out.
        mlflow: Whether MLflow traces, too.
        inputs: Content, such as a prompt; recorded only where content is.
        within: The context whose current span is the parent; None for that of the block.
    """
    tracers = choose_tracers(mlflow=mlflow)
    return BlockSpan(tracers, name, attributes, inputs=inputs, within=within) if tracers else NO_SPAN
