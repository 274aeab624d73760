"""LangChain's own methods of a chat model, whose traces name the model that answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager, Callbacks
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import RunnableConfig, ensure_config

from .tracing import name_model


class TracedChatModel(BaseChatModel):
    """A chat model whose runs get the name of the model that answered, which the response alone tells."""

    def generate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Send several conversations, as LangChain's own method does."""
        return super().generate(messages, stop, _with_reporter(callbacks), **kwargs)

    async def agenerate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Do what `generate` does, on the running event loop."""
        return await super().agenerate(messages, stop, _with_reporter(callbacks), **kwargs)

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's own name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Yield the pieces of a response."""
        return super().stream(input, _add_reporter(config), stop=stop, **kwargs)

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's own name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Do what `stream` does, on the running event loop."""
        return super().astream(input, _add_reporter(config), stop=stop, **kwargs)


class ModelReporter(BaseCallbackHandler):
    """Names the model that answered in the metadata of each run: LangChain does not tell a stream its run."""

    run_inline = True  # before the tracers, in asynchronous calls as well

    def __init__(self) -> None:
        self._metadata: dict[UUID, dict[str, Any]] = {}

    def on_chat_model_start(self, *_args: Any, run_id: UUID, metadata: Any = None, **_kwargs: Any) -> None:
        """Keep the run's metadata, the object that the tracers have as well."""
        if metadata:
            self._metadata[run_id] = metadata

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_kwargs: Any) -> None:
        """Name the model in it."""
        metadata = self._metadata.pop(run_id, None)
        for generation in (each for batch in response.generations for each in batch):
            message = getattr(generation, "message", None)
            if metadata is not None and message is not None:
                name_model(metadata, message.response_metadata.get("model_name"))

    def on_llm_error(self, *_args: Any, run_id: UUID, **_kwargs: Any) -> None:
        """Forget the run."""
        self._metadata.pop(run_id, None)


def _with_reporter(callbacks: Callbacks) -> Callbacks:
    """Return callbacks with a ModelReporter before the others."""
    if not isinstance(callbacks, BaseCallbackManager):
        return [ModelReporter(), *(callbacks or [])]
    copied = callbacks.copy()
    copied.handlers.insert(0, ModelReporter())
    return copied


def _add_reporter(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config of a call with a ModelReporter; its other callbacks may come from the chain around it."""
    config = ensure_config(config)
    return {**config, "callbacks": _with_reporter(config.get("callbacks"))}
