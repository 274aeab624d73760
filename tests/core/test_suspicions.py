"""What looked wrong before a call is said with the server's refusal, and stops nothing."""

from __future__ import annotations

import pytest

from azml_magics.core.client import invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import APIConnectionError, AuthenticationError, BadRequestError, ModelError
from azml_magics.core.http.status_errors import status_error
from azml_magics.core.secret import Secret
from azml_magics.core.suspicions import explain

from .server import reply

CHAT = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
REFUSED = {"error": {"message": "no"}}
FOUNDRY = "https://r.services.ai.azure.com"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/models/chat/completions", {}),
        ("/openai/v1/chat/completions", {}),
        ("/score", {"formatter": "openai-chat", "model_kwargs": {"response_format": {"type": "json_object"}}}),
        ("/v1/chat/completions", {"key": "none"}),
    ],
)
def test_server_that_accepts_a_suspicious_call_is_asked(path, fields, server, config_of):
    server.respond_with(reply({"output": "hi"} if path == "/score" else CHAT))
    assert invoke(config_of(path, **fields), "x").text == "hi"


@pytest.mark.parametrize(
    ("path", "fields", "status", "kind", "code", "said"),
    [
        ("/models/chat/completions", {}, 400, BadRequestError, "no-model", "the request names none"),
        ("/openai/v1/chat/completions", {}, 422, BadRequestError, "no-model", "set deployment_name or model"),
        ("/v1/chat/completions", {"key": None}, 401, AuthenticationError, "no-key-sent", "The request had no key"),
        ("/api/projects/p/openai/v1/chat/completions", {}, 401, AuthenticationError, "entra-only", "accepts no key"),
        (
            "/score",
            {"formatter": "openai-chat", "model_kwargs": {"tools": [{}]}},
            400,
            BadRequestError,
            "chat-kwarg",
            "tools belongs to chat routes",
        ),
    ],
)
def test_refusal_says_what_looked_wrong(path, fields, status, kind, code, said, server, config_of):  # noqa: PLR0917 - a column each
    server.respond_with(reply(REFUSED, status))
    with pytest.raises(kind) as caught:
        invoke(config_of(path, **fields), "x")
    assert caught.value.error_code == code
    assert said in caught.value.remedy
    assert "no (config 'prod')" in str(caught.value)


@pytest.mark.parametrize(
    "path", ["/models/chat/completions", "/openai/v1/chat/completions", "/v1/chat/completions", "/score"]
)
def test_refusal_of_an_ordinary_call_keeps_its_remedy(path, config_of):
    config = config_of(path, model="m")
    error = status_error(400, {}, b"no")
    assert explain(error, config, config.endpoint_url).error_code == "request-rejected"


def test_failure_inside_a_200_says_what_looked_wrong(server, config_of):
    server.respond_with(reply(REFUSED))
    with pytest.raises(ModelError, match="tools belongs to chat routes"):
        invoke(config_of("/score", formatter="openai-chat", model_kwargs={"tools": [{}]}), "x")


@pytest.mark.parametrize(
    "host", ["your-endpoint.eastus.inference.ml.azure.com", "NAME.REGION.inference.ml.azure.com", "www.example.com"]
)
def test_placeholder_url_is_said_when_it_cannot_be_reached(host):
    config = LLMConfig(endpoint_url=f"https://{host}/score", key=Secret("k"))
    error = APIConnectionError("no such host", error_code="connection-connect-error")
    assert "looks like a placeholder" in explain(error, config, config.endpoint_url).remedy


def test_error_that_tells_what_is_wrong_keeps_its_remedy():
    config = LLMConfig(endpoint_url=FOUNDRY + "/models/chat/completions", key=Secret("k"))
    error = BadRequestError("It is too long", remedy="Shorten the prompt.", error_code="prompt-too-long")
    assert explain(error, config, config.endpoint_url).remedy == "Shorten the prompt."


def test_unknown_path_on_a_known_host_is_said_with_a_refusal():
    config = LLMConfig(endpoint_url=FOUNDRY + "/x", key=Secret("k"), model="m")
    error = explain(status_error(404, {}, b""), config, config.endpoint_url)
    assert (error.error_code, error.facts["notice"]) == (
        "unknown-path",
        "/x is not a known path of a Foundry or Azure OpenAI resource: it is used as written.",
    )
