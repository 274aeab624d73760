"""The fields of a config as texts, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azml_magics.core import endpoints, wire
from azml_magics.core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from azml_magics.core.errors import AzmlError, KeyRefusedError
from azml_magics.core.key_sources import NO_KEY
from azml_magics.core.keys import KeyRef
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig

# In reading order: the URL implies the type of the endpoint, and both decide which formatters fit.
FIELDS: Final = (
    "endpoint_url",
    "endpoint_api_type",
    "deployment_name",
    "key",
    "model",
    "api_version",
    "timeout",
    "max_retries",
    "system",
    "formatter",
)
IN_MEMORY: Final = "(in memory)"
NOT_KEPT: Final = "(not kept)"
_MAX_QUOTED: Final = 60  # characters of a wrong text in its message
_MAX_DIGITS: Final = 10  # of a number of retries


def texts_of(config: LLMConfig) -> dict[str, str]:
    """Field -> its text; an empty text stands for the default."""
    implied = endpoints.api_type_of(config.endpoint_url) if config.endpoint_url else "dedicated"
    return {
        "endpoint_url": config.endpoint_url,
        "endpoint_api_type": "" if config.endpoint_api_type == implied else config.endpoint_api_type,
        "deployment_name": config.deployment_name,
        "key": key_text(config.key),
        "model": config.model or "",
        "api_version": config.api_version or "",
        "timeout": "" if config.timeout == DEFAULT_TIMEOUT else seconds_text(config.timeout),
        "max_retries": "" if config.max_retries == DEFAULT_MAX_RETRIES else str(config.max_retries),
        "system": config.system or "",
        "formatter": formatter_text(config),
    }


def parse_field(field: str, text: str) -> Any:
    """The value that a field's text stands for.

    Raises:
        ValueError: if the text is not a value of the field; its message is meant for the user.
    """
    text = text if field == "system" else text.strip()
    if field == "key":
        return None if text == NO_KEY or not text else text
    if field == "timeout":
        return text or DEFAULT_TIMEOUT
    if field == "max_retries":
        if text and not (text.isdecimal() and len(text) < _MAX_DIGITS):
            raise ValueError(f"{one_line(text, _MAX_QUOTED)!r} is not a whole number")
        return int(text) if text else DEFAULT_MAX_RETRIES
    if field in {"model", "api_version", "system"}:
        return text or None
    return text


def seconds_text(seconds: float) -> str:
    """A number of seconds in its shortest exact form."""
    short = f"{seconds:g}"
    return short if float(short) == seconds else repr(seconds)


def key_text(key: object) -> str:
    """A key as its field shows it: the reference, never the key."""
    if key is None:
        return NO_KEY
    return str(key) if isinstance(key, KeyRef) else IN_MEMORY


def may_be_key(text: str) -> bool:
    """Whether a text in the key field may be a key itself: it is not a reference, nor a word for having no key."""
    try:
        KeyRef.parse(text)
    except KeyRefusedError:
        return text.strip() not in {"", NO_KEY, IN_MEMORY}
    except AzmlError:  # an incomplete reference
        return False
    return False


def formatter_text(config: LLMConfig) -> str:
    """The formatter's name, or its class in parentheses if it is an object without a registered name."""
    formatter = config.formatter
    if isinstance(formatter, str):
        return wire.ALIASES.get(formatter, formatter)
    if isinstance(formatter, wire.Formatter):
        return formatter.name if formatter.name in wire.names() else f"({formatter})"
    return f"({type(formatter).__name__})"


def formatter_of(config: LLMConfig) -> wire.Formatter | None:
    """The formatter that the config names or its URL implies; None if there is none."""
    chosen = config.formatter or wire.default_for_url(config.endpoint_url)
    try:
        return wire.as_formatter(chosen) if chosen else None
    except AzmlError:  # the name is not registered in this process
        return None
