"""What map_rows and amap_rows return for each kind of table, for type checkers. It is never run."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from typing_extensions import assert_type

from azml_magics import LLMConfig, amap_rows, map_rows
from azml_magics.rows.dry_run import DryRun
from azml_magics.rows.progress import Progress  # noqa: TC001 - as users write it

Rows = list[dict[str, Any]]


def report(progress: Progress) -> None:
    assert_type(progress.done, int)


def list_gives_list(config: LLMConfig) -> None:
    assert_type(map_rows(config, "Name {city}.", [{"city": "Rome"}]), Rows)
    assert_type(map_rows(config, "Name {city}.", ["Rome"], concurrency=4, limit=1, progress=report), Rows)
    assert_type(map_rows(config, "Name {city}.", ("Rome", "Oslo"), journal=Path("run.jsonl"), progress=True), Rows)
    assert_type(map_rows(config, lambda row: f"Name {row['city']}.", [{"city": "Rome"}], schema={}), Rows)
    assert_type(map_rows(config, [{"role": "user", "content": "Name {city}."}], ["Rome"], dask_client=None), Rows)


def dry_run_gives_requests(config: LLMConfig, frame: pl.DataFrame) -> None:
    assert_type(map_rows(config, "Name {city}.", ["Rome"], dry_run=True), DryRun)
    assert_type(map_rows(config, "Name {city}.", frame, dry_run=True, limit=1), DryRun)
    assert_type(map_rows(config, "Name {city}.", ["Rome"], dry_run=False), Rows)


def stream_gives_iterator(config: LLMConfig) -> None:
    assert_type(map_rows(config, "Name {city}.", (city for city in ["Rome"])), Iterator[dict[str, Any]])
    assert_type(map_rows(config, "Name {city}.", "cities.csv", retry_failed=True), Iterator[dict[str, Any]])
    assert_type(map_rows(config, "Name {city}.", Path("cities.csv"), sample=2), Iterator[dict[str, Any]])
    with Path("cities.csv").open(encoding="utf-8") as file:
        assert_type(map_rows(config, "Name {city}.", csv.DictReader(file)), Iterator[dict[str, Any]])


def frame_gives_frame(config: LLMConfig, frame: pl.DataFrame, lazy: pl.LazyFrame, column: pl.Series) -> None:
    assert_type(map_rows(config, "Name {city}.", frame, variables={"language": "French"}), pl.DataFrame)
    assert_type(map_rows(config, "Name {city}.", lazy), pl.DataFrame)
    assert_type(map_rows(config, "Name {city}.", column), pl.DataFrame)


async def amap_rows_gives_the_same(config: LLMConfig, frame: pl.DataFrame) -> None:
    assert_type(await amap_rows(config, "Name {city}.", ["Rome"], progress=report), Rows)
    assert_type(await amap_rows(config, "Name {city}.", iter(["Rome"])), AsyncIterator[dict[str, Any]])
    assert_type(await amap_rows(config, "Name {city}.", frame), pl.DataFrame)
    async for row in await amap_rows(config, "Name {city}.", "cities.csv"):
        assert_type(row, dict[str, Any])


def wrong_arguments(config: LLMConfig) -> None:
    map_rows(config, "Name {city}.", ["Rome"], concurency=4)  # type: ignore[call-overload]  # a typo
    map_rows(config, "Name {city}.", ["Rome"], limit="three")  # type: ignore[call-overload]  # not a number
    map_rows(config, "Name {city}.", 7)  # type: ignore[call-overload]  # not a table
