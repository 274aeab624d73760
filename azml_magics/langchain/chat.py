"""AzureMLChatOnlineEndpoint: a chat model behind an Azure ML endpoint, as a LangChain chat model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from .. import documents
from ..core import wire
from ..core.errors import ConfigError
from ..core.stream import AsyncResponseStream, ResponseStream
from ..core.wire.chat import OpenAIChat
from ..core.wire.completion import speaks_openai
from .base_endpoint import AzureMLBaseEndpoint
from .batching import ConcurrentBatch, with_signature
from .formatter_adapter import takes_messages, wire_formatter
from .message_conversion import messages_to_wire
from .outputs import chat_chunk, chat_generation, choices, last_chat_chunk, llm_output, whole_chat_chunk
from .tools import output_parser, structured_kwargs, tool_kwargs, with_raw
from .tracing import ls_params

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.response import Response

    Wire = list[Message]
_STRUCTURED = ("tools", "response_format")


class AzureMLChatOnlineEndpoint(ConcurrentBatch, AzureMLBaseEndpoint, BaseChatModel):
    """A chat model.

    chat = AzureMLChatOnlineEndpoint(
        endpoint_url="https://NAME.REGION.inference.ml.azure.com/v1/chat/completions",
        content_formatter=CustomOpenAIChatContentFormatter(),
        model_kwargs={"temperature": 0.2},
    )
    chat.invoke("Name three kinds of clouds.").text

    The key is read from AZUREML_ENDPOINT_API_KEY unless given. Errors are those of azml_magics.errors.
    """

    streaming: bool = False
    """Whether invoke, too, receives the answer piece by piece, for callbacks that want its tokens."""

    @property
    def _llm_type(self) -> str:
        return "azureml_chat_endpoint"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_kwargs": self.model_kwargs or {}}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return ls_params(self, super()._get_ls_params(stop=stop, **kwargs), stop, kwargs)

    def _combine_llm_outputs(self, outputs: list[Any], /) -> dict[str, Any]:
        total: dict[str, int] = {}
        combined: dict[str, Any] = {}
        for output in outputs:
            combined |= output or {}
            for name, count in (output or {}).get("token_usage", {}).items():
                total[name] = total.get(name, 0) + count
        return {**combined, "token_usage": total} if total else combined

    # ---- one answer ----

    @with_signature
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        config, prompt = self._call(messages, stop, kwargs)
        return _result(self._ask(config, prompt, run_manager))

    @with_signature
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        config, prompt = self._call(messages, stop, kwargs)
        return _result(await self._aask(config, prompt, run_manager))

    # ---- a stream ----

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        config, prompt = self._call(messages, stop, kwargs)
        for chunk in self._chunks(config, prompt, run_manager):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _chunks(self, config: LLMConfig, prompt: Wire, run_manager: Any) -> Iterator[ChatGenerationChunk]:
        if not self._streams(config):
            yield whole_chat_chunk(chat_generation(self._ask(config, prompt, run_manager)))
            return
        with ResponseStream(config, prompt) as pieces:
            for piece in pieces:
                chunk = chat_chunk(piece)
                if chunk is not None:
                    yield chunk
            yield last_chat_chunk(pieces.response)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        config, prompt = self._call(messages, stop, kwargs)
        async for chunk in self._achunks(config, prompt, run_manager):
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _achunks(self, config: LLMConfig, prompt: Wire, run_manager: Any) -> AsyncIterator[ChatGenerationChunk]:
        if not self._streams(config):
            yield whole_chat_chunk(chat_generation(await self._aask(config, prompt, run_manager)))
            return
        async with AsyncResponseStream(config, prompt) as pieces:
            async for piece in pieces:
                chunk = chat_chunk(piece)
                if chunk is not None:
                    yield chunk
            yield last_chat_chunk(pieces.response)

    # ---- the request ----

    def _call(
        self, messages: list[BaseMessage], stop: Sequence[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[LLMConfig, Wire]:
        """The config and the wire's messages of one call.

        A person's own chat formatter is handed LangChain's messages as they are, whatever the wire would make of them.
        """
        formatter = wire_formatter(self.content_formatter, lambda _: messages)
        config = self._for_call(formatter, stop, kwargs)
        if isinstance(formatter, wire.CustomFormatter) and takes_messages(formatter):
            return config, [{"role": "user", "content": ""}]
        if any(config.model_kwargs.get(name) for name in _STRUCTURED):
            _check_tools(config)
        return config, messages_to_wire(messages)

    # ---- tools and structured output ----

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        """This model with tools to call.

        tools: functions, pydantic classes, LangChain tools, or dicts as the wire takes them.
        tool_choice: "auto", "none", "any" or "required", a tool's name, a dict, or True for any.
        strict: asks the endpoint to hold to the schemas, where it can.
        """
        return self.bind(**tool_kwargs(tools, tool_choice, strict), **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: str = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        """This model answering with an object of `schema`: a pydantic class, a TypedDict or a JSON schema.

        method: "function_calling" forces a tool call; "json_schema" has the endpoint hold to the schema; "json_mode"
        only to JSON (say in the prompt which). include_raw: gives raw, parsed and parsing_error in a dict.
        """
        model = self.bind(**structured_kwargs(schema, method, strict), **kwargs)
        parser = output_parser(schema, method)
        return with_raw(model, parser) if include_raw else model | parser

    def save(self, file_path: Path | str) -> None:
        """Write the document that `load_llm` reads, .json or .yaml; the key is not in it."""
        path = Path(file_path)
        config = self.to_config()
        document = {"deployment_name": config.deployment_name, "model_kwargs": dict(config.model_kwargs)}
        text = documents.dumps({**document, "_type": self._llm_type}, path.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _result(answer: Response) -> ChatResult:
    return ChatResult(
        generations=[chat_generation(choice) for choice in choices(answer)], llm_output=llm_output([answer])
    )


def _check_tools(config: LLMConfig) -> None:
    """ConfigError where the dialect has no place for tools: the endpoint would take them for sampling parameters."""
    formatter = wire.formatter_for(config)
    if isinstance(formatter, wire.CustomFormatter) or (isinstance(formatter, OpenAIChat) and speaks_openai(config)):
        return
    raise ConfigError(
        "Tools and structured output need an OpenAI-like chat route, and this endpoint is spoken to in another dialect",
        remedy="Use the deployment's /v1/chat/completions or /chat/completions route with "
        "CustomOpenAIChatContentFormatter().",
    )
