"""The deployments behind the emulator: each has a name and a wire format.

`azureml-model-deployment: NAME` pins one; so do `?emulator-deployment=NAME` and the Kubernetes form
`/api/v1/endpoint/NAME/…`. Otherwise the deployment "blue" responds, which selects the wire format by the body's shape.
"""

from __future__ import annotations

from typing import NamedTuple


class Deployment(NamedTuple):
    """A deployment.

    Attributes:
        name: What it is pinned by.
        summary: What it does, for GET /emulator.
        model: The model's name that it reports.
        routes: The paths that its container serves; "*" for all.
        swagger: The style of its swagger document.
    """

    name: str
    summary: str
    model: str
    routes: tuple[str, ...]
    swagger: str


_CHAT = (
    "/chat/completions",
    "/v1/chat/completions",
    "/models/chat/completions",
    "/openai/v1/chat/completions",
    "/openai/deployments/chat/completions",
)
_COMPLETIONS = (
    "/completions",
    "/v1/completions",
    "/openai/v1/completions",
    "/openai/deployments/completions",
)
_SCORE = ("/score", "/swagger.json", "/")
_INFO = ("/info", "/v1/models", "/swagger.json", "/")
_TGI = ("/generate", "/generate_stream", "/info", "/", "/swagger.json")

BLUE = Deployment(
    "blue",
    "every wire format and route; the body's shape selects it on /score",
    "azml-magics-demo",
    ("*",),
    "",
)

DEPLOYMENTS: dict[str, Deployment] = {
    deployment.name: deployment
    for deployment in (
        BLUE,
        Deployment("gpt2", "GPT-2 today: input_data list and params", "gpt2", _SCORE, "mlflow"),
        Deployment("gpt2-2023-11", "GPT-2 of November 2023: input_data.input_string", "gpt2", _SCORE, "strings"),
        Deployment("gpt2-2023-06", "GPT-2 of June 2023: inputs.input_string", "gpt2", _SCORE, "inputs"),
        Deployment("dolly", "Dolly: input_data.input_string, parameters beside it", "dolly-v2", _SCORE, "dolly"),
        Deployment("hf", "Hugging Face inputs, a list or a string", "hf-text-generation", _SCORE, "hf"),
        Deployment("text", "dedicated completion: input_data.input_string", "llama-2-7b", _SCORE, "text"),
        Deployment("llama2", "dedicated chat: input_data.input_string of messages", "llama-2-7b-chat", _SCORE, "chat"),
        Deployment("mlflow", "MLflow no-code: list, split, records, string", "mlflow-text", _SCORE, "mlflow"),
        Deployment("bart", "summaries: sentences taken from the text", "bart-large-cnn", _SCORE, "mlflow"),
        Deployment("t5", "translations of the tutorial's sentences", "t5-base", _SCORE, "mlflow"),
        Deployment("tgi", "text-generation-inference", "tgi-text-generation", _TGI, "tgi"),
        Deployment("promptflow", "a prompt flow: question, chat_history", "chat-flow", _SCORE, "promptflow"),
        Deployment("promptflow-json", "a prompt flow that does not stream", "chat-flow", _SCORE, "promptflow"),
        Deployment("promptflow-outputs", "a prompt flow with other outputs", "chat-flow", _SCORE, "promptflow"),
        Deployment("promptflow-names", "a prompt flow: query, turns, reply", "chat-flow", _SCORE, "promptflow"),
        Deployment("openai", "OpenAI routes only, no /score", "demo-chat", _CHAT + _COMPLETIONS + _INFO, "openai"),
        Deployment("chat", "catalogue image, chat task", "phi-3-mini", (*_CHAT, "/score", *_INFO), "openai-chat"),
        Deployment(
            "completion",
            "catalogue image, completion task",
            "phi-2",
            (*_COMPLETIONS, "/score", *_INFO),
            "openai-completion",
        ),
        Deployment("fms", "the image of 2026: /score with usage", "fms-chat", (*_CHAT, "/score", *_INFO), "chat"),
        Deployment(
            "fms-reasoning", "the image of 2026 with a reasoning model", "demo-reasoning", ("/score", *_INFO), "chat"
        ),
        Deployment("embeddings", "MLflow embeddings on /score", "e5-small", _SCORE, "mlflow"),
        Deployment("reasoning", "chat with reasoning_content", "demo-reasoning", _CHAT + _INFO, "openai"),
        Deployment("think", "chat with <think> tags in the text", "demo-think", _CHAT + _INFO, "openai"),
    )
}


def serves(deployment: Deployment, route: str) -> bool:
    """Return whether the container of `deployment` has `route`."""
    return "*" in deployment.routes or route in deployment.routes
