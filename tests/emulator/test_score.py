"""/score: each wire format gets the response of its real container."""

from __future__ import annotations

import json

import pytest

from tests.core.captures.examples import FOLDER

NO_REPLY = "is not a language model"  # in the reply to a prompt for which none is prepared


def score(client, body, deployment=None, **headers):
    if deployment:
        headers["azureml-model-deployment"] = deployment
    return client.post("/score", json=body, headers=headers)


def test_gpt2_june_2023_repeats_prompts_in_records(client):
    response = score(
        client, {"inputs": {"input_string": ["My name is", "Once"]}, "parameters": {"max_new_tokens": 40}}
    ).json()
    assert [list(record) for record in response] == [["0"], ["0"]]
    assert response[0]["0"].startswith("My name is ")
    assert response[1]["0"].startswith("Once ")
    assert NO_REPLY in response[1]["0"]


def test_gpt2_november_2023_repeats_prompts(client):
    response = score(client, {"input_data": {"input_string": ["My name is", "Once"]}}).json()
    assert len(response) == 2
    assert response[0]["0"].startswith("My name is ")


@pytest.mark.parametrize("deployment", [None, "gpt2", "mlflow"])
def test_gpt2_today_returns_list_of_strings(client, deployment):
    body = {"input_data": ["My name is"], "params": {"max_new_tokens": 30}}
    assert score(client, body, deployment).json()[0].startswith("My name is ")
    body["params"]["return_full_text"] = False
    assert NO_REPLY in score(client, body, deployment).json()[0]


def test_dolly_does_not_repeat_the_prompt(client):
    body = {"input_data": {"input_string": ["Explain fusion."]}, "parameters": {}}
    for deployment in (None, "dolly"):
        assert NO_REPLY in score(client, body, deployment).json()[0]["0"]


def test_hugging_face_takes_list_and_string(client):
    assert NO_REPLY in score(client, {"inputs": ["Hi there, Azure"]}).json()[0]["0"]["generated_text"]
    assert NO_REPLY in score(client, {"inputs": "Hi there, Azure"}, "hf").json()[0]["generated_text"]
    two = score(client, {"inputs": ["a b c", "d e f"]}).json()
    assert [list(record) for record in two] == [["0"], ["0"]]


def test_dedicated_completion_returns_one_record_for_several_prompts(client):
    body = {"input_data": {"input_string": ["One thing", "Two things"], "parameters": {"max_new_tokens": 30}}}
    for deployment in (None, "text"):
        (record,) = score(client, body, deployment).json()
        assert list(record) == ["0", "1"]


def test_dedicated_chat_returns_output(client):
    body = {"input_data": {"input_string": [{"role": "user", "content": "Hello"}], "parameters": {}}}
    for deployment in (None, "llama2", "chat"):
        response = score(client, body, deployment)
        assert response.content.startswith(b'{"output":"H')


def test_image_of_2026_returns_usage(client):
    body = {"input_data": {"input_string": [{"role": "user", "content": "Hello"}], "parameters": {"max_new_tokens": 3}}}
    response = score(client, body, "fms").json()
    assert response["finish_reason"] == "length"
    assert response["usage"]["completion_tokens"] == 3
    assert response["message"] == {"role": "assistant", "content": response["output"]}
    text = score(client, {"input_data": {"input_string": ["Hi"], "parameters": {}}}, "fms").json()
    assert isinstance(text["output"], list)
    assert score(client, {"inputs": ["Hi"]}, "fms").json() == {}


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ("What is Azure?", str),
        (["What is Azure?"], str),
        ({"columns": ["input_string"], "index": [0], "data": [["What is Azure?"]]}, dict),
        ({"columns": ["input_string"], "index": [0], "data": ["What is Azure?"]}, dict),
        ([{"question": "What is Azure?"}], dict),
    ],
)
def test_mlflow_takes_every_form_of_input_data(client, given, shape):
    (row,) = score(client, {"input_data": given}, "mlflow").json()
    assert isinstance(row, shape)
    assert "Azure" in (row if shape is str else row["0"])


TEXT = (
    "The bridge over the river was closed for repairs in March. Engineers found cracks in two of the river bridge's "
    "pillars. A cat slept nearby. The repairs of the bridge will take the engineers until June."
)


def test_bart_extracts_sentences_of_the_text(client):
    response = score(client, {"inputs": [TEXT], "parameters": {}, "options": {"wait_for_model": True}}, "bart").json()
    summary = response[0]["summary_text"]
    assert summary in TEXT
    assert "cat" not in summary
    assert summary in score(client, {"input_data": [TEXT]}, "bart").json()[0]


def test_t5_translates_what_is_prepared(client):
    response = score(client, {"inputs": ["translate English to German: Good morning"]}, "t5").json()
    assert response[0]["translation_text"] == "Guten Morgen!"


def test_promptflow_answers_and_streams_without_done(client, events):
    body = {"question": "What is Azure ML?", "chat_history": []}
    answer = score(client, body).json()["answer"]
    streamed = score(client, body, "promptflow", accept="text/event-stream")
    assert "".join(event["answer"] for event in events(streamed)) == answer
    assert b"[DONE]" not in streamed.content
    refused = score(client, body, "promptflow", accept="image/png")
    assert (refused.status_code, refused.headers["ms-azureml-model-error-statuscode"]) == (424, "406")
    assert refused.json()["error"]["code"] == "UserError"


def test_flow_that_does_not_stream_refuses_events_alone(client):
    body = {"question": "Hello"}
    refused = score(client, body, "promptflow-json", accept="text/event-stream")
    assert refused.json()["error"]["message"] == (
        "Media type text/event-stream in Accept header is not acceptable. Supported media type(s) - application/json"
    )
    both = score(client, body, "promptflow-json", accept="text/event-stream, application/json")
    assert both.json()["answer"].startswith("Hello!")


def test_other_outputs_of_a_flow_come_first(client, events):
    body = {"question": "Hello"}
    streamed = events(score(client, body, "promptflow-outputs", accept="text/event-stream"))
    assert streamed[0] == {"context": "From the handbook, page 3.", "sources": ["handbook.pdf"]}
    assert "".join(event["answer"] for event in streamed[1:]).startswith("Hello!")
    assert list(score(client, body, "promptflow-outputs").json()) == ["answer", "context", "sources"]


def test_flow_has_its_own_names(client):
    history = [{"inputs": {"query": "My name is Ada."}, "outputs": {"reply": "Hello Ada"}}]
    found = score(client, {"query": "What is my name?", "turns": history}, "promptflow-names").json()
    assert "Ada" in found["reply"]
    refused = score(client, {"question": "Hello"}, "promptflow-names")
    assert refused.json()["error"]["message"] == "Required input(s) ['query'] are missing."


def test_promptflow_knows_the_chat_history(client):
    history = [{"inputs": {"question": "My name is Ada."}, "outputs": {"answer": "Hello Ada"}}]
    assert "Ada" in score(client, {"question": "What is my name?", "chat_history": history}).json()["answer"]


@pytest.mark.parametrize(
    ("deployment", "body", "inner", "message"),
    [
        ("llama2", {"inputs": ["x"]}, "400", "A value is not provided for the 'input_data' parameter."),
        ("hf", {"input_data": ["x"]}, "400", "A value is not provided for the 'inputs' parameter."),
        ("gpt2", {"input_data": {"input_string": ["x"]}}, "500", "An unexpected error occurred in scoring script."),
        (None, {"hello": 1}, "400", "A value is not provided for the 'input_data' parameter."),
        (None, [1], "400", "POST body should be a JSON dictionary."),
    ],
)
def test_body_of_another_format_gets_424(client, deployment, body, inner, message):
    response = score(client, body, deployment)
    assert response.status_code == 424
    assert response.headers["ms-azureml-model-error-statuscode"] == inner
    assert response.headers["ms-azureml-model-error-reason"] == "model_error"
    assert response.json()["message"].startswith(message)


def test_bodies_that_are_not_json(client):
    broken = client.post("/score", content=b'{"inputs": ', headers={"content-type": "application/json"})
    assert (
        broken.json()["message"]
        == "POST body could not be decoded as JSON: Expecting value: line 1 column 12 (char 11)"
    )
    form = client.post("/score", content=b"{}", headers={"content-type": "text/plain"})
    assert form.headers["ms-azureml-model-error-statuscode"] == "415"
    empty = client.post("/score", headers={"content-type": "application/json"})
    assert empty.json() == {"message": "POST body is empty. Expecting a JSON dictionary."}


def test_unknown_deployment_gets_404(client):
    response = score(client, {"inputs": ["x"]}, "green")
    assert (response.status_code, response.text) == (404, "Specified traffic group could not be found")


def test_unserved_route_gets_424_with_inner_404(client):
    response = client.post("/v1/chat/completions", json={}, headers={"azureml-model-deployment": "gpt2"})
    assert (response.status_code, response.headers["ms-azureml-model-error-statuscode"]) == (424, "404")
    assert response.json()["message"].startswith("The requested URL was not found on the server.")
    openai = score(client, {"inputs": ["x"]}, "openai")
    assert (openai.status_code, openai.json()) == (424, {"detail": "Not Found"})


def test_url_can_pin_a_deployment(client):
    for route in ("/score?emulator-deployment=bart", "/api/v1/endpoint/bart/score"):
        response = client.post(route, json={"inputs": [TEXT]})
        assert response.headers["azureml-model-deployment"] == "bart"
        assert "summary_text" in response.json()[0]
    assert (
        client.post("/api/v1/endpoint/my-endpoint/score", json={"inputs": ["x"]}).headers["azureml-model-deployment"]
        == "blue"
    )


def test_response_has_azure_headers(client):
    response = score(client, {"inputs": ["x"]}, **{"x-ms-client-request-id": "a" * 60, "x-request-id": "mine"})
    assert response.headers["x-ms-client-request-id"] == "a" * 40
    assert len(response.headers["x-request-id"]) == 36
    assert response.headers["azureml-model-deployment"] == "blue"


def test_stop_and_limit_names_are_accepted(client):
    for name in ("max_new_tokens", "max_tokens", "max_gen_len"):
        response = score(client, {"input_data": {"input_string": ["Hi"], "parameters": {name: 4}}}).json()
        assert response == [{"0": "Hello! How can"}]
    stopped = score(client, {"inputs": "Hi", "parameters": {"stop": [" help"]}}).json()
    assert stopped == [{"generated_text": "Hello! How can I"}]


def messages(text, **parameters):
    return {"input_data": {"input_string": [{"role": "user", "content": text}], "parameters": parameters}}


def test_image_of_2026_sends_reasoning_beside_the_output(client):
    example = json.loads((FOLDER / "score/01-reply-reasoning.json").read_text())
    found = score(client, messages("Why is the sea salty?"), "fms-reasoning").json()
    assert list(found) == list(example)
    assert list(found["message"]) == list(example["message"])
    assert found["reasoning_content"] == found["message"]["reasoning"]


def test_image_of_2026_has_no_output_if_reasoning_takes_the_limit(client):
    found = score(client, messages("Why is the sea salty?", max_tokens=3), "fms-reasoning").json()
    assert (found["output"], found["finish_reason"]) == (None, "length")
    assert found["reasoning_content"] == "Rivers carry dissolved"


def test_image_of_2026_calls_tools(client):
    example = json.loads((FOLDER / "score/03-reply-tool-calls.json").read_text())
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
    found = score(client, messages("Call get_weather", tools=[tool]), "fms").json()
    assert list(found) == list(example)
    assert found["tool_calls"][0]["function"]["name"] == "get_weather"
    assert found["output"] is None


def test_embeddings_on_score_are_vectors(client):
    first, second = score(client, {"input_data": ["a", "b"]}, "embeddings").json()
    assert len(first) == len(second) == 8
