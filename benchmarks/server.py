"""A small HTTP/1.1 server on loopback that every client is measured against; it ends with the process that started it.

python server.py [--certificate FOLDER]   prints one JSON line: {"http": URL, "https": URL or null, "ca": FILE or null}

Settings are path segments or query parameters of the URL: some clients check a URL's end, some its whole path.

/score                                        gpt2, dolly, input_data and chat bodies, each gets its own shape
/v1/chat/completions, /v1/completions         OpenAI's shapes; "stream": true gives server-sent events
/delay=100/score                              responds after 100 ms
/chunks=2000/pace=5/v1/chat/completions       a stream of 2,000 chunks, one every 5 ms (pace=0: without pauses)
/html=65536/v1/chat/completions               status 503 with so many bytes of HTML that looks like tags to its end
/line=8/v1/chat/completions                   a stream whose only event is a line of 8 MB, without an end
/page=200/v1/chat/completions                 200 MB of HTML, in chunks
/bomb=1/v1/chat/completions                   a gzip of 1 MB that unpacks to 1 GB
/stats                                        requests, connections opened, the most requests in flight

Each event of a stream is a write and an HTTP chunk of its own, as model servers send them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import ssl
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

MAX_REQUEST_BYTES = 1 << 20
MAX_CHUNKS = 1_000_000
MB = 1 << 20
TEXT = "Bubbles rise in glass"
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


class Stats:
    """Counts of requests and connections."""

    def __init__(self) -> None:
        self.requests = self.connections = self.in_flight = self.peak = 0

    def start_request(self) -> None:
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def end_request(self) -> None:
        self.in_flight -= 1


class Connection(asyncio.Protocol):
    """One connection that is kept alive; each request gets its response before the next is read."""

    transport: asyncio.Transport

    def __init__(self, stats: Stats) -> None:
        self.stats = stats
        self.buffer = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.stats.connections += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > MAX_REQUEST_BYTES:
            self.transport.close()
        elif not self.busy:
            self.next_request()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.busy:
            self.stats.end_request()
            self.busy = False

    def next_request(self) -> None:
        """Handle the request at the front of the buffer, if it is complete."""
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = content_length(head)
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.busy = True
        self.stats.start_request()
        path = head.split(b" ", 2)[1].decode("latin-1")
        settings = dict(part.split("=", 1) for part in re.split("[/?&]", path) if "=" in part)
        if "delay" in settings:
            seconds = float(settings["delay"]) / 1000
            asyncio.get_running_loop().call_later(seconds, self.respond, path, settings, rest[:length])
        else:
            self.respond(path, settings, rest[:length])

    def respond(self, path: str, settings: dict[str, str], body: bytes) -> None:
        if self.transport.is_closing():
            return
        if path == "/stats":
            self.send_json(vars(self.stats))
            return
        if size := next((name for name in OVERSIZED if name in settings), ""):
            asyncio.get_running_loop().create_task(OVERSIZED[size](self, int(settings[size])))
            return
        request = json.loads(body) if body else {}
        if request.get("stream"):
            chunks = min(int(settings.get("chunks", 5)), MAX_CHUNKS)
            asyncio.get_running_loop().create_task(self.stream_events(chunks, float(settings.get("pace", 0)) / 1000))
            return
        self.send_json(response_for(path, request))

    def send_json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)
        self.finish()

    async def stream_events(self, chunks: int, pace: float) -> None:
        """Send `chunks` chat events, then a finish reason, usage and [DONE]."""
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(chunks):
            self.send_event(chat_chunk({"content": f"word{number % 100} "}))
            await asyncio.sleep(pace)
            if self.transport.is_closing():
                return
        self.send_event(chat_chunk({}, finish_reason="stop"))
        self.send_event(json.dumps({**CHUNK, "choices": [], "usage": USAGE}))
        self.send_event("[DONE]")
        self.transport.write(b"0\r\n\r\n")
        self.finish()

    async def send_html(self, size: int) -> None:
        """Send a refusal whose body is tags that never close."""
        body = b"<title>" * (size // 7)
        head = b"HTTP/1.1 503 Away\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)
        self.finish()

    async def send_line(self, megabytes: int) -> None:
        """Send a stream whose only line does not end, and close the connection."""
        start = b'data: {"choices": [{"index": 0, "delta": {"content": "'
        await self.send_pieces(b"text/event-stream", [start, *[b"x" * 65536] * (16 * megabytes)])

    async def send_page(self, megabytes: int) -> None:
        await self.send_pieces(b"text/html", [b"<p>water</p>    " * 4096] * (16 * megabytes))

    async def send_bomb(self, megabytes: int) -> None:
        """Send zeros that gzip makes a thousandth of."""
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(squeeze.compress(bytes(MB)) for _ in range(1024 * megabytes)) + squeeze.flush()
        kind = b"application/json\r\nContent-Encoding: gzip"
        await self.send_pieces(kind, [body[start : start + 65536] for start in range(0, len(body), 65536)])

    async def send_pieces(self, kind: bytes, pieces: list[bytes]) -> None:
        """Send chunks as fast as they are read."""
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % kind)
        for piece in pieces:
            while self.transport.get_write_buffer_size() > MB:  # noqa: ASYNC110 - a plain protocol has no event for it
                await asyncio.sleep(0.0005)
            if self.transport.is_closing():
                return
            self.transport.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.transport.write(b"0\r\n\r\n")
        self.finish()

    def send_event(self, data: str) -> None:
        event = b"data: %s\n\n" % data.encode()
        self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))

    def finish(self) -> None:
        self.busy = False
        self.stats.end_request()
        if self.buffer:
            self.next_request()


OVERSIZED = {
    "html": Connection.send_html,
    "line": Connection.send_line,
    "page": Connection.send_page,
    "bomb": Connection.send_bomb,
}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}


def chat_chunk(delta: dict[str, str], finish_reason: str | None = None) -> str:
    """One chunk of a streamed chat response, as vLLM writes it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return json.dumps({**CHUNK, "choices": [choice]})


def content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def response_for(path: str, request: dict[str, Any]) -> Any:
    """The response body in the request's wire format."""
    if path.partition("?")[0].endswith("completions"):
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        if "messages" in request:
            choice["message"] = {"role": "assistant", "content": TEXT}
        else:
            choice["text"] = TEXT
        kind = "chat.completion" if "messages" in request else "text_completion"
        return {**CHUNK, "object": kind, "choices": [choice], "usage": USAGE}
    inputs = request.get("input_data")
    if isinstance(inputs, dict) and "parameters" not in inputs:
        return [TEXT]  # dolly
    if isinstance(inputs, dict) and isinstance(inputs["input_string"][0], dict):
        return {"output": TEXT}  # chat
    return [{"0": TEXT}]  # gpt2, input_data


def make_certificate(folder: Path) -> tuple[Path, Path] | None:
    """Make a self-signed certificate for loopback and its key with openssl; None if openssl is missing.

    The key is on an elliptic curve, so that the server's share of a handshake stays small.
    """
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    try:
        subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return cert, key


async def serve(folder: Path | None) -> None:
    loop = asyncio.get_running_loop()
    stats = Stats()
    plain = await loop.create_server(lambda: Connection(stats), "127.0.0.1", 0, backlog=1024)
    urls: dict[str, str | None] = {"http": f"http://127.0.0.1:{port_of(plain)}", "https": None, "ca": None}
    files = make_certificate(folder) if folder else None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
        context.num_tickets = 0  # no client here resumes a session
        secure = await loop.create_server(lambda: Connection(stats), "127.0.0.1", 0, backlog=1024, ssl=context)
        urls.update(https=f"https://127.0.0.1:{port_of(secure)}", ca=str(files[0]))
    print(json.dumps(urls), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # the pipe closes when the parent process ends


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--certificate", type=Path, help="a folder to make a certificate in; serves TLS, too")
    asyncio.run(serve(parser.parse_args().certificate))
