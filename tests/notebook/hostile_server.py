"""A server that puts control characters into everything it says: responses, thoughts, tool calls, errors, descriptions."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROLS = (
    "\x1b[2J",  # clears a terminal
    "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\",  # a link that shows another text
    "\x1b]52;c;ZWNobw==\x07",  # writes to the clipboard
    "\x07\x08\x0c\x0b\x00\x7f",
    "\x9b31m\x85\x90",  # the same commands as single C1 characters
    "a\u202egpj.exe\u202c \u2066b\u2069 \u202ac\u202c",  # reads backwards
)
FAMILY = "👨\u200d👩\u200d👧"  # joiners that must stay
HOSTILE = f"mark {''.join(CONTROLS)} {FAMILY}\tafter a tab\nnext line end"
FORBIDDEN = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
FORBIDDEN -= {"\t", "\n"}

_CALL = {"id": "c1", "type": "function", "function": {"name": HOSTILE, "arguments": json.dumps({"x": HOSTILE})}}
_MESSAGES = {
    "chat": {"content": HOSTILE},
    "json": {"content": json.dumps({"title": HOSTILE}, ensure_ascii=False)},
    "code": {"content": f"```python\n{HOSTILE}\n```"},
    "reasoning": {"content": "Done.", "reasoning_content": HOSTILE},
    "tools": {"content": None, "tool_calls": [_CALL]},
}


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass

    def do_GET(self):
        """Describe the API as badly."""
        paths = {HOSTILE: {}, "/score": {"post": {"description": HOSTILE, "operationId": HOSTILE}}}
        self._send(200, {"swagger": "2.0", "info": {"title": HOSTILE, "version": HOSTILE}, "paths": paths})

    def do_POST(self):
        """Answer by the first part of the path."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        kind = self.path.split("/")[1]
        if kind in _MESSAGES:
            self._complete(_MESSAGES[kind], stream=body.get("stream", False))
        elif kind == "choices":
            self._complete(_MESSAGES["chat"], count=2)
        elif kind == "text":
            self._send(500, HOSTILE.encode(), "text/plain")
        elif kind == "filter":
            error = {"code": "content_filter", "message": HOSTILE, "innererror": {"code": HOSTILE}}
            self._send(400, {"error": error})
        elif kind == "not-json":
            self._send(200, HOSTILE.encode(), "text/plain")
        else:
            self._send(int(kind), {"error": {"code": HOSTILE, "message": HOSTILE, "type": HOSTILE, "param": HOSTILE}})

    def _complete(self, message, *, stream=False, count=1):
        shared = {"id": "x", "model": HOSTILE, "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
        if not stream:
            choices = [{"index": n, "message": message, "finish_reason": HOSTILE} for n in range(count)]
            self._send(200, {**shared, "object": "chat.completion", "choices": choices})
            return
        delta = dict(message)
        if "tool_calls" in message:
            delta["tool_calls"] = [{"index": 0, **_CALL}]
        chunk = {**shared, "object": "chat.completion.chunk"}
        chunks = [
            {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": HOSTILE}]},
        ]
        events = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
        self._send(200, events.encode(), "text/event-stream")

    def _send(self, status, content, kind="application/json"):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-ms-region", "\x1b[2Jwest\x07")
        self.send_header("x-request-id", "\x1b[2Jid\x9b")
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def hostile_server() -> Iterator[str]:
    """The URL of a running server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
