"""%azureml detect: which dialect a deployment speaks, from its swagger and, with --probe, by trying them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from azml_magics.core import endpoint, wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import (
    AuthenticationFailed,
    AzmlError,
    ConfigError,
    ConnectionFailed,
    EndpointError,
    KeyMissing,
    NotRecorded,
    RateLimited,
    one_line,
)

from . import calls, display

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .magics import AzureMLMagics

_PROBE_ORDER = ("openai-chat", "openai", "mlflow", "dolly", "gpt2", "hf", "hf-plain", "promptflow", "tgi")


class _Row(NamedTuple):
    """A dialect, where it is spoken ("" where that is not known), and the sign for it."""

    formatter: str
    route: str
    because: str


def detect(magics: AzureMLMagics, options: Mapping[str, Any]) -> display.Table:
    """A table of the dialects found, the likeliest first, with the sign for each and what to type."""
    name = options["name"] or ""
    config = _config_at(magics, name) if "://" in name else calls.in_use(magics, name)
    rows, note = _by_swagger(config)
    if options["probe"]:
        answered, last_error = _by_probing(config)
        rows += answered
        note = note if answered else f"No dialect was answered. {last_error}".strip()
        best = _best(config, [row for row in rows if row.formatter in {each.formatter for each in answered}])
    else:
        best = _best(config, [row for row in rows if row.formatter])
        note = note or ("" if best else "It is hardly a language model.")
        note += "" if best else f" Try %azureml detect {name} --probe: it sends a short prompt in every dialect."
    if best:
        note = f"To use it: %azureml save {config.name or 'NAME'}{_url_option(config, best)} -f {best.formatter}"
    return display.Table(("formatter", "route", "because"), rows, note=note.strip())


def _config_at(magics: AzureMLMagics, url: str) -> LLMConfig:
    """An unnamed config for a URL; its key is that of a config for the same host, the one in use before the others."""
    host = urlsplit(url).netloc
    for name in filter(None, (magics.session.active, *magics.session.names())):
        known = magics.session.get(name)
        if host and urlsplit(known.endpoint_url).netloc == host:
            return known.merged(endpoint_url=url, name="", formatter="")
    return LLMConfig(endpoint_url=url)


def _base(url: str) -> tuple[str, str, str]:
    """(scheme, host, path) of a URL without its route: what other routes are appended to."""
    parts = endpoint.split(url)
    path = parts.path.rstrip("/")
    return parts.scheme, parts.netloc, path.removesuffix(f"/{endpoint.route_of(url)}").removesuffix("/v1")


def swagger_url(url: str) -> str:
    """Where the deployment at `url` describes itself: /swagger.json beside its route."""
    scheme, host, path = _base(url)
    return urlunsplit((scheme, host, f"{path}/swagger.json", "", ""))


def _best(config: LLMConfig, rows: Sequence[_Row]) -> _Row | None:
    """The row to take: one of the route that the config names, unless that is /score, where nothing streams."""
    if endpoint.route_of(config.endpoint_url) not in {"", "score"}:
        rows = [*(row for row in rows if not _url_option(config, row)), *rows]
    return next(iter(rows), None)


def _url_option(config: LLMConfig, row: _Row) -> str:
    """The --url that the config needs to be asked on the row's route; "" where its own leads there."""
    try:
        leads_to = wire.get(row.formatter).url(config.merged(formatter=row.formatter), stream=False)
    except AzmlError:
        leads_to = ""
    scheme, host, path = _base(config.endpoint_url)
    if not row.route or (config.name and urlsplit(leads_to).path == f"{path}{row.route}"):
        return ""
    query = urlsplit(config.endpoint_url).query
    return f" --url {urlunsplit((scheme, host, f'{path}{row.route}', query, ''))}"


def _by_swagger(config: LLMConfig) -> tuple[list[_Row], str]:
    """The rows that the swagger gives, and what is to be said where it gives none."""
    from azml_magics.azure import swagger
    from azml_magics.core import invoke

    if not config.endpoint_url:
        raise ConfigError(f"{config.name} has no URL", remedy=f"%azureml save {config.name} --url URL gives it one.")
    url = swagger_url(config.endpoint_url)
    try:
        described = invoke.fetch(config, url)
    except (AuthenticationFailed, ConnectionFailed, ConfigError, NotRecorded):
        raise
    except AzmlError as error:
        return [], f"No swagger: {error.cause.rstrip('.')}."
    try:
        found = swagger.findings(json.loads(described))
    except (ValueError, RecursionError):
        return [], f"{url} is no JSON."
    return [_Row(finding.formatter, finding.route, finding.because) for finding in found], (
        "" if found else "The swagger does not tell."
    )


def _by_probing(config: LLMConfig) -> tuple[list[_Row], str]:
    """One short prompt in each dialect that can be spoken at the URL: those that answer, and the last one's error."""
    from azml_magics.core import invoke

    rows, last_error = [], ""
    for name in _PROBE_ORDER:
        formatter = wire.get(name)
        limit = next((k.name for k in formatter.known_kwargs if k.name in {"max_tokens", "max_new_tokens"}), None)
        probe = config.merged(formatter=name, max_retries=0)
        try:
            response = invoke.invoke(probe.merged(model_kwargs={limit: 5} if limit else {}), "Say hello.")
        except (AuthenticationFailed, ConnectionFailed, KeyMissing, RateLimited):  # no other dialect would help
            raise
        except EndpointError as error:
            last_error = f"The last one said: {error.cause}"
            continue
        except AzmlError:
            continue
        route = urlsplit(formatter.url(probe, stream=False)).path.removeprefix(_base(config.endpoint_url)[2])
        rows.append(_Row(name, route, f"it answered {one_line(response.text, 40)!r}"))
    return rows, last_error
