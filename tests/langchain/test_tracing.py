"""What traces say."""

from __future__ import annotations

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.base import BaseTracer

from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint

SCORE = "https://name.region.inference.ml.azure.com/score"


class Runs(BaseTracer):
    """Keeps the runs that a tracer, such as LangSmith's, sends when they end."""

    def __init__(self):
        super().__init__()
        self.ended = []

    def _persist_run(self, run):
        self.ended.append(run)


@pytest.mark.parametrize("kind", [AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])
def test_ls_params_describe_the_call(kind):
    model = kind(endpoint_url=SCORE, model_kwargs={"temperature": 0.5, "max_new_tokens": 9, "stop": "x"})
    params = model._get_ls_params()
    assert "ls_model_name" not in params, "neither a host nor a class is a model"
    assert params["ls_model_type"] == ("llm" if kind is AzureMLOnlineEndpoint else "chat")
    assert params["ls_provider"] == "azureml"
    assert (params["ls_temperature"], params["ls_max_tokens"], params["ls_stop"]) == (0.5, 9, ["x"])
    model.deployment_name = "blue"
    assert model._get_ls_params()["ls_model_name"] == "blue"
    assert model._get_ls_params(deployment_name="green")["ls_model_name"] == "green"
    model.model = "demo"
    assert model._get_ls_params()["ls_model_name"] == "demo"
    call = model._get_ls_params(stop=["y"], model="other", temperature=0, max_tokens=3)
    assert (call["ls_model_name"], call["ls_temperature"], call["ls_max_tokens"]) == ("other", 0, 3)
    assert call["ls_stop"] == ["y"]


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
@pytest.mark.parametrize("kind", ["chat", "completion"])
async def test_traces_name_the_model_that_answered(request, kind, way):
    model, runs = request.getfixturevalue(kind), Runs()
    call = getattr(model, way)("Name a river.", {"callbacks": [runs]})
    if way == "ainvoke":
        await call
    elif way == "astream":
        [piece async for piece in call]
    elif way == "stream":
        list(call)
    (run,) = runs.ended
    assert run.metadata["ls_provider"] == "azureml"
    assert run.metadata["ls_model_name"] == "azml-magics-demo"


def test_traces_in_a_chain_name_the_model_that_answered(chat):
    runs = Runs()
    chain = RunnableLambda(lambda text: "".join(chunk.content for chunk in chat.stream(text)))
    chain.invoke("Name a river.", {"callbacks": [runs]})
    (run,) = [run for run in runs.ended[0].child_runs if run.run_type in {"llm", "chat_model"}]
    assert run.metadata["ls_model_name"] == "azml-magics-demo"


def test_traces_have_the_details_of_the_usage(endpoint):
    url, runs = f"{endpoint.url}/v1/chat/completions", Runs()
    model = AzureMLChatOnlineEndpoint(endpoint_url=url, model="reasoning", metadata={"team": "blue"})
    model.invoke("Why is the sky blue?", {"callbacks": [runs]})
    message = runs.ended[0].outputs["generations"][0][0]["message"]["kwargs"]
    assert message["usage_metadata"]["output_token_details"]["reasoning"] > 0
    assert message["response_metadata"]["model_provider"] == "azureml"
    assert runs.ended[0].metadata["team"] == "blue"
    assert "ls_model_name" not in model.metadata, "what a call reports stays out of the model's own metadata"


def test_identifying_params_begin_as_those_of_the_original():
    text = AzureMLOnlineEndpoint(deployment_name="blue", model_kwargs={"x": 1}, content_formatter="gpt2", model="m")
    assert text._llm_type == "azureml_endpoint"
    assert text._identifying_params == {
        "deployment_name": "blue",
        "model_kwargs": {"x": 1},
        "endpoint_api_type": "dedicated",
        "model": "m",
        "content_formatter": "gpt2",
    }
    assert "Params: {'deployment_name': 'blue', 'model_kwargs': {'x': 1}" in str(text)
    chat = AzureMLChatOnlineEndpoint()
    assert chat._llm_type == "azureml_chat_endpoint"
    assert chat._identifying_params["model_kwargs"] == {}
