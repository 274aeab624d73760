"""What traces show of a call: LangSmith's standard parameters, which MLflow reads as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .outputs import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.callbacks.manager import BaseRunManager
    from langchain_core.language_models.base import LangSmithParams

    from ..core.response import Response
    from .base_endpoint import AzureMLBaseEndpoint

_LIMITS = ("max_tokens", "max_new_tokens", "max_completion_tokens", "max_output_tokens")


def fill_ls_params(
    endpoint: AzureMLBaseEndpoint, params: LangSmithParams, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> LangSmithParams:
    """Return LangChain's `params` with the provider, model, temperature, token limit and stop sequences of this call.

    The model's name is, in this order, that of the call, of the endpoint, or the deployment. Without one there is no
    name until the response tells it.
    """
    params["ls_provider"] = PROVIDER
    sent = {**(endpoint.model_kwargs or {}), **kwargs}
    model = sent.get("model") or endpoint.model or sent.get("deployment_name") or endpoint.deployment_name
    if model:
        params["ls_model_name"] = str(model)
    temperature = sent.get("temperature")
    if isinstance(temperature, int | float):
        params["ls_temperature"] = temperature
    limit = next((sent[name] for name in _LIMITS if name in sent), 0)
    if isinstance(limit, int) and limit:
        params["ls_max_tokens"] = limit
    ends = stop or sent.get("stop")
    if ends:
        params["ls_stop"] = [ends] if isinstance(ends, str) else list(ends)
    return params


def report_model(run_manager: BaseRunManager | None, response: Response) -> Response:
    """Name the model that answered in the metadata of the run, which tracers send when it ends; return the response."""
    if run_manager is not None:
        name_model(run_manager.metadata, response.model)
    return response


def name_model(metadata: dict[str, Any], model: object) -> None:
    """Set the name of the model in the metadata of a run, if there is one."""
    if isinstance(model, str) and model:
        metadata["ls_model_name"] = model
