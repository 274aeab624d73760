"""A lean HTTP/1.1 server on loopback that every contender is measured against; it ends with whoever started it.

python server.py [--certificate FOLDER]   prints one JSON line: {"http": URL, "https": URL or null, "ca": FILE or null}

Its URLs take settings as path segments or in the query: some clients check a URL's end, some its whole path.

/score                                        gpt2, dolly, input_data and chat bodies, each answered in its own shape
/v1/chat/completions, /v1/completions         OpenAI's shapes; "stream": true gives server-sent events
/delay=100/score                              answers after 100 ms
/chunks=2000/pace=5/v1/chat/completions       a stream of 2,000 chunks, one every 5 ms (pace=0: as fast as they go)
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
from pathlib import Path
from typing import Any

LARGEST_REQUEST = 1 << 20
MOST_CHUNKS = 100_000
ANSWER = "Bubbles rise in glass"
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


class Stats:
    """What the server has seen."""

    def __init__(self) -> None:
        self.requests = self.connections = self.in_flight = self.peak = 0

    def began(self) -> None:
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def ended(self) -> None:
        self.in_flight -= 1


class Connection(asyncio.Protocol):
    """One kept-alive connection; a request is answered before the next is read."""

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
        if len(self.buffer) > LARGEST_REQUEST:
            self.transport.close()
        elif not self.busy:
            self.next_request()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.busy:
            self.stats.ended()
            self.busy = False

    def next_request(self) -> None:
        """Answer the request at the front of the buffer, if it is whole."""
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = content_length(head)
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.busy = True
        self.stats.began()
        path = head.split(b" ", 2)[1].decode("latin-1")
        settings = dict(part.split("=", 1) for part in re.split("[/?&]", path) if "=" in part)
        if "delay" in settings:
            seconds = float(settings["delay"]) / 1000
            asyncio.get_running_loop().call_later(seconds, self.answer, path, settings, rest[:length])
        else:
            self.answer(path, settings, rest[:length])

    def answer(self, path: str, settings: dict[str, str], body: bytes) -> None:
        if self.transport.is_closing():
            return
        if path == "/stats":
            self.reply(vars(self.stats))
            return
        asked = json.loads(body) if body else {}
        if asked.get("stream"):
            chunks = min(int(settings.get("chunks", 5)), MOST_CHUNKS)
            asyncio.get_running_loop().create_task(self.events(chunks, float(settings.get("pace", 0)) / 1000))
            return
        self.reply(answer_to(path, asked))

    def reply(self, value: Any) -> None:
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)
        self.done()

    async def events(self, chunks: int, pace: float) -> None:
        """`chunks` chat events, then a finish reason, usage and [DONE]."""
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(chunks):
            self.event(chat_chunk({"content": f"word{number % 100} "}))
            await asyncio.sleep(pace)
            if self.transport.is_closing():
                return
        self.event(chat_chunk({}, finish_reason="stop"))
        self.event(json.dumps({**CHUNK, "choices": [], "usage": USAGE}))
        self.event("[DONE]")
        self.transport.write(b"0\r\n\r\n")
        self.done()

    def event(self, data: str) -> None:
        event = b"data: %s\n\n" % data.encode()
        self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))

    def done(self) -> None:
        self.busy = False
        self.stats.ended()
        if self.buffer:
            self.next_request()


CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}


def chat_chunk(delta: dict[str, str], finish_reason: str | None = None) -> str:
    """One chunk of a streamed chat answer, as vLLM writes it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return json.dumps({**CHUNK, "choices": [choice]})


def content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def answer_to(path: str, asked: dict[str, Any]) -> Any:
    """The reply in the shape that the request's dialect expects."""
    if path.partition("?")[0].endswith("completions"):
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        if "messages" in asked:
            choice["message"] = {"role": "assistant", "content": ANSWER}
        else:
            choice["text"] = ANSWER
        kind = "chat.completion" if "messages" in asked else "text_completion"
        return {**CHUNK, "object": kind, "choices": [choice], "usage": USAGE}
    inputs = asked.get("input_data")
    if isinstance(inputs, dict) and "parameters" not in inputs:
        return [ANSWER]  # dolly
    if isinstance(inputs, dict) and isinstance(inputs["input_string"][0], dict):
        return {"output": ANSWER}  # chat
    return [{"0": ANSWER}]  # gpt2, input_data


def certificate(folder: Path) -> tuple[Path, Path] | None:
    """A self-signed certificate for loopback and its key, made by openssl; None on a machine without it.

    An elliptic curve: the server's own share of a handshake stays small.
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
    said: dict[str, str | None] = {"http": f"http://127.0.0.1:{port_of(plain)}", "https": None, "ca": None}
    files = certificate(folder) if folder else None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
        context.num_tickets = 0  # nobody here resumes a session
        secure = await loop.create_server(lambda: Connection(stats), "127.0.0.1", 0, backlog=1024, ssl=context)
        said.update(https=f"https://127.0.0.1:{port_of(secure)}", ca=str(files[0]))
    print(json.dumps(said), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # our parent's end of this pipe closes with it


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--certificate", type=Path, help="a folder to make a certificate in; serves TLS, too")
    asyncio.run(serve(parser.parse_args().certificate))
