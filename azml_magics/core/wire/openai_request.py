"""What the requests on OpenAI routes have in common: kwargs beside the prompt, stream options, the model's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import endpoints
from .base import Call, Kwarg, Payload, to_json

if TYPE_CHECKING:
    from ..config import LLMConfig

_REFUSED = "; reasoning models refuse it"
OPENAI_KWARGS = (
    Kwarg("temperature", "number", "0 is nearly deterministic; reasoning models take 1 alone", 0, 2, default=1),
    Kwarg("top_p", "number", f"sample from the likeliest tokens of this share{_REFUSED}", 0, 1, default=1),
    Kwarg("max_tokens", "integer", f"the most tokens to generate{_REFUSED}", minimum=1, maximum=32768),
    Kwarg("frequency_penalty", "number", f"above 0 discourages words used often{_REFUSED}", -2, 2, default=0),
    Kwarg("presence_penalty", "number", f"above 0 encourages new words{_REFUSED}", -2, 2, default=0),
    Kwarg("stop", "strings", "stop before any of these texts"),
    Kwarg("seed", "integer", "the same seed tends to give the same response", minimum=0),
)
CHAT_KWARGS = (
    *OPENAI_KWARGS,
    Kwarg("response_format", "object", 'such as {"type": "json_object"}'),
    Kwarg("tools", "object", "functions that the model may ask to call"),
    Kwarg("tool_choice", "string", "auto, none, required, or one tool"),
)
OPENAI_CHAT_KWARGS = (
    *CHAT_KWARGS,
    Kwarg("max_completion_tokens", "integer", "the most tokens to generate, thoughts included", 1, 131072),
    Kwarg("reasoning_effort", "string", "none, minimal, low, medium, high or xhigh: how long the model thinks"),
    Kwarg("verbosity", "string", "low, medium or high: the length of the response"),
)
"""Those of chat on OpenAI routes, which have reasoning models as well."""
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
        "input",
        "input_type",
        "encoding_format",
        "dimensions",
    ]
)


def model_of(config: LLMConfig, url: str) -> str | None:
    """Return the model that the body of a request to `url` names; None if it names none."""
    return config.model or (config.deployment_name if endpoints.needs_model(url) else None)


def encode_openai(call: Call, body: dict[str, Any]) -> Payload:
    """Return `body` with the model kwargs, the model's name and the stream options of an OpenAI route.

    `stream_options` is sent only on routes that know it (/v1 and Azure OpenAI): the Inference API takes it for an
    extra parameter and refuses it. The fallback is the same body without it, for servers that refuse it all the same.

    Args:
        call: The call.
        body: What the route's own format puts in the body: the prompt or the messages.
    """
    config = call.config
    url = endpoints.request_url(config.endpoint_url, "completions", config.api_version)
    body = {**body, **call.kwargs}
    if model := model_of(config, url):
        body.setdefault("model", model)
    is_inference_api = endpoints.is_inference_api(url)
    extra = config.extra_parameters
    if is_inference_api and extra is None and not _INFERENCE_API_KEYS.issuperset(body):
        extra = "pass-through"
    headers = {"extra-parameters": extra} if extra else {}
    if not call.stream:  # the response is read whole, also if a kwarg asks for a stream
        if body.get("stream"):
            del body["stream"]
        body.pop("stream_options", None)
        return Payload(to_json(body), headers)
    body["stream"] = True
    plain = to_json(body)
    if is_inference_api or "stream_options" in body:
        return Payload(plain, headers)
    return Payload(to_json({**body, "stream_options": {"include_usage": True}}), headers, fallback=plain)
