"""The control plane answers every request with a response, whatever its path, query, headers and body are."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.emulator.control_plane.asgi_app import ControlPlaneApp
from azml_magics.emulator.control_plane.calls import Services
from azml_magics.emulator.control_plane.contoso import ACCOUNT, GROUP, RESEARCH, make_resources, make_subscriptions
from azml_magics.emulator.control_plane.faults import ControlPlaneFaults
from azml_magics.emulator.control_plane.issued_tokens import TENANT, Tokens

URL = "http://127.0.0.1:1"
FOUNDRY = f"/subscriptions/{RESEARCH}/resourceGroups/{GROUP}/providers/{ACCOUNT}/contoso-foundry"
STEPS = st.sampled_from([
    "subscriptions", RESEARCH, "resourceGroups", GROUP, "providers", "Microsoft.CognitiveServices", "accounts",
    "contoso-foundry", "deployments", "gpt-5-mini", "listKeys", "token", "api", "projects", "assistants", "connections",
    "openai", "v1", "responses", "anthropic", "messages", "managed-deployments", "qwen3-8b", "llama-chat", "score", "",
    "contoso-vault", "secrets", TENANT, "oauth2", "v2.0", "devicecode", "msi", "..", "*",
]) | st.text(max_size=5)  # fmt: skip
PATHS = st.lists(STEPS, max_size=12).map(lambda steps: "/" + "/".join(steps))
QUERIES = st.sampled_from([
    b"", b"api-version=1", b"api-version=1&$skiptoken=x", b"api-version=1&$skiptoken=-3", b"resource=x", b"%", b"a=%ff",
])  # fmt: skip
BODIES = st.binary(max_size=40) | st.sampled_from([b'{"model": 1}', b"[]", b"null", b"grant_type=client_credentials"])
AUDIENCES = st.sampled_from([
    "https://management.azure.com", "https://ai.azure.com", "https://ml.azure.com", "https://vault.azure.net", "",
])  # fmt: skip


KNOWN = st.sampled_from([
    "/subscriptions", f"/subscriptions/{RESEARCH}/providers/{ACCOUNT}", f"{FOUNDRY}/deployments", f"{FOUNDRY}/listKeys",
    "/contoso-foundry/api/projects/assistants/deployments", "/contoso-vault/secrets/a", "/msi/token",
    f"/{TENANT}/oauth2/v2.0/token", f"/{TENANT}/oauth2/v2.0/devicecode", "/contoso-foundry/openai/v1/responses",
    "/llama-chat/score", "/phi-serverless/v1/chat/completions", "/contoso-foundry/anthropic/v1/messages",
])  # fmt: skip
SCOPES = st.fixed_dictionaries(
    {
        "type": st.just("http"),
        "method": st.sampled_from(["GET", "POST", "HEAD", "DELETE"]),
        "path": PATHS | KNOWN,
        "query_string": QUERIES,
    }
)


async def answer(app, scope, body):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


@given(SCOPES, BODIES, AUDIENCES, st.binary(max_size=30))
def test_every_request_gets_a_response(scope, body, audience, noise):
    faults = ControlPlaneFaults()
    tokens = Tokens(faults)
    services = Services(URL, URL, faults, tokens, make_subscriptions(), make_resources(URL), {"a": "b"}, 2)
    token = tokens.issue(audience).text.encode() if audience else noise
    key = noise or tokens.derive_key(f"{FOUNDRY}", 1).encode()
    headers = [(b"authorization", b"Bearer " + token), (b"api-key", key), (b"content-type", b"application/json")]
    sent = asyncio.run(answer(ControlPlaneApp(services), {**scope, "headers": headers}, body))
    assert 200 <= sent[0]["status"] < 600
    assert sent[-1]["type"] == "http.response.body"
