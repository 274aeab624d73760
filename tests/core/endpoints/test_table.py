"""The endpoints table, row by row: kind, formatter, place of the model, key headers, scope and api-version of a URL."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core import endpoints

MANAGED = "https://n.eastus.inference.ml.azure.com"
SERVERLESS = "https://n.eastus2.models.ai.azure.com"
FOUNDRY = "https://r.services.ai.azure.com"
AOAI = "https://r.openai.azure.com"
COGNITIVE = "https://r.cognitiveservices.azure.com"
OTHER = "https://apim.example.com"
BEARER = {"Authorization"}
BOTH = {"Authorization", "api-key"}
CLAUDE = {"x-api-key", "api-key"}
ML, AI, COG = (f"https://{name}.azure.com/.default" for name in ("ml", "ai", "cognitiveservices"))
CHAT, RESPONSES = ("openai-chat",), ("openai-responses", "openai-chat")
DATED, MODELS = "?api-version=2024-10-21", "?api-version=2024-05-01-preview"


class Row(NamedTuple):
    """What a URL tells; `to` is where a request on `route` goes, after the host."""

    host: str
    path: str
    kind: str
    formatters: tuple[str, ...]
    model: str
    headers: set[str]
    scope: str
    route: str
    to: str


ROWS = [
    Row(MANAGED, "", "managed", (), "header", BEARER, ML, "score", "/score"),
    Row(MANAGED, "/score", "managed", (), "header", BEARER, ML, "score", "/score"),
    Row(MANAGED, "/v1", "managed", CHAT, "header", BEARER, ML, "chat/completions", "/v1/chat/completions"),
    Row(
        MANAGED,
        "/v1/chat/completions",
        "managed",
        CHAT,
        "header",
        BEARER,
        ML,
        "chat/completions",
        "/v1/chat/completions",
    ),
    Row(MANAGED, "/v1/responses", "managed", ("openai-responses",), "header", BEARER, ML, "responses", "/v1/responses"),
    Row(MANAGED, "", "managed", (), "header", BEARER, ML, "responses", "/v1/responses"),
    Row(MANAGED, "", "managed", (), "header", BEARER, ML, "messages", "/v1/messages"),
    Row(
        OTHER,
        "/api/v1/endpoint/hr/score",
        "kubernetes",
        (),
        "header",
        BEARER,
        ML,
        "score",
        "/api/v1/endpoint/hr/score",
    ),
    Row(OTHER, "/api/v1/endpoint/hr", "kubernetes", (), "header", BEARER, ML, "score", "/api/v1/endpoint/hr/score"),
    Row(OTHER, "/api/v1/service/hr", "kubernetes", (), "header", BEARER, ML, "score", "/api/v1/service/hr/score"),
    Row(
        OTHER,
        "/api/v1/endpoint/openai/v1",
        "kubernetes",
        CHAT,
        "header",
        BEARER,
        ML,
        "chat/completions",
        "/api/v1/endpoint/openai/v1/chat/completions",
    ),
    Row(SERVERLESS, "", "serverless", CHAT, "none", BEARER, ML, "chat/completions", "/chat/completions"),
    Row(SERVERLESS, "/v1", "serverless", CHAT, "none", BEARER, ML, "chat/completions", "/v1/chat/completions"),
    Row(SERVERLESS, "/chat/completions", "serverless", CHAT, "none", BEARER, ML, "score", "/chat/completions"),
    Row(FOUNDRY, "", "openai-v1", RESPONSES, "body", BOTH, AI, "responses", "/openai/v1/responses"),
    Row(AOAI, "", "openai-v1", RESPONSES, "body", BOTH, AI, "chat/completions", "/openai/v1/chat/completions"),
    Row(COGNITIVE, "", "openai-v1", RESPONSES, "body", BOTH, AI, "completions", "/openai/v1/completions"),
    Row(FOUNDRY, "", "openai-v1", RESPONSES, "body", BOTH, AI, "messages", "/anthropic/v1/messages"),
    Row(AOAI, "/openai", "openai-v1", RESPONSES, "body", BOTH, AI, "responses", "/openai/v1/responses"),
    Row(FOUNDRY, "/openai/v1", "openai-v1", RESPONSES, "body", BOTH, AI, "responses", "/openai/v1/responses"),
    Row(
        FOUNDRY,
        "/openai/v1/chat/completions",
        "openai-v1",
        CHAT,
        "body",
        BOTH,
        AI,
        "score",
        "/openai/v1/chat/completions",
    ),
    Row(OTHER, "/openai/v1", "openai-v1", RESPONSES, "body", BOTH, AI, "responses", "/openai/v1/responses"),
    Row(
        AOAI,
        "/openai/deployments/d",
        "azure-openai",
        CHAT,
        "url",
        BOTH,
        COG,
        "chat/completions",
        "/openai/deployments/d/chat/completions" + DATED,
    ),
    Row(
        OTHER,
        "/openai/deployments/d",
        "azure-openai",
        CHAT,
        "url",
        BOTH,
        COG,
        "completions",
        "/openai/deployments/d/completions" + DATED,
    ),
    Row(
        AOAI,
        "/openai/responses",
        "azure-openai",
        ("openai-responses",),
        "body",
        BOTH,
        COG,
        "responses",
        "/openai/responses?api-version=2025-04-01-preview",
    ),
    Row(
        FOUNDRY,
        "/api/projects/p",
        "project",
        RESPONSES,
        "body",
        BEARER,
        AI,
        "responses",
        "/api/projects/p/openai/v1/responses",
    ),
    Row(
        FOUNDRY,
        "/api/projects/p/openai",
        "project",
        RESPONSES,
        "body",
        BEARER,
        AI,
        "responses",
        "/api/projects/p/openai/v1/responses",
    ),
    Row(
        OTHER,
        "/api/projects/p/openai/v1",
        "project",
        RESPONSES,
        "body",
        BEARER,
        AI,
        "chat/completions",
        "/api/projects/p/openai/v1/chat/completions",
    ),
    Row(
        FOUNDRY,
        "/anthropic",
        "anthropic",
        ("anthropic-messages",),
        "body",
        CLAUDE,
        AI,
        "messages",
        "/anthropic/v1/messages",
    ),
    Row(
        FOUNDRY,
        "/anthropic/v1/messages",
        "anthropic",
        ("anthropic-messages",),
        "body",
        CLAUDE,
        AI,
        "score",
        "/anthropic/v1/messages",
    ),
    Row(
        FOUNDRY,
        "/managed-deployments/d",
        "managed-compute",
        CHAT,
        "url",
        BOTH,
        AI,
        "chat/completions",
        "/managed-deployments/d/chat/completions",
    ),
    Row(
        FOUNDRY,
        "/models",
        "inference-api",
        CHAT,
        "body",
        BOTH,
        COG,
        "chat/completions",
        "/models/chat/completions" + MODELS,
    ),
    Row(
        OTHER,
        "/models/chat/completions",
        "inference-api",
        CHAT,
        "body",
        BOTH,
        COG,
        "score",
        "/models/chat/completions" + MODELS,
    ),
    Row(OTHER, "/v1", "other", CHAT, "header", BEARER, ML, "chat/completions", "/v1/chat/completions"),
    Row(
        OTHER,
        "/v1/messages",
        "other",
        ("anthropic-messages",),
        "header",
        {"Authorization", "x-api-key"},
        ML,
        "messages",
        "/v1/messages",
    ),
    Row(OTHER, "/llm", "other", (), "header", BEARER, ML, "chat/completions", "/llm"),
]
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{urlsplit(row.host).hostname}{row.path} {row.route}")


def check(row, url, prefix=""):
    assert endpoints.kind_of(url) == row.kind
    assert endpoints.formatters_for(url) == row.formatters
    assert endpoints.needs_model(url) is (row.model == "body")
    assert endpoints.service_of(url).model == row.model
    headers = endpoints.auth_headers(url, "K", is_token=False)
    assert set(headers) == row.headers
    assert headers.get("Authorization", "Bearer K") == "Bearer K"
    assert dict(endpoints.auth_headers(url, "T", is_token=True)) == {"Authorization": "Bearer T"}
    assert endpoints.entra_scope(url) == row.scope
    sent = endpoints.request_url(url, row.route)
    assert urlsplit(sent).path.removeprefix(prefix).rstrip("/") == urlsplit(row.to).path
    return sent


@EVERY_ROW
def test_row_of_the_table(row):
    sent = check(row, row.host + row.path)
    assert sent == row.host + row.to
    assert endpoints.request_url(sent, row.route) == sent


@EVERY_ROW
def test_row_with_a_slash_a_query_and_a_port(row):
    sent = check(row, f"{row.host}:8443{row.path}/?a=1&api-version=2")
    assert sent.partition("?")[2] == "a=1&api-version=2"
    assert sent.startswith(f"{row.host}:8443/")


@EVERY_ROW
def test_row_with_an_upper_case_host_and_scheme(row):
    check(row, row.host.upper() + row.path)


@pytest.mark.parametrize("row", [row for row in ROWS if row.path])
def test_row_behind_a_prefix(row):
    check(row, f"{row.host}/team/proxy{row.path}", "/team/proxy")


@given(
    st.sampled_from(ROWS),
    st.sampled_from(["", "/", "?a=b", "/?a=b&c=d", "#part"]),
    st.sampled_from(["", ":443", ":8443"]),
    st.lists(st.text("abz09.-_~%", min_size=1, max_size=6), max_size=3),
    st.booleans(),
)
def test_row_among_its_neighbours(row, end, port, prefix, upper):
    before = "".join(f"/{part}" for part in prefix) if row.path else ""
    host = row.host.upper() if upper else row.host
    check(row, f"{host}{port}{before}{row.path}{end}", before)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://n.usgovvirginia.inference.ml.azure.us/score", "managed"),
        ("https://n.chinaeast2.inference.ml.azure.cn/score", "managed"),
        (MANAGED + "/openai/v1/chat/completions", "managed"),
        ("https://n.eastus.inference.ai.azure.com/v1/chat/completions", "serverless"),
        ("https://models.inference.ai.azure.com", "github-models"),
        ("http://127.0.0.1/api/v1/endpoint/hr/score", "kubernetes"),
        ("http://localhost:8000/score", "other"),
        ("http://localhost:8000/models/chat/completions", "inference-api"),
        ("https://openai.azure.com.evil.example/x", "other"),
        ("https://evil-inference.ml.azure.com.example.org/score", "other"),
        ("https://example.com/v1/models", "other"),
        ("https://example.com/openai/chat/completions", "other"),
        ("https://example.com/api/projects/p/score", "other"),
        ("https://example.com/anthropic", "other"),
    ],
)
def test_kind_by_host_and_path(url, kind):
    assert endpoints.kind_of(url) == kind


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://n.usgovvirginia.inference.ml.azure.us/score", "https://ml.azure.us/.default"),
        ("https://n.chinaeast2.inference.ml.azure.cn/score", "https://ml.azure.cn/.default"),
        ("https://r.openai.azure.us/openai/v1", "https://cognitiveservices.azure.us/.default"),
        ("https://r.openai.azure.cn/openai/deployments/d", "https://cognitiveservices.azure.cn/.default"),
        ("https://r.services.ai.azure.us/api/projects/p", "https://ai.azure.us/.default"),
        ("https://apim.example.com/score?next=.azure.us", "https://ml.azure.com/.default"),
        ("", "https://ml.azure.com/.default"),
    ],
)
def test_scope_by_cloud(url, scope):
    assert endpoints.entra_scope(url) == scope


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (FOUNDRY + "/x/predict", "/x/predict is not a known path of a Foundry or Azure OpenAI resource"),
        (MANAGED + "/my/predict", "/my/predict is not a known path of a managed online endpoint"),
        (FOUNDRY + "/api/projects/p/agents", "/api/projects/p/agents is not a known path of a Foundry project"),
        ("https://models.inference.ai.azure.com", "GitHub Models left models.inference.ai.azure.com"),
    ],
)
def test_unknown_path_on_a_known_host_is_said(url, said):
    (notice,) = endpoints.notices_of(url)
    assert notice.startswith(said)
    assert "\n" not in notice


@EVERY_ROW
def test_known_path_needs_no_notice(row):
    assert endpoints.notices_of(row.host + row.path) == ()
    assert endpoints.notices_of(f"{row.host}{row.path}/?a=b") == ()
