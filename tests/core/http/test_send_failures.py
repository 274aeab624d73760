"""What httpx and httpx2 raise -> SendFailure."""

from __future__ import annotations

import ssl
import zlib

import httpx
import pytest

from azml_magics.core.errors import APIConnectionError, APITimeoutError
from azml_magics.core.http.connection_errors import connection_error
from azml_magics.core.http.exchange import Request
from azml_magics.core.http.reception import Reception
from azml_magics.core.http.send_failures import send_failure

REQUEST = Request("https://n/score", {}, b"", 1, total_timeout=5)


def libraries():
    yield httpx
    try:
        import httpx2
    except ImportError:  # it needs a newer Python than the oldest supported one
        return
    yield httpx2


@pytest.mark.parametrize("library", list(libraries()), ids=lambda library: library.__name__)
def test_every_exception_of_httpx_is_classified(library):
    kinds = [kind for kind in vars(library).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 10
    for kind in kinds:
        raised = kind.__new__(kind, "x")  # some take other arguments
        for has_begun in (False, True):
            error = connection_error(send_failure(raised, has_begun=has_begun), REQUEST)
            assert isinstance(error, (APIConnectionError, APITimeoutError))


@pytest.mark.parametrize("library", list(libraries()), ids=lambda library: library.__name__)
def test_reasons(library):
    assert send_failure(library.ReadTimeout("x")).reason == "timeout"
    assert send_failure(library.ReadTimeout("x"), has_begun=True).reason == "timeout"
    assert send_failure(library.ConnectTimeout("x")).reason == "connect-timeout"
    assert send_failure(library.PoolTimeout("x")).reason == "pool-timeout"
    assert send_failure(library.ConnectError("x")).reason == "connect-error"
    assert send_failure(library.ProxyError("x")).reason == "connect-error"
    assert send_failure(library.RemoteProtocolError("x")).reason == "closed"
    assert send_failure(library.RemoteProtocolError("x"), has_begun=True).reason == "incomplete"
    assert send_failure(library.LocalProtocolError("x")).reason == "invalid"
    assert send_failure(library.UnsupportedProtocol("x")).reason == "invalid"


def test_other_exceptions_are_classified():
    assert send_failure(zlib.error("x")).reason == "incomplete"
    assert send_failure(ssl.SSLError("x")).reason == "closed"
    assert send_failure(TimeoutError("x")).reason == "timeout"
    assert send_failure(ValueError()).reason == "invalid"


def test_untrusted_certificate_is_classified_by_its_cause():
    error = httpx.ConnectError("verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert send_failure(error).reason == "untrusted"


def test_failure_before_the_request_was_sent_names_the_proxy():
    reception = Reception(has_tunnel=True)
    reception.begin(REQUEST)
    reception.trace("connection.connect_tcp.started", {})
    reception.trace("http11.send_request_headers.started", {})  # CONNECT
    failure = send_failure(httpx.RemoteProtocolError("x"), reception, proxy="http://ann:s3cret@proxy:8080")
    assert (failure.reason, failure.proxy) == ("connect-error", "proxy:8080")
    assert failure.is_unreachable


def test_failure_of_an_unwatched_connection_is_never_stale():
    reception = Reception()
    reception.begin(REQUEST)
    failure = send_failure(httpx.ReadError("x"), reception)
    assert failure.reason == "closed"
    assert not failure.is_stale_connection
