"""Bodies of error responses: their message, codes and parameter. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from ..text import one_line
from ..wire.error_parts import error_parts

_FILTER_CODES = {"content_filter", "ResponsibleAIPolicyViolation"}
_MAX_DEPTH = 8
_MAX_READ = 10_000  # characters of an HTML page's title or words: more are not shown anyway
_EXTRA = re.compile(r"Extra parameters \['(\w+)'")  # of the Model Inference API
_TITLE = re.compile("<title", re.IGNORECASE)  # one pattern over tag, text and end tag would be quadratic
_TITLE_END = re.compile("</title", re.IGNORECASE)


def parse(text: str) -> Any:
    """Parse a body: JSON as data, other text as it is, an HTML page as its title or words."""
    value = _parse_json(text)
    return _plain_text(text) if value is None else value


def codes_of(value: Any) -> frozenset[str]:
    """Every error code and type in a parsed body, as the server wrote them.

    Services put them at the top, in `error`, in its `innererror`, or in JSON that a gateway wrapped into its message.
    """
    return frozenset(
        part[key] for part in error_parts(value) for key in ("code", "type") if isinstance(part.get(key), str)
    )


def param_of(value: Any) -> str:
    """The parameter that a parsed body names as the reason, or ""."""
    for part in error_parts(value):
        for detail in (part, *_details_of(part)):
            where = detail.get("loc")
            named = where[1] if isinstance(where, list) and len(where) > 1 else detail.get("param")
            if isinstance(named, str):
                return named
        extra = _EXTRA.match(part["detail"]) if isinstance(part.get("detail"), str) else None
        if extra:
            return extra[1]
    return ""


def _details_of(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The validation errors in an object (FastAPI, serverless 422)."""
    details = part.get("detail") or part.get("details")
    return [item for item in (details if isinstance(details, list) else [details]) if isinstance(item, dict)]


def is_filter_error(value: Any) -> bool:
    """Whether the content filter sent a parsed body."""
    return not _FILTER_CODES.isdisjoint(codes_of(value))


def message_of(value: Any, depth: int = 0) -> str:
    """The message in a parsed body of any known shape, or ""."""
    if depth > _MAX_DEPTH or value is None:
        return ""
    if isinstance(value, str):
        nested = _parse_json(value)  # curated images put the inner server's JSON into their message
        return (message_of(nested, depth + 1) if isinstance(nested, dict) else "") or value
    if isinstance(value, list):
        return "; ".join(filter(None, (message_of(item, depth + 1) for item in value[:3])))
    if not isinstance(value, dict):
        return ""
    if "loc" in value and ("msg" in value or "input" in value):  # a validation error (FastAPI, serverless 422)
        where = ".".join(str(part) for part in value["loc"]) if isinstance(value["loc"], list) else str(value["loc"])
        problem = value.get("msg") or f"not {value.get('input')!r}"
        return f"{where}: {problem}"
    parts = [message_of(value.get(key), depth + 1) for key in ("message", "error", "detail", "details", "errors")]
    messages = list(dict.fromkeys(part for part in parts if part))[:2]
    if not messages:
        return value["code"] if isinstance(value.get("code"), str) else ""
    return ": ".join([*(part.rstrip(". ") for part in messages[:-1]), messages[-1]])


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip()[:1] in {"{", "[", '"'} else None
    except (ValueError, RecursionError):
        return None


def _plain_text(text: str) -> str:
    """Text as it is; of an HTML page the title or the words."""
    if text.lstrip()[:1] != "<":
        return text.strip()
    return f"an HTML page, {one_line(_html_title(text) or _html_words(text), 120)!r}"


def _html_title(text: str) -> str:
    """The text of the page's title, or ""."""
    opening = _TITLE.search(text)
    start = text.find(">", opening.end()) + 1 if opening else 0
    closing = _TITLE_END.search(text, start) if start else None
    return text[start : min(closing.start(), start + _MAX_READ)] if closing else ""


def _html_words(text: str) -> str:
    """The page without its tags. A `<` that no `>` follows is text."""
    first, *rest = text.split("<")
    words, read = [first], 0
    for part in rest:
        _, is_tag, after = part.partition(">")
        words.append(after if is_tag else part)
        read += len(words[-1].strip())
        if read > _MAX_READ:
            break
    return " ".join(words)
