"""One request on its way to a handler."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from azml_magics.emulator.prompt_cache import PromptCache
from azml_magics.emulator.stored_responses import StoredResponses

if TYPE_CHECKING:
    from azml_magics.emulator.deployments import Deployment
    from azml_magics.emulator.recorded_requests import RecordedRequest


@dataclass
class RoutedRequest:
    """A request and what its path, query and headers select.

    Attributes:
        request: The request as it arrived.
        route: Its path without prefixes.
        deployment: The deployment that serves it.
        pinned: Whether the request names the deployment.
        path_deployment: The deployment in the path of Azure OpenAI, "" if absent.
        item_id: The id of a response in the path, "" if absent.
        stored: The responses that were stored before.
        cache: The prompt cache of Claude models.
    """

    request: RecordedRequest
    route: str
    deployment: Deployment
    pinned: bool = False
    path_deployment: str = ""
    item_id: str = ""
    stored: StoredResponses = field(default_factory=StoredResponses)
    cache: PromptCache = field(default_factory=PromptCache)
    _query: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query parameters, the last one of each name."""
        if self._query is None:
            self._query = parse_query(self.request.query)
        return self._query

    @property
    def request_id(self) -> str:
        """The id that the response carries."""
        return self.request.request_id

    @property
    def headers(self) -> dict[str, str]:
        """The headers, their names in lower case."""
        return self.request.headers

    def has_json_content_type(self) -> bool:
        """Return whether the Content-Type is a JSON type."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")


def parse_query(text: str) -> dict[str, str]:
    """Return the last value of each parameter of a query string; undecodable bytes are replaced."""
    if not text:
        return {}
    try:
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, errors="replace").items()}
    except ValueError:
        return {}


class NotJSONError(ValueError):
    """A body that is not JSON. The message and position are Python's, as the services show them."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def load_json(body: bytes) -> Any:
    """Return the body as JSON.

    Raises:
        NotJSONError: It is not JSON; invalid UTF-8 and too deep nesting are included.
    """
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise NotJSONError(str(error), error.pos) from None
    except UnicodeDecodeError as error:
        raise NotJSONError(f"Invalid UTF-8: {error.reason}", error.start) from None
    except RecursionError:
        raise NotJSONError("Nested too deep", 0) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise NotJSONError(str(error)[:120], 0) from None
