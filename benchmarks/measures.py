"""The measures, each with its rows of the table. Every function takes the running server and whether to be quick."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import venvs
from table import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench import Bench, Run

Figures: TypeAlias = "dict[str, Any]"
MS = 1e3
US = 1e6
V2, V3 = "jupyter-ai-magics 2 `%%ai`", "jupyter-ai 3 `%%ai`"
COMMUNITY = "langchain_community"


def cells(bench: Bench, quick: bool) -> list[Row]:
    """Loading the extension, the first cell, every further one, and memory. `%%ai` does not stream."""
    calls = ("--calls", 60 if quick else 200)
    runs = [(env, "cells", magic, bench.http, *calls) for env, magic in _MAGICS.items()]
    warm_up = [(env, "cells", magic, bench.http) for env, magic in _MAGICS.items()]
    bench.medians(1, *warm_up)  # fills the file cache and writes bytecode
    ours, v2, v3 = bench.medians(3 if quick else 7, *runs)
    assert all(magic["has_responded"] for magic in (ours, v2, v3)), "a magic gave no response"
    heavy = ", ".join(ours["imported"]) or "none of httpx, pydantic, langchain_core, ipywidgets"
    whole = _over_raw(ours, "whole")
    return [
        Row("`%load_ext`", ours["load"] * MS, V2, v2["load"] * MS, "ms", 1 / 40, note=f"imports {heavy}"),
        Row("`%load_ext`", ours["load"] * MS, V3, v3["load"] * MS, "ms", 1 / 40),
        Row("first `%%azureml`", ours["first"] * MS, V2, v2["first"] * MS, "ms", 1 / 4),
        Row("first `%%azureml`", ours["first"] * MS, V3, v3["first"] * MS, "ms", 1 / 4),
        Row("`%%azureml`, streamed", ours["cell"] * MS, "raw httpx post", ours["raw"] * MS, "ms", 1.0, True),
        Row("`%%azureml --no-stream`", ours["whole"] * MS, "raw httpx post", ours["raw"] * MS, "ms", 1.0, True),
        Row("what `--no-stream` adds to the post", whole, V2, _over_raw(v2, "cell"), "ms", 1 / 5),
        Row("what `--no-stream` adds to the post", whole, V3, _over_raw(v3, "cell"), "ms", 1 / 5),
        Row("memory that `%load_ext` adds", ours["memory_loaded"], "plain IPython", 0, "MB", 4, True),
        Row("memory after the first response", ours["memory_after_first"], "plain IPython", 0, "MB", 35, True),
        Row("memory after the first response", ours["memory_after_first"], V2, v2["memory_after_first"], "MB"),
        Row("memory after the first response", ours["memory_after_first"], V3, v3["memory_after_first"], "MB"),
    ]


_MAGICS = {"ours": "azureml", "ai-v2": "ai-v2", "ai-v3": "ai-v3"}


def _over_raw(measured: dict[str, Any], way: str) -> float:
    return float(measured[way] - measured["raw"]) * MS


def calls(bench: Bench, quick: bool) -> list[Row]:
    """One call at a time over TLS."""
    (took,) = bench.medians(1 if quick else 3, ("peers", "calls", bench.https, "--calls", 150 if quick else 300))
    ours, core, raw = took["llm"] * MS, took["core"] * MS, took["httpx"] * MS
    invoke = "`AzureMLOnlineEndpoint.invoke`"
    return [
        Row(invoke, ours, "raw httpx post", raw, "ms", 1.5),
        Row(invoke, ours, COMMUNITY, took["community"] * MS, "ms", 1 / 2.5),
        Row(invoke, ours, "openai SDK", took["openai"] * MS, "ms"),
        Row(invoke, ours, "azure-ai-inference", took["azure-ai-inference"] * MS, "ms"),
        Row("`azml_magics.invoke`", core, "raw httpx post", raw, "ms"),
    ]


@dataclass(frozen=True)
class Load:
    """A number of prompts, sent `concurrency` at a time.

    Attributes:
        prompts, concurrency: How many, and how many at a time.
        limit: The mark for their time over the ideal; None for none.
        peer_limit: The mark for their time over that of aiohttp; None for none.
    """

    prompts: int
    concurrency: int
    limit: float | None
    peer_limit: float | None = None

    @property
    def ideal(self) -> float:
        """Seconds if the server takes 100 ms for each prompt and the client no time."""
        return 0.1 * math.ceil(self.prompts / self.concurrency)

    @property
    def name(self) -> str:
        return f"{self.prompts:,} prompts, {self.concurrency} at a time: "

    def run(self, bench: Bench, client: str, url: str = "") -> Run:
        """The arguments of `medians` for one client; over TLS unless another URL is given."""
        url = url or bench.https
        sizes = ("--prompts", self.prompts, "--concurrency", self.concurrency, "--warm", url)
        return ("peers", "batches", client, f"{url}/delay=100", *sizes)

    def row(self, ours: str, figures: Figures, peer: str, theirs: float, limit: float | None = None) -> Row:
        return Row(f"{self.name}`{ours}`", figures["seconds"], peer, theirs, "s", limit)


def batches(bench: Bench, quick: bool) -> list[Row]:
    """400 prompts at 64 and 1,000 at 256, 100 ms each, over TLS."""
    few, many = Load(400, 64, 1.2), Load(1000, 256, None, 1.4)
    few_rows, batch, abatch = _batch(bench, quick, few)
    community = _community(bench, few, (batch, abatch), share=10 if quick else 1)
    return [*few_rows, *community, *_batch(bench, quick, many)[0]]


def _batch(bench: Bench, quick: bool, load: Load) -> tuple[list[Row], Figures, Figures]:
    """The rows, and the figures of batch and abatch."""
    fast = ("core", "llm-batch", "llm-abatch", "aiohttp")
    core, batch, abatch, aiohttp = bench.medians(3 if quick else 7, *(load.run(bench, name) for name in fast))
    (pool,) = bench.medians(1, load.run(bench, "httpx"))
    rows = [
        load.row("llm.batch", batch, "ideal", load.ideal, load.limit),
        load.row("llm.abatch", abatch, "ideal", load.ideal, load.limit),
        load.row("invoke_many", core, "ideal", load.ideal, load.limit),
        load.row("invoke_many", core, "aiohttp", aiohttp["seconds"], load.peer_limit),
        load.row("llm.batch", batch, "aiohttp", aiohttp["seconds"], load.peer_limit),
        load.row("llm.abatch", abatch, "aiohttp", aiohttp["seconds"], load.peer_limit),
        load.row("llm.batch", batch, f"httpx, {load.concurrency} connections", pool["seconds"]),
    ]
    return rows, batch, abatch


def _community(bench: Bench, load: Load, ours: tuple[Figures, Figures], share: int) -> list[Row]:
    """langchain_community sends one prompt after another: it gets a share of them, and its time is scaled."""
    part = replace(load, prompts=load.prompts // share)
    slow = bench.medians(1, *(part.run(bench, name) for name in ("community-batch", "community-abatch")))
    peer = COMMUNITY + (f", {part.prompts} prompts times {share}" if share > 1 else "")
    rows = zip(("llm.batch", "llm.abatch"), ours, slow, strict=True)
    return [load.row(name, mine, peer, theirs["seconds"] * share, 1 / 50) for name, mine, theirs in rows]


def rows(bench: Bench, quick: bool) -> list[Row]:
    """map_rows at the same loads, over TLS and plain http, beside the HTTP clients and langchain_community."""
    made = []
    for load in (Load(400, 64, 1.2), Load(1000, 256, None, 1.4)):
        for scheme, url in (("TLS", bench.https), ("http", bench.http)):
            made += _rows(bench, quick, load, scheme, url)
    return made


def _rows(bench: Bench, quick: bool, load: Load, scheme: str, url: str) -> list[Row]:
    names = ("rows", "arows", "rows-journal", "aiohttp", "httpx")
    took = bench.medians(3 if quick else 7, *(load.run(bench, name, url) for name in names))
    ours, on_loop, rows_with_journal, aiohttp, pool = took
    share = 10 if quick else 1
    part = replace(load, prompts=load.prompts // share)
    (slow,) = bench.medians(1, part.run(bench, "community-batch", url))
    peer = f"{COMMUNITY}.batch" + (f", {part.prompts} prompts times {share}" if share > 1 else "")

    def row(what: str, figures: Figures, peer: str, theirs: float, limit: float | None = None) -> Row:
        return replace(load.row(what, figures, peer, theirs, limit), note=scheme)

    return [
        row("map_rows", ours, "ideal", load.ideal, load.limit),
        row("amap_rows", on_loop, "ideal", load.ideal, load.limit),
        row("map_rows, journal", rows_with_journal, "ideal", load.ideal, load.limit),
        row("map_rows", ours, "aiohttp", aiohttp["seconds"], load.peer_limit),
        row("amap_rows", on_loop, "aiohttp", aiohttp["seconds"], load.peer_limit),
        row("map_rows", ours, f"httpx, {load.concurrency} connections", pool["seconds"]),
        row("map_rows", ours, peer, slow["seconds"] * share, 1 / 50 if load.concurrency == 64 else None),
    ]


def steady(bench: Bench, quick: bool) -> list[Row]:
    """10,000 prompts, 20 ms each, over http, with the connections open: map_rows beside aiohttp."""
    made = []
    for concurrency, share in ((64, 0.6), (256, 0.5)):
        load = Load(2000 if quick else 10_000, concurrency, None)
        sizes = ("--prompts", load.prompts, "--concurrency", concurrency, "--warm", bench.http, "--steady")
        runs = [("peers", "batches", name, f"{bench.http}/delay=20", *sizes) for name in ("rows", "aiohttp")]
        ours, aiohttp = bench.medians(2 if quick else 3, *runs)
        note = (
            f"CPU a prompt {ours['cpu'] / load.prompts * US:.0f} us, aiohttp {aiohttp['cpu'] / load.prompts * US:.0f}"
        )
        made.append(
            replace(load.row("map_rows", ours, "aiohttp", aiohttp["seconds"], 1 / share), note=f"steady; {note}")
        )
    return made


# name -> what it is, the milliseconds of CPU (50 for each MB that is read) and the megabytes that it may take
_BOUNDS = {
    "html": ("64 KB HTML refusal", 20, 2),
    "line": ("8 MB line of a stream", 8 * 50, 48),
    "page": ("200 MB page", 16 * 50, 48),
    "bomb": ("1 MB gzip of 1 GB", 16 * 50, 48),
    "events": ("1,000,000 events, to the limit of 64 MB", None, 48),  # CPU per event is in `streams`
}


def bounds(bench: Bench, quick: bool) -> list[Row]:
    """Responses that are too large, at the default limits: time and memory at its peak."""
    made = []
    for case, (what, milliseconds, megabytes) in _BOUNDS.items():
        (took,) = bench.medians(1 if quick else 3, ("ours", "bounds", bench.http, case))
        note = f"{took['outcome']}; {took['seconds']:.1f} s"
        made += [
            Row(f"{what}: CPU", took["cpu"] * MS, "none", 0, "ms", milliseconds, True, note),
            Row(f"{what}: memory", took["megabytes"], "none", 0, "MB", megabytes, True),
        ]
    return made


def loops(bench: Bench, quick: bool) -> list[Row]:
    """Event loops one after another, each with a call."""
    number = 400 if quick else 2000
    held = bench.probe("ours", "loops", bench.https, "--loops", number)
    return [Row(f"memory after {number:,} event loops", held["all"], "after a tenth", held["tenth"], "MB", 2, True)]


def growth(bench: Bench, quick: bool) -> list[Row]:
    """How the CPU time grows with prompts, responses, rows, configs and history: the exponent of the size."""
    grown = bench.probe("ours", "growth", bench.http, *(["--quick"] if quick else []))
    return [
        Row(
            f"growth with {name}: exponent",
            exponent,
            "linear",
            1,
            "",
            1.15,
            note=f"up to {grown['series'][name][-1][0]:,}",
        )
        for name, exponent in grown["exponents"].items()
    ]


def memory(bench: Bench, quick: bool) -> list[Row]:
    """The memory of a process with many rows and a journal."""
    number = 20_000 if quick else 100_000
    held = bench.probe("ours", "memory", bench.http, "--rows", number)
    after = f"memory after {number:,} rows with a journal"
    return [
        Row(after, held["all"], f"after {number // 10:,}", held["tenth"], "MB", 4, True),
        Row(f"{after}, read again", held["again"], f"after {number // 10:,}", held["tenth"], "MB", 8, True),
    ]


def evaluations(bench: Bench, quick: bool) -> list[Row]:
    """evaluate beside map_rows: what a request costs, and the memory and the summary of many."""
    (cpu,) = bench.medians(
        1, ("ours", "evaluations", bench.http, "overhead", "--rows", 250, "--rounds", 4 if quick else 10)
    )
    number = 20_000 if quick else 100_000
    held = bench.probe("ours", "evaluations", bench.http, "memory", "--rows", number)
    after = f"memory after {number:,} rows by 4 settings with a journal"
    return [
        Row("`evaluate`, CPU per request", cpu["evaluate"] * US, "`map_rows`", cpu["map_rows"] * US, "us", 1.05),
        Row("`evaluate(expect=…)`, CPU per request", cpu["scored"] * US, "`map_rows`", cpu["map_rows"] * US, "us"),
        Row(after, held["all"], f"after {number // 10:,}", held["tenth"], "MB", 48, True),
        Row(f"summary of {held['outcomes']:,} responses", held["summary"], "none", 0, "s", 2, True),
    ]


def streams(bench: Bench, quick: bool) -> list[Row]:
    """Streamed chat responses: time to the first token, CPU per chunk."""
    took = bench.probe("peers", "streams", bench.http, "--rounds", 3 if quick else 9)
    first = {name: seconds * MS for name, seconds in took["first"].items()}
    cpu = {name: seconds * US for name, seconds in took["cpu"].items()}
    to_first, per_chunk = "time to the first token", "2,000 chunks, CPU per chunk"
    raw = "httpx with json.loads"
    return [
        Row(f"{to_first}: core", first["core"], raw, first["httpx"], "ms", 2.0, True),
        Row(f"{to_first}: chat class", first["chat"], raw, first["httpx"], "ms", 2.0, True),
        Row(f"{to_first}: chat class", first["chat"], COMMUNITY, first["community"], "ms"),
        Row(f"{per_chunk}: core", cpu["core"], raw, cpu["httpx"], "us", 2.0),
        Row(f"{per_chunk}: core", cpu["core"], "openai SDK", cpu["openai"], "us", 1 / 4),
        Row(f"{per_chunk}: chat class", cpu["chat"], "openai SDK", cpu["openai"], "us", 1.0),
        Row(f"{per_chunk}: chat class", cpu["chat"], COMMUNITY, cpu["community"], "us"),
    ]


def tracing(bench: Bench, quick: bool) -> list[Row]:
    """What tracing costs a call while nobody watches, and with an SDK's tracer."""
    (cpu,) = bench.medians(1 if quick else 3, ("peers", "tracing", bench.http, "--calls", 1000 if quick else 3000))
    what, peer, none = "`invoke`, CPU", "without tracing in the code", cpu["none"] * US
    return [
        Row(f"{what}: no OpenTelemetry", cpu["absent"] * US, peer, none, "us", 1.03),
        Row(f"{what}: its API, no provider", cpu["api"] * US, peer, none, "us", 1.05),
        Row(f"{what}: SDK, exported in batches", cpu["sdk"] * US, peer, none, "us"),
    ]


def displays(bench: Bench, quick: bool) -> list[Row]:
    """How often a streaming cell updates its display."""
    took = bench.probe("ours", "displays", bench.http, "--chunks", 400 if quick else 1500)
    return [Row("display updates a second, 1 chunk a ms", took["rate"], "none", 0, "/s", 20, True)]


def install(bench: Bench, quick: bool) -> list[Row]:  # noqa: ARG001 - nothing to hurry, nothing to serve
    """The packages and megabytes of an installation."""
    rows = []
    sizes = {name: venvs.size(name) for name in ("ours", "ai-v2", "ai-v3")}
    packages, megabytes = sizes["ours"]
    for name, peer in (("ai-v2", f"{V2}, OpenAI provider"), ("ai-v3", V3)):
        rows += [
            Row("packages installed", packages, peer, sizes[name][0], "", 1.0),
            Row("megabytes installed", megabytes, peer, sizes[name][1], "MB", 1.0),
        ]
    return rows


MEASURES: dict[str, Callable[[Bench, bool], list[Row]]] = {
    "cells": cells,
    "calls": calls,
    "batches": batches,
    "rows": rows,
    "steady": steady,
    "bounds": bounds,
    "loops": loops,
    "growth": growth,
    "memory": memory,
    "evaluations": evaluations,
    "streams": streams,
    "tracing": tracing,
    "displays": displays,
    "install": install,
}
