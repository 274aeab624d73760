"""The debug log: one line for each attempt, by the logger "azml_magics".

Nothing is shown until a program sets the logger's level, or AZML_LOG=debug in the environment shows it on stderr.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..redaction import redact
from ..text import one_line
from .error_headers import request_id
from .exchange import HTTPResponse
from .request_id import id_for_logs

if TYPE_CHECKING:
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
