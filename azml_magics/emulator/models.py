"""The models behind the OpenAI and Anthropic routes: what each can do and how it reasons, read from its name."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from azml_magics.emulator.http_response import HttpResponse

Operation = Literal["chatCompletion", "completion", "responses", "embeddings", "messages"]
_TEXT: tuple[Operation, ...] = ("chatCompletion", "completion", "responses")
_MORE = (
    "Please choose different model and try again. You can learn more about which models can be used with each "
    "operation here: https://go.microsoft.com/fwlink/?linkid=2197993."
)


class ServedModel(NamedTuple):
    """What a model of some name does.

    Attributes:
        operations: The routes that it works on.
        reasoning: "" (it does not), "field" (reasoning_content), "tags" (<think> in the text) or "hidden" (it is only
            counted, and summarized on the Responses route).
    """

    operations: tuple[Operation, ...]
    reasoning: Literal["", "field", "tags", "hidden"] = ""

    @property
    def refuses_sampling(self) -> bool:
        """Whether max_tokens, temperature and the like are refused, as OpenAI's reasoning models do."""
        return self.reasoning == "hidden"


_MODELS: tuple[tuple[str, ServedModel], ...] = (
    (r"text-embedding", ServedModel(("embeddings",))),
    (r"claude", ServedModel(("messages",))),
    (r"(o\d|gpt-5).*(pro|codex)", ServedModel(("responses",), "hidden")),
    (r"(o\d|gpt-5)", ServedModel(("chatCompletion", "responses"), "hidden")),
    (r"(demo-)?reasoning", ServedModel(_TEXT, "field")),
    (r"(demo-)?think", ServedModel(_TEXT, "tags")),
)

NAMES = ("azml-magics-demo", "demo-reasoning", "demo-think", "gpt-5-mini", "o3-pro", "text-embedding-3-small")
"""The models that the lists of models show."""


def find_model(name: str) -> ServedModel:
    """Return the model of that name; one without rules of its own can do everything but embeddings and messages."""
    return next((model for pattern, model in _MODELS if re.match(pattern, name.lower())), ServedModel(_TEXT))


def refuse_operation(operation: Operation, name: str) -> HttpResponse | None:
    """Return Azure's refusal of a route that the model does not work on, or None if it does."""
    if operation in find_model(name).operations:
        return None
    message = f"The {operation} operation does not work with the specified model, {name[:60]}. {_MORE}"
    return HttpResponse.fastapi({"error": {"code": "OperationNotSupported", "message": message}}, 400)
