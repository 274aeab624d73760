"""`python -m azml_magics.emulator`: the embedded endpoint alone, until Ctrl-C."""

from __future__ import annotations

import argparse
import threading

from azml_magics.emulator import Emulator
from azml_magics.emulator.about import ROUTES, STATEMENT


def main(arguments: list[str] | None = None, stop: threading.Event | None = None) -> int:
    """Serve until Ctrl-C.

    Args:
        arguments: The command line, by default that of the process.
        stop: An event that ends serving, for tests.

    Returns:
        The exit status: 1 if the port is taken.
    """
    parser = argparse.ArgumentParser(prog="python -m azml_magics.emulator", description=STATEMENT, allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8899, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--key", default="demo-key-not-secret", help="the key of the clients (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=0.0, metavar="TOKENS_PER_S", help="0: as fast as possible")
    parser.add_argument("--latency", type=float, default=0.0, metavar="S", help="seconds before a response begins")
    given = parser.parse_args(arguments)
    endpoint = Emulator(key=given.key, port=given.port, rate=given.rate, latency=given.latency)
    try:
        endpoint.start()
    except (OSError, OverflowError) as error:
        print(f"Cannot listen on port {given.port}: {error}. Choose another with --port, or 0 for a free one.")
        return 1
    print(greeting(endpoint), flush=True)
    try:
        # A wait without end cannot be interrupted on Windows; one with a timeout can.
        while not (stop or threading.Event()).wait(0.5):
            pass
    except KeyboardInterrupt:
        print()
    finally:
        endpoint.stop()
    return 0


def greeting(endpoint: Emulator) -> str:
    """Return what is printed at the start: URL, key, routes, and a curl command to try."""
    routes = "\n".join(f"  {method:<4} {path:<42} {summary}" for method, path, summary in ROUTES)
    body = '{"messages": [{"role": "user", "content": "Write a haiku about sparkling water."}]}'
    return (
        f"{STATEMENT}\n\nURL  {endpoint.url}\nKey  {endpoint.key}\n\n{routes}\n\nTry:\n"
        f"  curl {endpoint.url}/v1/chat/completions \\\n    -H 'Authorization: Bearer {endpoint.key}' \\\n"
        f"    -H 'Content-Type: application/json' \\\n    -d '{body}'\n\nCtrl-C stops it."
    )


if __name__ == "__main__":
    raise SystemExit(main())
