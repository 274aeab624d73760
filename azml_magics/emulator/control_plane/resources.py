"""The emulated resources: JSON documents as Resource Manager returns them, found by their ids."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

Document = dict[str, Any]

_ID = re.compile(
    r"/subscriptions/([^/]+)(?:/resourceGroups/([^/]+))?(?:/providers/([^/]+)((?:/[^/]+)*))?/?", re.IGNORECASE
)


class ResourceId(NamedTuple):
    """The path of a resource, or of a collection of resources, taken apart.

    Attributes:
        text: The path.
        subscription: The id of the subscription.
        group: The resource group, "" if the path has none.
        type: The type, such as "Microsoft.CognitiveServices/accounts/deployments".
        name: The name of the resource, "" for a collection.
    """

    text: str
    subscription: str
    group: str
    type: str
    name: str

    @property
    def parent(self) -> str:
        """The path without its last type and name; for a collection, without its last type."""
        return self.text.rsplit("/", 2 if self.name else 1)[0]


def parse_id(path: str) -> ResourceId | None:
    """Return the parts of a path of Resource Manager, or None if it is not one."""
    match = _ID.fullmatch(path)
    if match is None:
        return None
    steps = [step for step in (match[4] or "").split("/") if step]
    kind = "/".join([match[3] or "", *steps[::2]])
    name = steps[-1] if steps and len(steps) % 2 == 0 else ""
    return ResourceId(path.rstrip("/"), match[1], match[2] or "", kind, name)


class Resources:
    """The resources of a tenant, in the order in which they were added."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def add(self, document: Document) -> Document:
        """Add a resource, or replace the one with its id, and return it."""
        self._documents[document["id"].lower()] = document
        return document

    def remove(self, resource_id: str) -> None:
        """Remove a resource and all below it."""
        wanted = resource_id.lower()
        for key in [key for key in self._documents if key == wanted or key.startswith(f"{wanted}/")]:
            del self._documents[key]

    def find(self, resource_id: str) -> Document | None:
        """Return the resource with that id, or None."""
        return self._documents.get(resource_id.lower().rstrip("/"))

    def list_in(self, collection: ResourceId) -> list[Document]:
        """Return the resources of a collection: "…/accounts/NAME/deployments", "/subscriptions/ID/providers/TYPE"."""
        scope = f"/subscriptions/{collection.subscription}/" if not _is_nested(collection) else f"{collection.parent}/"
        if collection.group and not _is_nested(collection):
            scope += f"resourceGroups/{collection.group}/"
        return [
            document
            for document in self._documents.values()
            if document["id"].lower().startswith(scope.lower()) and document["type"].lower() == collection.type.lower()
        ]

    def with_type(self, kind: str) -> list[Document]:
        """Return all resources of a type."""
        return [document for document in self._documents.values() if document["type"] == kind]

    def with_keys(self) -> list[Document]:
        """Return the accounts and endpoints."""
        return [one for one in self._documents.values() if {"endpoint", "authMode"} & set(one.get("properties", ()))]


def _is_nested(collection: ResourceId) -> bool:
    return collection.type.count("/") > 1
