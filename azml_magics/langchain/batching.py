"""batch and abatch for both model classes: `max_concurrency` requests at a time, without waiting for slow ones."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables.config import RunnableConfig, get_config_list

from ..compare.fan_out import DEFAULT_CONCURRENCY, map_async, map_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Method = TypeVar("Method", bound="Callable[..., Any]")


def cache_signature(method: Method) -> Method:
    """Return the method with a cached signature: LangChain inspects that of `_generate` at every call."""
    method.__signature__ = inspect.signature(method)  # type: ignore[attr-defined] # inspect.signature looks for it
    return method


class ConcurrentBatch:
    """batch and abatch with `max_concurrency` requests at a time (default 16) and results in the order of the inputs.

    LangChain's BaseLLM sends a batch in slices, each as slow as its slowest request, and gives every input the same
    exception when one fails.
    """

    def batch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Send all inputs.

        Args:
            inputs: Prompts or messages.
            config: One RunnableConfig for all inputs or one for each; `max_concurrency` is read from the first.
            return_exceptions: Whether a failed input gives its exception as the result, instead of raising it.
            **kwargs: Parameters of every call.

        Returns:
            The outputs in the order of the inputs.
        """
        configs = get_config_list(config, len(inputs)) if inputs else []
        if len(inputs) == 1 and not return_exceptions:
            return [self.invoke(inputs[0], configs[0], **kwargs)]  # type: ignore[attr-defined] # the model class has it
        return map_in_threads(
            lambda row: self.invoke(*row, **kwargs),  # type: ignore[attr-defined] # the model class has it
            list(zip(inputs, configs, strict=True)),
            concurrency=_read_max_concurrency(configs),
            return_exceptions=return_exceptions,
        )

    async def abatch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Do what `batch` does, on the running event loop."""
        if not inputs:
            return []
        configs = get_config_list(config, len(inputs))

        async def send(row: tuple[Any, RunnableConfig]) -> Any:
            return await self.ainvoke(*row, **kwargs)  # type: ignore[attr-defined] # the model class has it

        concurrency = min(_read_max_concurrency(configs), len(inputs))
        rows = zip(inputs, configs, strict=True)
        return await map_async(send, rows, concurrency=concurrency, return_exceptions=return_exceptions)


def _read_max_concurrency(configs: Sequence[RunnableConfig]) -> int:
    return (configs[0].get("max_concurrency") if configs else None) or DEFAULT_CONCURRENCY
