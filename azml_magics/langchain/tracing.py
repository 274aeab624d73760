"""What traces say of a model: LangSmith's standard parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.endpoints import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.language_models.base import LangSmithParams

    from .base_endpoint import AzureMLBaseEndpoint


def ls_params(
    endpoint: AzureMLBaseEndpoint, params: LangSmithParams, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> LangSmithParams:
    """LangChain's own `params` with the model, temperature, token limit and stop texts of this call filled in.

    The model is the call's, the endpoint's `model`, the deployment, or else the endpoint's host.
    """
    sent = {**(endpoint.model_kwargs or {}), **kwargs}
    model = sent.get("model") or endpoint.model or endpoint.deployment_name
    params["ls_model_name"] = str(model or Origin.of(endpoint.endpoint_url).host)
    temperature = sent.get("temperature")
    if isinstance(temperature, int | float):
        params["ls_temperature"] = temperature
    limit = next((sent[name] for name in ("max_tokens", "max_new_tokens", "max_completion_tokens") if name in sent), 0)
    if isinstance(limit, int) and limit:
        params["ls_max_tokens"] = limit
    ends = stop or sent.get("stop")
    if ends:
        params["ls_stop"] = [ends] if isinstance(ends, str) else list(ends)
    return params
