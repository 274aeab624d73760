"""An endpoint that repeats the key it was sent: in headers, answers, errors, pages, redirects and pieces of a stream."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

from azml_magics.emulator.loopback_server import LoopbackServer

KEY_HEADERS = (b"authorization", b"api-key", b"x-api-key", b"x-gateway-key")
MODES = ("answer", "stream", "cut", "refuse", "reject", "crash", "redirect")


def spellings(key: str) -> str:
    """The key as servers may write it into a text."""
    encoded = base64.b64encode(key.encode()).decode()
    return f"plain {key} url {quote(key, safe='')} json {json.dumps(key)} base64 {encoded} basic {_basic(key)}"


def _basic(key: str) -> str:
    return base64.b64encode(f"user:{key}".encode()).decode()


class EchoEndpoint:
    """An OpenAI-like server; the first part of the path is the mode.

    Attributes:
        keys: The keys that it was sent.
    """

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._server = LoopbackServer(self._serve)

    def __enter__(self) -> EchoEndpoint:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def url(self, mode: str, path: str = "/v1/chat/completions") -> str:
        """The URL of a mode."""
        return f"{self._server.url}/{mode}{path}"

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        key = next((value.decode("latin-1") for name, value in scope["headers"] if name in KEY_HEADERS), "")
        key = key.removeprefix("Bearer ")
        if key and key not in self.keys:
            self.keys.append(key)
        mode = scope["path"].split("/")[1]
        wants_stream = b'"stream":true' in body.replace(b" ", b"")
        mode = "answer" if mode in ("stream", "cut") and not wants_stream else mode
        status, kind, pieces = _response(mode, key)
        headers = [(b"content-type", kind), (b"x-request-id", key.encode()), (b"x-ms-region", key.encode())]
        if mode == "redirect":
            headers.append((b"location", f"http://elsewhere.example/{quote(key, safe='')}".encode()))
        if mode == "cut":
            headers.append((b"content-length", b"999999"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if mode != "cut":
            await send({"type": "http.response.body", "body": b""})


def _response(mode: str, key: str) -> tuple[int, bytes, list[bytes]]:
    """Return status, content type and the pieces of the body."""
    text = spellings(key)
    error = json.dumps({"error": {"code": f"Refused-{key}", "message": f"Bad key: {text}", "param": key}}).encode()
    if mode == "refuse":
        return 401, b"application/json", [error]
    if mode == "reject":
        return 400, b"application/json", [error]
    if mode == "crash":
        return 500, b"text/html", [f"<html><title>{key}</title><p>{text}</p></html>".encode()]
    if mode == "redirect":
        return 307, b"text/plain", [text.encode()]
    if mode in ("stream", "cut"):
        return 200, b"text/event-stream", _events(text, key, cut=mode == "cut")
    message = {"role": "assistant", "content": text, "reasoning_content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return 200, b"application/json", [json.dumps({"id": key, "model": key, "choices": [choice]}).encode()]


def _events(text: str, key: str, *, cut: bool) -> list[bytes]:
    """Return the events of a stream that has the text in pieces of five characters."""
    pieces = [text[start : start + 5] for start in range(0, len(text), 5)]
    events = [_event({"content": piece}, key) for piece in pieces]
    return events[: len(events) // 2] if cut else [*events, _event({}, key, "stop"), b"data: [DONE]\n\n"]


def _event(delta: dict[str, str], key: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"id": key, "model": key, "choices": [choice]}).encode() + b"\n\n"
