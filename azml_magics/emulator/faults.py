"""The table of the faults that the emulator can produce, and the class to order one."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultKind(NamedTuple):
    """A row of the table.

    Attributes:
        name: What a fault is ordered by.
        group: "status" (in place of a response) or "response" (injected into one).
        summary: What it does.
        options: The names of its options.
    """

    name: str
    group: str
    summary: str
    options: tuple[str, ...] = ()


FAULT_KINDS: tuple[FaultKind, ...] = (
    FaultKind("400", "status", "bad request, FastAPI's {detail}", ("message",)),
    FaultKind("401", "status", "key missing, wrong or expired; style azure, apim, audience or empty", ("style",)),
    FaultKind("403", "status", "no permission, or out of quota"),
    FaultKind("404", "status", "no traffic: Specified traffic group could not be found; style openai", ("style",)),
    FaultKind("405", "status", "wrong method"),
    FaultKind("408", "status", "the model ran longer than request_timeout_ms"),
    FaultKind("409", "status", "another operation is in progress"),
    FaultKind("413", "status", "request too large"),
    FaultKind("415", "status", "wrong content type"),
    FaultKind("422", "status", "parameter not supported, serverless style"),
    FaultKind(
        "424", "status", "the model failed; `status` and `reason` are the inner ones", ("status", "reason", "message")
    ),
    FaultKind("429", "status", "rate limit; style apim, openai or empty", ("retry_after", "retry_after_ms", "style")),
    FaultKind("431", "status", "request id too long"),
    FaultKind("500", "status", "Azure's infrastructure fails"),
    FaultKind("502", "status", "downstream unavailable"),
    FaultKind("503", "status", "no healthy upstream", ("retry_after",)),
    FaultKind("504", "status", "upstream request timeout"),
    FaultKind("529", "status", "overloaded, as Anthropic's models say it", ("retry_after",)),
    FaultKind("script-failed", "status", "500, run() of the scoring script raised on this input"),
    FaultKind("model-not-ready", "status", "424, reason model_not_ready, no healthy upstream"),
    FaultKind("too-few-model-instance", "status", "424, reason too_few_model_instance"),
    FaultKind("too-many-pending-request", "status", "424, reason too_many_pending_request, empty text/plain"),
    FaultKind("no-route", "status", "424, inner 404: the container has no such route"),
    FaultKind(
        "content-filter", "status", "400, the prompt was filtered; style api, aoai, responses or flat", ("style",)
    ),
    FaultKind("extra-parameters", "status", "400, Extra parameters [...] are not allowed", ("name",)),
    FaultKind("html-error", "status", "500 with an HTML page"),
    FaultKind("html-200", "status", "200 with an HTML page"),
    FaultKind("empty", "status", "200 with an empty body"),
    FaultKind("empty-object", "status", "200 with {}"),
    FaultKind("null-output", "status", '200 with {"output": null, "error": {...}}'),
    FaultKind("none-output", "status", '200 with {"output":"None"}'),
    FaultKind("error-string", "status", "200 with an error as a JSON string that holds JSON"),
    FaultKind("nan", "status", "200 with [NaN], which is not JSON"),
    FaultKind("other-format", "status", "200 with a response that has no text"),
    FaultKind("big", "status", "200 with a response of `size` bytes, by default 2 MB", ("size",)),
    FaultKind("redirect", "status", "307 to another host", ("location",)),
    FaultKind("dropped", "status", "the connection closes before the first byte"),
    FaultKind("content-filter-reply", "response", "finish_reason content_filter, and no content"),
    FaultKind("annotated", "response", "verdicts of the content filter that stop nothing: low violence, a citation"),
    FaultKind("failed", "response", "a Responses object whose status is failed"),
    FaultKind("double-encoded", "response", "the response as a JSON string that holds JSON"),
    FaultKind("truncated", "response", "JSON that stops in the middle"),
    FaultKind("invalid-utf8", "response", "bytes that are not UTF-8 in the middle of the response"),
    FaultKind("slow", "response", "the first byte after `seconds`", ("seconds",)),
    FaultKind("slow-stream", "response", "`seconds` between two events", ("seconds",)),
    FaultKind("stalled", "response", "nothing more after `after` events, until the client goes", ("after",)),
    FaultKind("cut", "response", "the connection is dropped after `after` events, or in mid body", ("after",)),
    FaultKind("short", "response", "the stream ends properly after `after` events, unfinished", ("after",)),
    FaultKind("no-done", "response", "a stream without data: [DONE]"),
    FaultKind("no-usage", "response", "a stream without usage"),
    FaultKind("bad-json", "response", "event `after` of the stream is broken JSON", ("after",)),
    FaultKind("error-event", "response", "event: error after `after` events, then [DONE]", ("after",)),
    FaultKind("error-data", "response", "a data: event with an error after `after` events", ("after",)),
    FaultKind("done-no-space", "response", "data:{...} and data:[DONE], without the space"),
    FaultKind("crlf", "response", "a stream with CRLF, comments, id: and event: lines"),
    FaultKind("buffered", "response", "the whole stream in one piece at the end"),
    FaultKind("split", "response", "the stream in pieces of `size` bytes, wherever they fall", ("size",)),
)

FAULT_KINDS_BY_NAME: Mapping[str, FaultKind] = MappingProxyType({kind.name: kind for kind in FAULT_KINDS})

_ALIASES = {
    "cut-off": "cut", "stall": "stalled", "malformed": "bad-json", "malformed-json": "bad-json",
    "html": "html-error", "empty-body": "empty", "null": "none-output", "drop": "dropped",
    "404-route": "no-route", "without-done": "no-done",
}  # fmt: skip


_LARGEST = 10_000_000


class Fault:
    """A fault with its options: `Fault("429", retry_after=0.1)`, `Fault("cut", after=3)`.

    Args:
        name: A name of the table, with "-" or "_" between words.
        **options: The options that the table has for it.

    Raises:
        ValueError: No such fault or option; the message suggests the closest one.
    """

    __slots__ = ("name", "options")

    def __init__(self, name: str | int, /, **options: Any) -> None:
        wanted = str(name).strip().lower().replace("_", "-")
        wanted = _ALIASES.get(wanted, wanted)
        if wanted not in FAULT_KINDS_BY_NAME:
            near = difflib.get_close_matches(wanted, [*FAULT_KINDS_BY_NAME, *_ALIASES], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(FAULT_KINDS_BY_NAME)}"
            raise ValueError(f"unknown fault {str(name)[:60]!r}; {hint}")
        unknown = [key for key in options if key not in FAULT_KINDS_BY_NAME[wanted].options]
        if unknown:
            takes = ", ".join(FAULT_KINDS_BY_NAME[wanted].options) or "no options"
            raise ValueError(f"fault {wanted!r} has no option {unknown[0][:60]!r}; it takes {takes}")
        self.name = wanted
        self.options = MappingProxyType(dict(options))

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Fault({self.name!r}{options})"

    def number(self, option: str, default: float) -> float:
        """Return an option as a number between 0 and ten million, or `default` if it is absent or not a number."""
        try:
            value = float(self.options.get(option, default))
        except (TypeError, ValueError):
            return default
        return value if 0 <= value <= _LARGEST else default

    def text(self, option: str, default: str) -> str:
        """Return an option as text without control characters, which headers cannot contain."""
        return "".join(c for c in str(self.options.get(option, default)) if c.isprintable())[:2000]

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Return the fault in a header or query: `NAME` or `NAME;key=value;key=value`."""
        name, *rest = text.split(";")
        options = {}
        for part in rest:
            key, _, value = part.partition("=")
            if key.strip():
                options[key.strip().replace("-", "_")] = value.strip()
        return cls(name, **options)

    @classmethod
    def from_json(cls, item: Any) -> Fault | None:
        """Return a fault of POST /emulator/script: null, "NAME;key=value" or {"name": NAME, "key": value}."""
        if item is None:
            return None
        if isinstance(item, str):
            return cls.parse(item)
        if isinstance(item, dict) and isinstance(item.get("name"), str | int):
            return cls(item["name"], **{str(k).replace("-", "_"): v for k, v in item.items() if k != "name"})
        raise ValueError('each item of a script is null, "NAME;key=value" or {"name": NAME, "key": value}')
