"""Which dialect a deployment speaks: from its swagger and, where that is asked for, by trying them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from azml_magics.core import endpoints, wire
from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    AzmlError,
    ConfigError,
    EndpointError,
    KeyNotFoundError,
    NotRecordedError,
    PermissionDeniedError,
    RateLimitError,
)
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig

_PROBE_ORDER = ("openai-chat", "openai", "mlflow", "dolly", "gpt2", "hf", "hf-plain", "promptflow", "tgi")


class Dialect(NamedTuple):
    """A dialect, where it is spoken ("" where that is not known), and the sign for it."""

    formatter: str
    route: str
    because: str


@dataclass(frozen=True)
class Detected:
    """What was found: the dialects, the likeliest first, and the one to take, None where none can be told.

    url: what the config's URL must become for the best one; "" where its own leads there. note: what is to be said
    where there is none.
    """

    dialects: Sequence[Dialect]
    best: Dialect | None = None
    url: str = ""
    note: str = ""


def detect(config: LLMConfig, *, probe: bool = False) -> Detected:
    """What the deployment's swagger tells; with `probe` also what answers a short prompt.

    Raises ConfigError without a URL, and what stops every other request, too: AuthenticationError,
    PermissionDeniedError, APIConnectionError, KeyNotFoundError, RateLimitError.
    """
    dialects, note = _by_swagger(config)
    if probe:
        answered, last_error = _by_probing(config)
        dialects += answered
        note = note if answered else f"No dialect was answered. {last_error}".strip()
        named = {each.formatter for each in answered}
        best = _best(config, [each for each in dialects if each.formatter in named])
    else:
        best = _best(config, [each for each in dialects if each.formatter])
        note = note or ("" if best else "It is hardly a language model.")
    return Detected(dialects, best, _other_url(config, best) if best else "", "" if best else note)


def _base(url: str) -> tuple[str, str, str]:
    """(scheme, host, path) of a URL without its route: what other routes are appended to."""
    parts, origin = endpoints.split(url), endpoints.Origin.of(url)
    path = parts.path.rstrip("/")
    return origin.scheme, origin.netloc, path.removesuffix(f"/{endpoints.route_of(url)}").removesuffix("/v1")


def swagger_url(url: str) -> str:
    """Where the deployment at `url` describes itself: /swagger.json beside its route."""
    scheme, host, path = _base(url)
    return urlunsplit((scheme, host, f"{path}/swagger.json", "", ""))


def _best(config: LLMConfig, dialects: Sequence[Dialect]) -> Dialect | None:
    """The one to take: one of the route that the config names, unless that is /score, where nothing streams."""
    if endpoints.route_of(config.endpoint_url) not in {"", "score"}:
        dialects = [*(each for each in dialects if not _other_url(config, each)), *dialects]
    return next(iter(dialects), None)


def _other_url(config: LLMConfig, dialect: Dialect) -> str:
    """The URL that the config needs to be asked on the dialect's route; "" where its own leads there."""
    try:
        candidate = config.merged(formatter=dialect.formatter)
        leads_to = wire.wire_for(candidate).url(candidate, stream=False)
    except AzmlError:
        leads_to = ""
    scheme, host, path = _base(config.endpoint_url)
    if not dialect.route or (config.name and urlsplit(leads_to).path == f"{path}{dialect.route}"):
        return ""
    query = urlsplit(config.endpoint_url).query
    return urlunsplit((scheme, host, f"{path}{dialect.route}", query, ""))


def _by_swagger(config: LLMConfig) -> tuple[list[Dialect], str]:
    """The dialects that the swagger names, and what is to be said where it names none."""
    from azml_magics.core import client

    from . import swagger

    if not config.endpoint_url:
        raise ConfigError(
            f"{config.name} has no URL",
            remedy="Give it an endpoint_url.",
            error_code="config-without-url",
            facts={"param": config.name},
        )
    url = swagger_url(config.endpoint_url)
    try:
        described = client.fetch(config, url)
    except (AuthenticationError, PermissionDeniedError, APIConnectionError, ConfigError, NotRecordedError):
        raise
    except AzmlError as error:
        return [], f"No swagger: {error.cause.rstrip('.')}."
    try:
        found = swagger.findings(json.loads(described))
    except (ValueError, RecursionError):
        return [], f"{url} is no JSON."
    return [Dialect(finding.formatter, finding.route, finding.because) for finding in found], (
        "" if found else "The swagger does not tell."
    )


def _by_probing(config: LLMConfig) -> tuple[list[Dialect], str]:
    """One short prompt in each dialect that can be spoken at the URL: those that answer, and the last one's error."""
    from azml_magics.core import client

    answered, last_error = [], ""
    for name in _PROBE_ORDER:
        formatter = wire.get(name)
        limit = next((k.name for k in formatter.known_kwargs if k.name in {"max_tokens", "max_new_tokens"}), None)
        probe = config.merged(formatter=name, max_retries=0)
        try:
            response = client.invoke(probe.merged(model_kwargs={limit: 5} if limit else {}), "Say hello.")
        except (
            AuthenticationError,
            PermissionDeniedError,
            APIConnectionError,
            KeyNotFoundError,
            RateLimitError,
        ):
            raise
        except EndpointError as error:
            last_error = f"The last one said: {error.cause}"
            continue
        except AzmlError:
            continue
        route = urlsplit(wire.wire_for(probe).url(probe, stream=False)).path.removeprefix(_base(config.endpoint_url)[2])
        answered.append(Dialect(name, route, f"it answered {one_line(response.text, 40)!r}"))
    return answered, last_error
