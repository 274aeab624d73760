"""AzureMLOnlineEndpoint: a text model behind an Azure ML endpoint, as a LangChain LLM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.language_models.llms import BaseLLM
from langchain_core.outputs import GenerationChunk, LLMResult

from ..compare.fan_out import amap, map_in_threads
from ..core.stream import AsyncResponseStream, ResponseStream
from .base_endpoint import AzureMLBaseEndpoint
from .batching import ConcurrentBatch, with_signature
from .formatter_adapter import wire_formatter
from .outputs import choices, last_text_chunk, llm_output, text_generation
from .tracing import ls_params

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.language_models.base import LangSmithParams

    from ..core.config import LLMConfig
    from ..core.response import Response


class AzureMLOnlineEndpoint(ConcurrentBatch, AzureMLBaseEndpoint, BaseLLM):
    """A text model.

    llm = AzureMLOnlineEndpoint(
        endpoint_url="https://NAME.REGION.inference.ml.azure.com/score",
        endpoint_api_type="dedicated",
        content_formatter=CustomOpenAIContentFormatter(),
        model_kwargs={"temperature": 0.8, "max_new_tokens": 400},
    )
    llm.invoke("Name three kinds of clouds.")

    The key is read from AZUREML_ENDPOINT_API_KEY unless given. Errors are those of azml_magics.errors.
    """

    @property
    def _llm_type(self) -> str:
        return "azureml_endpoint"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"deployment_name": self.deployment_name, "model_kwargs": self.model_kwargs or {}}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return ls_params(self, super()._get_ls_params(stop=stop, **kwargs), stop, kwargs)

    @with_signature
    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        config = self._call_config(stop, kwargs)
        if len(prompts) == 1:
            return _result([self._ask(config, prompts[0], run_manager)])
        answers: list[Any] = map_in_threads(lambda prompt: self._ask(config, prompt, None), prompts)
        return _result(answers)

    @with_signature
    async def _agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        config = self._call_config(stop, kwargs)
        if len(prompts) == 1:
            return _result([await self._aask(config, prompts[0], run_manager)])

        async def answer(prompt: str) -> Response:
            return await self._aask(config, prompt, run_manager)

        answers: list[Any] = await amap(answer, prompts)
        return _result(answers)

    # ---- a stream ----

    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        config = self._call_config(stop, kwargs)
        if not self._streams(config):
            whole = _whole(self._ask(config, prompt, run_manager))
            if run_manager:
                run_manager.on_llm_new_token(whole.text, chunk=whole)
            yield whole
            return
        with ResponseStream(config, prompt) as pieces:
            for piece in pieces:
                if piece.text:
                    chunk = GenerationChunk(text=piece.text)
                    if run_manager:
                        run_manager.on_llm_new_token(piece.text, chunk=chunk)
                    yield chunk
            yield last_text_chunk(pieces.response)

    async def _astream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:
        config = self._call_config(stop, kwargs)
        if not self._streams(config):
            whole = _whole(await self._aask(config, prompt, run_manager))
            if run_manager:
                await run_manager.on_llm_new_token(whole.text, chunk=whole)
            yield whole
            return
        async with AsyncResponseStream(config, prompt) as pieces:
            async for piece in pieces:
                if piece.text:
                    chunk = GenerationChunk(text=piece.text)
                    if run_manager:
                        await run_manager.on_llm_new_token(piece.text, chunk=chunk)
                    yield chunk
            yield last_text_chunk(pieces.response)

    def _call_config(self, stop: Sequence[str] | None, kwargs: Mapping[str, Any]) -> LLMConfig:
        return self._for_call(wire_formatter(self.content_formatter), stop, kwargs)


def _result(answers: Sequence[Response]) -> LLMResult:
    generations: list[Any] = [[text_generation(choice) for choice in choices(answer)] for answer in answers]
    return LLMResult(generations=generations, llm_output=llm_output(answers) or None)


def _whole(answer: Response) -> GenerationChunk:
    """An answer that came at once, as the one chunk of a stream."""
    made = text_generation(answer)
    info = {**(made.generation_info or {}), **llm_output([answer])}
    return GenerationChunk(text=made.text, generation_info=info or None)
