"""The ASGI application: it checks key and size, injects faults, paces responses and records requests."""

from __future__ import annotations

import hmac
import re
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.delivery import Delivery
from azml_magics.emulator.fault_injection import inject_fault
from azml_magics.emulator.fault_responses import fault_response
from azml_magics.emulator.faults import FAULT_KINDS_BY_NAME, Fault
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.prompt_cache import PromptCache
from azml_magics.emulator.recorded_requests import RecordedRequest, Requests
from azml_magics.emulator.request_ids import RequestIds
from azml_magics.emulator.routed_request import NotJSONError, load_json
from azml_magics.emulator.routes import PUBLIC, handle, is_project, refuse_key, route_request
from azml_magics.emulator.stored_responses import StoredResponses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from azml_magics.emulator.routed_request import RoutedRequest

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]

SCRIPT = "/emulator/script"
_LARGEST = 1_000_000


class App:
    """The emulator as an ASGI application.

    Attributes:
        rate: Tokens per second, 0 for no delay.
        latency: Seconds before a response begins.
        max_body: Bytes beyond which a request gets 413.
        requests: The last requests.
        in_flight: How many requests are served now.
        in_flight_peak: The most that were served at the same time.
    """

    def __init__(self, key: str, rate: float = 0.0, latency: float = 0.0, max_body: int = 1_500_000) -> None:
        self._key = key.encode()
        self._pace = rate, latency
        self.max_body = max_body
        self.requests = Requests()
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Clear script, requests and counts, and restore the initial rate and latency."""
        self.rate, self.latency = self._pace
        self.requests.clear()
        self.request_ids = RequestIds()
        self.stored_responses = StoredResponses()
        self.prompt_cache = PromptCache()
        self.scripted: deque[Fault | None] = deque()
        self.in_flight_peak = 0

    def script(self, faults: Iterable[Fault | None]) -> None:
        """Inject these faults into the next requests, in order; the rest of an earlier script is dropped."""
        self.scripted = deque(faults)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        try:
            request, whole = await self._receive_request(scope, receive)
            if request is None:
                return
            response = self._respond(request, whole=whole)
            rate = _read_number(request, "rate", self.rate)
            if response.delay == 0:
                response.delay = _read_number(request, "latency", self.latency)
            _add_headers(response, request)
            await Delivery(response, rate, receive, send, head=request.method == "HEAD").send()
        finally:
            self.in_flight -= 1

    async def _receive_request(self, scope: Any, receive: Receive) -> tuple[RecordedRequest | None, bool]:
        """Return the request, or None if the client has gone, and whether its body is within the limit."""
        pieces: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None, False
            piece = message.get("body", b"")
            size += len(piece)
            if size <= self.max_body:
                pieces.append(piece)
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        whole = size <= self.max_body
        body = b"".join(pieces) if whole else b""
        request_id = self.request_ids.make_id(scope["method"], scope["path"], query, body)
        request = RecordedRequest(scope["method"], scope["path"], query, headers, body, request_id)
        if not request.path.startswith("/emulator"):
            self.requests.append(request)
        return request, whole

    def _respond(self, request: RecordedRequest, *, whole: bool) -> HttpResponse:
        routed = route_request(request)
        route = routed.route if not isinstance(routed, HttpResponse) else request.path
        if route not in PUBLIC and not self._is_authorized(request):
            return refuse_key(request)
        if not whole:
            return fault_response(Fault("413"))
        if isinstance(routed, HttpResponse):
            return routed
        routed.stored = self.stored_responses
        routed.cache = self.prompt_cache
        if route == SCRIPT:
            return self._read_script(request)
        try:
            fault = self._next_fault(routed)
        except ValueError as error:
            return HttpResponse.flask(
                {"error": {"code": "EmulatorUnknownFault", "message": f"{error} (see GET /emulator)"}}, 400
            )
        return self._respond_with(routed, fault)

    @staticmethod
    def _respond_with(routed: RoutedRequest, fault: Fault | None) -> HttpResponse:
        if fault is not None and FAULT_KINDS_BY_NAME[fault.name].group == "status":
            response = fault_response(fault, routed.route)
        else:
            response = handle(routed)
            # Faults are injected into responses with text; a refusal has none.
            if fault is not None and response.status == HTTPStatus.OK:
                response = inject_fault(response, fault)
        response.deployment = routed.deployment.name
        return response

    def _is_authorized(self, request: RecordedRequest) -> bool:
        given = request.headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        offered = [token.strip()] if scheme.lower() == "bearer" else []
        if not is_project(request):  # a project takes tokens only
            offered += [request.headers.get(name, "") for name in ("api-key", "x-api-key")]
        return any(hmac.compare_digest(one.encode("latin-1", "replace"), self._key) for one in offered)

    def _next_fault(self, routed: RoutedRequest) -> Fault | None:
        ordered = routed.headers.get("x-emulator-fault") or routed.query.get("emulator-fault")
        if ordered:
            return Fault.parse(ordered)
        if self.scripted and routed.route not in PUBLIC:
            with suppress(IndexError):  # another thread may have taken the script away
                return self.scripted.popleft()
        return None

    def _read_script(self, request: RecordedRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponse.fastapi({"detail": "Method Not Allowed"}, 405, headers={"allow": "POST"})
        try:
            items = load_json(request.body)
            if not isinstance(items, list):
                raise ValueError("a script is a JSON list")
            faults = [Fault.from_json(item) for item in items]
        except (NotJSONError, ValueError) as error:
            return HttpResponse.flask({"error": {"code": "EmulatorBadScript", "message": str(error)}}, 400)
        self.script(faults)
        return HttpResponse.fastapi({"scripted": len(faults)})


def _read_number(request: RecordedRequest, name: str, default: float) -> float:
    """Return the number in the header x-emulator-NAME or the query emulator-NAME, between 0 and a million."""
    text = request.headers.get(f"x-emulator-{name}", "")
    if not text:
        if "emulator-" not in request.query:
            return default
        found = re.search(rf"(?:^|&)emulator-{name}=([^&]*)", request.query)
        text = found[1] if found else ""
    try:
        value = float(text)
    except ValueError:
        return default
    return value if 0 <= value <= _LARGEST else default


def _add_headers(response: HttpResponse, request: RecordedRequest) -> None:
    """Add Azure's headers: the request id, the client's own id cut to 40 characters, the deployment."""
    response.headers.setdefault("x-request-id", request.request_id)
    own = re.sub(r"[^A-Za-z0-9_-]", "", request.headers.get("x-ms-client-request-id", ""))[:40]
    if own:
        response.headers["x-ms-client-request-id"] = own
    if response.deployment:
        response.headers["azureml-model-deployment"] = response.deployment
