"""What a content formatter is: a prompt and kwargs to bytes, bytes to a Reply, and a schema of the kwargs it knows."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .. import endpoints
from ..errors import ConfigError, PromptError
from ..messages import Message, flatten
from . import events, replies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config import LLMConfig
    from ..response import Chunk
    from .sse import Event


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
        return flatten(self.messages)


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
