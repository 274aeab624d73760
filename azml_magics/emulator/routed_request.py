"""One request on its way to a handler: what the front door has read and decided."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from azml_magics.emulator.deployments import Deployment
    from azml_magics.emulator.recorded_requests import RecordedRequest


@dataclass
class RoutedRequest:
    """The request, its route without prefixes, the deployment that serves it, and what is in the path."""

    request: RecordedRequest
    route: str
    deployment: Deployment
    pinned: bool = False
    path_deployment: str = ""
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
        return self.request.headers

    def has_json_content_type(self) -> bool:
        """Whether the Content-Type is a JSON one."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")


def parse_query(text: str) -> dict[str, str]:
    """The parameters of a query string, the last of each name, empty values kept; odd bytes are replaced."""
    if not text:
        return {}
    try:
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, errors="replace").items()}
    except ValueError:
        return {}


class NotJSONError(ValueError):
    """A body that is not JSON; the message and position are Python's, as the services show them."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def load_json(body: bytes) -> Any:
    """The body as JSON, NotJSONError when it is not (bad UTF-8 and too deep nesting included)."""
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
