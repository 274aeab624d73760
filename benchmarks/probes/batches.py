"""Many prompts at once, in one fresh process: the seconds that one client needs for all of them.

python batches.py CONTENDER URL --prompts N --concurrency C --warm BASE_URL

URL names the server's delay. Two prompts go to BASE_URL first, so that imports are not measured. No client keeps
connections from those; opening all of them is measured. With --steady every client first opens its connections with a
wave of prompts, and is measured in the same loop after that.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from typing import TYPE_CHECKING, Any

from clients import KEY, community_llm, our_config, our_llm
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


def rows_with_journal(url: str) -> Callable[[list[str], int], list[Any]]:
    """map_rows with a journal."""
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


def steady_aiohttp(url: str, prompts: list[str], concurrency: int) -> dict[str, float]:
    """What aiohttp needs with its connections open."""
    import aiohttp

    async def run() -> dict[str, float]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

            async def worker(mine: list[str]) -> None:
                for prompt in mine:
                    async with session.post(f"{url}/score", json=_body(prompt), headers=HEADERS) as reply:
                        await reply.json()

            async def wave(some: list[str]) -> None:
                await asyncio.gather(*(worker(some[start::concurrency]) for start in range(concurrency)))

            await wave(prompts[: 4 * concurrency])
            start, cpu = time.perf_counter(), time.process_time()
            await wave(prompts)
            return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}

    return asyncio.run(run())


def steady_rows(url: str, prompts: list[str], concurrency: int) -> dict[str, float]:
    """What map_rows needs with its connections open."""
    work = rows(url)
    work(prompts[: 4 * concurrency], concurrency)
    start, cpu = time.perf_counter(), time.process_time()
    work(prompts, concurrency)
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


STEADY = {"rows": steady_rows, "aiohttp": steady_aiohttp}
CLIENTS: dict[str, Callable[[str], Callable[[list[str], int], list[Any]]]] = {
    "core": core,
    "rows": rows,
    "arows": arows,
    "rows-journal": rows_with_journal,
    "llm-batch": lambda url: batch(our_llm(url)),
    "llm-abatch": lambda url: abatch(our_llm(url)),
    "community-batch": lambda url: batch(community_llm(url)),
    "community-abatch": lambda url: abatch(community_llm(url)),
    "httpx": httpx_pool,
    "aiohttp": aiohttp_pool,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("url")
    parser.add_argument("--prompts", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--warm", required=True)
    parser.add_argument("--steady", action="store_true")
    args = parser.parse_args()
    CLIENTS[args.client](args.warm)(["Hello", "Goodbye"], 2)
    work = CLIENTS[args.client](args.url)
    prompts = [f"Write haiku {number} about sparkling water." for number in range(args.prompts)]
    if args.steady:
        report(**STEADY[args.client](args.url, prompts, args.concurrency))
        return
    gc.collect()  # otherwise garbage of the imports is collected during the measurement
    start, cpu = time.perf_counter(), time.process_time()
    responses = work(prompts, args.concurrency)
    seconds = time.perf_counter() - start
    assert len(responses) == args.prompts
    report(seconds=seconds, cpu=time.process_time() - cpu)


if __name__ == "__main__":
    main()
