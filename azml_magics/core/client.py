"""A config and a prompt become a Response, or a stream of Chunks; sync and async.

response = invoke(config, "Write a haiku about sparkling water.")
with stream(config, "…") as answer:
    for chunk in answer: print(chunk.text, end="")
answer.response      # what has arrived, also after an interrupt or an error
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .call import add_context, description_request, plan_of, prepare, read_answer
from .errors import AzmlError, Interrupted
from .http.rate_limiter import permit_for
from .http.retry import attempts
from .stream import AsyncResponseStream, ResponseStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .call import Prepared
    from .config import LLMConfig
    from .http.rate_limiter import Permit
    from .messages import Message
    from .response import Response

__all__ = ["AsyncResponseStream", "ResponseStream", "ainvoke", "astream", "fetch", "invoke", "prepare", "stream"]


def invoke(config: LLMConfig, prompt: str | Sequence[Message]) -> Response:
    """The whole answer. Raises the errors of errors.py, each with its place; Interrupted for a kernel interrupt."""
    from .http import transport

    prepared = prepare(config, prompt)
    if (permit := permit_for(config)) is not None:
        return _invoke_with_permit(prepared, permit)
    start = time.perf_counter()
    try:
        answer = transport.send(plan_of(prepared))
    except KeyboardInterrupt:
        raise Interrupted from None
    except AzmlError as error:
        raise prepared.add_context(error) from error.__cause__
    return read_answer(prepared, answer, time.perf_counter() - start)


def _invoke_with_permit(prepared: Prepared, permit: Permit) -> Response:
    """The answer of one call of many; its latency is counted from its permit."""
    from .http import transport

    try:
        answer = transport.send(plan_of(prepared, permit.should_retry), permit.run.pause, permit)
    except AzmlError as error:
        raise prepared.add_context(error) from error.__cause__
    return _record_usage(prepared, permit, read_answer(prepared, answer, time.monotonic() - permit.started))


def _record_usage(prepared: Prepared, permit: Permit, response: Response) -> Response:
    permit.record_usage(response.usage, len(prepared.request.body), response.text)
    return response


async def ainvoke(config: LLMConfig, prompt: str | Sequence[Message]) -> Response:
    """What `invoke` does, on the running event loop."""
    from .http import transport

    prepared = prepare(config, prompt)
    permit = permit_for(config)
    start = time.monotonic()
    try:
        answer = await transport.asend(plan_of(prepared, permit.should_retry if permit else None), permit)
    except AzmlError as error:
        raise prepared.add_context(error) from error.__cause__
    response = read_answer(prepared, answer, time.monotonic() - (permit.started if permit else start))
    return _record_usage(prepared, permit, response) if permit else response


def fetch(config: LLMConfig, url: str) -> bytes:
    """The body of a GET of `url` with the config's key; the errors are those of `invoke`."""
    from .http import transport

    secret = None
    try:
        request, secret = description_request(config, url)
        return transport.send(attempts(request, max_retries=config.max_retries)).body
    except AzmlError as error:
        raise add_context(error, config, secret) from error.__cause__


def stream(config: LLMConfig, prompt: str | Sequence[Message]) -> ResponseStream:
    """The answer as it arrives; a dialect that cannot stream gives it in one chunk.

    Raises what `invoke` raises; an error after the first chunk is never retried and has what had arrived in
    `error.response`.
    """
    return ResponseStream(config, prompt)


def astream(config: LLMConfig, prompt: str | Sequence[Message]) -> AsyncResponseStream:
    """What `stream` does, on the running event loop."""
    return AsyncResponseStream(config, prompt)
