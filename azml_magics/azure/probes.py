"""Find a deployment's formatter by trying: short prompts, and a judgement of what comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from azml_magics.core import endpoints, wire
from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    AzmlError,
    EndpointError,
    KeyNotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from azml_magics.core.text import one_line

from .descriptions import Candidate, base_url
from .short_calls import BudgetSpent, RequestBudget, ShortCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.response import Response

MAX_REQUESTS = 12
# Two prompts with two limits: the answers must differ, and the second one must be short.
LONG_PROMPT = ("Name three things to do on a rainy day in Lisbon.", 24)
SHORT_PROMPT = ("Why is the sea salty?", 4)
_CHARACTERS = 12  # that a token may have, for servers that count none
_FATAL = (AuthenticationError, PermissionDeniedError, APIConnectionError, KeyNotFoundError, RateLimitError)
# What /score may take, the likeliest first. Serverless: messages as on OpenAI routes.
_SCORE = (
    *(("openai-chat", ""), ("openai", ""), ("mlflow", ""), ("dolly", ""), ("gpt2", ""), ("hf", ""), ("hf-plain", "")),
    *(("openai-chat", "serverless"), ("promptflow", ""), ("mlflow(column=input_string)", ""), ("tgi", "")),
)
_OPENAI = ("openai-responses", "openai-chat", "anthropic-messages", "openai")


class Attempt(NamedTuple):
    """One formatter to try.

    Attributes:
        config: The config with it.
        candidate: What to report if it works.
    """

    config: LLMConfig
    candidate: Candidate


@dataclass
class Probing:
    """What the tries found.

    Attributes:
        working: Formatters whose answers follow the prompt and heed the limit; at most one.
        doubtful: Formatters whose answers follow the prompt, and whose limit is not heeded.
        last_error: The last error, as a sentence, or "".
    """

    working: list[Candidate] = field(default_factory=list)
    doubtful: list[Candidate] = field(default_factory=list)
    last_error: str = ""


def try_formatters(config: LLMConfig, described: Sequence[Candidate]) -> Probing:
    """Try formatters until one works, with at most `MAX_REQUESTS` short prompts.

    Args:
        config: A config with the endpoint's URL and key; its formatter is ignored.
        described: What the endpoint's descriptions point to; tried first.

    Raises:
        AuthenticationError, PermissionDeniedError, APIConnectionError, KeyNotFoundError, RateLimitError: No other
            request would succeed either.
    """
    found, budget, missing = Probing(), RequestBudget(MAX_REQUESTS), set()
    for attempt in _attempts(config, described):
        url = _url_of(attempt.config)
        if not url or url in missing:
            continue
        try:
            reason, is_limited = _try(attempt.config, budget)
        except _FATAL:
            raise
        except BudgetSpent:
            found.last_error = f"It stopped after {MAX_REQUESTS} requests."
            break
        except AzmlError as error:
            if error.error_code == "embeddings-model":
                found.working.append(_embeddings_candidate(config))
                break
            found.last_error = (
                f"The last error: {error.cause}" if isinstance(error, EndpointError) else found.last_error
            )
            if error.error_code == "not-found":
                missing.add(url)
            continue
        if reason:
            tried = attempt.candidate._replace(route=_route_of(config, url), reason=reason)
            (found.working if is_limited else found.doubtful).append(tried)
        if reason and is_limited:
            break
    return found


def _route_of(config: LLMConfig, url: str) -> str:
    """Return the path of `url` behind the base of the config's endpoint."""
    return urlsplit(url).path.removeprefix(urlsplit(base_url(config.endpoint_url)).path)


def _embeddings_candidate(config: LLMConfig) -> Candidate:
    """Return the formatter of an embeddings model, and its route on the config's endpoint."""
    url = config.endpoint_url
    if endpoints.route_of(url) not in {"", "score"}:
        url = endpoints.base_of(url)
    route = _route_of(config, _url_of(config.merged(endpoint_url=url, formatter="embeddings")))
    return Candidate("embeddings", route, "it has an embeddings model")


def _attempts(config: LLMConfig, described: Sequence[Candidate]) -> Iterator[Attempt]:
    """Yield what to try, the likeliest first; each combination once."""
    base, seen = base_url(config.endpoint_url), set()
    query = urlsplit(config.endpoint_url).query
    tries = [
        (each.formatter, each.api_type, f"{base}{each.route}" + (f"?{query}" if query else ""), each.model)
        for each in described
        if each.formatter and each.route
    ]
    if endpoints.kind_of(config.endpoint_url) == "other" and not endpoints.route_of(config.endpoint_url):
        tries.append(("openai-chat", "", f"{base}/v1/chat/completions", ""))
    tries += [(name, "", config.endpoint_url, "") for name in endpoints.formatters_for(config.endpoint_url)]
    if endpoints.service_of(config.endpoint_url).wires and not endpoints.route_of(config.endpoint_url):
        tries += [(name, "", config.endpoint_url, "") for name in _OPENAI]
    tries += [(name, api_type, config.endpoint_url, "") for name, api_type in _SCORE]
    for name, api_type, url, model in tries:
        if name not in wire.names() and "(" not in name:
            continue
        tried = config.merged(
            endpoint_url=url,
            endpoint_api_type=api_type,
            formatter=name,
            model=config.model or model or None,
            max_retries=0,
        )
        key = (name, tried.endpoint_api_type, _url_of(tried))
        if key not in seen:
            seen.add(key)
            yield Attempt(tried, Candidate(name, "", "", api_type, "" if config.model else model))


def _url_of(config: LLMConfig) -> str:
    """Return where a request of the config goes; "" if its formatter does not fit the URL."""
    try:
        return wire.wire_for(config).url(config, stream=False)
    except AzmlError:
        return ""


def _try(config: LLMConfig, budget: RequestBudget) -> tuple[str, bool]:
    """Send both prompts.

    Returns:
        What the deployment did, "" if its answers are not those of a model, and whether it heeds the limit.

    Raises:
        AzmlError: It refused.
        BudgetSpent: There is no request left.
    """
    call = ShortCall(config, budget)
    first = call.invoke(*LONG_PROMPT)
    if is_request_repeated(first.text, call.sent):
        return "", False
    second = call.invoke(*SHORT_PROMPT)
    if is_request_repeated(second.text, call.sent) or not follows_prompts(first, second):
        return "", False
    shown = repr(one_line(first.text, 40)) if first.text else "with reasoning"
    if heeds_limit(second, call.limit):
        return f"it responded {shown}", True
    return f"it responded {shown}, and ignores {call.name}", False


def is_request_repeated(text: str, body: bytes) -> bool:
    """Whether a text is the request itself, as scripts print what they do not understand.

    Args:
        text: The answer.
        body: The request that was sent.
    """
    keys = set(re.findall(rb'"(\w{4,40})":', body))
    return any(re.search(rf"['\"]{re.escape(key.decode())}['\"]\s*:", text) for key in keys)


def follows_prompts(first: Response, second: Response) -> bool:
    """Whether the answers to two prompts are about them: one that is the beginning of the other is not."""
    if not (first.text.strip() and second.text.strip()):
        return bool(first.reasoning or second.reasoning or _has_reasoned(first) or _has_reasoned(second))
    one, other = (" ".join(response.text.lower().split()) for response in (first, second))
    return not (one.startswith(other) or other.startswith(one))


def heeds_limit(response: Response, limit: int) -> bool:
    """Whether an answer is as short as was asked for; True if no limit was sent, or if thoughts use it up first.

    Args:
        response: The answer.
        limit: The limit in tokens; 0 for none.
    """
    if not limit or response.reasoning or _has_reasoned(response):
        return True
    counted = response.usage.completion_tokens if response.usage else None
    if counted is not None:
        return counted <= limit
    return len(response.text) <= limit * _CHARACTERS


def _has_reasoned(response: Response) -> bool:
    return bool(response.usage and response.usage.reasoning_tokens)
