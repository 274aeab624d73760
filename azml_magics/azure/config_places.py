"""The names of new configs, and which of the session's configs lead to the same deployment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from azml_magics.core import endpoints

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig

    from .deployment import Deployment

_NOT_IN_NAMES = re.compile(r"[^\w.@:+-]+")


def config_name(name: str) -> str:
    """Return the name of a deployment as a config may be named."""
    return _NOT_IN_NAMES.sub("-", name).strip("-") or "deployment"


def free_name(config: LLMConfig, row: Deployment, taken: dict[str, LLMConfig]) -> str:
    """Return a name that no other endpoint's config has: the deployment's, with its owner's, or with a number."""
    owner = config_name(f"{row.name}-{row.owner}")
    for name in (config.name, owner, *(f"{owner}-{number}" for number in range(2, len(taken) + 3))):
        other = taken.get(name)
        if other is None or is_same_place((other.endpoint_url, other.deployment_name), config):
            return name
    raise AssertionError("one of the numbers is free")


def is_same_place(place: tuple[str, str], config: LLMConfig) -> bool:
    """Whether a URL and a deployment are those of a config, on whatever route: a formatter may need another one."""
    url, deployment = place
    one, other = (f"{endpoints.base_of(each)}/" for each in (url, config.endpoint_url))
    return deployment == config.deployment_name and (one.startswith(other) or other.startswith(one))


def refresh(saved: LLMConfig, config: LLMConfig, changes: dict[str, Any]) -> LLMConfig:
    """Return a saved config with the place of the same deployment, as it is now."""
    is_chosen = bool(saved.formatter) and "formatter" not in changes
    place = {} if is_chosen else {"endpoint_url": config.endpoint_url, "formatter": config.formatter}
    return saved.merged(headers=config.headers, **place, **{k: v for k, v in changes.items() if k != "formatter"})
