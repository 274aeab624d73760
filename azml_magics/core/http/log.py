"""The debug log: one line for each attempt, by the logger "azml_magics".

Nothing is shown until a program sets the logger's level, or AZML_LOG=debug in the environment shows it on stderr.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..redaction import redact
from ..text import one_line
from .error_headers import request_id
from .exchange import HTTPResponse
from .request_id import id_for_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..secret import Secret
    from .exchange import Outcome, Request

VARIABLE = "AZML_LOG"
_MAX_LINE = 500  # characters

logger = logging.getLogger("azml_magics")
logger.addHandler(logging.NullHandler())


def _show_on_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)


if os.environ.get(VARIABLE, "").strip().lower() == "debug":
    _show_on_stderr()


_sent_keys: ContextVar[tuple[Secret, ...]] = ContextVar("azml_magics_sent_keys", default=())


@contextmanager
def masked_logs(request: Request) -> Iterator[None]:
    """Mask the keys of a request in what httpx and httpcore log while it is sent, such as URLs and response headers."""
    token = _sent_keys.set(request.secrets)
    try:
        yield
    finally:
        _sent_keys.reset(token)


class _MaskKeys(logging.Filter):
    """Masks the keys of the request that is being sent; asked only about records that are logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the keys in a record's message; always True."""
        if keys := _sent_keys.get():
            message = record.getMessage()
            if (shown := redact(message, *keys)) != message:
                record.msg, record.args = shown, ()
        return True


for _name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_MaskKeys())


def is_on() -> bool:
    """Whether attempts are logged."""
    return logger.isEnabledFor(logging.DEBUG)


def log_attempt(request: Request, outcome: Outcome, started: float) -> None:
    """Log one attempt: method, URL without its query, status or failure, milliseconds, request id. Keys are masked.

    Args:
        request: What was sent.
        outcome: What came of it. Of a stream, the headers.
        started: When it was sent, by `time.perf_counter`.
    """
    if isinstance(outcome, HTTPResponse):
        result, id_ = str(outcome.status), request_id(outcome.headers) or id_for_logs(request)
    else:
        result, id_ = f"{outcome.reason}: {outcome.error}", id_for_logs(request)
    milliseconds = (time.perf_counter() - started) * 1000
    url = urlsplit(request.url)
    address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    line = f"{request.method} {address} {result} in {milliseconds:.0f} ms" + (f", request id {id_}" if id_ else "")
    logger.debug("%s", one_line(redact(line, *request.secrets), _MAX_LINE))
