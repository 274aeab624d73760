"""Calls that ask for a few tokens only, on every wire format: what checks and probes send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core import wire
from azml_magics.core.config import UNSET
from azml_magics.core.errors import BadRequestError

if TYPE_CHECKING:
    from azml_magics.core.call import PreparedCall
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.response import Response

# The kwargs that limit a response, and the fewest tokens that each one accepts. Reasoning models, which take
# max_completion_tokens, refuse a limit that ends within their thoughts.
_LIMITS = {"max_tokens": 1, "max_new_tokens": 1, "max_output_tokens": 16, "max_completion_tokens": 256}
_RENAMED = "max_completion_tokens"


class BudgetSpent(Exception):
    """No request is left; internal to detection."""


class RequestBudget:
    """How many requests may still be sent."""

    def __init__(self, requests: int) -> None:
        self.left = requests

    def spend(self, prepared: PreparedCall) -> None:
        """Count a call: its request, and the one that follows if the server refuses what was added to it.

        Raises:
            BudgetSpent: Too few requests are left.
        """
        needed = 1 + (prepared.request.fallback is not None)
        if self.left < needed:
            raise BudgetSpent
        self.left -= needed


class ShortCall:
    """Sends prompts and asks for a few tokens.

    A model that takes no max_tokens is asked again with max_completion_tokens, and one that takes no limit without.

    Args:
        config: The config of the calls; its own limit is replaced.
        budget: What limits the requests, or None.

    Attributes:
        name: The kwarg that limits the response; "" if the formatter is not known to have one, or the model has none.
        limit: The limit of the last call, in tokens; 0 without one.
        sent: The body of the last request.
    """

    def __init__(self, config: LLMConfig, budget: RequestBudget | None = None) -> None:
        self._config = config
        self._budget = budget
        self.name = limit_of(config)
        self.limit = 0
        self.sent = b""

    def invoke(self, prompt: str, tokens: int, *, stream: bool = False) -> Response:
        """Send a prompt and ask for `tokens` tokens, or the fewest that the kwarg accepts.

        Args:
            prompt: The prompt.
            tokens: The limit.
            stream: Whether to ask for a stream.

        Raises:
            AzmlError: As `invoke` and `stream` of the core do.
            BudgetSpent: There is no request left.
        """
        try:
            return self._send(prompt, tokens, stream=stream)
        except BadRequestError as error:
            if not self.name or error.facts.get("param") != self.name:
                raise
            self.name = _RENAMED if error.error_code == "max-tokens-renamed" else ""
            return self._send(prompt, tokens, stream=stream)

    def _send(self, prompt: str, tokens: int, *, stream: bool) -> Response:
        from azml_magics.core import client

        self.limit = max(tokens, _LIMITS[self.name]) if self.name else 0
        limits = dict.fromkeys(_LIMITS, UNSET) | ({self.name: self.limit} if self.name else {})
        config = self._config.merged(model_kwargs=limits, max_retries=0)
        prepared = client.prepare(config, prompt, stream=stream)
        self.sent = prepared.request.body
        if self._budget is not None:
            self._budget.spend(prepared)
        if not stream:
            return client.invoke(config, prompt)
        with client.stream(config, prompt) as chunks:
            for _ in chunks:
                pass
        return chunks.response


def limit_of(config: LLMConfig) -> str:
    """Return the name of the kwarg that limits the response; "" if the formatter is not known to have one."""
    own = next((name for name in _LIMITS if name in config.model_kwargs), "")
    known = [kwarg.name for kwarg in wire.formatter_for(config).kwargs_for(config)]
    return own or next((name for name in known if name in _LIMITS), "")
