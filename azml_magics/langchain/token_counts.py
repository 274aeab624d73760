"""Token counts of prompts, estimated without a tokenizer of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..core.tokens import OVERHEAD, REPLY, estimate_tokens
from .message_conversion import messages_to_wire
from .tools import describe_tool

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


class TokenCounts:
    """`get_num_tokens` and `get_num_tokens_from_messages` for both model classes.

    LangChain's own need the package transformers and count with the vocabulary of GPT-2. These count with
    `custom_get_token_ids` if it was given, else with tiktoken if that is installed and knows the model, else one token
    for every four bytes.
    """

    if TYPE_CHECKING:  # fields of the model classes
        model: str | None
        deployment_name: str
        custom_get_token_ids: Callable[[str], list[int]] | None

    def get_num_tokens(self, text: str) -> int:
        """Return how many tokens a text is: an estimate without `custom_get_token_ids`.

        Args:
            text: The text.
        """
        return self._estimate(text) - OVERHEAD - REPLY

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Return how many tokens messages are, with those around them; pictures and other attachments do not count.

        Args:
            messages: The messages.
            tools: What the model may call: functions, pydantic classes, LangChain tools, or dicts in OpenAI's form.
        """
        return self._estimate(messages_to_wire(messages), [describe_tool(tool) for tool in tools or ()])

    def _estimate(self, messages: Any, tools: Sequence[dict[str, Any]] = ()) -> int:
        ids = self.custom_get_token_ids
        count = None if ids is None else lambda text: len(ids(text))
        model = self.model or self.deployment_name or ""
        return estimate_tokens(messages, model, tools=tools, count=count).tokens
