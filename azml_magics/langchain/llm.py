"""AzureMLOnlineEndpoint: a text model behind an Azure ML endpoint, as a LangChain LLM."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun, Callbacks
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.llms import BaseLLM
from langchain_core.outputs import GenerationChunk, LLMResult
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import Field
from typing_extensions import Unpack

from ..compare.fan_out import map_async, map_in_threads
from ..core.config import LLMConfig
from ..core.hidden_arguments import hide_arguments
from ..core.response import Response
from .arguments import EndpointArguments
from .base_endpoint import AzureMLBaseEndpoint
from .batching import ConcurrentBatch, cache_signature
from .chunks import make_last_text_chunk
from .outputs import make_llm_output, split_choices, to_generation
from .remedies import langchain_remedies
from .token_counts import TokenCounts
from .tracing import fill_ls_params, report_model

# The parameters of the call in progress. LangChain describes a text model to its cache without them.
_call_kwargs: ContextVar[Mapping[str, Any] | None] = ContextVar("call_kwargs", default=None)
_OF_LANGCHAIN = ("tags", "metadata", "run_name", "run_id")


@contextmanager
def _identified_by(kwargs: Mapping[str, Any]) -> Iterator[None]:
    given = {name: value for name, value in kwargs.items() if name not in _OF_LANGCHAIN}
    token = _call_kwargs.set(given or None)
    try:
        yield
    finally:
        _call_kwargs.reset(token)


class AzureMLOnlineEndpoint(ConcurrentBatch, TokenCounts, AzureMLBaseEndpoint, BaseLLM):
    """A text model behind an Azure ML endpoint.

    The key is read from AZUREML_ENDPOINT_API_KEY unless given. Calls raise the errors of azml_magics.errors.

    Examples:
        >>> llm = AzureMLOnlineEndpoint(
        ...     endpoint_url="https://NAME.REGION.inference.ml.azure.com/score",
        ...     endpoint_api_type="dedicated",
        ...     content_formatter=CustomOpenAIContentFormatter(),
        ...     model_kwargs={"temperature": 0.8, "max_new_tokens": 400},
        ... )
        >>> llm.invoke("Name three kinds of clouds.")
    """

    rate_limiter: BaseRateLimiter | None = Field(default=None, exclude=True, repr=False)
    """Lets requests go one by one, as that of a chat model; responses from the cache do not wait for it."""

    @hide_arguments
    def __init__(self, **kwargs: Unpack[EndpointArguments]) -> None:
        super().__init__(**kwargs)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return fill_ls_params(self, super()._get_ls_params(stop=stop, **kwargs), stop, kwargs)

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        given = _call_kwargs.get()
        return {**super()._identifying_params, **({"call": given} if given else {})}

    def generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Callbacks | list[Callbacks] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Send the prompts, as LangChain's own method does; its cache heeds the parameters of the call as well."""
        with _identified_by(kwargs):
            return super().generate(prompts, stop, callbacks, **kwargs)

    async def agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Callbacks | list[Callbacks] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Do what `generate` does, on the running event loop."""
        with _identified_by(kwargs):
            return await super().agenerate(prompts, stop, callbacks, **kwargs)

    @cache_signature
    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        config = self._call_config(stop, kwargs)
        if len(prompts) == 1:
            return _to_llm_result([self._ask(config, prompts[0], run_manager)])
        responses: list[Any] = map_in_threads(lambda prompt: self._ask(config, prompt, None), prompts)
        return _to_llm_result(responses)

    @cache_signature
    async def _agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        config = self._call_config(stop, kwargs)
        if len(prompts) == 1:
            return _to_llm_result([await self._aask(config, prompts[0], run_manager)])

        async def send(prompt: str) -> Response:
            return await self._aask(config, prompt, run_manager)

        responses: list[Any] = await map_async(send, prompts)
        return _to_llm_result(responses)

    # ---- streams ----

    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        config = self._call_config(stop, kwargs)
        if not self._can_stream(config):
            chunk = _as_single_chunk(self._ask(config, prompt, run_manager))
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
            return
        if self.rate_limiter is not None:
            self.rate_limiter.acquire(blocking=True)
        with langchain_remedies(), self._open_stream(config, prompt) as parts:
            for part in parts:
                if part.text:
                    chunk = GenerationChunk(text=part.text)
                    if run_manager:
                        run_manager.on_llm_new_token(part.text, chunk=chunk)
                    yield chunk
            yield make_last_text_chunk(report_model(run_manager, parts.response))

    async def _astream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:
        if self._runs_in_threads:
            async for chunk in super()._astream(prompt, stop, run_manager, **kwargs):
                yield chunk
            return
        config = self._call_config(stop, kwargs)
        if not self._can_stream(config):
            chunk = _as_single_chunk(await self._aask(config, prompt, run_manager))
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
            return
        if self.rate_limiter is not None:
            await self.rate_limiter.aacquire(blocking=True)
        with langchain_remedies():
            async with self._open_astream(config, prompt) as parts:
                async for part in parts:
                    if part.text:
                        chunk = GenerationChunk(text=part.text)
                        if run_manager:
                            await run_manager.on_llm_new_token(part.text, chunk=chunk)
                        yield chunk
                yield make_last_text_chunk(report_model(run_manager, parts.response))

    # ---- one request, when the rate limiter lets it go: LangChain's BaseLLM has none of its own ----

    def _ask(self, config: LLMConfig, prompt: str, run_manager: CallbackManagerForLLMRun | None) -> Response:
        if self.rate_limiter is not None:
            self.rate_limiter.acquire(blocking=True)
        return report_model(run_manager, self._send(config, prompt, run_manager))

    async def _aask(
        self, config: LLMConfig, prompt: str, run_manager: AsyncCallbackManagerForLLMRun | None
    ) -> Response:
        if self.rate_limiter is not None:
            await self.rate_limiter.aacquire(blocking=True)
        return report_model(run_manager, await self._asend(config, prompt, run_manager))

    def _call_config(self, stop: Sequence[str] | None, kwargs: Mapping[str, Any]) -> LLMConfig:
        return self._make_call_config(self._to_wire_formatter(), stop, kwargs)


def _to_llm_result(responses: Sequence[Response]) -> LLMResult:
    generations: list[Any] = [[to_generation(choice) for choice in split_choices(response)] for response in responses]
    return LLMResult(generations=generations, llm_output=make_llm_output(responses) or None)


def _as_single_chunk(response: Response) -> GenerationChunk:
    """Return a chunk response as the only chunk of a stream."""
    generation = to_generation(response)
    info = {**(generation.generation_info or {}), **make_llm_output([response])}
    return GenerationChunk(text=generation.text, generation_info=info or None)
