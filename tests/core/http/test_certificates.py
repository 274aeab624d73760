"""Real handshakes: whose certificates are trusted, and what an error says of those that are not."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import socket
import ssl
import threading

import pytest
import trustme

from azml_magics.core.client import ainvoke, close_default_clients, invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import APIConnectionError, ConfigError
from azml_magics.core.http import tls
from azml_magics.core.http.connection_errors import connection_error
from azml_magics.core.http.exchange import Request, SendFailure
from azml_magics.core.http.run_control import RunCancelled, RunControl, limit_rate
from azml_magics.core.secret import Secret

from ..conftest import KEY
from ..server import Server, reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
IN_A_CENTURY = LONG_AGO.replace(year=2120)
DATED = pytest.mark.skipif(
    "not_before" not in inspect.signature(trustme.CA.issue_cert).parameters, reason="trustme 1.1 dates no certificate"
)


@pytest.fixture(autouse=True)
def no_certificates_of_the_environment(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["sync", "async"])
def send(request):
    if request.param == "sync":
        return invoke
    return lambda config, prompt: asyncio.run(ainvoke(config, prompt))


@pytest.fixture(scope="module")
def company():
    """A company's CA, which nothing trusts yet."""
    return trustme.CA(organization_name="Contoso")


@pytest.fixture
def company_file(company, tmp_path):
    path = tmp_path / "contoso.pem"
    company.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def serve():
    """Start a server with a certificate of trustme's; its port."""
    running = []

    def start(certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        running.append(Server([HI], tls=context))
        return running[-1]

    yield start
    close_default_clients()
    for server in running:
        server.stop()


@pytest.fixture
def company_server(company, serve):
    return serve(company.issue_cert("localhost"))


def config_of(server, **fields):
    url = server.url.replace("127.0.0.1", "localhost") + "/v1/chat/completions"
    return LLMConfig(name="prod", endpoint_url=url, key=Secret(KEY), timeout=20, **fields)


def refused(send, server, **fields):
    with pytest.raises(APIConnectionError) as caught:
        send(config_of(server, **fields), "hello")
    assert "\n" not in str(caught.value)
    assert server.received == []
    return str(caught.value).replace(f"localhost:{server.url.rpartition(':')[2]}", "HOST")


# ---- trusted


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_companys_ca_is_trusted_from_the_environment(company_server, company_file, send, variable, monkeypatch):
    monkeypatch.setenv(variable, company_file)
    assert send(config_of(company_server), "hello").text == "hi"


def test_companys_ca_is_trusted_by_verify(company, company_file, serve, send):
    assert send(config_of(serve(company.issue_cert("localhost")), verify=company_file), "hello").text == "hi"


def test_companys_ca_is_trusted_from_the_operating_system(company, company_file, serve, send, monkeypatch):
    system = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "/x", "SSL_CERT_DIR", "/x")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: system)
    monkeypatch.setattr(tls, "_SYSTEM_FILES", (company_file,))
    tls._system.cache_clear()
    try:
        assert send(config_of(serve(company.issue_cert("localhost"))), "hello").text == "hi"
    finally:
        tls._system.cache_clear()


@pytest.mark.skipif(ssl.OPENSSL_VERSION_INFO < (3,), reason="truststore.SSLContext on Linux reads SSL_CERT_FILE there")
def test_truststores_context_works_sync_and_async(company, company_file, serve, send, monkeypatch):
    import truststore

    monkeypatch.setenv("SSL_CERT_FILE", company_file)  # what truststore takes for the system's store
    monkeypatch.setattr(tls, "ssl_context", lambda verify=None: truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    monkeypatch.setattr("azml_magics.core.http.connection.ssl_context", tls.ssl_context)
    assert send(config_of(serve(company.issue_cert("localhost"))), "hello").text == "hi"


def test_file_may_hold_the_issuing_ca_alone(company, serve, send, tmp_path):
    issuing = company.create_child_ca()
    issuing.cert_pem.write_to_path(str(tmp_path / "issuing.pem"))
    server = serve(issuing.issue_cert("localhost"))
    assert send(config_of(server, verify=str(tmp_path / "issuing.pem")), "hello").text == "hi"


@pytest.mark.filterwarnings("ignore:verify is False")
def test_verify_false_takes_any_certificate(company, serve, send):
    assert send(config_of(serve(company.issue_cert("elsewhere.example")), verify=False), "hello").text == "hi"


@pytest.mark.filterwarnings("ignore:verify is False")
def test_connections_of_one_config_are_not_used_by_another(company, company_file, serve):
    server = serve(company.issue_cert("localhost"))
    assert invoke(config_of(server, verify=False), "hello").text == "hi"
    with pytest.raises(APIConnectionError, match="is not trusted"):
        invoke(config_of(server), "hello")
    assert invoke(config_of(server, verify=company_file), "hello").text == "hi"


# ---- not trusted: one line each, and the key is not sent


def test_unknown_ca_says_how_to_trust_it(company, serve, send):
    assert refused(send, serve(company.issue_cert("localhost"))) == (
        "The certificate of HOST is not trusted: unable to get local issuer certificate (config 'prod'). "
        "If your company's network inspects TLS, or the server has a CA of its own, name the CA file in verify or in "
        "SSL_CERT_FILE."
    )


def test_certificate_for_another_host_says_so(company, company_file, serve, send):
    line = refused(send, serve(company.issue_cert("elsewhere.example")), verify=company_file)
    assert line.startswith(
        "The certificate of HOST is for another host: Hostname mismatch, certificate is not valid for"
    )
    assert line.endswith("Check the host in the URL. If it is right, the server needs a certificate with that name.")


@DATED
def test_expired_certificate_says_so(company, company_file, serve, send):
    server = serve(company.issue_cert("localhost", not_before=LONG_AGO, not_after=LONG_AGO + dt.timedelta(days=9)))
    assert refused(send, server, verify=company_file) == (
        "The certificate of HOST has expired (config 'prod'). It has to be renewed on the server; check this machine's "
        "clock, too."
    )


@DATED
def test_certificate_of_the_future_says_so(company, company_file, serve, send):
    server = serve(company.issue_cert("localhost", not_before=IN_A_CENTURY, not_after=IN_A_CENTURY.replace(year=2121)))
    assert refused(send, server, verify=company_file).startswith("The certificate of HOST is not valid yet (config")


def test_self_signed_certificate_says_how_to_trust_it(certificate, send):
    server = Server([HI], tls=certificate[0])
    try:
        assert refused(send, server) == (
            "The certificate of HOST is self-signed, so that nothing vouches for it (config 'prod'). "
            "If it is your server, name its certificate (a PEM file) in verify or in SSL_CERT_FILE."
        )
        assert send(config_of(server, verify=str(certificate[1])), "hello").text == "hi"
    finally:
        close_default_clients()
        server.stop()


def test_server_without_tls_says_so(send):
    def refuse(listener):
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Thread(target=refuse, args=(listener,), daemon=True).start()
    with pytest.raises(APIConnectionError) as caught:
        send(LLMConfig(endpoint_url=f"https://localhost:{port}/v1", key=None, max_retries=0), "hello")
    listener.close()
    assert str(caught.value) == (
        f"localhost:{port} does not speak https there. Check the port, or write http:// if the server has no TLS."
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "TLSV13_ALERT_CERTIFICATE_REQUIRED",
            "n.example.com requires a client certificate. Pass an httpx client whose",
        ),
        ("RECORD_LAYER_FAILURE", "n.example.com does not speak https there. Check the port"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "The connection to n.example.com broke before the response was complete: "),
    ],
)
def test_alerts_of_a_server_are_explained(reason, said):
    alert = ssl.SSLError(1, f"[SSL: {reason}] words of OpenSSL")
    alert.reason = reason
    error = ConnectionError()
    error.__cause__ = alert
    line = str(connection_error(SendFailure("closed", error), Request("https://n.example.com/v1", {}, b"", 60)))
    assert line.startswith(said)


def test_missing_ca_file_is_one_line(serve, company, send):
    with pytest.raises(ConfigError, match=r"The certificates of verify cannot be read: /nowhere/ca\.pem: No such file"):
        send(config_of(serve(company.issue_cert("localhost")), verify="/nowhere/ca.pem"), "hello")


def test_abandoned_run_ends_a_request_over_tls(company, company_file, serve):
    server, left = serve(company.issue_cert("localhost")), threading.Event()
    run = RunControl()

    def hold(connection, _request):
        threading.Thread(target=run.abandon).start()
        connection.recv(1)  # returns once the client has left
        left.set()
        return False

    server.respond_with(hold)
    with limit_rate(run), pytest.raises(RunCancelled):
        invoke(config_of(server, verify=company_file), "hello")
    assert left.wait(30)
