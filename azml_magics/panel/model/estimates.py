"""What a prompt will take, in a quiet line before it is sent: tokens and, where its config has a price, costs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.errors import AzmlError
from azml_magics.core.pricing import cost_of, format_cost
from azml_magics.core.response import Usage
from azml_magics.core.tokens import TokenEstimate, estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig

    from .state import PanelState

_DEPLOYMENT: Final = re.compile(r"/deployments/([^/?]+)")
_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_new_tokens", "max_gen_len")


@dataclass(frozen=True)
class PromptEstimate:
    """What one request would take.

    Attributes:
        config: where it goes.
        tokens: those of its prompt.
    """

    config: LLMConfig
    tokens: TokenEstimate

    @property
    def prompt_cost(self) -> float | None:
        """What the prompt costs; None without a price. Pictures and files are not in it."""
        return self._cost_with(0)

    @property
    def highest_cost(self) -> float | None:
        """What the request costs at most; None without a price or a limit on the response's tokens."""
        limit = next((self.config.model_kwargs[name] for name in _LIMITS if name in self.config.model_kwargs), None)
        return self._cost_with(limit) if isinstance(limit, int) and not isinstance(limit, bool) else None

    def _cost_with(self, completion_tokens: int) -> float | None:
        return cost_of(Usage(self.tokens.tokens, completion_tokens), self.config.price)


def estimate_prompt(state: PanelState, config: LLMConfig) -> PromptEstimate:
    """Estimate what the panel's prompt would take with a config.

    Raises:
        AzmlError: if the prompt cannot be sent as it is.
    """
    own = state.prompt_messages(state.prompt, config, reads_files=False)  # with every key that is typed
    prompt = state.conversation.with_prompt(own, config)
    request = BatchRequest({}, config, prompt)
    sent, messages = state.with_options(request).as_recorded()
    tools = sent.model_kwargs.get("tools")
    tokens = estimate_tokens(messages, _model_of(sent), tools=tools if isinstance(tools, list) else (), wait=0)
    return PromptEstimate(sent, tokens)


def _model_of(config: LLMConfig) -> str:
    """The model's name as far as the config tells it: its own, or that of its deployment."""
    in_url = _DEPLOYMENT.search(config.endpoint_url)
    named = config.model or config.model_kwargs.get("model") or config.deployment_name
    return str(named or (in_url[1] if in_url else ""))


def describe_run(state: PanelState) -> str:
    """Return a line about what Run would send; "" if the prompt cannot be sent as it is."""
    try:
        estimate = estimate_prompt(state, state.filled_config())
    except AzmlError:  # Run will say it
        return ""
    prompt, highest = format_cost(estimate.prompt_cost), format_cost(estimate.highest_cost)
    costs = [f"costs {prompt}" if prompt else "", f"with the longest response {highest}" if highest else ""]
    return ", ".join(filter(None, [f"Prompt: {estimate.tokens}", *costs]))


def describe_prompts(estimates: Sequence[PromptEstimate], times: int) -> str:
    """Return what the prompts of several requests take.

    Args:
        estimates: one for each config.
        times: how many requests go to each config.
    """
    tokens = sum((each.tokens for each in estimates[1:]), estimates[0].tokens)
    costs = [each.prompt_cost for each in estimates]
    known = [cost for cost in costs if cost is not None]
    total = format_cost(sum(known) * times) if len(known) == len(costs) else ""
    everything = replace(tokens, tokens=tokens.tokens * times, uncounted=tokens.uncounted * times)
    return ", ".join(filter(None, [f"prompts of {everything}", f"which cost {total}" if total else ""]))
