"""swagger.json, /info and /v1/models of each deployment."""

from __future__ import annotations

import pytest

from azml_magics.emulator.deployments import DEPLOYMENTS
from azml_magics.emulator.promptflow_route import FLOWS


def swagger(client, deployment, query=""):
    return client.get(f"/swagger.json{query}", headers={"azureml-model-deployment": deployment})


def given(client, deployment):
    return swagger(client, deployment).json()["definitions"]["ServiceInput"]


def test_document_is_swagger_2_by_default(client):
    document = swagger(client, "gpt2-2023-06").json()
    assert (document["swagger"], document["info"]["title"]) == ("2.0", "ML service")
    assert list(document["paths"]) == ["/", "/score", "/swagger.json"]
    assert swagger(client, "gpt2", "?version=3").json()["openapi"].startswith("3.0")
    assert swagger(client, "gpt2", "?version=3.1").json()["openapi"].startswith("3.1")
    odd = swagger(client, "gpt2", "?version=9")
    assert odd.json() == {"message": "Swagger version [9] is not valid. Supported versions: [2, 3, 3.1]."}


def test_document_distinguishes_wire_formats(client):
    assert "input_string" in given(client, "gpt2-2023-06")["properties"]["inputs"]["properties"]
    assert given(client, "text")["example"]["input_data"]["input_string"] == ["the meaning of life is"]
    assert given(client, "llama2")["example"]["input_data"]["input_string"][0]["role"] == "user"
    assert given(client, "mlflow")["properties"]["input_data"]["type"] == "array"
    assert given(client, "hf")["properties"]["inputs"]["type"] == "array"
    assert given(client, "blue") == {"type": "object", "example": {}}


@pytest.mark.parametrize(
    ("deployment", "names"),
    [("promptflow-outputs", ("question", "chat_history", "answer")), ("promptflow-names", ("query", "turns", "reply"))],
)
def test_flow_names_its_inputs_and_output(client, deployment, names):
    document = swagger(client, deployment).json()
    assert tuple(document["info"][f"x-chat-{part}"] for part in ("input", "history", "output")) == names
    assert list(given_to_flow(document)["properties"]) == list(names[:2])


def given_to_flow(document):
    return document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]


def test_catalogue_images_list_routes_of_their_task(client):
    chat, text = swagger(client, "chat").json(), swagger(client, "completion").json()
    assert chat["info"]["title"] == "AzureML Foundation Model Inference Server"
    assert "/chat/completions" in chat["paths"]
    assert "/completions" not in chat["paths"]
    assert "/completions" in text["paths"]
    assert "/generate" in swagger(client, "tgi").json()["paths"]


@pytest.mark.parametrize("deployment", list(DEPLOYMENTS))
def test_document_example_is_a_valid_body(client, deployment):
    document = swagger(client, deployment).json()
    example = document.get("definitions", {}).get("ServiceInput", {}).get("example")
    if not example:
        score = (
            document["paths"]
            .get("/score", {})
            .get("post", {})
            .get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
        )
        example = score.get("examples", {}).get("example", {}).get("value")
    if not example:
        assert deployment in ("blue", "openai", "tgi", "reasoning", "think", *FLOWS)
        return
    response = client.post("/score", json=example, headers={"azureml-model-deployment": deployment})
    assert response.status_code == 200, response.text


def test_info_and_models_name_the_model(client):
    assert client.get("/info").json()["model_type"] == "chat-completion"
    assert client.get("/info?model=mine").json()["model_name"] == "mine"
    pinned = client.get("/info", headers={"azureml-model-deployment": "completion"}).json()
    assert (pinned["model_name"], pinned["model_type"]) == ("phi-2", "completion")
    assert client.get("/v1/models").json()["data"][0]["id"] == "azml-magics-demo"
