"""MLflow no-code deployments, among them the text models of today's catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Call, Payload, Wire, to_json
from .huggingface import GENERATION_KWARGS
from .records import clean_generated, parse_record

if TYPE_CHECKING:
    from ..response import Response

# MLflow's own server wraps its result in `predictions`; Azure ML's image sends the list, records by column.
_TEXT_KEYS = ("predictions", "0")


class MLflowWire(Wire):
    """`{"input_data": [p], "params": {…}}` -> `[t]`, or records of one column: `[{"0": t}]`, `[{"column": t}]`.

    With a column the prompt goes into a table, as models with a signature of columns need it:
    `{"input_data": {"columns": [c], "index": [0], "data": [[p]]}}`. The server ignores params outside the model's
    signature and does not say so.

    Sources: Azure ML's MLflow image; the model catalogue's gpt2 since December 2023.

    Args:
        column: Name of the table's column; "" sends a list.
    """

    known_kwargs = GENERATION_KWARGS
    limit_kwarg = "max_new_tokens"

    def __init__(self, column: str = "") -> None:
        self.column = column

    def encode(self, call: Call) -> Payload:
        prompt: Any = [call.text]
        if self.column:
            prompt = {"columns": [self.column], "index": [0], "data": [prompt]}
        body: dict[str, Any] = {"input_data": prompt}
        if call.kwargs:
            body["params"] = call.kwargs
        return Payload(to_json(body))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, _TEXT_KEYS, any_column=True)

    def clean(self, response: Response, call: Call) -> Response:
        return clean_generated(response, call)
