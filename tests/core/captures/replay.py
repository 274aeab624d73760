"""Reads the examples: over HTTP from a scripted server, and as a stream in pieces without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.client import invoke, prepare, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError
from azml_magics.core.http.exchange import HTTPResponse
from azml_magics.core.stream_reader import StreamReader

from .examples import check_error, check_response

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


def check_over_http(example: Example, server: Server) -> None:
    """Serve the example once and read it: whole, or as the stream that it is.

    Raises:
        AssertionError: Something else than the file says was read.
        AzmlError: The reply could not be read.
    """
    server.respond_with(*example.replies)
    config = config_of(example, server.url)
    try:
        response = _streamed(config) if example.is_stream else invoke(config, "Hi")
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


def splits_of(body: bytes) -> Iterator[list[bytes]]:
    """Yield the body cut in two at every byte boundary, and then byte for byte."""
    for cut in range(1, len(body)):
        yield [body[:cut], body[cut:]]
    yield [body[at : at + 1] for at in range(len(body))]
