"""The responses that the Responses route stores: for previous_response_id, and for polling background ones."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

KEPT_RESPONSES = 1000


@dataclass
class StoredResponse:
    """A response that can be asked for again.

    Attributes:
        final: The response object as it is when it is complete.
        messages: The conversation up to and including the response, in chat form.
        polls: How often it is still to be seen unfinished.
    """

    final: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 0


class StoredResponses:
    """The last responses, by id."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, StoredResponse] = OrderedDict()

    def add(self, stored: StoredResponse) -> None:
        """Store a response; the oldest one is dropped if there are too many."""
        self._by_id[stored.final["id"]] = stored
        while len(self._by_id) > KEPT_RESPONSES:
            self._by_id.popitem(last=False)

    def find(self, response_id: str) -> StoredResponse | None:
        """Return the response with that id, or None."""
        return self._by_id.get(response_id)

    def has_item(self, item_id: str) -> bool:
        """Return whether a stored response has an output item with that id."""
        return any(item.get("id") == item_id for stored in self._by_id.values() for item in stored.final["output"])

    def clear(self) -> None:
        """Forget all responses."""
        self._by_id.clear()
