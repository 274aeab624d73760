"""How an exchange is written in a cassette, and read again. No network; no key ever gets through here.

A cassette is JSON lines: a heading, then one exchange a line. What was asked is its host (this machine's own left out:
its ports change), path, query, pinned deployment and body; what came is its status, the headers that tell something,
and its body, or its stream as [seconds before it, text] pieces.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..core.endpoints import Origin
from ..core.errors import DocumentError
from ..core.http.recording import RecordedResponse
from ..core.keys import Secret
from ..core.redaction import MASK, redact, redact_bytes, redact_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..core.http.exchange import Request

SCHEMA = 1
_KEPT_HEADERS = (
    *("content-type", "azureml-model-deployment", "x-request-id", "apim-request-id", "x-ms-request-id"),
    *("ms-azureml-model-error-statuscode", "ms-azureml-model-error-reason", "retry-after", "retry-after-ms"),
)
_KEY_HEADERS = ("authorization", "api-key")
_KEY_PARAMETERS = {"api-key", "apikey", "code", "key", "sig", "signature", "subscription-key", "token", "access_token"}
_LONGEST_PAUSE = 2.0  # seconds: a replay keeps the rhythm of the stream, not the minutes before it
_BINARY = "base64:"


# ---- writing -------------------------------------------------------------------------------------------------


def heading() -> bytes:
    """The first line."""
    return _line({"azml_cassette": SCHEMA})


def exchange(request: Request, take: RecordedResponse, turn: int) -> bytes:
    """The line that keeps an exchange, its key masked wherever it stands. `turn` is its place among all requests."""
    keys = _keys(request)
    answered: dict[str, Any] = {
        "status": take.status,
        "headers": {name: redact(take.headers[name], *keys) for name in _KEPT_HEADERS if name in take.headers},
    }
    if request.stream and len(take.pieces) > 1:
        answered["stream"] = [[round(seconds, 4), _text(piece, keys)] for seconds, piece in _whole_lines(take)]
    else:
        answered["body"] = _text(take.body, keys)
    if not take.is_complete:
        answered["whole"] = False
    return _line({"turn": turn, "asked": redact_data(asked(request), *keys), "answered": answered})


def _line(value: Any) -> bytes:
    # half a character (a lone surrogate) is no UTF-8; its JSON escape is
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def asked(request: Request) -> dict[str, Any]:
    """What identifies a request. No header is in it but the pinned deployment, and no parameter that carries a key."""
    parts = urlsplit(request.url)
    query = [(name, MASK if name.lower() in _KEY_PARAMETERS else value) for name, value in _pairs(parts.query)]
    question: dict[str, Any] = {}
    if request.method != "POST":
        question["method"] = request.method
    origin = Origin.of(request.url)
    if not origin.is_loopback:
        question["host"] = origin.netloc
    question |= {"path": parts.path, "query": urlencode(query, safe="*"), "deployment": _deployment(request)}
    if request.stream:  # prompt flow's body does not tell
        question["stream"] = True
    try:
        question["body"] = json.loads(request.body)
    except (ValueError, RecursionError):
        question["body"] = _text(request.body, ())
    return question


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _deployment(request: Request) -> str:
    return next((v for name, v in request.headers.items() if name.lower() == "azureml-model-deployment"), "")


def _whole_lines(take: RecordedResponse) -> list[tuple[float, bytes]]:
    """The pieces, cut again so that each ends at a line's end: no character is split, and no key across two pieces."""
    pieces: list[tuple[float, bytes]] = []
    tail, pause = b"", 0.0
    for seconds, piece in take.pieces:
        head, newline, rest = (tail + piece).rpartition(b"\n")
        pause += seconds
        if newline:
            pieces.append((pause, head + newline))
            pause = 0.0
        tail = rest
    return [*pieces, (pause, tail)] if tail else pieces


# ---- keys


def _keys(request: Request) -> tuple[str, ...]:
    """Return the keys that went with a request."""
    return tuple({Secret(value).reveal() for name, value in request.headers.items() if name.lower() in _KEY_HEADERS})


def _text(piece: bytes, keys: tuple[str, ...]) -> str:
    """Return bytes as text that JSON can hold: UTF-8, or base64 behind a mark if they are not UTF-8."""
    piece = redact_bytes(piece, *keys)
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        text = _BINARY
    return _BINARY + base64.b64encode(piece).decode() if text.startswith(_BINARY) else text


# ---- reading -------------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[list[tuple[dict[str, Any], RecordedResponse]], int]:
    """The exchanges in a cassette, and how many of its bytes they fill.

    DocumentError names the line that is none. What is left of a last line that was torn is no part of it.
    """
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror or error}", remedy="Check the path.") from None
    first, *lines = whole.splitlines(keepends=True) or [b""]
    _check_heading(path, first)
    entries, filled = [], len(first)
    for number, line in enumerate(lines, 2):
        entry = _entry(line, number)
        if entry is not None:
            entries.append(entry)
        elif line.strip() and number <= len(lines):
            raise DocumentError(f"{path}, line {number}, is no recorded exchange", remedy="Take the line out.")
        elif line.strip():
            break
        filled += len(line)
    return entries, filled


def _check_heading(path: Path, line: bytes) -> None:
    try:
        version = json.loads(line)["azml_cassette"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DocumentError(f"{path} is no cassette", remedy="Record one with %azureml record FILE.") from None
    if version != SCHEMA:
        raise DocumentError(f"{path} was recorded by another version of azml-magics", remedy="Record it again.")


def _entry(line: bytes, number: int) -> tuple[dict[str, Any], RecordedResponse] | None:
    """(what was asked, what came) in the line of that number; None where it is no exchange."""
    try:
        entry = json.loads(line)
        question, answered = entry["asked"], entry["answered"]
        if not isinstance(question, dict):
            return None
        turn = entry.get("turn", number)
        return question, _take(answered, turn if isinstance(turn, int) else number)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _take(answered: dict[str, Any], turn: int) -> RecordedResponse:
    """ValueError, KeyError, TypeError or AttributeError where it is none."""
    status = answered["status"]
    headers = {str(name).lower(): str(value) for name, value in answered["headers"].items()}
    if "stream" in answered:
        pieces = [(_seconds(seconds), _bytes(text)) for seconds, text in answered["stream"]]
    else:
        pieces = [(0.0, _bytes(answered["body"]))]
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError("a status is a number")
    return RecordedResponse(status, headers, pieces, answered.get("whole") is not False, turn)


def _seconds(value: Any) -> float:
    seconds = float(value)
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else 0.0


def _bytes(text: str) -> bytes:
    if text.startswith(_BINARY):
        return base64.b64decode(text[len(_BINARY) :], validate=True)
    return text.encode("utf-8", "surrogatepass")


# ---- comparing -----------------------------------------------------------------------------------------------


def digest(question: Any) -> str:
    """The same text for the same question."""
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()


def has_mask(question: Any) -> bool:
    """Whether a key was blotted out of it."""
    return MASK in json.dumps(question)


def is_alike(known: Any, question: Any) -> bool:
    """Whether a recorded question is this one, a mask in it standing for whatever it hid."""
    if isinstance(known, str) and isinstance(question, str):
        return _matches(known, question)
    if isinstance(known, dict) and isinstance(question, dict):
        return known.keys() == question.keys() and all(is_alike(known[name], question[name]) for name in known)
    if isinstance(known, list) and isinstance(question, list):
        return len(known) == len(question) and all(map(is_alike, known, question))
    return bool(known == question)


def _matches(known: str, text: str) -> bool:
    first, *rest = known.split(MASK)
    if not rest:
        return known == text
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) >= at


def differences(question: Any, known: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(where, asked, recorded) for every place in which the two are unlike; ... where one has nothing."""
    if isinstance(question, dict) and isinstance(known, dict):
        for name in {**question, **known}:
            inside = f"{where}.{name}" if where else str(name)
            yield from differences(question.get(name, ...), known.get(name, ...), inside)
    elif isinstance(question, list) and isinstance(known, list) and len(question) == len(known):
        for index, (one, other) in enumerate(zip(question, known, strict=True)):
            yield from differences(one, other, f"{where}.{index}")
    elif type(question) is not type(known) or question != known:
        yield where, question, known
