"""Faults of the group "response": changes to a response that is otherwise complete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from azml_magics.emulator import filter_faults, stream_dialects
from azml_magics.emulator.http_response import DONE, fastapi_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.emulator.faults import Fault
    from azml_magics.emulator.http_response import HttpResponse


def inject_fault(response: HttpResponse, fault: Fault) -> HttpResponse:
    """Return `response` with the fault in it; a fault that does not apply to this kind of response changes nothing."""
    if fault.name == "slow":
        response.delay = min(fault.number("seconds", 2.0), 3600)
        return response
    if response.events is None:
        return _inject_into_body(response, fault)
    events = list(response.events)
    after = min(int(fault.number("after", 3)), len(events))
    response.events = events
    _STREAMS.get(fault.name, _keep)(response, events, after, fault)
    return response


def _inject_into_body(response: HttpResponse, fault: Fault) -> HttpResponse:
    body = response.body
    middle = max(1, len(body) // 2)
    if fault.name in ("cut", "stalled"):
        # content-length is that of the whole body; only the first half is sent.
        response.ending = fault.name
    elif fault.name in ("truncated", "bad-json", "short"):
        response.body = body[:middle]
    elif fault.name == "invalid-utf8":
        response.body = body[:middle] + b"\xff\xfe\xc3" + body[middle:]
    elif fault.name == "double-encoded":
        response.body = json.dumps(body.decode(errors="replace")).encode()
    elif fault.name == "content-filter-reply":
        response.body = _filter_body(body)
    elif fault.name == "annotated":
        response.body = filter_faults.annotate_body(body)
    elif fault.name == "failed":
        response.body = stream_dialects.fail_body(body)
    return response


def _filter_body(body: bytes) -> bytes:
    try:
        data = json.loads(body)
    except ValueError:
        return body
    for choice in data.get("choices", []) if isinstance(data, dict) else []:
        choice["finish_reason"] = "content_filter"
        if "message" in choice:
            choice["message"] = {"role": "assistant"}
        if "text" in choice:
            choice["text"] = ""
    if isinstance(data, dict) and stream_dialects.filter_object(data):
        return fastapi_json(data)
    # An image whose output was flagged gives "" for the text; one whose input was flagged gives {}.
    if isinstance(data, dict) and "output" in data:
        data["output"] = ""
        data["finish_reason"] = "content_filter"
    return fastapi_json(data if isinstance(data, dict) and ("choices" in data or "output" in data) else {})


def _cut(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    # Half of the next event is sent too: a connection does not break between two events.
    half = events[after][: len(events[after]) // 2] if after < len(events) else b""
    response.events, response.ending = [*events[:after], half], "cut"


def _stall(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    response.events, response.ending = events[:after], "stalled"


def _short(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    response.events = events[:after]


def _no_done(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    response.events = [event for event in events if not stream_dialects.is_end(event)]


def _no_usage(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    response.events = [left for event in events if (left := stream_dialects.without_usage(event))]


def _bad_json(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    at = max(0, min(after, len(events) - 1))
    events[at] = events[at][: max(8, len(events[at]) // 2)].rstrip(b"\n") + b"\n\n"
    response.events = events


def _error_event(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    response.events = [*events[:after], *stream_dialects.error_events(events, after, named=True)]


def _error_data(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    response.events = [*events[:after], *stream_dialects.error_events(events, after, named=False)]


def _no_space(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    response.events = [event.replace(b"data: ", b"data:", 1) for event in events]


def _crlf(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    response.events = [b": ping\r\n\r\n"] + [
        b"id: %d\r\nevent: message\r\n%s: keep-alive\r\n\r\n" % (at, event.replace(b"\n", b"\r\n"))
        for at, event in enumerate(events)
    ]


def _buffer(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    response.events = [b"".join(events)]


def _split(response: HttpResponse, events: list[bytes], _after: int, fault: Fault) -> None:
    size = max(1, int(fault.number("size", 7)))
    whole = b"".join(events)
    response.events = [whole[at : at + size] for at in range(0, len(whole), size)]


def _slow(response: HttpResponse, _events: list[bytes], _after: int, fault: Fault) -> None:
    response.gap = min(fault.number("seconds", 0.5), 3600)


def _utf8(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    at = max(0, min(after, len(events) - 1))
    middle = len(events[at]) // 2
    events[at] = events[at][:middle] + b"\xff\xfe\xc3" + events[at][middle:]
    response.events = events


def _filter(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    if (filtered := stream_dialects.filtered(events)) is not None:
        response.events = filtered
        return
    first = b"".join(events[:1])
    try:
        data = json.loads(first.removeprefix(b"data: "))
        choice = {**data["choices"][0], "finish_reason": "content_filter"}
    except (ValueError, LookupError, TypeError):
        return
    if "text" in choice:
        choice["text"] = ""
    else:
        choice["delta"] = {}
    response.events = [b"data: " + fastapi_json({**data, "choices": [choice]}) + b"\n\n", DONE]


def _annotate(response: HttpResponse, events: list[bytes], _after: int, _: Fault) -> None:
    response.events = filter_faults.annotate_events(events)


def _fail(response: HttpResponse, events: list[bytes], after: int, _: Fault) -> None:
    response.events = stream_dialects.failed(events, after)


def _keep(_reply: HttpResponse, _events: list[bytes], _after: int, _: Fault) -> None:
    return None


_STREAMS: dict[str, Callable[[HttpResponse, list[bytes], int, Fault], None]] = {
    "cut": _cut, "truncated": _cut, "stalled": _stall, "short": _short, "no-done": _no_done, "no-usage": _no_usage,
    "bad-json": _bad_json, "error-event": _error_event, "error-data": _error_data, "done-no-space": _no_space,
    "crlf": _crlf, "buffered": _buffer, "split": _split, "slow-stream": _slow, "invalid-utf8": _utf8,
    "content-filter-reply": _filter, "failed": _fail, "annotated": _annotate,
}  # fmt: skip
