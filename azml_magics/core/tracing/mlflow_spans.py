"""Spans of MLflow, with what MLflow's own automatic tracing records: messages, model, token counts.

MLflow has a tracer provider and a context of its own, so that its spans and OpenTelemetry's do not mix.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, MissingPackageError
from ..install_hint import package_command
from ..redaction import redact_data
from . import content
from .attributes import block_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..response import Response, Usage
    from .traced_call import TracedCall

_REQUIREMENT = "mlflow>=3"
_NEEDED = ("start_span", "start_span_no_context", "get_current_active_span")
_KINDS = {"execute_tool": "TOOL", "invoke_agent": "AGENT"}
_OUTPUT = 10_000  # characters of what a cell showed


def check_mlflow() -> None:
    """Check that calls can be traced into MLflow.

    Raises:
        MissingPackageError: mlflow is not installed.
        ConfigError: It is older than version 3.
    """
    remedy = f"Run {package_command(_REQUIREMENT)}, and start Python again."
    try:
        import mlflow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError as error:
        raise MissingPackageError("Tracing into MLflow needs mlflow", remedy=remedy) from error
    if not all(hasattr(mlflow, name) for name in _NEEDED):
        version = getattr(mlflow, "__version__", "of an unknown version")
        raise ConfigError(
            f"Tracing into MLflow needs mlflow 3 or later, and this is mlflow {version}",
            remedy=remedy,
            error_code="old-mlflow",
        )


def shares_provider() -> bool:
    """Whether MLflow's spans go to OpenTelemetry's provider, which would have every call twice with ours."""
    return os.environ.get("MLFLOW_USE_DEFAULT_TRACER_PROVIDER", "").strip().lower() in {"false", "0"}


class MLflowTracer:
    """Starts spans of MLflow, below its active one."""

    def start_call(self, call: TracedCall) -> MLflowCall:
        """Start the span of a call."""
        return MLflowCall(call)

    def start_block(self, name: str, attributes: Mapping[str, object], inputs: object) -> MLflowBlock:
        """Start a span around calls."""
        return MLflowBlock(name, attributes, inputs)


class MLflowCall:
    """The span of a call. It is never MLflow's active span: nothing begins below it."""

    def __init__(self, call: TracedCall) -> None:
        import mlflow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

        self._call = call
        self._records_content = not content.is_refused()
        inputs = {"messages": _messages(call), **_plain_kwargs(call)} if self._records_content else None
        known = {
            "mlflow.llm.model": call.model,
            "mlflow.llm.provider": call.provider,
            "mlflow.message.format": "openai" if self._records_content else "",
            "azml_magics.config": call.call.config.name,
        }
        self._span: Any = mlflow.start_span_no_context(
            call.name,
            span_type="EMBEDDING" if call.operation == "embeddings" else "CHAT_MODEL",
            parent_span=mlflow.get_current_active_span(),
            inputs=inputs,
            attributes={name: value for name, value in known.items() if value},
        )

    def attach(self) -> None:
        """Do nothing: see the class."""

    def detach(self) -> None:
        """Do nothing: see the class."""

    def end(self, response: Response | None, error: BaseException | None) -> None:
        """End it, with what has arrived and what ended the call."""
        if response is not None:
            self._describe(response)
        _set_status(self._span, error, self._records_content)
        self._span.end()

    def _describe(self, response: Response) -> None:
        known = {
            "mlflow.llm.model": response.model,
            "gen_ai.response.id": response.id,
            "azure.service.request.id": response.request_id,
            "azml_magics.attempts": response.attempts if response.attempts > 1 else None,
            "mlflow.chat.tokenUsage": _usage(response.usage),
        }
        self._span.set_attributes({name: value for name, value in known.items() if value})
        if self._records_content:
            choices = [_choice(at, choice) for at, choice in enumerate(response.choices or (response,))]
            self._span.set_outputs(redact_data({"choices": choices}, *self._call.read_secrets()))


class MLflowBlock:
    """A span around calls: a cell, a run over rows, an evaluation."""

    def __init__(self, name: str, attributes: Mapping[str, object], inputs: object) -> None:
        import mlflow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

        self._records_content = not content.is_refused()
        kind = _KINDS.get(name.split(maxsplit=1)[0], "CHAIN")
        known = block_attributes(attributes)
        self._active = ExitStack()
        self._span: Any = self._active.enter_context(mlflow.start_span(name, span_type=kind, attributes=known))
        if inputs is not None and self._records_content:
            self._span.set_inputs(inputs)

    def attach(self) -> None:
        """Do nothing: MLflow starts a span as the active one."""

    def detach(self) -> None:
        """Do nothing: MLflow's span is active until it ends."""

    def end(self, attributes: Mapping[str, object], output: object, error: BaseException | None) -> None:
        """End it, with facts that are known now."""
        with self._active:
            self._span.set_attributes(block_attributes(attributes))
            if output is not None and self._records_content:
                self._span.set_outputs(str(output)[:_OUTPUT])
            elif attributes and self._records_content:
                self._span.set_outputs({name: value for name, value in attributes.items() if value is not None})
            _set_status(self._span, error, self._records_content)
            if "error.type" in attributes:
                self._span.set_status("ERROR")


def _set_status(span: Any, error: BaseException | None, records_content: bool) -> None:
    if error is None or isinstance(error, GeneratorExit):
        span.set_status("OK")
        return
    code = getattr(error, "error_code", "") or type(error).__name__
    span.set_attribute("error.type", code)
    if records_content:
        span.set_attribute("error.message", f"{type(error).__name__}: {error}")
    span.set_status("ERROR")


def _messages(call: TracedCall) -> list[dict[str, Any]]:
    """The messages without what only the wire format reads, with keys masked."""
    plain = [{name: part for name, part in message.items() if name != "items"} for message in call.call.messages]
    messages: list[dict[str, Any]] = redact_data(plain, *call.read_secrets())
    return messages


def _plain_kwargs(call: TracedCall) -> dict[str, Any]:
    """The model kwargs that are numbers and switches; others may hold keys, and schemas would fill the screen."""
    return {name: value for name, value in call.kwargs.items() if isinstance(value, int | float)}


def _choice(index: int, response: Response) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": response.text}
    if response.reasoning:
        message["reasoning_content"] = response.reasoning
    if response.tool_calls:
        message["tool_calls"] = [dict(call) for call in response.tool_calls]
    return {"index": index, "message": message, "finish_reason": response.finish_reason}


def _usage(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    counts = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "cache_read_input_tokens": usage.cached_tokens or None,
    }
    return {name: count for name, count in counts.items() if count is not None}
