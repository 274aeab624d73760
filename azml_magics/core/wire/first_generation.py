"""The model catalogue's first text models: GPT-2 of 2023 and databricks-dolly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Call, Payload, Wire, to_json
from .huggingface import GENERATION_KWARGS
from .records import clean_generated, parse_record

if TYPE_CHECKING:
    from ..response import Response


class GPT2Wire(Wire):
    """`{"inputs": {"input_string": [p]}, "parameters": {…}}` -> `[{"0": t}]`.

    Sources: the Azure ML catalogue's gpt2 of June 2023; LangChain's GPT2ContentFormatter.
    """

    known_kwargs = GENERATION_KWARGS
    limit_kwarg = "max_new_tokens"

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": {"input_string": [call.text]}, "parameters": call.kwargs}))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, ("0",))

    def clean(self, response: Response, call: Call) -> Response:
        return clean_generated(response, call)


class DollyWire(Wire):
    """`{"input_data": {"input_string": [p]}, "parameters": {…}}` -> `[{"0": t}]` or `[t]`.

    Sources: the Azure ML catalogue's databricks-dolly and gpt2 of November 2023; LangChain's DollyContentFormatter.
    """

    known_kwargs = GENERATION_KWARGS
    limit_kwarg = "max_new_tokens"

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"input_data": {"input_string": [call.text]}, "parameters": call.kwargs}))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, ("0",))

    def clean(self, response: Response, call: Call) -> Response:
        return clean_generated(response, call)
