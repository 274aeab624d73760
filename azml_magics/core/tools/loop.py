"""ToolLoop: what is sent next, and what the exchange is so far. No I/O: sync and async clients and streams share it."""

from __future__ import annotations

import inspect
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import AzmlError, Interrupted, UsageError
from ..messages import Message, as_messages
from ..redaction import redact
from ..response import Response, ToolRun, Usage
from ..stream_redaction import keys_to_mask
from ..tracing import LastingSpan
from .results import describe_error, to_text
from .running import ToolTimeoutError, acall_tool, call_tool
from .tool import ToolArgumentsError
from .tool_spans import record_tool, trace_exchange, trace_tool
from .toolset import Toolset, names_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Sequence
    from contextvars import Context

    from ..config import LLMConfig
    from ..secret import Secret
    from .toolset import Tools

_NOT_ALLOWED = "Error: the user did not allow this call."


class ToolLoop:
    """One prompt with tools: `take` each response, `run` the calls that it returns, until there are none.

    Args:
        toolset: The tools.
        prompt: A text, or messages.
        declared: Names of tools that are none of the toolset's: a response that asks for one of them is the last one.

    Attributes:
        is_open: Whether the final response has not come yet.
        traces_to_mlflow: Whether calls of tools are traced into MLflow, as the client's calls are.
    """

    def __init__(self, toolset: Toolset, prompt: str | Sequence[Message], declared: Sequence[str] = ()) -> None:
        self._toolset = toolset
        self._declared = declared
        self._prompt = as_messages(prompt)
        self._steps: list[Message] = []
        self._responses: list[Response] = []
        self._keys: tuple[str, ...] = ()
        self._is_limited = False
        self.is_open = True
        self.traces_to_mlflow = False
        self._context: Context | None = None
        self._start = time.perf_counter()

    @classmethod
    def start(cls, tools: Tools, config: LLMConfig, prompt: str | Sequence[Message]) -> tuple[LLMConfig, ToolLoop]:
        """Return the config to call with, and the loop of one prompt.

        Raises:
            UsageError: Something is not a tool, or the config has no place for tools or has one of the same name.
        """
        toolset = Toolset.of(tools)
        return toolset.add_to(config), cls(toolset, prompt, names_of(config.model_kwargs.get("tools") or ()))

    @property
    def messages(self) -> list[Message]:
        """The messages to send next."""
        return [*self._prompt, *self._steps]

    def take(self, response: Response, secrets: Sequence[Secret] = ()) -> list[ToolRun]:
        """Take a response, and return the calls of tools to run before the next request; none if it is the last one.

        Args:
            response: The response to `messages`.
            secrets: The keys that were sent, which no result may hold.
        """
        self._keys = keys_to_mask(tuple(secrets))
        calls = [_with_id(call, at, self._steps) for at, call in enumerate(response.tool_calls)]
        names = [str((call.get("function") or {}).get("name", "")) for call in calls]
        self._responses.append(response)
        is_final = not calls or response.is_truncated or any(name in self._declared for name in names)
        self._is_limited = not is_final and len(self._responses) >= self._toolset.max_steps
        self.is_open = not is_final and not self._is_limited
        if not self.is_open:
            return []
        step: Message = {"role": "assistant", "content": response.text or None, "tool_calls": calls}
        self._steps.append({**step, **({"items": list(response.items)} if response.items else {})})
        return [
            ToolRun(name, str((call.get("function") or {}).get("arguments", "")), id=call["id"])
            for name, call in zip(names, calls, strict=True)
        ]

    def trace(self) -> LastingSpan:
        """Return a span around a stream of the exchange, whose reader keeps the current span of its own."""
        span = LastingSpan(trace_exchange(mlflow=self.traces_to_mlflow))
        self._context = span.context
        return span

    def run(self, call: ToolRun) -> ToolRun:
        """Run a call, and return it with its result, which the next request sends. No failure of a tool is raised."""
        with trace_tool(call, self._keys, mlflow=self.traces_to_mlflow, within=self._context) as span:
            return record_tool(span, self._run(call))

    def _run(self, call: ToolRun) -> ToolRun:
        try:
            function, arguments = self._prepare(call)
            approved = self._approve(call)
            if inspect.iscoroutine(approved):
                approved.close()
            if inspect.isawaitable(approved):
                raise UsageError("approve is asynchronous", remedy="Use ainvoke or an AsyncClient.")
            if not approved:
                return self._end(call, _NOT_ALLOWED, is_error=True)
        except _RefusedError as refused:
            return self._end(call, str(refused), is_error=True)
        try:
            return self._end(call, to_text(call_tool(function, arguments, self._toolset.timeout)))
        except _FAILURES as error:
            return self._fail(call, error)

    async def arun(self, call: ToolRun) -> ToolRun:
        """What `run` does, on the running event loop."""
        with trace_tool(call, self._keys, mlflow=self.traces_to_mlflow, within=self._context) as span:
            return record_tool(span, await self._arun(call))

    async def _arun(self, call: ToolRun) -> ToolRun:
        try:
            function, arguments = self._prepare(call)
            approved = self._approve(call)
            if not (await approved if inspect.isawaitable(approved) else approved):
                return self._end(call, _NOT_ALLOWED, is_error=True)
        except _RefusedError as refused:
            return self._end(call, str(refused), is_error=True)
        try:
            return self._end(call, to_text(await acall_tool(function, arguments, self._toolset.timeout)))
        except _FAILURES as error:
            return self._fail(call, error)

    def _prepare(self, call: ToolRun) -> tuple[Any, dict[str, Any]]:
        tool = self._toolset.known.get(call.name)
        if tool is None:
            known = ", ".join(self._toolset.known)
            raise _RefusedError(f"Error: there is no tool named {call.name or '(no name)'}. The tools are: {known}.")
        try:
            arguments = tool.read_arguments(call.arguments)
        except ToolArgumentsError as error:
            raise _RefusedError(f"Error: {error}.") from None
        return tool.call, arguments

    def _approve(self, call: ToolRun) -> bool | Awaitable[bool]:
        return True if self._toolset.approve is None else self._toolset.approve(call)

    def _fail(self, call: ToolRun, error: BaseException) -> ToolRun:
        is_late = isinstance(error, ToolTimeoutError)
        late = f"Error: {call.name} did not return within {self._toolset.describe_timeout()}."
        text = late if is_late else describe_error(error)
        return self._end(call, text, is_error=True)

    def _end(self, call: ToolRun, text: str, *, is_error: bool = False) -> ToolRun:
        text = redact(text, *self._keys)
        message: Message = {"role": "tool", "tool_call_id": call.id, "content": text}
        self._steps.append({**message, **({"is_error": True} if is_error else {})})
        return replace(call, result=text, is_error=is_error)

    # ---- the exchange so far

    @property
    def response(self) -> Response:
        """The whole exchange after the last response."""
        return self._combine(self._responses, self._responses[-1] if self._responses else Response(""))

    def with_steps(self, partial: Response | None) -> Response:
        """Return the exchange so far with a response that is still arriving, or has failed."""
        if partial is None:
            return self._combine(self._responses, Response(""))
        return self._combine([*self._responses, partial], partial)

    def _combine(self, responses: Sequence[Response], last: Response) -> Response:
        if not self._steps and not self._is_limited:
            return last
        usage: Usage | None = None
        for response in responses:
            usage = response.usage if usage is None else usage + response.usage
        notices = tuple(dict.fromkeys(line for response in responses for line in response.notices))
        return replace(
            last,
            usage=usage,
            reasoning="\n\n".join(filter(None, (response.reasoning for response in responses))),
            latency=time.perf_counter() - self._start,
            time_to_first_token=responses[0].time_to_first_token if responses else None,
            filters=tuple(dict.fromkeys(verdict for response in responses for verdict in response.filters)),
            notices=(*notices, *([self._limit_notice()] if self._is_limited else [])),
            steps=tuple(self._steps),
        )

    def _limit_notice(self) -> str:
        steps = self._toolset.max_steps
        return (
            f"The limit of {steps} step{'' if steps == 1 else 's'} was reached before a final response: "
            "the model still asks for a tool, which was not called."
        )

    @contextmanager
    def keep_steps(self) -> Iterator[None]:
        """Let errors and interrupts within the block keep the exchange so far in their `response`."""
        try:
            yield
        except Interrupted as stopped:
            raise Interrupted(self._stopped(stopped.response)) from None
        except KeyboardInterrupt:  # while a tool was running
            raise Interrupted(self._stopped(None)) from None
        except AzmlError as error:
            if self._steps:
                error.response = self.with_steps(error.response)
            raise

    def _stopped(self, partial: Response | None) -> Response | None:
        return replace(self.with_steps(partial), finish_reason="interrupted") if self._steps else partial


class _RefusedError(Exception):
    """A call that is not run. The model gets the message."""


_FAILURES = (Exception, SystemExit)
"""What a tool may raise without ending the cell."""


def _with_id(call: dict[str, Any], at: int, steps: Sequence[Message]) -> dict[str, Any]:
    """Return a call that has an id, which its result refers to; some servers send none."""
    return call if call.get("id") else {**call, "id": f"call_{len(steps)}_{at}"}
