"""Every fault the emulator can show, as one table, and the order for one of them."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(NamedTuple):
    """A row of the table: name, "status" (instead of an answer) or "answer" (done to one), what it does, options."""

    name: str
    group: str
    summary: str
    options: tuple[str, ...] = ()


TABLE: tuple[Kind, ...] = (
    Kind("400", "status", "bad request, FastAPI's {detail}", ("message",)),
    Kind("401", "status", "key missing, wrong or expired", ("style",)),
    Kind("403", "status", "no permission, or out of quota"),
    Kind("404", "status", "no traffic: Specified traffic group could not be found"),
    Kind("405", "status", "wrong method"),
    Kind("408", "status", "the model ran longer than request_timeout_ms"),
    Kind("409", "status", "another operation is in progress"),
    Kind("413", "status", "request too large"),
    Kind("415", "status", "wrong content type"),
    Kind("422", "status", "parameter not supported, serverless style"),
    Kind(
        "424", "status", "the model failed; `status` and `reason` are the inner ones", ("status", "reason", "message")
    ),
    Kind("429", "status", "rate limit", ("retry_after", "retry_after_ms", "style")),
    Kind("431", "status", "request id too long"),
    Kind("500", "status", "Azure's infrastructure fails"),
    Kind("502", "status", "downstream unavailable"),
    Kind("503", "status", "no healthy upstream", ("retry_after",)),
    Kind("504", "status", "upstream request timeout"),
    Kind("model-not-ready", "status", "424, reason model_not_ready, no healthy upstream"),
    Kind("too-few-model-instance", "status", "424, reason too_few_model_instance"),
    Kind("too-many-pending-request", "status", "424, reason too_many_pending_request, empty text/plain"),
    Kind("no-route", "status", "424, inner 404: the container has no such route"),
    Kind("content-filter", "status", "400, the prompt was filtered; style api, aoai or flat", ("style",)),
    Kind("extra-parameters", "status", "400, Extra parameters [...] are not allowed", ("name",)),
    Kind("html-error", "status", "500 with an HTML page"),
    Kind("html-200", "status", "200 with an HTML page"),
    Kind("empty", "status", "200 with an empty body"),
    Kind("empty-object", "status", "200 with {}"),
    Kind("null-output", "status", '200 with {"output": null, "error": {...}}'),
    Kind("none-output", "status", '200 with {"output":"None"}'),
    Kind("error-string", "status", "200 with an error as a JSON string that holds JSON"),
    Kind("nan", "status", "200 with [NaN], which is not JSON"),
    Kind("other-dialect", "status", "200 with a reply that is no text at all"),
    Kind("big", "status", "200 with an answer of `size` bytes, 2 MB when not said", ("size",)),
    Kind("redirect", "status", "307 to another host", ("location",)),
    Kind("dropped", "status", "the connection closes before the first byte"),
    Kind("content-filter-reply", "answer", "finish_reason content_filter, and no content"),
    Kind("double-encoded", "answer", "the answer as a JSON string that holds JSON"),
    Kind("truncated", "answer", "JSON that stops in the middle"),
    Kind("invalid-utf8", "answer", "bytes that are not UTF-8 in the middle of the answer"),
    Kind("slow", "answer", "the first byte after `seconds`", ("seconds",)),
    Kind("slow-stream", "answer", "`seconds` between two events", ("seconds",)),
    Kind("stalled", "answer", "nothing more after `after` events, until the client goes", ("after",)),
    Kind("cut", "answer", "the connection is dropped after `after` events, or in mid body", ("after",)),
    Kind("short", "answer", "the stream ends properly after `after` events, unfinished", ("after",)),
    Kind("no-done", "answer", "a stream without data: [DONE]"),
    Kind("no-usage", "answer", "a stream without usage"),
    Kind("bad-json", "answer", "event `after` of the stream is broken JSON", ("after",)),
    Kind("error-event", "answer", "event: error after `after` events, then [DONE]", ("after",)),
    Kind("error-data", "answer", "a data: event with an error after `after` events", ("after",)),
    Kind("done-no-space", "answer", "data:{...} and data:[DONE], without the space"),
    Kind("crlf", "answer", "a stream with CRLF, comments, id: and event: lines"),
    Kind("buffered", "answer", "the whole stream in one piece at the end"),
    Kind("split", "answer", "the stream in pieces of `size` bytes, wherever they fall", ("size",)),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in TABLE})

_ALIASES = {
    "cut-off": "cut", "stall": "stalled", "malformed": "bad-json", "malformed-json": "bad-json",
    "html": "html-error", "empty-body": "empty", "null": "none-output", "drop": "dropped",
    "404-route": "no-route", "without-done": "no-done",
}  # fmt: skip


_LARGEST = 10_000_000


class Fault:
    """One fault of the table with its options: `Fault("429", retry_after=0.1)`, `Fault("cut", after=3)`.

    Names may be written with "-" or "_". ValueError names the nearest fault or the options that exist.
    """

    __slots__ = ("name", "options")

    def __init__(self, name: str | int, /, **options: Any) -> None:
        wanted = str(name).strip().lower().replace("_", "-")
        wanted = _ALIASES.get(wanted, wanted)
        if wanted not in KINDS:
            near = difflib.get_close_matches(wanted, [*KINDS, *_ALIASES], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KINDS)}"
            raise ValueError(f"unknown fault {str(name)[:60]!r}; {hint}")
        unknown = [key for key in options if key not in KINDS[wanted].options]
        if unknown:
            takes = ", ".join(KINDS[wanted].options) or "no options"
            raise ValueError(f"fault {wanted!r} has no option {unknown[0][:60]!r}; it takes {takes}")
        self.name = wanted
        self.options = MappingProxyType(dict(options))

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Fault({self.name!r}{options})"

    def number(self, option: str, default: float) -> float:
        """The option as a number between 0 and ten million; `default` when it is not given or not one."""
        try:
            value = float(self.options.get(option, default))
        except (TypeError, ValueError):
            return default
        return value if 0 <= value <= _LARGEST else default

    def text(self, option: str, default: str) -> str:
        """The option as text without control characters, which no header may carry."""
        return "".join(c for c in str(self.options.get(option, default)) if c.isprintable())[:2000]

    @classmethod
    def parse(cls, text: str) -> Fault:
        """The fault that a header or query orders: `NAME` or `NAME;key=value;key=value`."""
        name, *rest = text.split(";")
        options = {}
        for part in rest:
            key, _, value = part.partition("=")
            if key.strip():
                options[key.strip().replace("-", "_")] = value.strip()
        return cls(name, **options)

    @classmethod
    def from_json(cls, item: Any) -> Fault | None:
        """A fault of POST /emulator/script: null, "NAME;key=value" or {"name": NAME, "key": value}."""
        if item is None:
            return None
        if isinstance(item, str):
            return cls.parse(item)
        if isinstance(item, dict) and isinstance(item.get("name"), str | int):
            return cls(item["name"], **{str(k).replace("-", "_"): v for k, v in item.items() if k != "name"})
        raise ValueError('each item of a script is null, "NAME;key=value" or {"name": NAME, "key": value}')
