"""URLs: any path is taken, and a base gets its route."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core import endpoints
from azml_magics.core.errors import ConfigError
from azml_magics.core.http import connection, send_failures
from azml_magics.core.http.exchange import Request

from ..judge import only_our_errors

MANAGED = "https://n.eastus.inference.ml.azure.com"
HUB = "https://n.eastus2.models.ai.azure.com"
FOUNDRY = "https://r.services.ai.azure.com"
AOAI = "https://r.openai.azure.com"
K8S = "https://k8s.example.com/api/v1/endpoint/hr"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://h.example.com", "https://h.example.com"),
        (" HTTPS://H.Example.com:443/score?a=1\n", "https://h.example.com"),
        ("https://h.example.com:8443/score", "https://h.example.com:8443"),
        ("http://localhost:80/score", "http://localhost"),
        ("http://[::1]:8000/score", "http://[::1]:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("", ""),
        ("https://[::1", ""),
        ("https://h:port", ""),
    ],
)
def test_origin_normalises_scheme_host_and_port(url, text):
    origin = endpoints.Origin.of(url)
    assert str(origin) == text
    assert bool(origin) is bool(text)
    assert not text or endpoints.Origin.of(text) == origin


# url, route of the formatter, api_version -> where the request goes
GOES_TO = [
    # a path is kept, whatever it is
    (MANAGED + "/score", "score", None, MANAGED + "/score"),
    (MANAGED + "/generate", "score", None, MANAGED + "/generate"),
    (MANAGED + "/v1/chat/completions", "chat/completions", None, MANAGED + "/v1/chat/completions"),
    (MANAGED + "/my/own/predict", "score", None, MANAGED + "/my/own/predict"),
    ("https://apim.example.com/llm/", "chat/completions", None, "https://apim.example.com/llm/"),
    ("https://apim.example.com/a%20b/c", "score", None, "https://apim.example.com/a%20b/c"),
    # a base gets its route
    (MANAGED, "score", None, MANAGED + "/score"),
    (MANAGED + "/", "score", None, MANAGED + "/score"),
    (MANAGED + "/v1", "chat/completions", None, MANAGED + "/v1/chat/completions"),
    (MANAGED + "/v1/", "completions", None, MANAGED + "/v1/completions"),
    (HUB, "chat/completions", None, HUB + "/chat/completions"),
    (K8S, "score", None, K8S + "/score"),
    (K8S + "/", "score", None, K8S + "/score"),
    (
        "https://h.example.com/proxy/api/v1/endpoint/hr",
        "score",
        None,
        "https://h.example.com/proxy/api/v1/endpoint/hr/score",
    ),
    # api-version: where it is required its documented default, and merged into the query
    (
        FOUNDRY + "/models/",
        "chat/completions",
        "2025-04-01",
        FOUNDRY + "/models/chat/completions?api-version=2025-04-01",
    ),
    (
        FOUNDRY + "/models?api-version=2024-05-01-preview",
        "chat/completions",
        "2025-04-01",
        FOUNDRY + "/models/chat/completions?api-version=2025-04-01",
    ),
    (AOAI + "/openai/", "completions", None, AOAI + "/openai/v1/completions"),
    (MANAGED + "/score", "score", "7", MANAGED + "/score?api-version=7"),
    (MANAGED + "/score?a=1&b=2&a=3&e=", "score", "7", MANAGED + "/score?a=1&b=2&a=3&e=&api-version=7"),
    (MANAGED + "/score?a=b%20c&d=%26", "score", None, MANAGED + "/score?a=b%20c&d=%26"),
    (MANAGED + "/score?api-version=1&a=b%20c", "score", "7", MANAGED + "/score?api-version=7&a=b+c"),
    # odds and ends
    (f"  {MANAGED}/score\n", "score", None, MANAGED + "/score"),
    (MANAGED + "/score/", "score", None, MANAGED + "/score/"),
    (MANAGED + "/score#part", "score", None, MANAGED + "/score"),
    ("http://localhost:8000", "score", None, "http://localhost:8000/score"),
    ("http://127.0.0.1:8000/v1", "completions", None, "http://127.0.0.1:8000/v1/completions"),
    ("http://[::1]:8000/score", "score", None, "http://[::1]:8000/score"),
    ("http://demo.localhost/score", "score", None, "http://demo.localhost/score"),
]


@pytest.mark.parametrize(("url", "route", "version", "expected"), GOES_TO)
def test_request_url_appends_route_and_version(url, route, version, expected):
    assert endpoints.request_url(url, route, version) == expected


@pytest.mark.parametrize(("url", "route", "version", "expected"), GOES_TO)
def test_request_url_keeps_complete_urls(url, route, version, expected):
    assert endpoints.request_url(expected, route, version) == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:pa55word@n.example.com/score", "holds a user name or password"),
        ("http://user@localhost/score", "holds a user name or password"),
        ("https://:pa55word@n.example.com", "holds a user name or password"),
        ("https://@n.example.com", "holds a user name or password"),
        ("ftp://user:pa55word@n.example.com", "holds a user name or password"),
        ("n.example.com/score", "is not complete"),
        ("https:///score", "is not complete"),
        ("ftp://n.example.com", "is not complete"),
        ("file:///etc/passwd", "is not complete"),
        ("", "is not complete"),
        ("score", "is not complete"),
        ("https://[::1", "cannot be read"),
        ("https://user:pa55word@[::1", "cannot be read"),
        ("https://n.example.com:99999/score", "cannot be read"),
        ("https://n.example.com:port/score", "cannot be read"),
        ("https://exa mple.com/score", "has no valid host name"),
        ("https://exa\x00mple.com/score", "has no valid host name"),
        ("https://a..b.com/score", "has no valid host name"),
        ("https://-/score%", None),
        ("https://" + "a" * 300 + ".com/score", "has no valid host name"),
    ],
)
def test_split_refuses_unsafe_urls(url, said):
    if said is None:
        assert endpoints.split(url)
        return
    with pytest.raises(ConfigError, match=said) as caught:
        endpoints.split(url)
    assert "pa55word" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("example.com", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_loopback_hosts_by_name(host, here):
    assert endpoints.is_loopback(host) is here


@pytest.mark.parametrize(
    ("url", "route"),
    [
        (MANAGED + "/score", "score"),
        (MANAGED + "/v1/chat/completions/", "chat/completions"),
        (MANAGED + "/a/completions?x=/score", "completions"),
        (MANAGED + "/generate_stream", "generate_stream"),
        (MANAGED + "/scores", ""),
        (MANAGED + "/myscore", ""),
        (MANAGED, ""),
    ],
)
def test_route_of_url(url, route):
    assert endpoints.route_of(url) == route


@pytest.mark.parametrize(
    ("url", "type_"),
    [
        (MANAGED, "dedicated"),
        (MANAGED + "/score", "dedicated"),
        (MANAGED + "/v1/chat/completions", "serverless"),
        (MANAGED + "/v1", "serverless"),
        (HUB, "serverless"),
        (HUB + "/score", "dedicated"),
        (FOUNDRY, "serverless"),
        (AOAI, "serverless"),
        (K8S, "dedicated"),
        ("https://apim.example.com/llm", "dedicated"),
    ],
)
def test_api_type_of_url(url, type_):
    assert endpoints.api_type_of(url) == type_


URLS = st.one_of(
    st.text(max_size=30),
    st.text("htps:/@[]?#.\\ %1a\néß&=", max_size=30).map(lambda t: "https://" + t),
    st.builds("https://{}/{}?{}".format, st.text(max_size=12), st.text(max_size=12), st.text(max_size=12)),
)


@given(URLS, st.none() | st.text(max_size=8))
def test_any_text_gives_a_sendable_url_or_config_error(text, version):
    url = ""
    with only_our_errors(ConfigError):
        url = endpoints.request_url(text, "score", version)
    if not url:
        return
    endpoints.kind_of(text), endpoints.api_type_of(text), endpoints.route_of(text)
    assert url.startswith(("https://", "http://"))
    assert endpoints.request_url(url, "score", version) == url
    reason, target = "sent", b""
    try:
        target = connection.to_httpx(Request(url, {}, b"", 1), None).url.raw_path
    except Exception as error:  # a name in other letters that no registry would take: said when it is sent
        reason = send_failures.send_failure(error).reason
    assert reason in {"sent", "invalid"}
    assert b" " not in target
