"""What a content formatter is: a prompt and kwargs to bytes, bytes to a Reply, and a schema of the kwargs it knows."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .. import endpoints
from ..errors import ConfigError, PromptError
from . import events, replies

if TYPE_CHECKING:
    from ..config import LLMConfig
    from ..response import Chunk
    from .sse import Event

Message = dict[str, Any]
"""An OpenAI-style message: {"role": "system" | "user" | "assistant" | "tool", "content": text or parts, …}."""


@dataclass(frozen=True)
class Kwarg:
    """A model kwarg that a dialect is known to take: what help, completion and the panel show of it.

    type: "number", "integer", "boolean", "string", "strings" or "object". default: the provider's documented one.
    """

    name: str
    type: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    default: Any = None


@dataclass(frozen=True)
class Call:
    """One request to encode: the messages, all model kwargs (config's and this call's), and whether to stream."""

    config: LLMConfig
    messages: Sequence[Message]
    stream: bool = False

    @property
    def kwargs(self) -> dict[str, Any]:
        """The model kwargs, a copy."""
        return dict(self.config.model_kwargs)

    @property
    def text(self) -> str:
        """The messages as one text, for dialects without roles."""
        return flattened(self.messages)


@dataclass(frozen=True)
class Payload:
    """A body and the headers that belong to it. `fallback` is a plainer body to try where a server refuses this one."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    fallback: bytes | None = None


class Formatter(ABC):
    """A wire dialect. Stateless; one object serves every call.

    name: what `-f` takes. description: one line. chat: whether it has roles.
    api_types: the endpoint types it can speak to. routes: the URL routes it can speak on (others are refused; a path
    that is no known route is anybody's). known_kwargs: its schema; other kwargs are sent all the same.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    chat: ClassVar[bool] = False
    api_types: ClassVar[tuple[str, ...]] = ("dedicated",)
    routes: ClassVar[tuple[str, ...]] = ("score",)
    known_kwargs: ClassVar[tuple[Kwarg, ...]] = ()

    def check(self, config: LLMConfig) -> None:
        """ConfigError where this dialect cannot be spoken at the config's endpoint."""
        if config.endpoint_api_type not in self.api_types:
            raise ConfigError(
                f"The formatter {self.name!r} speaks to {' and '.join(self.api_types)} endpoints, "
                f"and this one is {config.endpoint_api_type}",
                remedy="Choose another formatter with -f, such as openai-chat or openai, or set --type.",
            )
        route = endpoints.route_of(config.endpoint_url)
        if route and route not in self.routes:
            raise ConfigError(
                f"The formatter {self.name!r} does not speak on /{route}",
                remedy=f"Its routes are {', '.join('/' + known for known in self.routes)}: "
                "choose another formatter with -f or another --url.",
            )

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - some dialects stream elsewhere
        """The URL that a request goes to."""
        return endpoints.request_url(config.endpoint_url, self.routes[0], config.api_version)

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - depends on the route in some dialects
        """Whether an answer can come piece by piece."""
        return False

    @abstractmethod
    def encode(self, call: Call) -> Payload:
        """The body of the request."""

    def decode(self, body: bytes, call: Call) -> replies.Reply:  # noqa: ARG002 - a custom formatter wants it
        """The answer in a 200's body; an error where a failure hides in it or it cannot be read."""
        return replies.read(body)

    def read_event(self, event: Event) -> Chunk | None:
        """The piece of answer in one event of a stream; None where it has none."""
        return events.read_event(event)

    def ends_with_done(self, config: LLMConfig) -> bool:  # noqa: ARG002 - depends on the route in some dialects
        """Whether a complete stream says so itself ([DONE] or a finish reason), so that a cut-off one can be told."""
        return False


def to_json(value: Any) -> bytes:
    """`value` as the UTF-8 bytes of a JSON body."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:  # a lone surrogate: ASCII escapes carry it as it is
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise PromptError(f"The request cannot be written as JSON: {error}") from None


def messages_of(prompt: str | Sequence[Message], system: str | None) -> list[Message]:
    """`prompt` as messages, after the `system` message unless the prompt brings its own; PromptError for no prompt."""
    if isinstance(prompt, str):
        messages = [{"role": "user", "content": prompt}]
    elif _is_list(prompt):
        messages = [_message(turn) for turn in prompt]
    else:
        raise PromptError(f"{type(prompt).__name__!r} is no prompt", remedy=_PROMPT)
    if not messages:
        raise PromptError("There is no prompt", remedy="Write one under %%azureml.")
    if system and not any(turn.get("role") == "system" for turn in messages):
        messages.insert(0, {"role": "system", "content": system})
    return messages


_PROMPT = 'Give a text, or a list of messages such as {"role": "user", "content": "…"}.'


def _is_list(prompt: object) -> bool:
    return isinstance(prompt, Sequence) and not isinstance(prompt, bytes | bytearray)


def _message(turn: Any) -> Message:
    if not isinstance(turn, Mapping) or not (isinstance(turn.get("role"), str) and turn["role"]):
        raise PromptError(
            f"A message of the prompt is no message with a role, but {type(turn).__name__!r}", remedy=_PROMPT
        )
    return dict(turn)


def text_of(content: Any) -> str:
    """The text of a message's content; PromptError where a part of it is no text."""
    if isinstance(content, str):
        return content
    if content is not None and not isinstance(content, (list, tuple)):
        raise PromptError(f"A message's content is of type {type(content).__name__!r}", remedy=_PROMPT)
    texts = []
    for part in content or ():
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type") == "text":
            texts.append(str(part.get("text", "")))
        else:
            kind = part.get("type") if isinstance(part, dict) else type(part).__name__
            raise PromptError(
                f"This formatter sends text only, and the prompt has a part of type {kind!r}",
                remedy="Use -f openai-chat with a deployment that takes images.",
            )
    return "".join(texts)


def flattened(messages: Sequence[Message]) -> str:
    """The messages as one text: a lone prompt stays as it is; a system text precedes it; turns get their speakers."""
    system = [text_of(turn.get("content")) for turn in messages if turn.get("role") == "system"]
    turns = [turn for turn in messages if turn.get("role") != "system"]
    if len(turns) <= 1:
        return "\n\n".join([*system, *(text_of(turn.get("content")) for turn in turns)])
    spoken = [f"{str(turn.get('role', 'user')).capitalize()}: {text_of(turn.get('content'))}" for turn in turns]
    return "\n\n".join([*system, *spoken, "Assistant:"])
