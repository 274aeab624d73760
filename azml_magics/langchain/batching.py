"""batch and abatch for both model classes: as many requests at a time as asked for, never waiting for a slow one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables.config import RunnableConfig, get_config_list

from ..compare.fan_out import DEFAULT_CONCURRENCY, amap, map_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Method = TypeVar("Method", bound="Callable[..., Any]")


def with_signature(method: Method) -> Method:
    """The method, its signature read for good: LangChain asks for that of `_generate` at every call."""
    method.__signature__ = inspect.signature(method)  # type: ignore[attr-defined] # inspect.signature looks for it
    return method


class ConcurrentBatch:
    """`max_concurrency` requests at a time (16 by default), results in the inputs' order.

    LangChain's own text models work a batch off in slices, each as slow as its slowest request, and give every input
    the same exception when one fails.
    """

    def batch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """The answers in order; with return_exceptions an input's error stands in its answer's place."""
        configs = get_config_list(config, len(inputs)) if inputs else []
        if len(inputs) == 1 and not return_exceptions:
            return [self.invoke(inputs[0], configs[0], **kwargs)]  # type: ignore[attr-defined] # the model class has it
        return map_in_threads(
            lambda row: self.invoke(*row, **kwargs),  # type: ignore[attr-defined] # the model class has it
            list(zip(inputs, configs, strict=True)),
            concurrency=_concurrency(configs),
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
        """What `batch` does, on the running event loop."""
        if not inputs:
            return []
        configs = get_config_list(config, len(inputs))

        async def answer(row: tuple[Any, RunnableConfig]) -> Any:
            return await self.ainvoke(*row, **kwargs)  # type: ignore[attr-defined] # the model class has it

        concurrency = min(_concurrency(configs), len(inputs))
        rows = zip(inputs, configs, strict=True)
        return await amap(answer, rows, concurrency=concurrency, return_exceptions=return_exceptions)

    def _dict_for_compat(self) -> dict[str, Any]:
        """What LangChain files a call under.

        In case somebody has a `dict()` of their own, LangChain puts the process's warning filters aside for each call.
        Threads that do so side by side put them back in the wrong order.
        """
        own: Any = self
        if type(own).dict.__module__.startswith("langchain_core"):
            return dict(own.asdict())
        return dict(super()._dict_for_compat())  # type: ignore[misc] # the model class has it


def _concurrency(configs: Sequence[RunnableConfig]) -> int:
    return (configs[0].get("max_concurrency") if configs else None) or DEFAULT_CONCURRENCY
