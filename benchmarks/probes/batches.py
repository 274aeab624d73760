"""Many prompts at once, in one fresh process: the seconds that one contender needs for all of them.

python batches.py CONTENDER URL --prompts N --concurrency C --warm BASE_URL

URL holds the server's delay. Two prompts go to BASE_URL first, so that imports are not measured; no contender keeps its
connections for the next batch, and all are opened within the time that is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from typing import TYPE_CHECKING, Any

from contenders import KEY, community_llm, our_config, our_llm
from measuring import report

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = {"Authorization": f"Bearer {KEY}"}


def _body(prompt: str) -> dict[str, Any]:
    return {"input_data": {"input_string": [prompt]}, "parameters": {}}


def core(url: str) -> Callable[[list[str], int], list[Any]]:
    from azml_magics.compare.fan_out import invoke_many

    config = our_config(url)
    return lambda prompts, concurrency: invoke_many(config, prompts, concurrency=concurrency)


def rows(url: str) -> Callable[[list[str], int], list[Any]]:
    from azml_magics import map_rows

    config = our_config(url)
    return lambda prompts, concurrency: map_rows(config, "{prompt}", prompts, concurrency=concurrency)


def arows(url: str) -> Callable[[list[str], int], list[Any]]:
    from azml_magics import amap_rows

    config = our_config(url)
    return lambda prompts, concurrency: asyncio.run(amap_rows(config, "{prompt}", prompts, concurrency=concurrency))


def journaled(url: str) -> Callable[[list[str], int], list[Any]]:
    """The same with every answer on disk."""
    import tempfile

    from azml_magics import map_rows

    config = our_config(url)

    def work(prompts: list[str], concurrency: int) -> list[Any]:
        with tempfile.TemporaryDirectory() as folder:
            return map_rows(config, "{prompt}", prompts, concurrency=concurrency, journal=f"{folder}/run.jsonl")

    return work


def batch(llm: Any) -> Callable[[list[str], int], list[Any]]:
    return lambda prompts, concurrency: llm.batch(prompts, config={"max_concurrency": concurrency})


def abatch(llm: Any) -> Callable[[list[str], int], list[Any]]:
    return lambda prompts, concurrency: asyncio.run(llm.abatch(prompts, config={"max_concurrency": concurrency}))


def httpx_pool(url: str) -> Callable[[list[str], int], list[Any]]:
    import httpx

    async def all_of(prompts: list[str], concurrency: int) -> list[Any]:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        async with httpx.AsyncClient(limits=limits, timeout=None) as client:

            async def one(prompt: str) -> Any:
                return (await client.post(f"{url}/score", json=_body(prompt), headers=HEADERS)).json()

            return await asyncio.gather(*map(one, prompts))

    return lambda prompts, concurrency: asyncio.run(all_of(prompts, concurrency))


def aiohttp_pool(url: str) -> Callable[[list[str], int], list[Any]]:
    import aiohttp

    async def all_of(prompts: list[str], concurrency: int) -> list[Any]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

            async def one(prompt: str) -> Any:
                async with session.post(f"{url}/score", json=_body(prompt), headers=HEADERS) as reply:
                    return await reply.json()

            return await asyncio.gather(*map(one, prompts))

    return lambda prompts, concurrency: asyncio.run(all_of(prompts, concurrency))


CONTENDERS: dict[str, Callable[[str], Callable[[list[str], int], list[Any]]]] = {
    "core": core,
    "rows": rows,
    "arows": arows,
    "rows-journal": journaled,
    "llm-batch": lambda url: batch(our_llm(url)),
    "llm-abatch": lambda url: abatch(our_llm(url)),
    "community-batch": lambda url: batch(community_llm(url)),
    "community-abatch": lambda url: abatch(community_llm(url)),
    "httpx": httpx_pool,
    "aiohttp": aiohttp_pool,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("url")
    parser.add_argument("--prompts", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--warm", required=True)
    asked = parser.parse_args()
    CONTENDERS[asked.contender](asked.warm)(["Hello", "Goodbye"], 2)
    work = CONTENDERS[asked.contender](asked.url)
    prompts = [f"Write haiku {number} about sparkling water." for number in range(asked.prompts)]
    gc.collect()  # what the imports left behind, or some contenders pay for that in the middle of their batch
    start, cpu = time.perf_counter(), time.process_time()
    answers = work(prompts, asked.concurrency)
    seconds = time.perf_counter() - start
    assert len(answers) == asked.prompts
    report(seconds=seconds, cpu=time.process_time() - cpu)


if __name__ == "__main__":
    main()
