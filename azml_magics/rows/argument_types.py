"""The types of the arguments of map_rows and amap_rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypedDict, TypeVar

from ..core.client import Client
from ..core.config import LLMConfig
from .progress import Progress

Frame_co = TypeVar("Frame_co", covariant=True)
DataFrame = TypeVar("DataFrame", bound="AnyFrame")

SchemaSource = type[Any] | dict[str, Any] | str
"""A pydantic model class, or a JSON schema as a dict or text."""


class Invocable(Protocol):
    """A LangChain Runnable: one of azml_magics' LangChain classes, a model of another package, a chain, an agent."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any: ...  # noqa: A002 - LangChain's name


Target = LLMConfig | Invocable
"""What rows are sent to."""


class AnyFrame(Protocol):
    """A DataFrame of pandas, polars or dask."""

    @property
    def columns(self) -> Any: ...


class AnySeries(Protocol[Frame_co]):
    """A Series of pandas or polars."""

    def to_frame(self) -> Frame_co: ...


class LazyFrame(Protocol[Frame_co]):
    """A LazyFrame of polars, which is collected."""

    def collect(self) -> Frame_co: ...


class CommonOptions(TypedDict, total=False):
    """The options that both functions take."""

    variables: Mapping[str, Any] | None
    schema: SchemaSource | None
    concurrency: int
    journal: str | Path | None
    retry_failed: bool
    limit: int | None
    sample: int | None
    rpm: float | None
    tpm: float | None
    max_tokens_total: int | None
    client: Client | None


class SyncOptions(CommonOptions, total=False):
    """The options of map_rows."""

    dask_client: Any
    progress: bool | Callable[[Progress], Any]


class AsyncOptions(CommonOptions, total=False):
    """The options of amap_rows."""

    progress: Callable[[Progress], Any] | None
