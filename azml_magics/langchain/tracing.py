"""LangSmith's standard parameters, as traces show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.endpoints import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.language_models.base import LangSmithParams

    from .base_endpoint import AzureMLBaseEndpoint


def fill_ls_params(
    endpoint: AzureMLBaseEndpoint, params: LangSmithParams, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> LangSmithParams:
    """Return LangChain's `params` with the model, temperature, token limit and stop sequences of this call.

    The model's name is, in this order, that of the call, of the endpoint, the deployment, or the host.
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
