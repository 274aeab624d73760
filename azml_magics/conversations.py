"""Conversations: the turns that are kept under a name and sent with the next prompt, from a cell or from the panel."""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .core.endpoints import Origin
from .core.messages import describe_calls, without_items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .core.config import LLMConfig
    from .core.messages import Message
    from .core.response import Response


@dataclass(frozen=True)
class Conversation:
    """The turns of a conversation, without the system message, which is the config's.

    Attributes:
        turns: The messages. Only the last one may have `items`.
        model: The model that made the last response, as `model_of` names it.
    """

    turns: tuple[Message, ...] = ()
    model: str = ""

    def with_prompt(self, messages: Sequence[Message], config: LLMConfig) -> list[Message]:
        """Return the messages of a prompt after the turns; a system message stays first.

        The last response goes back with its items (encrypted reasoning, signed thoughts) if it goes to the model that
        made them: no other can read them.
        """
        is_same = self.model == model_of(config)
        earlier = [turn if is_same else without_items(turn) for turn in self.turns]
        system = [turn for turn in messages if turn.get("role") == "system"]
        return [*system, *earlier, *(turn for turn in messages if turn.get("role") != "system")]


def after_response(messages: Sequence[Message], response: Response, config: LLMConfig) -> Conversation:
    """Return the conversation that has the messages that were sent, without a system message, and the response."""
    turns = [without_items(turn) for turn in messages if turn.get("role") != "system"]
    steps = [without_items(step) for step in response.steps]
    return Conversation((*turns, *steps, message_of(response)), model_of(config))


def message_of(response: Response) -> Message:
    """Return a response as a turn. Tool calls are text: a turn that has them may only be followed by their results."""
    calls = describe_calls(response.tool_calls)
    message: Message = {"role": "assistant", "content": "\n".join(filter(None, [response.text, *calls]))}
    if response.items and not response.tool_calls:
        message["items"] = list(response.items)
    return message


def model_of(config: LLMConfig) -> str:
    """Return what tells the model of one config from that of another."""
    return f"{Origin.of(config.endpoint_url)} {config.model or ''} {config.deployment_name}"


class Conversations(MutableMapping[str, Conversation]):
    """Conversations by name. All methods are thread-safe.

    Args:
        announce: Called with the name of a conversation after it has changed or was deleted.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce
        self._lock = threading.RLock()
        self._by_name: dict[str, Conversation] = {}

    def __getitem__(self, name: str) -> Conversation:
        return self._by_name[name]

    def __setitem__(self, name: str, conversation: Conversation) -> None:
        with self._lock:
            self._by_name[name] = conversation
        self._announce(name)

    def __delitem__(self, name: str) -> None:
        with self._lock:
            del self._by_name[name]
        self._announce(name)

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._by_name))

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Conversations({', '.join(map(repr, self))})"
