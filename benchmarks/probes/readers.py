"""Readers of bytes from outside, on input that invites backtracking: milliseconds a MB at one size and at its double.

python readers.py [--megabytes N]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from typing import TYPE_CHECKING

from measuring import report

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 1_000_000


def sse_line(size: int) -> Callable[[], object]:
    from azml_magics.core.wire.sse import SSEDecoder

    def read() -> None:
        decoder = SSEDecoder()
        decoder.feed(b"data: ")
        for _ in range(size // 1000):
            decoder.feed(b"x" * 1000)
        decoder.flush()

    return read


def html_error(size: int) -> Callable[[], object]:
    from azml_magics.core.http import error_body

    page = "<html>" + "<title>x</titl " * (size // 15)
    return lambda: error_body.message_of(error_body.parse(page))


def json_reply(size: int) -> Callable[[], object]:
    from azml_magics.core.wire.json_body import decode_json

    body = json.dumps({"output": 'x \\ " \n' * (size // 10)}).encode()
    return lambda: decode_json(body)


def prompt_template(size: int) -> Callable[[], object]:
    from azml_magics.core.prompt.template import find_variables

    return lambda prompt="\\a[{b" * (size // 5): find_variables(prompt)


def json_in_prose(size: int) -> Callable[[], object]:
    from azml_magics.core.prompt.extract import find_json_values

    return lambda text="`{ [" * (size // 4): list(find_json_values(text))


def thoughts(size: int) -> Callable[[], object]:
    from azml_magics.core.wire.reasoning import split_reasoning

    return lambda text="</think <" * (size // 9): split_reasoning(text)


def markdown(size: int) -> Callable[[], object]:
    from azml_magics.display.markdown import make_inert

    return lambda text="`<a $[](" * (size // 8): make_inert(text)


def redaction(size: int) -> Callable[[], object]:
    from azml_magics.core.redaction import redact

    return lambda text="\\" * size: redact(text, "abcdefghij")


def yaml_document(size: int) -> Callable[[], object]:
    from azml_magics.core.errors import DocumentError
    from azml_magics.document_text import loads

    def read(text: str = "1" + ":1" * (size // 2)) -> None:
        with contextlib.suppress(DocumentError):
            loads(text, ".yaml")

    return read


READERS = (
    sse_line,
    html_error,
    json_reply,
    prompt_template,
    json_in_prose,
    thoughts,
    markdown,
    redaction,
    yaml_document,
)


def seconds(read: Callable[[], object]) -> float:
    """The least of three times."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        read()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=1.0)
    size = int(parser.parse_args().megabytes * MB)
    figures = {}
    for reader in READERS:
        once, twice = seconds(reader(size)), seconds(reader(2 * size))
        figures[reader.__name__] = round(once * 1000 / (size / MB), 1)
        figures[f"{reader.__name__}_twice"] = round(twice * 1000 / (2 * size / MB), 1)
    report(**figures)


if __name__ == "__main__":
    main()
