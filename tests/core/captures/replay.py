"""Reads the examples: over HTTP from a scripted server, and in pieces without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from azml_magics import Client
from azml_magics.core.client import invoke, prepare, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError
from azml_magics.core.http.exchange import HTTPResponse
from azml_magics.core.stream_reader import StreamReader

from .examples import EXAMPLES_BY_FILE, check_error, check_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from azml_magics.core.response import Response
    from tests.core.server import Server

    from .examples import Example


def config_of(example: Example, base: str = "http://127.0.0.1:9") -> LLMConfig:
    """Return a config for the route of the example that retries nothing."""
    return LLMConfig(
        endpoint_url=base + example.path, formatter=example.formatter, model="m", key=None, max_retries=0, timeout=20
    )


def check_over_http(example: Example, server: Server, *, asks_for_stream: bool = False) -> None:
    """Serve the example once and read it: as the stream that it is, or whole.

    Args:
        example: The example.
        server: The scripted server.
        asks_for_stream: Ask for a stream, whatever comes.

    Raises:
        AssertionError: Something else than the file says was read.
        AzmlError: The reply could not be read.
    """
    server.respond_with(*example.replies)
    config = config_of(example, server.url)
    try:
        response = _streamed(config) if example.is_stream or asks_for_stream else invoke(config, "Hi")
    except AzmlError as error:
        check_error(example, error)
    else:
        check_response(example, response)


def _streamed(config: LLMConfig) -> Response:
    with stream(config, "Hi") as chunks:
        for _ in chunks:
            pass
    return chunks.response


def check_in_pieces(example: Example, pieces: Iterable[bytes]) -> None:
    """Read the stream from these pieces of its body.

    Raises:
        AssertionError: Something else than the file says was read.
        AzmlError: The stream could not be read.
    """
    reader = StreamReader(prepare(config_of(example), "Hi", stream=True))
    reader.start()
    assert reader.open(HTTPResponse(example.status, example.head, stream=iter(())))
    try:
        for piece in pieces:
            for _ in reader.feed(piece):
                pass
        for _ in reader.close():
            pass
    except AzmlError as error:
        check_error(example, error)
    else:
        check_response(example, reader.response)


class Replayer:
    """Reads whole replies in pieces, through a client whose transport is a script."""

    def __init__(self) -> None:
        self._replies: list[tuple[Example, list[bytes]]] = []
        self._client = Client(http_client=httpx.Client(transport=httpx.MockTransport(self._respond)))

    def _respond(self, _: httpx.Request) -> httpx.Response:
        example, pieces = self._replies.pop(0)
        return httpx.Response(example.status, headers=example.head, stream=_Pieces(pieces))

    def check(self, example: Example, pieces: list[bytes]) -> None:
        """Read the example's reply from these pieces of its body.

        Raises:
            AssertionError: Something else than the file says was read.
            AzmlError: The reply could not be read.
        """
        after = EXAMPLES_BY_FILE.get(example.then)
        self._replies = [(example, pieces), *([(after, [after.body])] if after else [])]
        try:
            response = self._client.invoke(config_of(example), "Hi")
        except AzmlError as error:
            check_error(example, error)
        else:
            check_response(example, response)


class _Pieces(httpx.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def splits_of(body: bytes) -> Iterator[list[bytes]]:
    """Yield the body cut in two at every byte boundary, and then byte for byte."""
    for cut in range(1, len(body)):
        yield [body[:cut], body[cut:]]
    yield [body[at : at + 1] for at in range(len(body))]
