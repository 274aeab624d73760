"""Streamed chat responses: CPU per chunk over a long one, time to the first token over short ones.

python streams.py BASE_URL [--chunks N] [--rounds N] [--only A,B]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

from clients import KEY, PROMPT, community_chat, our_chat, our_chat_config
from measuring import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MESSAGES = [{"role": "user", "content": PROMPT}]


def httpx_json(url: str) -> Callable[[], Iterable[str]]:
    import httpx

    client = httpx.Client()
    headers = {"Authorization": f"Bearer {KEY}"}

    def texts() -> Iterable[str]:
        body = {"messages": MESSAGES, "stream": True}
        with client.stream("POST", f"{url}/v1/chat/completions", json=body, headers=headers) as reply:
            for line in reply.iter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    yield choices[0]["delta"].get("content", "") if choices else ""

    return texts


def core(url: str) -> Callable[[], Iterable[str]]:
    from azml_magics.core.client import stream

    config = our_chat_config(url)
    return lambda: (chunk.text for chunk in stream(config, PROMPT))


def openai_sdk(url: str) -> Callable[[], Iterable[str]]:
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY)

    def texts() -> Iterable[str]:
        # MESSAGES are plain dicts, the SDK's overloads want its own types
        for chunk in client.chat.completions.create(model="bench", messages=MESSAGES, stream=True):  # type: ignore[call-overload]  # plain dicts as messages
            yield (chunk.choices[0].delta.content or "") if chunk.choices else ""

    return texts


def chat_class(chat: Any) -> Callable[[], Iterable[str]]:
    return lambda: (str(chunk.content) for chunk in chat.stream(PROMPT))


CLIENTS: dict[str, Callable[[str], Callable[[], Iterable[str]]]] = {
    "httpx": httpx_json,
    "core": core,
    "openai": openai_sdk,
    "chat": lambda url: chat_class(our_chat(url)),
    "community": lambda url: chat_class(community_chat(url)),
}


def to_first(texts: Callable[[], Iterable[str]]) -> float:
    """Seconds to the first text. The rest is read, too, so that the connection is kept."""
    start = time.perf_counter()
    first = 0.0
    for text in texts():
        if text and not first:
            first = time.perf_counter() - start
    return first


def cpu_per_chunk(texts: Callable[[], Iterable[str]], chunks: int) -> float:
    start = time.process_time()
    arrived = sum(1 for text in texts() if text)
    assert arrived == chunks, (arrived, chunks)
    return (time.process_time() - start) / chunks


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="some of the clients, separated by commas")
    args = parser.parse_args()
    chosen = args.only.split(",") if args.only else list(CLIENTS)
    short = {name: CLIENTS[name](f"{args.url}/chunks=5") for name in chosen}
    long = {name: CLIENTS[name](f"{args.url}/chunks={args.chunks}") for name in chosen}
    firsts: dict[str, list[float]] = {name: [] for name in chosen}
    cpus: dict[str, list[float]] = {name: [] for name in chosen}
    for texts in short.values():
        to_first(texts)  # imports, connections
    gc.collect()
    gc.freeze()  # objects of the imports are not walked during the measurement
    for _ in range(args.rounds * 6):
        for name in chosen:
            firsts[name].append(to_first(short[name]))
    for _ in range(args.rounds):
        for name in chosen:
            cpus[name].append(cpu_per_chunk(long[name], args.chunks))
    report(
        first={name: statistics.median(taken) for name, taken in firsts.items()},
        cpu={name: statistics.median(taken) for name, taken in cpus.items()},
    )


if __name__ == "__main__":
    main()
