"""Every test stands alone: no stray variables, no real home, no network beyond this machine, nothing left behind."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

import hypothesis
import pytest

# No deadlines: the machine may be busy, and a slow example is no failure. No database: a run leaves nothing behind.
# Where CI is set the examples are the same in every run, so that a change fails for what it does and not by chance.
hypothesis.settings.register_profile(
    "azml",
    deadline=None,
    database=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("azml")


def pytest_configure(config):
    """Load the plugin whose fixtures the tests use, unless the installed package has registered it."""
    os.environ.pop("PYTEST_ADDOPTS", None)  # read already; a pytest that a test starts has options of its own
    if not config.pluginmanager.has_plugin("azml_magics"):
        from azml_magics import pytest_plugin

        config.pluginmanager.register(pytest_plugin, "azml_magics")


def pytest_terminal_summary(terminalreporter):
    """Show why tests were run once more, which pytest-rerunfailures leaves out: each is a race to be mended."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"first run of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext[-4_000:])


class NetworkRefused(RuntimeError):
    """A test connected to another machine. It is not an OSError, so that no code takes it for a bad connection."""


def _is_here(host: object) -> bool:
    if host in ("localhost", "", None, b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(own: socket.socket, address: object) -> None:
        if own.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise NetworkRefused(f"a test tried to connect to {address[0]}")

    def guarded_connect(self, address):
        check(self, address)
        return connect(self, address)

    def guarded_connect_ex(self, address):
        check(self, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host, *args, **kwargs):
        if not _is_here(host):
            raise NetworkRefused(f"a test asked for the address of {host}")
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """No AZUREML_* variable, proxy or Azure identity of the user who runs the tests, and a separate home."""
    for name in list(os.environ):
        if name.startswith(
            ("AZUREML_", "AZURE_", "MSI_", "IDENTITY_", "DEFAULT_IDENTITY_", "FOUNDRY_")
        ) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    """Formatters, typed keys, connections, what was learnt of endpoints, and the session's configs end with their test."""
    from azml_magics.core import key_sources, trust, wire

    registered = set(wire.names())
    yield
    for name in set(wire.names()) - registered:
        wire.unregister(name)
    key_sources.forget_typed_keys()
    trust.forget()
    for module, end in (
        ("azml_magics.core.client", "close_default_clients"),
        ("azml_magics.core.http.permit", "reset"),
        ("azml_magics.session", "reset"),
    ):
        if module in sys.modules:
            getattr(sys.modules[module], end)()


@pytest.fixture
def span_exporter(monkeypatch):
    """The spans of a tracer provider that is the process's own during the test, in memory."""
    reason = "the tracing tools are in the test extra"
    trace = pytest.importorskip("opentelemetry.trace", reason=reason)
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason=reason)
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    provider, exporter = sdk.TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)  # it can be set only once in a process
    yield exporter
    provider.shutdown()


@pytest.fixture
def spans(span_exporter):
    """`spans(NAME)` returns the ended spans whose name begins with it, in the order of their ends."""
    return lambda name="": [span for span in span_exporter.get_finished_spans() if span.name.startswith(name)]
