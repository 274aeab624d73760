"""One fresh process of a notebook magic: loading it, its first cell, then many, beside a raw httpx post.

python cells.py azureml|ai-v2|ai-v3 BASE_URL [--calls N]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from measuring import report, rss, time_in_turn
from shell import start_shell

HEAVY = ("httpx", "pydantic", "langchain_core", "ipywidgets")
EXTENSIONS = {"azureml": "azml_magics", "ai-v2": "jupyter_ai_magics", "ai-v3": "jupyter_ai_magic_commands"}
PROMPT = "Write a haiku about sparkling water."


def prepare(shell: Any, magic: str, url: str) -> tuple[str, str]:
    """Set the magic up for `url`; the name and the line of its cell."""
    if magic == "azureml":
        shell.run_line_magic("azureml", f"save bench --url {url}/v1/chat/completions --key env:OPENAI_API_KEY")
        return "azureml", ""
    os.environ["OPENAI_API_BASE"] = f"{url}/v1"
    if magic == "ai-v2":
        return "ai", "openai-chat-custom:bench"
    return "ai", f"openai/gpt-4o --api-base {url}/v1"


def raw_post(url: str) -> Any:
    """A function that sends the same request with a variables-alive httpx client."""
    import httpx

    client = httpx.Client()
    body = {"messages": [{"role": "user", "content": PROMPT}], "model": "bench"}
    headers = {"Authorization": "Bearer x"}
    return lambda: client.post(f"{url}/v1/chat/completions", json=body, headers=headers).json()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("magic", choices=EXTENSIONS)
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, default=0)
    args = parser.parse_args()
    os.environ["OPENAI_API_KEY"] = "sk-benchmark"
    measured: dict[str, Any] = {}
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        shell = start_shell()
        plain = rss()
        start = time.perf_counter()
        shell.run_line_magic("load_ext", EXTENSIONS[args.magic])
        measured["load"] = time.perf_counter() - start
        measured["imported"] = [name for name in HEAVY if name in sys.modules]
        measured["memory_loaded"] = rss() - plain
        name, line = prepare(shell, args.magic, args.url)
        cell = f"%%{name} {line}\n{PROMPT}"
        start = time.perf_counter()
        ran = shell.run_cell(cell)
        measured["first"] = time.perf_counter() - start
        ran.raise_error()
        measured["has_responded"] = "glass" in str(getattr(ran.result, "data", ran.result)) or "word" in str(ran.result)
        measured["memory_after_first"] = rss() - plain
        if args.calls:
            raw = raw_post(args.url)
            clients = {"cell": lambda: shell.run_cell_magic(name, line, PROMPT), "raw": raw}
            if args.magic == "azureml":  # as %%ai does, which waits for the whole response
                clients["whole"] = lambda: shell.run_cell_magic(name, "--no-stream", PROMPT)
            measured.update(time_in_turn(clients, args.calls))
    report(**measured)


if __name__ == "__main__":
    main()
