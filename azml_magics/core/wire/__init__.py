"""All that knows the bytes: the registry of content formatters by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, UnknownNameError, UsageError
from .base import Call, Formatter, Kwarg, Payload
from .chat import MistralChat, OpenAIChat, default_for_route
from .completion import GPT2, HF, TGI, Dolly, HFPlain, MLflow, OpenAI, PromptFlow
from .custom import CustomFormatter, is_formatter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import LLMConfig

__all__ = [
    "Call",
    "CustomFormatter",
    "Formatter",
    "Kwarg",
    "Payload",
    "as_formatter",
    "default_for_route",
    "formatter_for",
    "get",
    "names",
    "register",
    "unregister",
]

_BUILT_IN: Mapping[str, Formatter] = {
    f.name: f
    for f in (
        OpenAI(),
        OpenAIChat(),
        MistralChat(),
        GPT2(),
        Dolly(),
        HF(),
        HFPlain(),
        MLflow(),
        TGI(),
        PromptFlow(),
    )
}
# The older names that LangChain deprecated.
ALIASES: Mapping[str, str] = {"oss": "gpt2", "llama": "openai", "llama-chat": "openai-chat"}
_registered: dict[str, Formatter] = {}


def names(*, aliases: bool = False) -> list[str]:
    """The names that `get` knows: the built-in formatters, then the registered ones, then (asked for) the aliases."""
    return [*_BUILT_IN, *sorted(_registered), *(ALIASES if aliases else ())]


def get(name: str) -> Formatter:
    """The formatter of that name or alias; UnknownNameError names the nearest one."""
    formatter = _registered.get(name) or _BUILT_IN.get(ALIASES.get(name, name))
    if formatter is None:
        raise UnknownNameError.of(
            "formatter",
            name,
            names(),
            "Register your own with azml_magics.register_formatter, or pass -f $object.",
        )
    return formatter


def register(name: str, formatter: Any) -> None:
    """Make `formatter` known as `name`: an object, or a class to be called without arguments.

    UsageError where it is no formatter or the name is taken by a built-in one.
    """
    if not name or name[0] == "-" or not name.replace("-", "_").isidentifier():
        raise UsageError(f"{name!r} cannot name a formatter", remedy="Use letters, digits, - and _.")
    if name in _BUILT_IN or name in ALIASES:
        raise UsageError(f"{name!r} is the name of a built-in formatter", remedy="Choose another name.")
    _registered[name] = as_formatter(_made(formatter) if isinstance(formatter, type) else formatter)


def _made(formatter: type) -> Any:
    try:
        return formatter()
    except TypeError as error:
        raise UsageError(
            f"{formatter.__name__} cannot be made without arguments: {error}",
            remedy="Make the object yourself and register that.",
        ) from error


def unregister(name: str) -> None:
    """Forget a registered formatter; nothing happens where there is none."""
    _registered.pop(name, None)


def as_formatter(candidate: Any) -> Formatter:
    """`candidate` as a Formatter: one already, a registered name, or a person's own object."""
    if isinstance(candidate, Formatter):
        return candidate
    if isinstance(candidate, str):
        return get(candidate)
    if not is_formatter(candidate):
        raise UsageError(
            f"{type(candidate).__name__!r} is no content formatter",
            remedy=f"Give one of {', '.join(names())}, or an object with format_request_payload "
            "and format_response_payload.",
        )
    return CustomFormatter(candidate)


def formatter_for(config: LLMConfig) -> Formatter:
    """The formatter that `config` names or its route implies, checked against its endpoint.

    ConfigError where it names none and the route leaves it open, or where the two do not fit.
    """
    chosen = config.formatter or default_for_route(config.endpoint_url)
    if not chosen:
        raise ConfigError(
            "No formatter: /score speaks a different dialect on every deployment",
            remedy=f"Choose one with -f: {', '.join(_BUILT_IN)}.",
        )
    formatter = as_formatter(chosen)
    formatter.check(config)
    return formatter
