"""Spans of OpenTelemetry: one for a call, one around several, one for each attempt of a call."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from . import content
from .attributes import block_attributes, request_attributes, response_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..response import Response
    from .opentelemetry_api import OpenTelemetry
    from .traced_call import TracedCall

_OUTPUT = 10_000  # characters of what a cell showed
_OWN_CONTENT = ("azml_magics.input", "azml_magics.output")
_CONTENT = {"execute_tool": ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")}


class OpenTelemetrySpan:
    """A span that has begun."""

    def __init__(self, api: OpenTelemetry, name: str, attributes: Mapping[str, Any], *, is_client: bool) -> None:
        """Start a span below the current one.

        Args:
            api: OpenTelemetry.
            name: Its name.
            attributes: What is known at its beginning, which samplers may look at.
            is_client: Whether it is about a request to a server.
        """
        self._api = api
        kind = api.trace.SpanKind.CLIENT if is_client else api.trace.SpanKind.INTERNAL
        self._span = api.tracer.start_span(name, kind=kind, attributes=dict(attributes))
        self._token: Any = None

    @property
    def is_recording(self) -> bool:
        """Whether it keeps attributes: it was sampled."""
        return bool(self._span.is_recording())

    def attach(self) -> None:
        """Make it the current span of this context."""
        self._token = self._api.context.attach(self._api.trace.set_span_in_context(self._span))

    def detach(self) -> None:
        """Make the span before it the current one."""
        if self._token is not None:
            token, self._token = self._token, None
            self._api.context.detach(token)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes; those that are None are left out."""
        self._span.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def fail(self, kind: str, description: str | None = None) -> None:
        """Mark it as failed.

        Args:
            kind: Its `error.type`: a code of `azml_magics.errors`, an HTTP status or the name of an exception.
            description: What happened; None leaves it at the code, because a message may quote the prompt.
        """
        self._span.set_attribute("error.type", kind)
        self._span.set_status(self._api.trace.Status(self._api.trace.StatusCode.ERROR, description or kind))

    def finish(self) -> None:
        """End it now."""
        self._span.end()

    def _fail_with(self, error: BaseException | None) -> None:
        if error is None or isinstance(error, GeneratorExit):  # a stream that is closed early has not failed
            return
        kind = getattr(error, "error_code", "") or type(error).__name__
        self.fail(kind, f"{type(error).__name__}: {error}" if content.is_captured() else None)


class OpenTelemetryCall(OpenTelemetrySpan):
    """The span of a call, which its attempts are children of.

    Attributes:
        attempts: How many requests were sent.
        last_outcome: Why the next one is a repetition, such as "429"; "" before the first, and after a success.
    """

    def __init__(self, api: OpenTelemetry, call: TracedCall) -> None:
        """Start the span of a call."""
        super().__init__(api, call.name, request_attributes(call), is_client=True)
        self._call = call
        self.attempts = 0
        self.last_outcome = ""
        self._call_token: Any = None

    def attach(self) -> None:
        """Make it the current span, and the call that attempts belong to."""
        self._call_token = _current_call.set(self)
        super().attach()

    def detach(self) -> None:
        """Undo `attach`."""
        super().detach()
        if self._call_token is not None:
            token, self._call_token = self._call_token, None
            _current_call.reset(token)

    def end(self, response: Response | None, error: BaseException | None) -> None:
        """End it, with what has arrived and what ended the call."""
        try:
            if self.is_recording:
                self._describe(response, error)
        finally:
            self.finish()

    def _describe(self, response: Response | None, error: BaseException | None) -> None:
        self._fail_with(error)
        self.set({"azml_magics.attempts": self.attempts or (response.attempts if response else None)})
        if response is not None:
            self.set(response_attributes(response))
        elif request_id := getattr(error, "request_id", ""):
            self.set({"azure.service.request.id": request_id})
        if content.is_captured():
            self.set(content.as_attributes(self._call, response))


class OpenTelemetryBlock(OpenTelemetrySpan):
    """A span around calls: a cell, a run over rows, an evaluation."""

    def __init__(self, api: OpenTelemetry, name: str, attributes: Mapping[str, object], inputs: object) -> None:
        """Start a span around calls; `inputs` is recorded only if content is."""
        super().__init__(api, name, block_attributes(attributes), is_client=False)
        self._names = _CONTENT.get(name.split(maxsplit=1)[0], _OWN_CONTENT)
        if inputs is not None and self.is_recording and content.is_captured():
            self.set({self._names[0]: inputs if isinstance(inputs, str) else content.to_json(inputs)})

    def end(self, attributes: Mapping[str, object], output: object, error: BaseException | None) -> None:
        """End it, with facts that are known now."""
        try:
            if self.is_recording:
                self._fail_with(error)
                self.set(block_attributes(attributes))
                if kind := attributes.get("error.type"):
                    self.fail(str(kind))
                if output is not None and content.is_captured():
                    self.set({self._names[1]: str(output)[:_OUTPUT]})
        finally:
            self.finish()


_current_call: ContextVar[OpenTelemetryCall | None] = ContextVar("azml_magics_current_call", default=None)


def current_call() -> OpenTelemetryCall | None:
    """The call of this context whose requests are sent now; None without one."""
    return _current_call.get()


class OpenTelemetryTracer:
    """Starts spans of OpenTelemetry, below the current one."""

    def __init__(self, api: OpenTelemetry) -> None:
        self._api = api

    def start_call(self, call: TracedCall) -> OpenTelemetryCall:
        """Start the span of a call."""
        return OpenTelemetryCall(self._api, call)

    def start_block(self, name: str, attributes: Mapping[str, object], inputs: object) -> OpenTelemetryBlock:
        """Start a span around calls; `inputs` is recorded only if content is."""
        return OpenTelemetryBlock(self._api, name, attributes, inputs)
