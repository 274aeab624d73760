"""Deployment: one deployment or endpoint that discovery found, and what a config needs to call it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from dataclasses import dataclass, field
from typing import Any

from azml_magics.core.text import one_line

DETECT = "detect"
"""In place of a formatter: the service does not say which one it needs, and its deployment has to be asked."""

_KEYS = {"entra": "Entra", "azure-key": "key", "aml-token": "AML token"}


@dataclass(frozen=True)
class Deployment:
    """One deployment or endpoint.

    Attributes:
        name: Its name; that of an online endpoint's deployment is ENDPOINT/DEPLOYMENT if there are several.
        kind: What it is, such as "Foundry", "managed online" or "serverless".
        owner: The resource, project or workspace that it belongs to.
        model: The name of its model, and its version where there is one.
        wire: The formatter that it needs; "detect" if only the deployment can tell, "" if it takes no prompts.
        location: The region, or the zone in which requests are processed.
        tokens_per_minute: Its quota; None if it is not known.
        state: Its state in the service's words.
        keys: What it accepts, the preferred one first: "entra", "azure-key" (a key that Azure lists) or "aml-token".
        url: The URL of a config for it.
        resource_id: The id of the resource whose keys it takes; "" if unknown.
        deployment_name: The config's deployment_name; "" if the URL says it all.
        headers: Headers that the service asks for.
        reason_not_askable: Why no prompt can be sent to it, or "".
        note: What else to know about it, or "".
    """

    name: str
    kind: str
    owner: str = ""
    model: str = ""
    wire: str = ""
    location: str = ""
    tokens_per_minute: int | None = None
    state: str = ""
    keys: tuple[str, ...] = ("entra",)
    url: str = ""
    resource_id: str = ""
    deployment_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    reason_not_askable: str = ""
    note: str = ""

    @property
    def is_askable(self) -> bool:
        """Whether a prompt can be sent to it now."""
        return not self.reason_not_askable

    @property
    def auth(self) -> str:
        """What it accepts, in words: "key or Entra", "Entra only", "key" or "AML token"."""
        if self.keys == ("entra",):
            return "Entra only"
        return " or ".join(_KEYS[key] for key in sorted(self.keys, key=list(_KEYS).index, reverse=True))

    @property
    def key(self) -> str:
        """The key reference of a config for it: "entra", or one with the id of the resource."""
        kind = self.keys[0]
        return kind if kind == "entra" or not self.resource_id else f"{kind}:{self.resource_id}"

    @property
    def quota(self) -> str:
        """The tokens a minute as text; "" if they are not known."""
        return "" if self.tokens_per_minute is None else f"{self.tokens_per_minute:,}"

    @property
    def remark(self) -> str:
        """The state, and why it cannot be asked or what else to know."""
        said = [text for text in (self.state, self.reason_not_askable, self.note) if text]
        return ": ".join([said[0], "; ".join(said[1:])]) if len(said) > 1 else "".join(said)

    def to_values(self) -> tuple[str | int | None, ...]:
        """Return its line as `to_texts` does, with the quota as a number."""
        texts = self.to_texts()
        at = HEADINGS.index("tokens/min")
        return (*texts[:at], self.tokens_per_minute, *texts[at + 1 :])

    def to_texts(self) -> tuple[str, ...]:
        """Return its line in a table with the headings `HEADINGS`."""
        texts = (
            self.name,
            self.owner,
            self.kind,
            self.model,
            self.wire,
            self.location,
            self.quota,
            self.remark,
            self.auth,
        )
        return tuple(one_line(text) for text in texts)

    def to_dict(self) -> dict[str, Any]:
        """Return its facts by name."""
        names = ("name", "owner", "kind", "model", "wire", "location", "tokens_per_minute", "state", "auth", "url")
        rest = ("deployment_name", "resource_id", "is_askable", "reason_not_askable", "note")
        return {name: getattr(self, name) for name in (*names, *rest)}


HEADINGS = ("name", "in", "kind", "model", "wire", "region or zone", "tokens/min", "state", "key")
