"""%azureml detect: the formatter that a deployment needs, and a line to type that works as printed."""

from __future__ import annotations

import re

import pytest

from azml_magics.azure.descriptions import swagger_url
from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import Interrupted
from azml_magics.emulator import Fault
from azml_magics.emulator.deployments import DEPLOYMENTS

PINNED = [name for name in DEPLOYMENTS if name not in ("blue", "embeddings")]


@pytest.fixture
def unknown(notebook, endpoint):
    """Save `it`: a deployment whose formatter is not known yet."""

    def save(deployment, path="/score"):
        notebook.ok(f"%azureml save it --url {endpoint.url}{path} --deployment '{deployment}' --key env:TEST_KEY")
        return notebook

    return save


def follow(notebook, table):
    """Type what the note says, and ask."""
    line = re.fullmatch(r"To use it: (%azureml save it.* -f \S+)", table.note)
    assert line, table.note
    notebook.ok(line[1])
    return notebook.ok("%%azureml it\nSay hello to Ada.")


@pytest.mark.parametrize("deployment", PINNED)
def test_line_printed_from_swagger_works(unknown, endpoint, deployment):
    notebook = unknown(deployment)
    table = notebook.ok("%azureml detect it").result
    assert [request.method for request in endpoint.requests] == ["GET"]
    assert endpoint.requests[0].path == "/swagger.json"
    assert endpoint.requests[0].headers["azureml-model-deployment"] == deployment
    assert table.headings == ("formatter", "route", "because")
    assert all(because for _, _, because in table.rows)
    assert follow(notebook, table).text
    assert endpoint.requests[-1].headers["azureml-model-deployment"] == deployment


@pytest.mark.parametrize("deployment", PINNED)
def test_line_printed_from_probing_works(unknown, endpoint, deployment):
    notebook = unknown(deployment)
    table = notebook.ok("%azureml detect it --probe").result
    assert "it responded" in table.rows[0][2]
    assert len([request for request in endpoint.requests if request.method == "POST"]) <= 12
    assert follow(notebook, table).text


def test_probing_is_announced_and_stops_at_the_first_that_works(unknown, endpoint):
    notebook = unknown("blue")
    table = notebook.ok("%azureml detect it").result
    assert [row[0] for row in table.rows] == ["openai-chat"], "its /info names a chat model"
    endpoint.requests.clear()
    ran = notebook.ok("%azureml detect it --probe")
    assert ran.stderr == f"azureml: Sending at most 12 short prompts to {Origin.of(endpoint.url).netloc}.\n"
    assert len([request for request in endpoint.requests if request.method == "POST"]) == 2
    assert follow(notebook, ran.result).text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/chat/completions", "%azureml save it -f openai-chat"),
        ("/chat/completions", "%azureml save it -f openai-chat"),
        ("/v1/completions", "%azureml save it -f openai"),
        ("/v1", "%azureml save it -f openai-chat"),
        ("/score", "%azureml save it --url {url}/v1/chat/completions -f openai-chat"),
        ("/score?emulator-rate=0", "%azureml save it --url {url}/v1/chat/completions?emulator-rate=0 -f openai-chat"),
    ],
)
def test_url_changes_only_if_needed(unknown, endpoint, path, says):
    notebook = unknown("openai", path)
    table = notebook.ok("%azureml detect it").result
    assert table.note == f"To use it: {says.format(url=endpoint.url)}"
    assert follow(notebook, table).text


def test_kubernetes_prefix_stays(unknown, endpoint):
    notebook = unknown("", "/api/v1/endpoint/openai/score")
    table = notebook.ok("%azureml detect it").result
    assert endpoint.requests[-1].path == "/api/v1/endpoint/openai/swagger.json"
    assert f"--url {endpoint.url}/api/v1/endpoint/openai/v1/chat/completions" in table.note
    assert follow(notebook, table).text


def test_url_uses_key_of_config_for_its_host(asking, endpoint):
    asking.ok("%azureml save other --url https://elsewhere.example/score")
    asking.ok("%azureml use other")
    table = asking.ok(f"%azureml detect {endpoint.url}/api/v1/endpoint/dolly/score").result
    assert [row[0] for row in table.rows] == ["dolly"]
    url = f"{endpoint.url}/api/v1/endpoint/dolly/score"
    assert table.note == f"To use it: %azureml save NAME --url {url} -f dolly"


def test_active_config_is_the_default(asking, unknown, endpoint):
    unknown("hf")
    asking.ok("%azureml use it")
    asking.ok("%config AzureMLMagics.default_config = 'it'")
    asking.ok("%azureml use main")
    asking.ok("%azureml detect")
    assert "azureml-model-deployment" not in endpoint.requests[-1].headers


def test_formatter_is_listed_with_its_evidence(unknown):
    table = unknown("gpt2-2023-06").ok("%azureml detect it").result
    assert [tuple(row) for row in table.rows] == [("gpt2", "/score", "its example has inputs.input_string")]


def test_table_model_is_recognized(notebook, endpoint, monkeypatch):
    from azml_magics.core import client

    swagger = b'{"definitions": {"ServiceInput": {"example": {"Inputs": {"data": []}}}}, "paths": {"/score": {}}}'
    monkeypatch.setattr(client, "fetch", lambda config, url: swagger)
    notebook.ok(f"%azureml save it --url {endpoint.url}/score --key env:TEST_KEY")
    assert "This does not look like a language model." in notebook.ok("%azureml detect it").result.note


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        (Fault("404"), "No swagger: "),
        (Fault("503"), "No swagger: "),
        (Fault("html-200"), "swagger.json is not JSON."),
        (Fault("empty"), "swagger.json is not JSON."),
        (Fault("empty-object"), "The swagger document does not tell."),
        (Fault("nan"), "The swagger document does not tell."),
    ],
)
def test_missing_swagger_suggests_probing(unknown, endpoint, fault, note):
    notebook = unknown("hf")
    notebook.ok("%azureml save it --retries 0")
    endpoint.script([fault])
    table = notebook.ok("%azureml detect it").result
    assert table.rows == []
    assert note in table.note
    assert "Try %azureml detect it --probe" in table.note


@pytest.mark.parametrize("probe", ["", " --probe"])
@pytest.mark.parametrize(
    ("save", "error"),
    [
        ("--key env:NOT_THERE", "KeyNotFoundError: No key: the environment variable NOT_THERE is not set"),
        ("--key env:WRONG", "AuthenticationError: "),
        ("--url http://127.0.0.1:9/score --retries 0", "APIConnectionError: "),
    ],
)
def test_failures_of_every_format_stop_probing(unknown, monkeypatch, save, error, probe):
    monkeypatch.setenv("WRONG", "not-the-key")
    notebook = unknown("hf")
    notebook.ok(f"%azureml save it {save}")
    assert notebook.refused(f"%azureml detect it{probe}").startswith(error)


def test_probing_stops_at_a_rate_limit(unknown, endpoint):
    notebook = unknown("hf")
    endpoint.script([None, Fault("429")])
    assert notebook.refused("%azureml detect it --probe").startswith("RateLimitError: ")


def test_probing_requests_few_tokens_of_two_prompts(unknown, endpoint):
    unknown("llama2").ok("%azureml detect it --probe")
    probes = [request.json()["input_data"] for request in endpoint.requests if request.method == "POST"]
    assert [probe["parameters"] for probe in probes] == [{"max_tokens": 24}, {"max_tokens": 4}]
    assert len({probe["input_string"][0]["content"] for probe in probes}) == 2


@pytest.mark.parametrize(
    ("path", "model", "formatter"),
    [
        ("/openai/v1", "gpt-5-codex", "openai-responses"),
        ("/openai/v1", "gpt-5-mini", "openai-responses"),
        ("/anthropic/v1", "claude-sonnet-4-6", "anthropic-messages"),
    ],
)
def test_probing_finds_the_wire_format_of_foundry_models(notebook, endpoint, path, model, formatter):
    notebook.ok(f"%azureml save it --url {endpoint.url}{path} --model {model} --key env:TEST_KEY")
    table = notebook.ok("%azureml detect it --probe").result
    assert table.rows[0][0] == formatter
    assert follow(notebook, table).text


def test_embeddings_model_is_found_on_foundry(notebook, endpoint):
    url = f"{endpoint.url}/openai/v1/chat/completions"
    notebook.ok(f"%azureml save it --url {url} --model text-embedding-3-small --key env:TEST_KEY")
    table = notebook.ok("%azureml detect it --probe").result
    assert table.note == f"To use it: %azureml save it --url {endpoint.url}/openai/v1/embeddings -f embeddings"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("detect nope", "UnknownNameError: No config named 'nope'"),
        ("detect", "ConfigError: There is no config yet"),
        ("detect http://example.com/score", "ConfigError: http://example.com would carry the key in clear text"),
        ("detect https:///score", "ConfigError: The endpoint URL 'https:///score' is not complete"),
    ],
)
def test_invalid_target_is_one_line(notebook, line, error):
    assert notebook.refused(f"%azureml {line}").startswith(error)


def test_config_without_url_is_refused(notebook):
    notebook.ok("%azureml save bare -f gpt2")
    assert notebook.refused("%azureml detect bare").startswith("ConfigError: bare has no URL.")


def test_interrupt_is_one_line(unknown, monkeypatch):
    from azml_magics.core import client

    notebook = unknown("hf")

    def interrupted(config, url):
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "fetch", interrupted)
    assert notebook.refused("%azureml detect it").startswith("Interrupted: ")
    assert type(notebook.run("%azureml detect it").error) is Interrupted


@pytest.mark.parametrize(
    ("url", "swagger"),
    [
        ("https://h.example/score", "https://h.example/swagger.json"),
        ("https://h.example", "https://h.example/swagger.json"),
        ("https://h.example/v1/chat/completions", "https://h.example/swagger.json"),
        ("https://h.example/v1", "https://h.example/swagger.json"),
        ("https://h.example/generate?x=1", "https://h.example/swagger.json"),
        ("https://h.example/api/v1/endpoint/e/score", "https://h.example/api/v1/endpoint/e/swagger.json"),
        ("https://h.example/api/v1/endpoint/e", "https://h.example/api/v1/endpoint/e/swagger.json"),
    ],
)
def test_swagger_is_beside_the_route(url, swagger):
    assert swagger_url(url) == swagger
