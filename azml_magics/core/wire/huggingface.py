"""Hugging Face models: `inputs`, and `parameters` beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Call, Kwarg, Payload, Wire, to_json
from .records import GENERATED_TEXT_KEYS, clean_generated, parse_record

if TYPE_CHECKING:
    from ..response import Response

GENERATION_KWARGS = (
    Kwarg("max_new_tokens", "integer", "the most tokens to generate", minimum=1, maximum=8192),
    Kwarg("temperature", "number", "0 is nearly deterministic, higher is more varied", minimum=0, maximum=2),
    Kwarg("top_p", "number", "sample from the likeliest tokens that make up this share", minimum=0, maximum=1),
    Kwarg("top_k", "integer", "sample from this many likeliest tokens", minimum=1, maximum=1000),
    Kwarg("do_sample", "boolean", "sample; false always takes the likeliest token"),
    Kwarg("repetition_penalty", "number", "above 1 discourages repetition", minimum=0.1, maximum=3),
    Kwarg("return_full_text", "boolean", "repeat the prompt before the response"),
    Kwarg("stop", "strings", "stop before any of these texts"),
    Kwarg("seed", "integer", "the same seed tends to give the same response", minimum=0),
)
"""The parameters of Hugging Face's text generation."""

# After generated texts: question answering sends {"answer": t, "score": …}, LangChain's formatter reads {"0": {…}}.
_TEXT_KEYS = (*GENERATED_TEXT_KEYS, "answer", "0")


class HuggingFaceListWire(Wire):
    """`{"inputs": [p], "parameters": {…}}` -> `[{"generated_text": t}]`, also in one more list or under `"0"`.

    Reads `summary_text`, `translation_text` and `answer` as well.

    Sources: LangChain's HFContentFormatter; Hugging Face's task API.
    """

    routes = ("score", "generate")
    known_kwargs = GENERATION_KWARGS
    limit_kwarg = "max_new_tokens"

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": [call.text], "parameters": call.kwargs}))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, _TEXT_KEYS)

    def clean(self, response: Response, call: Call) -> Response:
        return clean_generated(response, call)


class HuggingFaceTextWire(Wire):
    """`{"inputs": p, "parameters": {…}}` -> `[{"generated_text": t}]`: the containers of the registry.

    Source: azureml-examples, Hugging Face registry deployments.
    """

    routes = ("score", "generate")
    known_kwargs = GENERATION_KWARGS
    limit_kwarg = "max_new_tokens"

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": call.text, "parameters": call.kwargs}))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, _TEXT_KEYS)

    def clean(self, response: Response, call: Call) -> Response:
        return clean_generated(response, call)
