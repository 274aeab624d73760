"""Keys outside headers: in the query of a URL (`?code=`, `?sig=`) and in model kwargs (a tool's `authorization`).

What is typed there would be exported, shown and saved with the config, so a key itself is refused. A reference
("env:NAME") is kept as it is, everywhere, and replaced by the key in the request's last moment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_plus

from .errors import KeyRefusedError
from .headers import looks_like_key
from .keys import is_reference
from .redaction import is_distinctive
from .text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .secret import Secret

_KEYS: Final = "api|subscription|access|account|functions?|auth|authentication|secret|private|master|host"
_TOKENS: Final = "api|access|auth|bearer|sas|refresh|id|session|security|secret|hf|github|personal_access|aad|entra"
_SECRET_NAME: Final = re.compile(
    rf"(.*_)?(({_KEYS})_?key|password|passwd|passphrase|secret|authorization|credentials?|connection_string)"
    rf"|(.*_)?({_TOKENS})_?token|token|jwt|cookie|bearer"
)
"""The one table of names that stand for a key. max_tokens, token_type and eos_token are none of them."""
_VAGUE_NAMES: Final = {"key", "code", "sig", "signature", "sas"}  # a key only if they look like one
_NOT_KEPT: Final = "…"
_JSON_MEMBER: Final = re.compile(r"""(?P<head>["'](?P<name>[^"'\\]{1,80})["']\s*:\s*["'])(?P<value>(?:[^"\\]|\\.)*)""")
_MAX_SHOWN: Final = 60


def is_secret_name(name: str) -> bool:
    """Return whether a value of this name is a key: "api_key", "apiKey" and "Api-Key" alike."""
    return _SECRET_NAME.fullmatch(_normal(name)) is not None


def check_query(url: str) -> None:
    """Refuse a URL whose query holds a key.

    Raises:
        KeyRefusedError: It does. The error names the parameter and not the value.
    """
    for name, value in _pairs(url):
        if _is_key_in_query(name, value) and not is_reference(value):
            raise KeyRefusedError(
                f"The endpoint URL holds a key in its query ({_shown(name)}=…), which would be shown and saved with it",
                remedy=f"Write a reference in its place, {_shown(name)}=env:NAME{_header_instead(name)}.",
                error_code="key-in-url",
                facts={"param": _shown(name), "hint": _header_instead(name)},
            )


def check_kwargs(kwargs: Mapping[str, Any]) -> None:
    """Refuse model kwargs that hold a key, at any depth.

    Raises:
        KeyRefusedError: They do. The error names the kwarg and not the value.
    """
    for name, value in _walk(kwargs):
        if not is_reference(value):
            raise KeyRefusedError(
                f"The model kwarg {_shown(name)!r} holds a key, which would be sent on and saved with the config",
                remedy="Give the endpoint's key as the config's key, or write a reference in its place, env:NAME, if "
                "the model's route takes one.",
                error_code="key-in-kwargs",
                facts={"param": _shown(name)},
            )


def references_in_query(url: str) -> tuple[str, ...]:
    """Return the key references in the query of a URL."""
    return tuple(value for name, value in _pairs(url) if _may_hold_key(name) and is_reference(value))


def references_in(data: Any) -> tuple[str, ...]:
    """Return the key references in JSON data: texts under names of keys."""
    return tuple(value for _, value in _walk(data) if is_reference(value))


def fill_query(url: str, keys: Mapping[str, Secret]) -> str:
    """Return `url` with the keys in the place of their references."""
    head, mark, query = url.partition("?")
    if not mark or not keys:
        return url
    parts = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        secret = keys.get(unquote_plus(value)) if _may_hold_key(unquote_plus(name)) else None
        parts.append(part if secret is None else f"{name}{equals}{quote(secret.reveal_as_given(), safe='')}")
    return f"{head}{mark}{'&'.join(parts)}"


def fill_body(body: bytes, keys: Mapping[str, Secret]) -> bytes:
    """Return a JSON body with the keys in the place of their references; another body as it is."""
    if not any(json.dumps(reference)[1:-1].encode() in body for reference in keys):
        return body
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return json.dumps(_fill(data, keys)).encode()


def hide_keys_in_query(url: str) -> str:
    """Return `url` as it may be shown: without what looks like a key in its query, and without a password."""
    url = re.sub(r"//[^/?#]*@", f"//{_NOT_KEPT}@", url)
    head, mark, query = url.partition("?")
    return f"{head}{mark}{'&'.join(map(_hide, query.split('&')))}" if mark else url


def hide_keys_in_json(text: str) -> str:
    """Return a JSON text, even one that cannot be read, without the values that are keys by their names."""
    return _JSON_MEMBER.sub(_hide_member, text)


def _hide_member(member: re.Match[str]) -> str:
    name, value = member["name"], member["value"]
    is_key = value.strip() and not is_reference(value) and _is_key_in_kwargs(name, value.strip(), in_headers=True)
    return f"{member['head']}{_NOT_KEPT}" if is_key else member[0]


def _hide(part: str) -> str:
    name, equals, value = part.partition("=")
    plain = unquote_plus(value)
    return f"{name}{equals}{_NOT_KEPT}" if _is_key_in_query(name, plain) and not is_reference(plain) else part


def _pairs(url: str) -> Iterator[tuple[str, str]]:
    query = url.partition("?")[2].partition("#")[0]
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value).strip()


def _may_hold_key(name: str) -> bool:
    return is_secret_name(name) or _normal(name) in _VAGUE_NAMES


def _is_key_in_query(name: str, value: str) -> bool:
    if is_secret_name(name):
        return bool(value)
    is_key = is_reference(value) or value == _NOT_KEPT or is_distinctive(value)
    return is_key and _normal(name) in _VAGUE_NAMES


def _walk(data: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and text of everything in JSON data that is a key by its name or its look."""
    waiting = [("", data)]
    while waiting:
        parent, value = waiting.pop()
        if isinstance(value, Mapping):
            in_headers = _normal(parent) == "headers"
            for name, inner in value.items():
                if isinstance(inner, str) and _is_key_in_kwargs(name, inner.strip(), in_headers=in_headers):
                    yield name, inner.strip()
            waiting += [(name, inner) for name, inner in value.items() if isinstance(inner, dict | list)]
        elif isinstance(value, list):
            waiting += [("", inner) for inner in value]


def _is_key_in_kwargs(name: str, value: str, *, in_headers: bool) -> bool:
    if is_secret_name(name):
        return bool(value)
    is_vague = in_headers or _normal(name) in _VAGUE_NAMES
    is_marked = value == _NOT_KEPT or is_reference(value)
    return is_vague and (is_marked or looks_like_key(name if in_headers else "", value))


def _fill(data: Any, keys: Mapping[str, Secret], parent: str = "") -> Any:
    """Return JSON data with the keys in the place of their references: under names of keys, so never in a prompt."""
    if isinstance(data, list):
        return [_fill(value, keys) for value in data]
    if not isinstance(data, dict):
        return data
    in_headers, filled = _normal(parent) == "headers", {}
    for name, value in data.items():
        refers = isinstance(value, str) and value.strip() in keys
        if refers and _is_key_in_kwargs(name, value.strip(), in_headers=in_headers):
            filled[name] = keys[value.strip()].reveal_as_given()
        else:
            filled[name] = _fill(value, keys, name)
    return filled


def _normal(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).replace("-", "_").lower()


def _shown(name: str) -> str:
    return one_line(name, _MAX_SHOWN)


def _header_instead(name: str) -> str:
    """The header that the service reads in place of the query's parameter, as an addition to a remedy."""
    header = {"code": "x-functions-key", "subscription_key": "Ocp-Apim-Subscription-Key"}.get(_normal(name), "")
    return f", or send it in the header {header}" if header else ""
