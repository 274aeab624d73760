"""Which proxy a request goes through."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import ConfigError
from azml_magics.core.http.proxy import proxy_for


@pytest.fixture(autouse=True)
def no_proxies_of_the_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variable", "url", "proxy"),
    [
        ("HTTPS_PROXY", "https://e.example.com/score", "http://p:8080"),
        ("https_proxy", "https://e.example.com/score", "http://p:8080"),
        ("HTTP_PROXY", "http://vllm:8000/v1", "http://p:8080"),
        ("ALL_PROXY", "https://e.example.com/score", "http://p:8080"),
        ("ALL_PROXY", "http://vllm:8000/v1", "http://p:8080"),
        ("HTTPS_PROXY", "http://vllm:8000/v1", None),
        ("HTTP_PROXY", "https://e.example.com/score", None),
        ("HTTP_PROXY", "http://localhost:8000/v1", None),
        ("ALL_PROXY", "http://127.0.0.1:8000/v1", None),
    ],
)
def test_environment_names_the_proxy_of_a_scheme(monkeypatch, variable, url, proxy):
    monkeypatch.setenv(variable, "p:8080")
    assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    ("bypassed", "url", "is_direct"),
    [
        ("example.com", "https://e.example.com/score", True),
        (".svc.cluster.local", "http://m.ns.svc.cluster.local/score", True),
        ("10.0.0.0/8,other", "http://10.1.2.3/api/v1/service/n/score", True),
        ("fd00::/8", "http://[fd00::1]/score", True),
        ("fd00::1", "http://[fd00::1]:8000/score", True),
        ("e.example.com:443", "https://e.example.com/score", True),
        ("e.example.com:8443", "https://e.example.com/score", False),
        ("10.0.0.0/8,nonsense/99", "http://11.1.2.3/score", False),
        ("*", "https://e.example.com/score", True),
        ("other.com", "https://e.example.com/score", False),
    ],
)
def test_no_proxy_bypasses_names_and_networks(monkeypatch, bypassed, url, is_direct):
    monkeypatch.setenv("ALL_PROXY", "http://p:8080")
    monkeypatch.setenv("NO_PROXY", bypassed)
    assert (proxy_for(url) is None) is is_direct


def test_configured_proxy_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://p:8080")
    monkeypatch.setenv("NO_PROXY", "*")
    url = "https://e.example.com/score"
    assert proxy_for(url, "company:3128") == "http://company:3128"
    monkeypatch.delenv("NO_PROXY")
    assert proxy_for(url, "none") is None


def test_configured_proxy_may_be_in_a_variable(monkeypatch):
    monkeypatch.setenv("COMPANY_PROXY", "http://ann:s3cret@company:3128")
    assert proxy_for("https://e.example.com", "env:COMPANY_PROXY") == "http://ann:s3cret@company:3128"
    monkeypatch.delenv("COMPANY_PROXY")
    with pytest.raises(ConfigError, match="No proxy: the environment variable COMPANY_PROXY is not set"):
        proxy_for("https://e.example.com", "env:COMPANY_PROXY")


def test_socks_proxy_needs_a_package(monkeypatch):
    url, proxy = "https://e.example.com/score", "socks5://company:1080"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"A SOCKS proxy needs the package socksio\. Run pip install"):
        proxy_for(url, proxy)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert proxy_for(url, proxy) == proxy_for(url, proxy.replace("5", "5h", 1)) == proxy


@pytest.mark.parametrize("written", ["ftp://p:21", "http://", "http://p:port", "http://[::1"])
def test_unreadable_proxy_is_one_line_without_its_text(monkeypatch, written):
    monkeypatch.setenv("HTTPS_PROXY", written)
    with pytest.raises(ConfigError) as caught:
        proxy_for("https://e.example.com")
    assert str(caught.value).startswith("The proxy's URL cannot be read. Write it as http://HOST:PORT")
