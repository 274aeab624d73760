"""The fields of a config as texts, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azml_magics.core import endpoints, wire
from azml_magics.core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from azml_magics.core.errors import AzmlError, KeyRefusedError, UsageError
from azml_magics.core.headers import parse_header
from azml_magics.core.key_sources import NO_KEY
from azml_magics.core.keys import KeyRef
from azml_magics.core.prompt import template
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.headers import HeaderValue

# In reading order: the URL implies the type of the endpoint, and both decide which formatters fit.
FIELDS: Final = (
    "endpoint_url",
    "endpoint_api_type",
    "deployment_name",
    "key",
    "model",
    "api_version",
    "timeout",
    "total_timeout",
    "max_retries",
    "headers",
    "key_header",
    "verify",
    "proxy",
    "allow_http",
    "system",
    "formatter",
)
IN_MEMORY: Final = "(in memory)"
NOT_KEPT: Final = "(not kept)"
VERIFY_OFF: Final = "off"
ALLOWED: Final = "allowed"
_MAX_QUOTED: Final = 60  # characters of a wrong text in its message
_HEADER_REMEDY: Final = "Write where to find it: env:NAME or keyring:SERVICE/NAME."
_PROXY_NOT_KEPT: Final = (
    "The proxy's URL held a user name or password and was not kept. Put it into an environment variable and name it as "
    "env:NAME."
)
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
        "total_timeout": "" if config.total_timeout is None else seconds_text(config.total_timeout),
        "max_retries": "" if config.max_retries == DEFAULT_MAX_RETRIES else str(config.max_retries),
        "headers": header_lines(config.headers),
        "key_header": config.key_header,
        "verify": VERIFY_OFF if config.verify is False else str(config.verify or ""),
        "proxy": config.proxy or "",
        "allow_http": ALLOWED if config.allow_http else "",
        "system": template.escape(config.system or ""),
        "formatter": formatter_text(config),
    }


def parse_field(field: str, text: str) -> Any:
    """The value that a field's text stands for.

    Raises:
        ValueError: if the text is not a value of the field; its message is meant for the user.
    """
    if field == "system":  # its variables are filled in when it is sent
        return template.render(text, {name: f"{{{name}}}" for name in template.find_variables(text)}) or None
    text = text.strip()
    if field == "key":
        return None if text == NO_KEY or not text else text
    if field == "proxy" and text == NOT_KEPT:
        raise ValueError(_PROXY_NOT_KEPT)
    if field == "verify":
        return False if text.lower() == VERIFY_OFF else text or None
    if field == "allow_http":
        return text == ALLOWED
    if field == "timeout":
        return text or DEFAULT_TIMEOUT
    if field == "max_retries":
        if text and not (text.isdecimal() and len(text) < _MAX_DIGITS):
            raise ValueError(f"{one_line(text, _MAX_QUOTED)!r} is not a whole number")
        return int(text) if text else DEFAULT_MAX_RETRIES
    if field in {"model", "api_version", "proxy", "total_timeout"}:
        return text or None
    return text


def header_lines(headers: Mapping[str, HeaderValue]) -> str:
    """Headers as their field shows them: NAME=VALUE on a line each, a key never."""
    return "\n".join(f"{name}={IN_MEMORY if isinstance(value, Secret) else value}" for name, value in headers.items())


def parse_header_lines(text: str, before: Mapping[str, HeaderValue]) -> dict[str, HeaderValue]:
    """The headers of a text with NAME=VALUE on a line each.

    Args:
        text: the text.
        before: the headers that it was made from: they have the keys that a text does not hold.

    Raises:
        UsageError: a line has another form.
        KeyRefusedError: a value looks like a key, or was not kept because it did.
    """
    headers: dict[str, HeaderValue] = {}
    for line in filter(str.strip, text.splitlines()):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise UsageError(f"{one_line(line, _MAX_QUOTED)!r} is not a header", remedy="Write NAME=VALUE on a line.")
        if value == NOT_KEPT:
            raise KeyRefusedError(
                f"The value of the header {name} looked like a key and was not kept", remedy=_HEADER_REMEDY
            )
        headers[name] = before[name] if value == IN_MEMORY and name in before else parse_header(name, value)
    return headers


def without_keys(text: str) -> str:
    """The lines of headers as they may be kept: a value that looks like a key is replaced."""
    return "\n".join(map(_line_without_key, text.split("\n")))


def _line_without_key(line: str) -> str:
    name, _, value = line.partition("=")
    try:
        parse_header(name.strip(), value.strip())
    except KeyRefusedError:
        return f"{name}={NOT_KEPT}"
    except AzmlError:  # an incomplete line
        pass
    return line


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
