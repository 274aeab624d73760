"""Text dialects: a prompt without roles. Each class's docstring shows its body; sources are named in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..messages import flatten, text_of
from .base import Call, Formatter, Kwarg, Payload, to_json

if TYPE_CHECKING:
    from ..config import LLMConfig

HF_KWARGS = (
    Kwarg("max_new_tokens", "integer", "the most tokens to generate", minimum=1, maximum=8192),
    Kwarg("temperature", "number", "0 is nearly deterministic, higher is more varied", minimum=0, maximum=2),
    Kwarg("top_p", "number", "sample from the likeliest tokens that make up this share", minimum=0, maximum=1),
    Kwarg("top_k", "integer", "sample from this many likeliest tokens", minimum=1, maximum=1000),
    Kwarg("do_sample", "boolean", "sample; false always takes the likeliest token"),
    Kwarg("repetition_penalty", "number", "above 1 discourages repetition", minimum=0.1, maximum=3),
    Kwarg("return_full_text", "boolean", "repeat the prompt before the answer"),
    Kwarg("stop", "strings", "stop before any of these texts"),
    Kwarg("seed", "integer", "the same seed tends to give the same answer", minimum=0),
)
OPENAI_KWARGS = (
    Kwarg(
        "temperature",
        "number",
        "0 is nearly deterministic, higher is more varied",
        minimum=0,
        maximum=2,
        default=1,
    ),
    Kwarg("top_p", "number", "sample from the likeliest tokens that make up this share", 0, 1, default=1),
    Kwarg("max_tokens", "integer", "the most tokens to generate", minimum=1, maximum=32768),
    Kwarg("frequency_penalty", "number", "above 0 discourages words used often", -2, 2, default=0),
    Kwarg("presence_penalty", "number", "above 0 encourages new words", -2, 2, default=0),
    Kwarg("stop", "strings", "stop before any of these texts"),
    Kwarg("seed", "integer", "the same seed tends to give the same answer", minimum=0),
)


class GPT2(Formatter):
    """First-generation text generation: `{"inputs": {"input_string": [p]}, "parameters": {…}}` -> `[{"0": t}]`.

    Source: the Azure ML catalogue's gpt2 of June 2023, and LangChain's GPT2ContentFormatter.
    """

    name = "gpt2"
    description = "first-generation GPT-2 style: inputs.input_string, parameters beside it"
    known_kwargs = HF_KWARGS

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": {"input_string": [call.text]}, "parameters": call.kwargs}))


class Dolly(Formatter):
    """Second generation: `{"input_data": {"input_string": [p]}, "parameters": {…}}` -> `[{"0": t}]` or `[t]`.

    Source: the Azure ML catalogue's databricks-dolly and gpt2 of November 2023, and LangChain's formatter.
    """

    name = "dolly"
    description = "Dolly and second-generation GPT-2: input_data.input_string, parameters beside it"
    known_kwargs = HF_KWARGS

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"input_data": {"input_string": [call.text]}, "parameters": call.kwargs}))


class HF(Formatter):
    """Hugging Face with a list: `{"inputs": [p], "parameters": {…}}` -> `[{"0": {"generated_text": t}}]` and kin.

    Reads summary_text and translation_text, too. Source: LangChain's HFContentFormatter; Hugging Face task API.
    """

    name = "hf"
    description = "Hugging Face models: inputs as a list, parameters beside it"
    routes = ("score", "generate")
    known_kwargs = HF_KWARGS

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": [call.text], "parameters": call.kwargs}))


class HFPlain(Formatter):
    """Hugging Face containers of the registry: `{"inputs": p, "parameters": {…}}` -> `[{"generated_text": t}]`.

    Source: azureml-examples, Hugging Face registry deployments.
    """

    name = "hf-plain"
    description = "Hugging Face registry containers: inputs as one text"
    routes = ("score", "generate")
    known_kwargs = HF_KWARGS

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": call.text, "parameters": call.kwargs}))


class MLflow(Formatter):
    """MLflow no-code deployments, among them today's gpt2: `{"input_data": [p], "params": {…}}` -> `[t]`.

    Params outside the model's signature are ignored by the server without a word. Source: Azure ML's MLflow image.
    """

    name = "mlflow"
    description = "MLflow no-code deployments and today's catalogue text models: input_data as a list, params beside it"
    known_kwargs = HF_KWARGS

    def encode(self, call: Call) -> Payload:
        body: dict[str, Any] = {"input_data": [call.text]}
        if call.kwargs:
            body["params"] = call.kwargs
        return Payload(to_json(body))


def speaks_openai(config: LLMConfig) -> bool:
    """Whether the config's endpoint wants OpenAI's bodies: its route says so, or its type where the route does not."""
    route = endpoints.route_of(config.endpoint_url)
    return route.endswith("completions") or config.endpoint_api_type == "serverless"


# The body keys of the Azure AI Model Inference API; any other one is an "extra parameter" there.
_INFERENCE_API_KEYS = frozenset(
    [
        "model",
        "messages",
        "prompt",
        "temperature",
        "top_p",
        "max_tokens",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "seed",
        "stream",
        "response_format",
        "tools",
        "tool_choice",
        "modalities",
    ]
)


def openai_payload(call: Call, body: dict[str, Any]) -> Payload:
    """`body` with the kwargs, for an OpenAI-like route: stream, usage in the stream, model, extra-parameters.

    `stream_options` goes only where it is known (the /v1 routes and Azure OpenAI): the Inference API calls it an
    extra parameter and refuses. A server that refuses it all the same gets the body again without it.
    """
    config = call.config
    url = endpoints.request_url(config.endpoint_url, "completions", config.api_version)
    body = {**body, **call.kwargs}
    model = config.model or (config.deployment_name if endpoints.needs_model(url) else None)
    if model:
        body.setdefault("model", model)
    inference_api = "/v1/" not in url and endpoints.kind_of(url) != "azure-openai"
    headers = {}
    extra = config.extra_parameters
    if inference_api and extra is None and not _INFERENCE_API_KEYS.issuperset(body):
        extra = "pass-through"
    if extra:
        headers["extra-parameters"] = extra
    if not call.stream:  # a kwarg of that name would bring a stream that nobody reads
        body.pop("stream", None)
        body.pop("stream_options", None)
        return Payload(to_json(body), headers)
    body["stream"] = True
    plain = to_json(body)
    if inference_api or "stream_options" in body:
        return Payload(plain, headers)
    return Payload(to_json({**body, "stream_options": {"include_usage": True}}), headers, fallback=plain)


class OpenAI(Formatter):
    """Completions: OpenAI's `{"prompt": p, …}` on its routes; on /score of a dedicated endpoint (the curated
    foundation-model image) `{"input_data": {"input_string": [p], "parameters": {…}}}` -> `[{"0": t}]`.

    Sources: Azure AI Model Inference API reference; Azure ML curated images; LangChain's CustomOpenAIContentFormatter.
    """

    name = "openai"
    description = "completions: prompt on OpenAI routes, input_data on /score of dedicated endpoints"
    api_types = ("dedicated", "serverless")
    routes = ("completions", "score")
    known_kwargs = OPENAI_KWARGS

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - one route for both
        route = "completions" if speaks_openai(config) else "score"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def streams(self, config: LLMConfig) -> bool:
        return speaks_openai(config)

    def ends_with_done(self, config: LLMConfig) -> bool:
        return speaks_openai(config)

    def encode(self, call: Call) -> Payload:
        if speaks_openai(call.config):
            return openai_payload(call, {"prompt": call.text})
        return Payload(to_json({"input_data": {"input_string": [call.text], "parameters": call.kwargs}}))


class TGI(Formatter):
    """Text Generation Inference: `{"inputs": p, "parameters": {…}}` on /generate, streamed on /generate_stream.

    Source: Hugging Face TGI, which registry deployments publish as their scoring route.
    """

    name = "tgi"
    description = "Hugging Face Text Generation Inference: /generate and /generate_stream"
    routes = ("generate", "generate_stream", "score")
    known_kwargs = HF_KWARGS

    def url(self, config: LLMConfig, *, stream: bool) -> str:
        url = endpoints.request_url(config.endpoint_url, "generate", config.api_version)
        head, query_mark, query = url.partition("?")
        if self.streams(config):
            head = head.removesuffix("_stream") + ("_stream" if stream else "")
        return head + query_mark + query

    def streams(self, config: LLMConfig) -> bool:
        return endpoints.route_of(config.endpoint_url) != "score"

    def ends_with_done(self, config: LLMConfig) -> bool:
        return self.streams(config)

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": call.text, "parameters": call.kwargs}))


class PromptFlow(Formatter):
    """A deployed prompt flow: `{"question": p, "chat_history": […], …}` -> `{"answer": t}`; kwargs are further inputs.

    It streams when asked by `Accept: text/event-stream`. Source: prompt flow, "streaming mode".
    """

    name = "promptflow"
    description = "a deployed prompt flow: question and chat_history in, answer out"
    chat = True

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - every flow may be asked
        return True

    def encode(self, call: Call) -> Payload:
        *earlier, last = [turn for turn in call.messages if turn.get("role") != "system"] or [{"content": ""}]
        system = [turn for turn in call.messages if turn.get("role") == "system"]
        pairs = zip(earlier[::2], earlier[1::2], strict=False)
        history = [
            {
                "inputs": {"question": text_of(asked.get("content"))},
                "outputs": {"answer": text_of(told.get("content"))},
            }
            for asked, told in pairs
        ]
        body = {"question": flatten([*system, last]), "chat_history": history, **call.kwargs}
        headers = {"Accept": "text/event-stream" if call.stream else "application/json"}
        return Payload(to_json(body), headers)
