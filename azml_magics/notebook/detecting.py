"""%azureml detect: which dialect a deployment speaks, from its swagger and, with --probe, by trying them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from azml_magics.core import endpoint, wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AuthenticationFailed, AzmlError, ConnectionFailed, one_line

from . import display

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .magics import AzureMLMagics

_PROBE_ORDER = ("openai-chat", "openai", "mlflow", "dolly", "gpt2", "hf", "hf-plain", "promptflow", "tgi")


def detect(magics: AzureMLMagics, options: Mapping[str, Any]) -> display.Table:
    """A table of the dialects found, the likeliest first, with the sign for each and what to type."""
    name = options["name"] or ""
    config = _config_at(magics, name) if "://" in name else magics.session.get(name or magics.default_config)
    rows, note = _by_swagger(config)
    if options["probe"]:
        rows += _by_probing(config)
    best = next((row[0] for row in rows if row[0]), "")
    if best and config.name:
        note = f"To use it: %azureml save {config.name} -f {best}"
    elif not rows and not options["probe"]:
        note = f"{note} Try %azureml detect {name} --probe: it sends one short prompt in every dialect.".strip()
    return display.Table(("formatter", "route", "because"), rows, note=note)


def _config_at(magics: AzureMLMagics, url: str) -> LLMConfig:
    """An unnamed config for a URL; its key is the one of the config in use, if that is for the same host."""
    active = magics.session.get() if magics.session.active else None
    if active and urlsplit(active.endpoint_url).netloc == urlsplit(url).netloc:
        return active.merged(endpoint_url=url, name="", formatter="")
    return LLMConfig(endpoint_url=url)


def swagger_url(url: str) -> str:
    """Where the deployment at `url` describes itself: /swagger.json beside its route."""
    parts = endpoint.split(url)
    route = endpoint.route_of(url)
    path = parts.path.rstrip("/")
    base = path.removesuffix(f"/{route}").removesuffix("/v1") if route else path
    return urlunsplit((parts.scheme, parts.netloc, f"{base}/swagger.json", "", ""))


def _by_swagger(config: LLMConfig) -> tuple[list[tuple[str, str, str]], str]:
    from azml_magics.azure import swagger
    from azml_magics.core import invoke

    url = swagger_url(config.endpoint_url)
    try:
        found = swagger.findings(json.loads(invoke.fetch(config, url)))
    except ValueError:
        return [], f"{url} is no JSON."
    except (AuthenticationFailed, ConnectionFailed):
        raise
    except AzmlError as error:
        return [], f"No swagger: {error.cause}."
    rows = [(finding.formatter, finding.route, finding.because) for finding in found]
    return rows, "" if rows else "The swagger does not tell."


def _by_probing(config: LLMConfig) -> list[tuple[str, str, str]]:
    """One short prompt in each dialect that can be spoken at the URL; those that answer."""
    from azml_magics.core import invoke

    rows = []
    for name in _PROBE_ORDER:
        formatter = wire.get(name)
        limit = next((k.name for k in formatter.known_kwargs if k.name in {"max_tokens", "max_new_tokens"}), None)
        probe = config.merged(formatter=name, max_retries=0)
        try:
            response = invoke.invoke(probe.merged(model_kwargs={limit: 5} if limit else {}), "Say hello.")
        except (AuthenticationFailed, ConnectionFailed):
            raise
        except AzmlError:
            continue
        route = endpoint.route_of(formatter.url(probe, stream=False))
        rows.append((name, f"/{route}" if route else "", f"it answered {one_line(response.text, 40)!r}"))
    return rows
