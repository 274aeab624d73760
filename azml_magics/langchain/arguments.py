"""Defaults of constructor arguments: the environment, LangChain's standard names, and the URL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..core import endpoints
from ..core.errors import ConfigError
from ..core.text import one_line

if TYPE_CHECKING:
    from pydantic import ValidationError

KEY_VARIABLE = "AZUREML_ENDPOINT_API_KEY"
_VARIABLES = {
    "endpoint_url": "AZUREML_ENDPOINT_URL",
    "endpoint_api_type": "AZUREML_ENDPOINT_API_TYPE",
    "deployment_name": "AZUREML_DEPLOYMENT_NAME",
    "timeout": "AZUREML_TIMEOUT",
}
# LangChain's standard parameters -> our names. Those in _STANDARD_KWARGS become model kwargs.
_STANDARD = {"api_key": "endpoint_api_key", "base_url": "endpoint_url", "model_name": "model"}
_STANDARD_KWARGS = ("temperature", "max_tokens", "stop")


def apply_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Return the constructor arguments with defaults.

    Args:
        values: The arguments as given; None means not given.

    Returns:
        The arguments under our names. What is missing comes from the AZUREML_* variables, and the endpoint type from
        the URL.
    """
    given = {name: value for name, value in values.items() if value is not None}
    for standard, ours in _STANDARD.items():
        if standard in given:
            given.setdefault(ours, given.pop(standard))
    kwargs = {name: given.pop(name) for name in _STANDARD_KWARGS if name in given}
    kwargs = {name: value for name, value in kwargs.items() if value != []}
    if kwargs:
        given["model_kwargs"] = {**kwargs, **given.get("model_kwargs", {})}
    for name, variable in _VARIABLES.items():
        text = os.environ.get(variable, "").strip()
        if text and (name not in given or (name == "endpoint_url" and not given[name])):
            given[name] = text
    if "key" not in given:
        given["endpoint_api_key"] = given.get("endpoint_api_key") or os.environ.get(KEY_VARIABLE, "")
    url = str(given.get("endpoint_url", "")).strip()
    given["endpoint_url"] = url.removesuffix("/")
    given["endpoint_api_type"] = _resolve_api_type(given.get("endpoint_api_type"), url)
    return given


def _resolve_api_type(given: Any, url: str) -> str:
    text = str(getattr(given, "value", given) or "").strip().lower()
    return text or (endpoints.api_type_of(url) if url else "dedicated")


def to_config_error(owner: str, error: ValidationError) -> ConfigError:
    """Return pydantic's report as a ConfigError in one line, without the values: one of them may be a key."""
    problems = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return ConfigError(f"{owner} cannot be made: {one_line('; '.join(problems), 400)}", remedy="Check its arguments.")
