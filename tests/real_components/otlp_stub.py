"""A stub that takes traces by OTLP over HTTP, as LangSmith does, and tells what it got. For code of `run_tool`."""

from __future__ import annotations

import gzip
import http.server
import threading


class Stub:
    """A server on loopback that takes every request.

    Attributes:
        url: Its address.
        traces: (path, headers, spans) of each export; spans by name.
    """

    def __init__(self) -> None:
        stub = self
        self.traces: list[tuple[str, dict[str, str], list]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path.endswith("/v1/traces"):
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    stub.traces.append((self.path, headers, _spans(body, headers.get("content-encoding"))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self):
                self.send_response(404)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[tuple[str, str, dict]]:
        """(scope, name, attributes) of all spans."""
        return [span for _, _, spans in self.traces for span in spans]


def _spans(body: bytes, encoding: str | None) -> list[tuple[str, str, dict]]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    request.ParseFromString(gzip.decompress(body) if encoding == "gzip" else body)
    return [
        (scope.scope.name, span.name, {each.key: each.value.string_value for each in span.attributes})
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
