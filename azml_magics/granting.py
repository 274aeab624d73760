"""`azml_magics.trust`: the user says that a config from a file may send its keys where it sends them."""

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


def _grant(config: Any) -> list[Grant]:
    if isinstance(config, str):
        return rules.grant(_config_named(config))
    config = config.to_config() if callable(getattr(config, "to_config", None)) else config
    if not isinstance(config, LLMConfig):
        raise UsageError(
            f"A {type(config).__name__} is not a config", remedy="Pass a config, its name, or a LangChain model of it."
        )
    return rules.grant(config)


def _config_named(name: str) -> LLMConfig:
    try:
        return session.current().get(name)
    except UnknownNameError:
        if rules.refused(name) is None:
            raise
        return LLMConfig(name=name)  # not of the session, but it was refused under that name
