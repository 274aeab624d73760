"""Find the formatter of a deployment: from its own descriptions and, on request, by trying formatters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azml_magics.core import endpoints, wire
from azml_magics.core.errors import AzmlError, ConfigError

from .descriptions import Candidate, base_url, fetch_description
from .probes import MAX_REQUESTS, try_formatters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.core.config import LLMConfig

__all__ = ["Candidate", "Detection", "detect"]


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


def detect(config: LLMConfig, *, probe: bool = False, say: Callable[[str], object] | None = None) -> Detection:
    """Find the formatter of a deployment.

    Args:
        config: A config with the endpoint's URL and key; its formatter is ignored.
        probe: Whether to send short prompts with several formatters as well.
        say: Called with a sentence before the first prompt is sent.

    Raises:
        ConfigError: There is no URL.
        AuthenticationError, PermissionDeniedError, APIConnectionError, KeyNotFoundError, RateLimitError: No other
            request would succeed either.
    """
    if not config.endpoint_url:
        raise ConfigError(
            f"{config.name} has no URL",
            remedy="Give it an endpoint_url.",
            error_code="config-without-url",
            facts={"param": config.name},
        )
    described = fetch_description(config)
    if not probe:
        best = _choose_best(config, [each for each in described.candidates if each.formatter])
        note = described.note or ("" if best else "This does not look like a language model.")
        return Detection(described.candidates, best, _url_for(config, best) if best else "", "" if best else note)
    if say is not None:
        say(f"Sending at most {MAX_REQUESTS} short prompts to {endpoints.Origin.of(config.endpoint_url).netloc}.")
    found = try_formatters(config, described.candidates)
    tried = [*found.working, *found.doubtful]
    names = {each.formatter for each in tried}
    candidates = [*tried, *(each for each in described.candidates if each.formatter not in names)]
    best = next(iter(tried), None)
    note = "" if best else f"No formatter got a response that follows the prompt. {found.last_error}".strip()
    return Detection(candidates, best, _url_for(config, best) if best else "", note)


def _choose_best(config: LLMConfig, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one to use. The config's own route is preferred, unless it is /score, which does not stream."""
    if endpoints.route_of(config.endpoint_url) not in {"", "score"}:
        candidates = [*(each for each in candidates if not _url_for(config, each)), *candidates]
    return next(iter(candidates), None)


def _url_for(config: LLMConfig, candidate: Candidate) -> str:
    """Return the URL that the config needs for the candidate's route; "" if its own is right."""
    try:
        changed = config.merged(formatter=candidate.formatter)
        leads_to = wire.wire_for(changed).url(changed, stream=False)
    except AzmlError:
        leads_to = ""
    base = base_url(config.endpoint_url)
    if not candidate.route or (config.name and urlsplit(leads_to).path == f"{urlsplit(base).path}{candidate.route}"):
        return ""
    query = urlsplit(config.endpoint_url).query
    return f"{base}{candidate.route}" + (f"?{query}" if query else "")
