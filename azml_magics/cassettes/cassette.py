"""Exchanges in a file, so that code runs again without a network, a key or costs.

`record` and `replay` hold for the whole process: also requests of other threads and event loops go through the
cassette. If several are in use, requests go through the one that started last; a cassette that stops gives way to what
was in use before, in whatever order they stop.
"""

from __future__ import annotations

from pathlib import Path

from ..core.client import AsyncClient, Client
from . import active
from .player import CassettePlayer
from .recorder import CassetteRecorder


def record(path: str | Path, *, client: Client | AsyncClient | None = None) -> CassetteRecorder:
    """Return a context manager that writes every exchange of this process to the cassette at `path`.

    Responses are not changed. Keys are masked. An existing cassette is continued.

    Args:
        path: The file, for example `tests/cassettes/rivers.jsonl`.
        client: Record only the exchanges of this client.

    Raises:
        DocumentError: The file cannot be written, or is something else than a cassette of this format, which is never
            overwritten.

    Examples:
        >>> with azml_magics.record("rivers.jsonl") as recorder:  # doctest: +SKIP
        ...     azml_magics.invoke(config, "Tell me about rivers")
        >>> recorder.count  # doctest: +SKIP
        1

        Without `with`, for example over several cells: `recorder.start()` and `recorder.stop()`.
    """
    return CassetteRecorder(path, client)


def replay(path: str | Path, *, client: Client | AsyncClient | None = None) -> CassettePlayer:
    """Return a context manager that answers every request of this process from the cassette at `path`.

    Nothing goes over the network, and no key is looked up.

    Args:
        path: A file that `record` has written.
        client: Answer only the requests of this client.

    Raises:
        DocumentError: The file cannot be read, or is not a cassette of this format.

    Examples:
        >>> with azml_magics.replay("rivers.jsonl"):  # doctest: +SKIP
        ...     azml_magics.invoke(config, "Tell me about rivers")

        In the block, a request that was not recorded raises `NotRecordedError`.
    """
    return CassettePlayer(path, client)


def stop_innermost() -> CassetteRecorder | CassettePlayer | None:
    """Stop the cassette that started last; return it, or None if there is none.

    Raises:
        DocumentError: A recorder could not write some exchanges. It has stopped all the same.
    """
    cassette = active.innermost()
    assert cassette is None or isinstance(cassette, CassetteRecorder | CassettePlayer)
    if cassette is not None:
        cassette.stop()
    return cassette
