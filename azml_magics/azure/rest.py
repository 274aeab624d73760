"""A thin client of Azure's control plane: lists with all their pages, one token for all requests, and plain errors.

It serves Azure Resource Manager and the data plane of Foundry projects, which page and refuse alike.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import (
    AuthenticationError,
    AzmlError,
    ConfigError,
    EndpointError,
    ResponseFormatError,
    ServiceUnavailableError,
)
from azml_magics.core.redaction import redact
from azml_magics.core.text import format_seconds

from .deadline import Deadline
from .rest_errors import RestRefusal, html_error, is_html, last_names
from .shared_token import SharedToken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azml_magics.core.http.exchange import HTTPResponse, Outcome, Request
    from azml_magics.core.http.retry import RetryFlow
    from azml_magics.core.http.transport import Transport
    from azml_magics.core.secret import Secret

    from .shared_token import GetToken

_TIMEOUT = 30.0  # seconds without data
_TOTAL_TIMEOUT = 60.0  # seconds for one response
_LONGEST_WAIT = 60.0  # seconds of Retry-After
_MAX_RETRIES = 3
_MAX_PAGES = 1000
_SAFE = "/()!$&'*+,;=:@~"  # characters that the path of a resource may have as they are


class RestClient:
    """Sends requests to one service with tokens of one scope. Threads may share it.

    Args:
        address: The URL of the service; paths are appended to it.
        scope: The scope of its tokens.
        get_token: Returns tokens.
        service: The name of the service for messages.
        deadline: The end of all its requests; by default none.

    Raises:
        ConfigError: The address would carry the token in clear text to another machine.
    """

    def __init__(
        self, address: str, scope: str, get_token: GetToken, *, service: str, deadline: Deadline | None = None
    ) -> None:
        self.address = address.rstrip("/")
        self.service = service
        self._origin = Origin.of(address)
        if self._origin.scheme != "https" and not self._origin.is_loopback:
            raise ConfigError(
                f"{address} would carry your token in clear text", remedy="Use https://.", error_code="key-over-http"
            )
        self._tokens = SharedToken(scope, get_token)
        self._deadline = deadline or Deadline()
        self._lock = threading.Lock()
        self._transport: Transport | None = None

    def get(self, path: str, api_version: str, **query: str) -> dict[str, Any]:
        """Return the JSON object at `path`.

        Args:
            path: The path of the resource, such as "/subscriptions/…".
            api_version: The version of the service's interface.
            query: Further parameters.

        Raises:
            AzmlError: The request was refused, and the message names the action and the role; or it failed.
        """
        return self._send("GET", self._url(path, api_version, query), path)

    def post(self, path: str, api_version: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object that an action gives, such as that of "…/listKeys".

        Args:
            path: The path of the resource and the name of the action.
            api_version: The version of the service's interface.
            body: What to send; by default nothing.

        Raises:
            AzmlError: As `get` does.
        """
        return self._send("POST", self._url(path, api_version, {}), path, body)

    def list(self, path: str, api_version: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page.

        Args:
            path: The path of the list.
            api_version: The version of the service's interface.
            query: Further parameters.

        Raises:
            AzmlError: As `get` does; or the list goes on at another host, where the token is not sent.
        """
        url, seen = self._url(path, api_version, query), set[str]()
        while url:
            seen.add(url)
            page = self._send("GET", url, path)
            items = page.get("value")
            if not isinstance(items, list):
                raise self._unreadable(path, "it has no list named value")
            yield from (item for item in items if isinstance(item, dict))
            url = self._check_next(page.get("nextLink") or "", path)
            if url in seen or (url and len(seen) == _MAX_PAGES):
                raise self._unreadable(path, "its pages do not end")

    def sign_in(self) -> None:
        """Fetch the token of all requests now.

        Raises:
            KeyNotFoundError: There is no sign-in.
        """
        self._tokens.current()

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._transport is not None:
            self._transport.close()

    # ---- URLs ---------------------------------------------------------------------------------------------------

    def _url(self, path: str, api_version: str, query: Mapping[str, str]) -> str:
        if ".." in path.split("/"):
            raise ConfigError(f"{path!r} is not the path of a resource", remedy="Copy the resource id again.")
        return (
            f"{self.address}/{quote(path.lstrip('/'), safe=_SAFE)}?{urlencode({'api-version': api_version, **query})}"
        )

    def _check_next(self, link: object, path: str) -> str:
        """Return the URL of the next page, which has to be on the same server: the token goes there."""
        if not isinstance(link, str):
            raise self._unreadable(path, "nextLink is not a URL")
        if link and Origin.of(link) != self._origin:
            raise ResponseFormatError(
                f"The list of {last_names(path)} goes on at {Origin.of(link) or 'an unknown place'}, where your token "
                "is not sent",
                remedy="What came before that is kept.",
                error_code="foreign-next-link",
            )
        return link

    def _unreadable(self, path: str, why: str) -> ResponseFormatError:
        return ResponseFormatError(
            f"The response of {self.service} about {last_names(path)} cannot be read: {why}",
            remedy="Try again in a minute.",
            error_code="control-plane-format",
        )

    # ---- requests -----------------------------------------------------------------------------------------------

    def _send(self, method: str, url: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return the JSON object of the response."""
        data = b"" if body is None else json.dumps(body).encode()
        response = self._open().send(self._flow(method, url, path, data), self._deadline.wait)
        if is_html(response.body):
            raise html_error(self._refusal(method, path, response))
        try:
            value = json.loads(response.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise self._unreadable(path, "it is not a JSON object")
        return value

    def _flow(self, method: str, url: str, path: str, body: bytes) -> RetryFlow:
        """Decide what one request sends, and when: a new token after a 401, once; waits after a 429 and failures."""
        from azml_magics.core.http.exchange import SendFailure, is_success
        from azml_magics.core.http.retry import SendRequest, Wait

        token, retries, is_renewed = self._tokens.current(), 0, False
        while True:
            request = self._request(method, url, body, token)
            outcome = yield SendRequest(request, new_connection=retries > 0)
            assert outcome is not None
            if not isinstance(outcome, SendFailure) and is_success(outcome.status):
                return outcome
            error = self._error_from(outcome, request, method, path, token)
            if isinstance(error, AuthenticationError) and not is_renewed:
                token, is_renewed = self._tokens.renew(token, error.headers), True
                continue
            seconds = _delay(outcome, error, retries)
            if seconds is None or retries == _MAX_RETRIES or seconds > min(_LONGEST_WAIT, self._deadline.remaining()):
                raise _say_how_long(error, seconds)
            retries += 1
            yield Wait(seconds)

    def _request(self, method: str, url: str, body: bytes, token: Secret) -> Request:
        from azml_magics.core.http.exchange import Request
        from azml_magics.core.http.request_id import with_request_id

        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {})}
        left = self._deadline.remaining()
        request = Request(
            url=url,
            headers={**headers, "Authorization": f"Bearer {token.reveal()}"},
            body=body,
            timeout=min(_TIMEOUT, left),
            method=method,
            total_timeout=min(_TOTAL_TIMEOUT, left),
            secrets=(token,),
        )
        return with_request_id(request)

    def _error_from(self, outcome: Outcome, request: Request, method: str, path: str, token: Secret) -> AzmlError:
        from azml_magics.core.http.connection_errors import connection_error
        from azml_magics.core.http.exchange import SendFailure
        from azml_magics.core.http.request_id import id_for_logs

        if isinstance(outcome, SendFailure):
            return connection_error(outcome, request)
        error = self._refusal(method, path, outcome).to_error()
        error.cause = redact(error.cause, token)
        error.args = (error.cause,)
        if isinstance(error, EndpointError):
            error.body = redact(error.body, token)
            error.headers = {name: redact(value, token) for name, value in error.headers.items()}
        return error.add_context(request_id=id_for_logs(request))

    def _refusal(self, method: str, path: str, response: HTTPResponse) -> RestRefusal:
        host, whole = self._origin.netloc, f"{urlsplit(self.address).path}/{path.lstrip('/')}"
        return RestRefusal(self.service, host, method, whole, response.status, response.headers, response.body)

    def _open(self) -> Transport:
        from azml_magics.core.http.transport import Transport  # loads httpx

        with self._lock:
            if self._transport is None:
                self._transport = Transport(recorder=lambda: None)  # what it sends belongs into no recording
            return self._transport


def _delay(outcome: Outcome, error: AzmlError, retries: int) -> float | None:
    """Return the seconds before the next attempt; None if there is none: reads may be repeated."""
    from azml_magics.core.http.exchange import SendFailure

    if isinstance(outcome, SendFailure):
        return 0.5 * 2**retries if outcome.is_unreachable or outcome.reason in {"closed", "incomplete"} else None
    asked: float | None = getattr(error, "retry_after", None)
    is_temporary = outcome.status == 429 or isinstance(error, ServiceUnavailableError)  # noqa: PLR2004 - an HTTP status
    if not is_temporary:
        return None
    return float(2**retries) if asked is None else asked


def _say_how_long(error: AzmlError, seconds: float | None) -> AzmlError:
    """Add to an error how long the service asks to wait, if that is too long for this."""
    if seconds and getattr(error, "retry_after", None):
        error.cause = f"{error.cause.rstrip('.')}. It asks to wait {format_seconds(seconds)}"
        error.args = (error.cause,)
    return error
