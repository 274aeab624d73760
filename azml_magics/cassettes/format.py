"""The file format of a cassette. No key ever gets into one.

A cassette is JSON lines: a heading, then one exchange a line.

    {"azml_cassette": 2}
    {"sequence": 1, "request": {...}, "response": {...}}

* request: what identifies it: its host (left out for this machine, whose ports change), path, query, pinned deployment,
  body, and `"stream": true` if it asks for a stream.
* response: its status, the headers that matter, and its body, or its stream as [seconds before it, text] pieces;
  `"complete": false` if its reader left early.
* sequence: the order in which the requests started.
"""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..core.endpoints import Origin
from ..core.errors import DocumentError
from ..core.http.recording import FRAMING_HEADERS, RecordedResponse
from ..core.redaction import MASK, redact, redact_bytes, redact_data
from .cut_keys import mask_cut_keys

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.http.exchange import Request
    from ..core.secret import Secret

FORMAT = 2
_HEADERS = (
    *("content-type", "azureml-model-deployment", "x-request-id", "apim-request-id", "x-ms-request-id"),
    *("ms-azureml-model-error-statuscode", "ms-azureml-model-error-reason", "retry-after", "retry-after-ms"),
)
_KEY_PARAMETERS = {"api-key", "apikey", "code", "key", "sig", "signature", "subscription-key", "token", "access_token"}
_MAX_PAUSE = 2.0  # seconds: a replay keeps the rhythm of the stream, not the minutes before it
_BASE64_PREFIX = "base64:"


# ---- writing -------------------------------------------------------------------------------------------------


def heading_line() -> bytes:
    """The first line of a cassette."""
    return _to_line({"azml_cassette": FORMAT})


def exchange_line(request: Request, response: RecordedResponse, sequence: int) -> bytes:
    """The line of one exchange, with the request's key masked in all of it.

    Args:
        request: The request as it was sent.
        response: What came back.
        sequence: The place of the request among all requests of the cassette.
    """
    keys = request.secrets
    is_stream = request.stream and len(response.pieces) > 1
    names = (*_HEADERS, *(FRAMING_HEADERS if is_stream else ()))
    recorded: dict[str, Any] = {
        "status": response.status,
        "headers": {name: redact(response.headers[name], *keys) for name in names if name in response.headers},
    }
    if is_stream:
        recorded["stream"] = [
            [round(seconds, 4), _to_text(piece, keys)]
            for seconds, piece in mask_cut_keys(_split_at_lines(response), keys)
        ]
    else:
        recorded["body"] = _to_text(response.body, keys)
    if not response.is_complete:
        recorded["complete"] = False
    described = redact_data(describe_request(request), *keys)
    return _to_line({"sequence": sequence, "request": described, "response": recorded})


def _to_line(value: Any) -> bytes:
    # a lone surrogate (half a character) is not UTF-8; its JSON escape is
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def describe_request(request: Request) -> dict[str, Any]:
    """What identifies a request, as JSON: no header but the pinned deployment, and parameters with a key masked."""
    parts = urlsplit(request.url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    masked = [(name, MASK if name.lower() in _KEY_PARAMETERS else value) for name, value in query]
    described: dict[str, Any] = {}
    if request.method != "POST":
        described["method"] = request.method
    origin = Origin.of(request.url)
    if not origin.is_loopback:
        described["host"] = origin.netloc
    described |= {"path": parts.path, "query": urlencode(masked, safe="*"), "deployment": _deployment_of(request)}
    if request.stream:  # the body of a prompt flow does not say it
        described["stream"] = True
    try:
        described["body"] = json.loads(request.body)
    except (ValueError, RecursionError):
        described["body"] = _to_text(request.body, ())
    return described


def _deployment_of(request: Request) -> str:
    return next((v for name, v in request.headers.items() if name.lower() == "azureml-model-deployment"), "")


def _split_at_lines(response: RecordedResponse) -> list[tuple[float, bytes]]:
    """The pieces, cut again so that each ends a line: no character and no key is split between two pieces."""
    pieces: list[tuple[float, bytes]] = []
    tail, pause = b"", 0.0
    for seconds, piece in response.pieces:
        head, newline, rest = (tail + piece).rpartition(b"\n")
        pause += seconds
        if newline:
            pieces.append((pause, head + newline))
            pause = 0.0
        tail = rest
    return [*pieces, (pause, tail)] if tail else pieces


def _to_text(piece: bytes, keys: tuple[Secret, ...]) -> str:
    """Bytes as text that JSON can hold: UTF-8, or base64 with a prefix if they are not UTF-8."""
    piece = redact_bytes(piece, *keys)
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        text = _BASE64_PREFIX
    return _BASE64_PREFIX + base64.b64encode(piece).decode() if text.startswith(_BASE64_PREFIX) else text


# ---- reading -------------------------------------------------------------------------------------------------


def read_cassette(path: Path) -> tuple[list[tuple[dict[str, Any], RecordedResponse]], int]:
    """Read the exchanges in a cassette.

    Returns:
        The exchanges as (what identifies the request, response), and how many bytes of the file they fill: a last line
        that was cut off is not part of it.

    Raises:
        DocumentError: The file cannot be read, is not a cassette or one of another format, or a line is not an
            exchange.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror or error}", remedy="Check the path.") from None
    heading, *lines = content.splitlines(keepends=True) or [b""]
    _check_heading(path, heading)
    exchanges, size = [], len(heading)
    for number, line in enumerate(lines, 2):
        exchange = _parse_exchange(line, number)
        if exchange is not None:
            exchanges.append(exchange)
        elif line.strip() and number <= len(lines):
            raise DocumentError(f"{path}, line {number}, is not a recorded exchange", remedy="Remove the line.")
        elif line.strip():
            break
        size += len(line)
    return exchanges, size


def _check_heading(path: Path, line: bytes) -> None:
    try:
        version = json.loads(line)["azml_cassette"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DocumentError(
            f"{path} is not a cassette",
            remedy="Check the path, or record to a new file with azml_magics.record(PATH).",
            error_code="not-a-cassette",
        ) from None
    if version != FORMAT:
        raise DocumentError(
            f"{path} is a cassette of format {version!r}; this azml-magics reads and writes format {FORMAT}",
            remedy="Record it again in a new file.",
        )


def _parse_exchange(line: bytes, number: int) -> tuple[dict[str, Any], RecordedResponse] | None:
    """The exchange in the line of that number; None if it is not an exchange."""
    try:
        exchange = json.loads(line)
        request, recorded = exchange["request"], exchange["response"]
        if not isinstance(request, dict):
            return None
        sequence = exchange.get("sequence", number)
        return request, _parse_response(recorded, sequence if isinstance(sequence, int) else number)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _parse_response(recorded: dict[str, Any], sequence: int) -> RecordedResponse:
    """Raises ValueError, KeyError, TypeError or AttributeError if it is not a response."""
    status = recorded["status"]
    headers = {str(name).lower(): str(value) for name, value in recorded["headers"].items()}
    if "stream" in recorded:
        pieces = [(_parse_pause(seconds), _from_text(text)) for seconds, text in recorded["stream"]]
    else:
        pieces = [(0.0, _from_text(recorded["body"]))]
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError("a status is a number")
    return RecordedResponse(status, headers, pieces, recorded.get("complete") is not False, sequence)


def _parse_pause(value: Any) -> float:
    seconds = float(value)
    return min(max(seconds, 0.0), _MAX_PAUSE) if math.isfinite(seconds) else 0.0


def _from_text(text: str) -> bytes:
    if text.startswith(_BASE64_PREFIX):
        return base64.b64decode(text[len(_BASE64_PREFIX) :], validate=True)
    return text.encode("utf-8", "surrogatepass")
