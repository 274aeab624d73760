"""AzureMLChatOnlineEndpoint: a chat model behind an Azure ML endpoint, as a LangChain chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from typing_extensions import Unpack

from ..core.config import LLMConfig
from ..core.hidden_arguments import hide_arguments
from ..core.messages import Message
from ..core.response import Response
from .arguments import ChatArguments
from .base_endpoint import AzureMLBaseEndpoint
from .batching import ConcurrentBatch, cache_signature
from .chunks import ChatChunks, as_single_chat_chunk
from .formatter_adapter import message_converter
from .outputs import make_llm_output, split_choices, to_chat_generation
from .remedies import langchain_remedies
from .token_counts import TokenCounts
from .tools import include_raw_message, make_output_parser, make_structured_output_kwargs, make_tool_kwargs
from .traced_calls import TracedChatModel
from .tracing import fill_ls_params

Wire = list[Message]


class AzureMLChatOnlineEndpoint(ConcurrentBatch, TokenCounts, AzureMLBaseEndpoint, TracedChatModel):
    """A chat model behind an Azure ML endpoint.

    The key is read from AZUREML_ENDPOINT_API_KEY unless given. Calls raise the errors of azml_magics.errors.

    Examples:
        >>> chat = AzureMLChatOnlineEndpoint(
        ...     endpoint_url="https://NAME.REGION.inference.ml.azure.com/v1/chat/completions",
        ...     content_formatter=CustomOpenAIChatContentFormatter(),
        ...     model_kwargs={"temperature": 0.2},
        ... )
        >>> chat.invoke("Name three kinds of clouds.").text
    """

    streaming: bool = False
    """Whether invoke streams as well, for callbacks that take tokens."""

    @hide_arguments
    def __init__(self, **kwargs: Unpack[ChatArguments]) -> None:
        super().__init__(**kwargs)

    @property
    def _llm_type(self) -> str:
        return "azureml_chat_endpoint"

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # The text under which responses are cached. LangChain's own has a formatter by its repr, which may be anyone's.
        params = {**self._dict_for_compat(), **kwargs, "stop": stop}
        return str(sorted(params.items()))

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return fill_ls_params(self, super()._get_ls_params(stop=stop, **kwargs), stop, kwargs)

    def _combine_llm_outputs(self, outputs: list[Any], /) -> dict[str, Any]:
        total: dict[str, int] = {}
        combined: dict[str, Any] = {}
        for output in outputs:
            combined |= output or {}
            for name, count in (output or {}).get("token_usage", {}).items():
                total[name] = total.get(name, 0) + count
        return {**combined, "token_usage": total} if total else combined

    # ---- whole responses ----

    @cache_signature
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        config, prompt = self._call(messages, stop, kwargs)
        return _to_chat_result(self._send(config, prompt, run_manager))

    @cache_signature
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        config, prompt = self._call(messages, stop, kwargs)
        return _to_chat_result(await self._asend(config, prompt, run_manager))

    # ---- streams ----

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        config, prompt = self._call(messages, stop, kwargs)
        for chunk in self._stream_chunks(config, prompt, run_manager):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _stream_chunks(self, config: LLMConfig, prompt: Wire, run_manager: Any) -> Iterator[ChatGenerationChunk]:
        if not self._can_stream(config):
            yield as_single_chat_chunk(to_chat_generation(self._send(config, prompt, run_manager)))
            return
        chunks = ChatChunks()
        with langchain_remedies(), self._open_stream(config, prompt) as parts:
            for part in parts:
                chunk = chunks.convert(part)
                if chunk is not None:
                    yield chunk
            yield chunks.finish(parts.response)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self._runs_in_threads:
            async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
                yield chunk
            return
        config, prompt = self._call(messages, stop, kwargs)
        async for chunk in self._astream_chunks(config, prompt, run_manager):
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream_chunks(
        self, config: LLMConfig, prompt: Wire, run_manager: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        if not self._can_stream(config):
            yield as_single_chat_chunk(to_chat_generation(await self._asend(config, prompt, run_manager)))
            return
        chunks = ChatChunks()
        with langchain_remedies():
            async with self._open_astream(config, prompt) as parts:
                async for part in parts:
                    chunk = chunks.convert(part)
                    if chunk is not None:
                        yield chunk
                yield chunks.finish(parts.response)

    # ---- the request ----

    def _call(
        self, messages: list[BaseMessage], stop: Sequence[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[LLMConfig, Wire]:
        """Return the config and the wire messages of one call.

        A formatter that takes LangChain's messages gets them as they are, so that they are not converted for it.
        """
        convert = message_converter(self.content_formatter)
        if convert is not None:
            config = self._make_call_config(self._to_wire_formatter(), stop, kwargs)
            return config, [convert(message) for message in messages]
        given = _with_system(messages, kwargs.get("system") or self.system)
        config = self._make_call_config(self._to_wire_formatter(lambda _: given), stop, kwargs)
        return config, [{"role": "user", "content": ""}]

    # ---- tools and structured output ----

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        """Return this model with tools that it may call.

        Args:
            tools: Functions, pydantic classes, LangChain tools, or dicts in OpenAI's form.
            tool_choice: "auto", "none", "any" or "required", the name of a tool, a dict in OpenAI's form, or True for
                any. None leaves the choice to the endpoint.
            strict: Whether the endpoint shall follow the schemas exactly; None leaves it to the endpoint.
            **kwargs: Further parameters of every call.

        Raises:
            ConfigError: `tool_choice` names a tool that is not in `tools`.
        """
        return self.bind(**make_tool_kwargs(tools, tool_choice, strict), **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: str = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        """Return a runnable whose output is an object of `schema`.

        Args:
            schema: A pydantic class, a TypedDict or a JSON schema; None only with the method "json_mode".
            method: "function_calling" forces a tool call, "json_schema" sends the schema as response_format, and
                "json_mode" asks for JSON only: describe the object in the prompt.
            include_raw: Whether the output is a dict with raw, parsed and parsing_error.
            strict: Whether the endpoint shall follow the schema exactly; None leaves it to the endpoint.
            **kwargs: Further parameters of every call.

        Raises:
            UnknownNameError: There is no such method.
            ConfigError: The schema is missing.
        """
        model = self.bind(**make_structured_output_kwargs(schema, method, strict), **kwargs)
        parser = make_output_parser(schema, method)
        return include_raw_message(model, parser) if include_raw else model | parser


def _with_system(messages: list[BaseMessage], system: str | None) -> list[BaseMessage]:
    if not system or any(message.type == "system" for message in messages):
        return messages
    return [SystemMessage(system), *messages]


def _to_chat_result(response: Response) -> ChatResult:
    generations = [to_chat_generation(choice) for choice in split_choices(response)]
    return ChatResult(generations=generations, llm_output=make_llm_output([response]))
