"""`azml_magics.trust` and `revoke_trust`: whether a config from a file may send its keys where it sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import session
from .core import trust as rules
from .core.config import LLMConfig
from .core.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from .core.grants import Grant


def trust(config: Any) -> list[str]:
    """Trust a config that comes from a file: its keys may be sent where it sends them, now and in later sessions.

    A config whose host, keys or connection change is asked about again.

    Args:
        config: A config, the name of one of this session, or a LangChain model that was made from one.

    Returns:
        What is trusted from now on, in words; [] if nothing needs it.

    Raises:
        UnknownNameError: There is no config of that name.
        UsageError: It is none of these.
    """
    return [str(grant) for grant in _grant(config)]


def revoke_trust(config: Any) -> list[str]:
    """Take back what `trust` gave: the config is asked about before its keys are sent again.

    Args:
        config: As for `trust`. The name of a config that is not in this session stands for every file's.

    Returns:
        What was trusted until now, in words; [] if nothing was.

    Raises:
        UsageError: It is none of these.
    """
    if isinstance(config, str):
        known = session.current()
        file = known.get(config).file if config in known.names() else ""
        return [str(grant) for grant in rules.revoke(config, file)]
    checked = _as_config(config)
    return [str(grant) for grant in rules.revoke(checked.name, checked.file)]


def _grant(config: Any) -> list[Grant]:
    return rules.grant(_config_named(config) if isinstance(config, str) else _as_config(config))


def _as_config(config: Any) -> LLMConfig:
    config = config.to_config() if callable(getattr(config, "to_config", None)) else config
    if not isinstance(config, LLMConfig):
        raise UsageError(
            f"A {type(config).__name__} is not a config", remedy="Pass a config, its name, or a LangChain model of it."
        )
    return config


def _config_named(name: str) -> LLMConfig:
    try:
        return session.current().get(name)
    except UnknownNameError:
        if rules.refused(name) is None:
            raise
        return LLMConfig(name=name)  # not of the session, but it was refused under that name
