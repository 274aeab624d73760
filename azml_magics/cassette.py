"""Exchanges kept in a file, so that a notebook runs again without a network, a key or a bill.

A cassette is JSON lines: a heading, then one exchange a line - what was asked (path, query, deployment, body) and what
came (status, headers, body or stream with its timing). Keys are never in it: request headers are not kept, and a key
that a reply echoes is masked before it reaches the tape.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from .core import tape
from .core.errors import DocumentError, NotRecorded, one_line
from .core.secrets import MASK, Secret, masked
from .core.tape import Take

if TYPE_CHECKING:
    from .core.policy import Request

SCHEMA = 1
_KEPT_HEADERS = (
    "content-type",
    "azureml-model-deployment",
    "x-request-id",
    "ms-azureml-model-error-statuscode",
    "ms-azureml-model-error-reason",
    "retry-after",
    "retry-after-ms",
)
_SECRET_PARAMETERS = {"api-key", "code", "key", "sig", "subscription-key", "token"}
_LONGEST_PAUSE = 2.0  # seconds: a replay keeps the rhythm of the stream, not the minutes before it


def asked(request: Request) -> dict[str, Any]:
    """What identifies a request: path, query, pinned deployment and body. Not the host, nor any other header."""
    parts = urlsplit(request.url)
    query = [(name, MASK if name.lower() in _SECRET_PARAMETERS else value) for name, value in parse_qsl(parts.query)]
    try:
        body: Any = json.loads(request.body)
    except ValueError:
        body = base64.b64encode(request.body).decode()
    deployment = next((v for name, v in request.headers.items() if name.lower() == "azureml-model-deployment"), "")
    question = {"path": parts.path, "query": urlencode(query), "deployment": deployment, "body": body}
    return question if request.method == "POST" else {"method": request.method, **question}


def _digest(question: Any) -> str:
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()


class Recorder:
    """A tape that writes every exchange to a cassette as it happens; an existing one is continued.

    `count` is how many it has written. DocumentError where the file cannot be written or is no cassette.
    """

    replays = False

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.count = 0
        self._lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size:
                _read(self.path)
            else:
                self.path.write_text(json.dumps({"azml_cassette": SCHEMA}) + "\n", encoding="utf-8")
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def play(self, request: Request) -> Take:
        """Never asked: a recorder lets the network answer."""
        raise NotImplementedError

    def keep(self, request: Request, take: Take) -> None:
        """Append the exchange, its key masked."""
        key = _key_of(request)
        answered: dict[str, Any] = {
            "status": take.status,
            "headers": {name: masked(take.headers[name], key) for name in _KEPT_HEADERS if name in take.headers},
        }
        if request.stream and len(take.pieces) > 1:
            answered["stream"] = [[round(seconds, 4), _text(piece, key)] for seconds, piece in _whole_lines(take)]
        else:
            answered["body"] = _text(take.body, key)
        line = json.dumps({"asked": asked(request), "answered": answered}, ensure_ascii=False)
        with self._lock:
            try:
                with self.path.open("a", encoding="utf-8", newline="\n") as file:
                    file.write(masked(line, key) + "\n")
            except OSError as error:
                raise _unwritable(self.path, error) from None
            self.count += 1


def _key_of(request: Request) -> Secret | None:
    header = next((value for name, value in request.headers.items() if name.lower() == "authorization"), "")
    return Secret(header) if header else None


def _whole_lines(take: Take) -> list[tuple[float, bytes]]:
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


def _text(piece: bytes, key: Secret | None) -> str:
    """Bytes as the text that JSON can hold: UTF-8, or its bytes one for one behind a mark where it is none."""
    try:
        return masked(piece.decode(), key)
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(piece).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text[7:]) if text.startswith("base64:") else text.encode()


def _unwritable(path: Path, error: OSError) -> DocumentError:
    return DocumentError(f"{path} cannot be written: {error.strerror or error}", remedy="Choose another path.")


class Player:
    """A tape that answers from a cassette. The same request asked again gets the next answer recorded for it, in turn.

    NotRecorded for a request that is not in it, with what comes nearest; DocumentError where the file is no cassette.
    """

    replays = True

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._questions: list[dict[str, Any]] = []
        self._takes: dict[str, list[Take]] = defaultdict(list)
        self._next: dict[str, int] = defaultdict(int)
        for entry in _read(self.path):
            self._questions.append(entry["asked"])
            self._takes[_digest(entry["asked"])].append(_take(entry["answered"]))

    def __len__(self) -> int:
        return len(self._questions)

    def play(self, request: Request) -> Take:
        """The recorded reply."""
        question = asked(request)
        digest = _digest(question)
        with self._lock:
            takes = self._takes.get(digest)
            if takes:
                at = self._next[digest] % len(takes)
                self._next[digest] += 1
                return takes[at]
        raise NotRecorded(
            f"{self.path.name} has no answer for this request to {question['path']}: {self._nearest(question)}",
            remedy="Record it (%azureml record FILE), or end the replay (%azureml stop-recording).",
        )

    def keep(self, request: Request, take: Take) -> None:
        """Never told: nothing goes over the network."""
        raise NotImplementedError

    def _nearest(self, question: dict[str, Any]) -> str:
        """How the nearest recorded request differs, in words."""
        if not self._questions:
            return "it is empty"
        nearest = min(self._questions, key=lambda known: sum(known.get(part) != question[part] for part in question))
        different = [part for part in question if nearest.get(part) != question[part]]
        if "body" in different and isinstance(question["body"], dict) and isinstance(nearest.get("body"), dict):
            keys = {**question["body"], **nearest["body"]}
            different[different.index("body")] = " and ".join(
                f"body {key} (asked {_shown(question['body'].get(key))}, recorded {_shown(nearest['body'].get(key))})"
                for key in keys
                if question["body"].get(key) != nearest["body"].get(key)
            )
        return f"the nearest one differs in {', '.join(different)}"


def _shown(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), 80)


def _take(answered: dict[str, Any]) -> Take:
    if "stream" in answered:
        pieces = [(min(float(seconds), _LONGEST_PAUSE), _bytes(text)) for seconds, text in answered["stream"]]
    else:
        pieces = [(0.0, _bytes(answered["body"]))]
    return Take(answered["status"], answered["headers"], pieces)


def _read(path: Path) -> list[dict[str, Any]]:
    """The exchanges in a cassette; DocumentError names the line that is none. A torn last line is left out."""
    try:
        heading, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror or error}", remedy="Check the path.") from None
    except UnicodeDecodeError:
        heading, lines = "", []
    try:
        if json.loads(heading)["azml_cassette"] != SCHEMA:
            raise DocumentError(f"{path} was recorded by another version of azml-magics", remedy="Record it again.")
    except (ValueError, KeyError, TypeError):
        raise DocumentError(f"{path} is no cassette", remedy="Record one with %azureml record FILE.") from None
    entries = []
    for number, line in enumerate(lines, 2):
        entry = _entry(line)
        if entry is not None:
            entries.append(entry)
        elif number < len(lines) + 1:
            raise DocumentError(f"{path}, line {number}, is no recorded exchange", remedy="Take the line out.")
    return entries


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
        _take(entry["answered"])
        return {"asked": dict(entry["asked"]), "answered": entry["answered"]}
    except (ValueError, KeyError, TypeError):
        return None


def record(path: str | Path) -> Recorder:
    """Write every exchange of this process to the cassette at `path` from now on."""
    recorder = Recorder(path)
    tape.insert(recorder)
    return recorder


def replay(path: str | Path) -> Player:
    """Answer every request of this process from the cassette at `path` from now on."""
    player = Player(path)
    tape.insert(player)
    return player


def stop() -> None:
    """End recording or replaying; nothing happens where neither goes on."""
    tape.insert(None)
