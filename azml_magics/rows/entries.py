"""The lines of a journal: what a run sends, and a response or an error, as JSON and back.

    {"azml_magics_journal": 2, "settings": {...}}
    {"row": "<key in hex>", "n": 0, "response": {...}}
    {"row": "<key in hex>", "n": 0, "response": {...}, "error": {"kind": "SchemaError", "cause": "...", ...}}
    {"setting": {...}, "label": {...}}

The first line has the version of the format and everything that responses depend on. `n` numbers equal rows. An
evaluation, whose first line has what all of its settings share, adds a line for each of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..core.errors import JournalError
from ..core.errors.as_data import error_from_dict, error_to_dict
from ..core.redaction import redact_data
from ..core.response import Response
from ..core.text import one_line
from ..core.wire.base import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..core.errors import AzmlError
    from ..core.secret import Secret

VERSION = 2
MARKER = "azml_magics_journal"
HEADER_START = f'{{"{MARKER}":{VERSION},'.encode()
OTHER_FILE = "Choose another file for the journal."

_EXCERPT = 24  # characters that are shown around the first difference


# ---- the first line


def header_line(settings: Mapping[str, Any], secrets: Sequence[Secret]) -> bytes:
    """Return the first line of a journal.

    Args:
        settings: Everything that responses depend on apart from the rows.
        secrets: The keys, which are masked.
    """
    return to_json({MARKER: VERSION, "settings": redact_data(dict(settings), *secrets)}) + b"\n"


def check_header(path: Path, line: bytes, expected: bytes, also: Sequence[bytes] = ()) -> None:
    """Check that a journal belongs to this run.

    Args:
        path: The journal, for messages.
        line: Its first line.
        expected: The first line that this run would write.
        also: First lines of other runs whose responses are of use for this one.

    Raises:
        JournalError: It is not a journal, has another format, or belongs to a run with other settings.
    """
    try:
        found = json.loads(line)
        version = found[MARKER]
        settings = dict(found["settings"]) if version == VERSION else {}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise JournalError(f"{str(path)!r} is not a journal of rows", remedy=OTHER_FILE) from None
    if version != VERSION:
        raise JournalError(
            f"The journal {path.name!r} has format {one_line(str(version), 20)}, and this version of azml-magics reads "
            f"format {VERSION} only; the file was not changed",
            remedy=OTHER_FILE,
        )
    differences = _differences(settings, json.loads(expected)["settings"])
    if differences and settings not in [json.loads(other)["settings"] for other in also]:
        raise JournalError(
            f"{path.name!r} is the journal of another run: {'; '.join(differences)}",
            remedy=f"{OTHER_FILE} Or run with the same settings.",
        )


def _differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        _difference(name, earlier.get(name), now.get(name))
        for name in dict.fromkeys([*earlier, *now])
        if earlier.get(name) != now.get(name)
    ]


def _difference(name: str, earlier: Any, now: Any) -> str:
    """Return "temperature was 0.2 and is 0.7"; long texts are cut to where they differ."""
    before, after = (value if isinstance(value, str) else json.dumps(value) for value in (earlier, now))
    if earlier is None:
        return f"there is {name} {one_line(after, 60)!r}"
    if now is None:
        return f"there was {name} {one_line(before, 60)!r}"
    pairs = zip(before, after, strict=False)  # of two lengths
    same = next((at for at, pair in enumerate(pairs) if pair[0] != pair[1]), min(len(before), len(after)))
    return f"{name} was {_excerpt(before, same)!r} and is {_excerpt(after, same)!r}"


def _excerpt(text: str, at: int) -> str:
    start, end = max(0, at - _EXCERPT), at + _EXCERPT
    return ("…" if start else "") + one_line(text[start:end], 80) + ("…" if len(text) > end else "")


def read_header(path: Path, line: bytes) -> dict[str, Any]:
    """Return the settings in the first line of a journal.

    Args:
        path: The journal, for messages.
        line: Its first line.

    Raises:
        JournalError: It is not a journal, or one of another format.
    """
    check_header(path, line, line if line.startswith(HEADER_START) else header_line({}, ()))
    return dict(json.loads(line)["settings"])


# ---- the other lines


def setting_line(settings: Mapping[str, Any], label: Mapping[str, Any], secrets: Sequence[Secret] = ()) -> bytes:
    """Return the line of a setting of an evaluation.

    Args:
        settings: Everything that its responses depend on apart from the rows.
        label: What sets it apart from others.
        secrets: The keys to mask.
    """
    data = {"setting": redact_data(dict(settings), *secrets), "label": redact_data(dict(label), *secrets)}
    return to_json(data) + b"\n"


def parse_setting(line: bytes) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the settings and the label of a setting's line, None for another line."""
    if not line.startswith(b'{"setting":'):
        return None
    try:
        found = json.loads(line)
        return dict(found["setting"]), dict(found["label"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def entry_line(
    key: bytes, n: int, response: Response | None, error: BaseException | None, secrets: Sequence[Secret] = ()
) -> bytes:
    """Return the line of a row.

    Args:
        key: Identifies the row's request.
        n: How many equal rows come before it.
        response: Its response.
        error: Why there is no response, or no valid one.
        secrets: The keys to mask.
    """
    entry: dict[str, Any] = {"row": key.hex(), "n": n}
    if response is not None:
        entry["response"] = redact_data(response.to_dict(), *secrets)
    if error is not None:
        entry["error"] = redact_data(error_to_dict(error), *secrets)
    return to_json(entry) + b"\n"


def parse_entry(line: bytes) -> tuple[bytes, int, Response | None, AzmlError | None]:
    """Return the key, the number, the response and the error of a line.

    Raises:
        ValueError: The line is not an entry.
    """
    try:
        entry = json.loads(line)
        key, n = bytes.fromhex(entry["row"]), int(entry["n"])
        response = Response.from_dict(entry["response"]) if "response" in entry else None
        error = error_from_dict(entry["error"]) if "error" in entry else None
    except (TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise ValueError(f"not an entry of a journal: {wrong}") from None
    if response is None and error is None:
        raise ValueError("not an entry of a journal: it has neither a response nor an error")
    return key, n, response, error
