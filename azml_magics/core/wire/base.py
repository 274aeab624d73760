"""What a wire format is, and what it is given: the call to encode, the payload it makes, the model kwargs it knows."""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from .. import endpoints
from ..errors import PromptError
from ..messages import Message, flatten
from .charset import has_invalid_utf8
from .completeness import NOT_UTF8, check_not_empty, note_empty_answer
from .event_reader import EventReader, StatelessEventReader
from .event_stream import EventStream
from .failures import raise_for_failure
from .json_body import decode_json
from .sse import is_event_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config import LLMConfig
    from ..response import Chunk, Response
    from .sse import Event


@dataclass(frozen=True)
class Kwarg:
    """A model kwarg that a wire format is known to take: what help, completion and the panel show of it.

    Attributes:
        name: The key in the request.
        type: "number", "integer", "boolean", "string", "strings" or "object".
        help: One line.
        minimum: The smallest value, if there is one.
        maximum: The largest value, if there is one.
        default: The provider's documented default; None if it documents none.
    """

    name: str
    type: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    default: Any = None


@dataclass(frozen=True)
class Call:
    """One call to encode.

    Attributes:
        config: The endpoint, and the model kwargs of the config and of this call.
        messages: The prompt as messages; the system message is among them.
        stream: Whether to request a stream.
    """

    config: LLMConfig
    messages: Sequence[Message]
    stream: bool = False

    @property
    def kwargs(self) -> dict[str, Any]:
        """A copy of the model kwargs."""
        return dict(self.config.model_kwargs)

    @property
    def text(self) -> str:
        """The messages as one text, for wire formats without roles."""
        return flatten(self.messages)


@dataclass(frozen=True)
class Payload:
    """The body of a request, and what belongs to it.

    Attributes:
        body: The bytes to send.
        headers: Headers that the wire format adds.
        fallback: A plainer body, sent once if the server refuses `body`; None if there is none.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    fallback: bytes | None = None


@dataclass(frozen=True)
class Pending:
    """A response that the server still works on.

    Attributes:
        url: Where to ask for it.
        cancel_url: Where to cancel it.
        status: How far the server is, in its own word.
    """

    url: str
    cancel_url: str
    status: str


class Wire(ABC):
    """One wire format: how a request and its response are written in bytes.

    A wire has no state, so that one object serves every call; what a stream needs to remember is in its EventReader.

    Attributes:
        chat: Whether messages keep their roles.
        api_types: The endpoint types that use the format.
        routes: The URL routes that use the format. A URL that is only a base gets the first one appended.
        neighbours: Routes beside `routes[0]` under the same /v1: a URL that ends in one of them, for another formatter,
            goes to `routes[0]`.
        known_kwargs: Model kwargs that are documented for the format. Others are sent as well.
        takes_response_format: Whether a JSON schema can be requested by the kwarg `response_format`.
        takes_items: Whether earlier turns go back with their `items`, as the server sent them.
        limit_kwarg: The kwarg that limits the tokens of a response.
        embeds: Whether the answer is a vector, in `Response.parsed`, and not a text.
    """

    chat: ClassVar[bool] = False
    api_types: tuple[str, ...] = ("dedicated",)
    routes: ClassVar[tuple[str, ...]] = ("score",)
    neighbours: ClassVar[tuple[str, ...]] = ()
    known_kwargs: ClassVar[tuple[Kwarg, ...]] = ()
    takes_response_format: ClassVar[bool] = False
    takes_items: ClassVar[bool] = False
    limit_kwarg: ClassVar[str] = "max_tokens"
    embeds: ClassVar[bool] = False

    def fits(self, config: LLMConfig) -> bool:
        """Return whether the config's endpoint can use this format; a path that is not a known route fits all."""
        route = endpoints.route_of(config.endpoint_url)
        takes_route = not route or route in self.routes or self._is_neighbour(config)
        return config.endpoint_api_type in self.api_types and takes_route

    def _is_neighbour(self, config: LLMConfig) -> bool:
        return any(endpoints.ends_in(config.endpoint_url, f"/v1/{route}") for route in self.neighbours)

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - some formats stream on another route
        """Return the URL that the request goes to."""
        url = config.endpoint_url
        if self._is_neighbour(config):
            url = endpoints.replace_route(url, self.routes[0])
        return endpoints.request_url(url, self.routes[0], config.api_version)

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - depends on the route in some formats
        """Return whether a response can arrive in chunks."""
        return False

    def notices(self, config: LLMConfig) -> tuple[str, ...]:
        """Return what the format changes in the config's URL and kwargs: lines for the user."""
        if not self._is_neighbour(config):
            return ()
        return (f"The request goes to /{self.routes[0]}, not to /{endpoints.route_of(config.endpoint_url)}.",)

    @abstractmethod
    def encode(self, call: Call) -> Payload:
        """Return the request's body and headers.

        Raises:
            PromptError: The messages cannot be sent in this format.
        """

    def decode(self, body: bytes, call: Call) -> Response:
        """Return the response in the body of a success, which may hold a stream of events that was not asked for.

        Raises:
            ModelError: The body reports a failure of the model server, or an answer with nothing in it.
            ContentFilterError: The body reports that the content filter stopped the request or the response.
            ResponseFormatError: The body is not JSON, or has no text at the places of this format.
            StreamInterruptedError: It is a stream of events that ends too early.
        """
        if is_event_stream(body, is_all=True) and self.streams(call.config):
            return self.annotate(self._decode_events(body, call), call)
        value = decode_json(body)
        raise_for_failure(value)
        response = self.clean(self.parse_response(value), call)
        check_not_empty(response)
        if has_invalid_utf8(body):
            response = replace(response, notices=(*response.notices, NOT_UTF8))
        return self.annotate(response, call)

    def _decode_events(self, body: bytes, call: Call) -> Response:
        stream = EventStream(self.event_reader(call))
        for _ in itertools.chain(stream.feed(body), stream.close()):
            pass
        return stream.response

    def clean(self, response: Response, call: Call) -> Response:  # noqa: ARG002 - for formats that repeat the prompt
        """Return a whole response without what is not its answer, such as a prompt that the server repeats."""
        return response

    def annotate(self, response: Response, call: Call) -> Response:
        """Return the response with the notices that a reader needs: that the limit ended it before any text."""
        return note_empty_answer(response, call.config.model_kwargs, self.limit_kwarg)

    def find_pending(self, body: bytes, url: str) -> Pending | None:  # noqa: ARG002 - most formats send whole responses
        """Return where to ask for the response if `body`, the reply of `url`, says that it is not ready yet."""
        return None

    @abstractmethod
    def parse_response(self, value: Any) -> Response:
        """Return the response in the decoded JSON of a body; the errors are those of `decode`."""

    def event_reader(self, call: Call) -> EventReader:  # noqa: ARG002 - some formats need the config
        """Return a reader for the events of one stream; by default one without state, which calls `read_event`."""
        return StatelessEventReader(self.read_event)

    def read_event(self, event: Event) -> Chunk | None:
        """Return what one event of a stream adds to the response; None for an event that adds nothing."""
        raise NotImplementedError(f"{type(self).__name__} does not stream")


def to_json(value: Any) -> bytes:
    """Return `value` as the UTF-8 bytes of a JSON body.

    Raises:
        PromptError: JSON cannot hold the value.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:  # a surrogate without its pair: an ASCII escape carries it unchanged
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise PromptError(f"The request cannot be written as JSON: {error}") from None
