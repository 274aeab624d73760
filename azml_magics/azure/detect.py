"""Find the formatter of a deployment: from its swagger document and, on request, by trying all formatters."""

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


class Candidate(NamedTuple):
    """A formatter that may be the deployment's.

    Attributes:
        formatter: its registered name; "" if it is not known.
        route: the route of its requests, such as "/score"; "" if it is not known.
        reason: what speaks for it.
    """

    formatter: str
    route: str
    reason: str


@dataclass(frozen=True)
class Detection:
    """What was found.

    Attributes:
        candidates: the possible formatters, the most likely first.
        best: the one to use, or None if it cannot be told.
        url: the URL that the config needs for the best one; "" if its own is right.
        note: why there is no best one, or "".
    """

    candidates: Sequence[Candidate]
    best: Candidate | None = None
    url: str = ""
    note: str = ""


def detect(config: LLMConfig, *, probe: bool = False) -> Detection:
    """Find the formatter of a deployment.

    Args:
        config: A config with the endpoint's URL and key; its formatter is ignored.
        probe: Whether to send a short prompt with every formatter as well.

    Raises:
        ConfigError: There is no URL.
        AuthenticationError, PermissionDeniedError, APIConnectionError, KeyNotFoundError, RateLimitError: No other
            request would succeed either.
    """
    candidates, note = _find_in_swagger(config)
    if probe:
        working, last_error = _probe_formatters(config)
        candidates += working
        note = note if working else f"No formatter got a response. {last_error}".strip()
        named = {each.formatter for each in working}
        best = _choose_best(config, [each for each in candidates if each.formatter in named])
    else:
        best = _choose_best(config, [each for each in candidates if each.formatter])
        note = note or ("" if best else "This does not look like a language model.")
    return Detection(candidates, best, _require_url(config, best) if best else "", "" if best else note)


def _base(url: str) -> tuple[str, str, str]:
    """Return (scheme, host, path) of a URL without its route; other routes are appended to it."""
    parts, origin = endpoints.split(url), endpoints.Origin.of(url)
    path = parts.path.rstrip("/")
    return origin.scheme, origin.netloc, path.removesuffix(f"/{endpoints.route_of(url)}").removesuffix("/v1")


def swagger_url(url: str) -> str:
    """Return the URL of the deployment's swagger document: /swagger.json beside its route."""
    scheme, host, path = _base(url)
    return urlunsplit((scheme, host, f"{path}/swagger.json", "", ""))


def _choose_best(config: LLMConfig, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one to use. The config's own route is preferred, unless it is /score, which does not stream."""
    if endpoints.route_of(config.endpoint_url) not in {"", "score"}:
        candidates = [*(each for each in candidates if not _require_url(config, each)), *candidates]
    return next(iter(candidates), None)


def _require_url(config: LLMConfig, candidate: Candidate) -> str:
    """Return the URL that the config needs for the candidate's route; "" if its own is right."""
    try:
        changed = config.merged(formatter=candidate.formatter)
        leads_to = wire.wire_for(changed).url(changed, stream=False)
    except AzmlError:
        leads_to = ""
    scheme, host, path = _base(config.endpoint_url)
    if not candidate.route or (config.name and urlsplit(leads_to).path == f"{path}{candidate.route}"):
        return ""
    query = urlsplit(config.endpoint_url).query
    return urlunsplit((scheme, host, f"{path}{candidate.route}", query, ""))


def _find_in_swagger(config: LLMConfig) -> tuple[list[Candidate], str]:
    """Return the candidates that the swagger document names, and a note if it names none."""
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
        document = client.fetch(config, url)
    except (AuthenticationError, PermissionDeniedError, APIConnectionError, ConfigError, NotRecordedError):
        raise
    except AzmlError as error:
        return [], f"No swagger: {error.cause.rstrip('.')}."
    try:
        found = swagger.findings(json.loads(document))
    except (ValueError, RecursionError):
        return [], f"{url} is not JSON."
    return [Candidate(finding.formatter, finding.route, finding.reason) for finding in found], (
        "" if found else "The swagger document does not tell."
    )


def _probe_formatters(config: LLMConfig) -> tuple[list[Candidate], str]:
    """Send a short prompt with each formatter that fits the URL; return those with a response, and the last error."""
    from azml_magics.core import client

    working, last_error = [], ""
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
            last_error = f"The last error: {error.cause}"
            continue
        except AzmlError:
            continue
        route = urlsplit(wire.wire_for(probe).url(probe, stream=False)).path.removeprefix(_base(config.endpoint_url)[2])
        working.append(Candidate(name, route, f"it responded {one_line(response.text, 40)!r}"))
    return working, last_error
