"""The arguments of a call: what configures the client, what the model gets, and what is refused as a slip."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from ..core.errors import ConfigError
from .arguments import KWARG_FIELDS, STANDARD_NAMES
from .endpoint_fields import EndpointFields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OPTIONS = (
    *("timeout", "total_timeout", "max_retries", "model", "system", "deployment_name"),
    *("api_version", "extra_parameters"),
)
_OF_LANGCHAIN = ("ls_structured_output_format", "structured_output_format")  # for its own tracing
_OF_THE_CONSTRUCTOR = {*EndpointFields.model_fields, *STANDARD_NAMES} - {*_OPTIONS, *KWARG_FIELDS, "model_kwargs"}
# Parameters of models that resemble others: each is meant.
_MODEL_KWARGS = (
    *("max_new_tokens", "min_new_tokens", "max_completion_tokens", "max_output_tokens", "max_length", "min_length"),
    *("min_tokens", "top_p", "top_k", "min_p", "typical_p", "top_n_tokens", "top_logprobs", "logprobs", "seed", "n"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "length_penalty", "best_of", "stop_sequences"),
    *("stop_token_ids", "stop_strings", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls"),
    *("response_format", "reasoning_effort", "reasoning_summary", "verbosity", "do_sample", "return_full_text"),
    *("functions", "function_call", "user", "metadata", "store", "logit_bias", "reasoning", "thinking"),
)
_KNOWN = (*_OPTIONS, *KWARG_FIELDS, *_MODEL_KWARGS)
_LIKENESS = 0.85  # of two names of which one is taken for a slip


def split_call_arguments(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide the arguments of a call.

    Args:
        given: The keyword arguments of invoke, stream and the like, or of bind.

    Returns:
        The fields of the config that they change, and the model kwargs. `model_kwargs` has model kwargs of any name.

    Raises:
        ConfigError: A name belongs to the constructor, or is nearly that of a known parameter.
    """
    sent = {name: value for name, value in given.items() if name not in _OF_LANGCHAIN}
    options = {name: sent.pop(name) for name in _OPTIONS if name in sent}
    as_written = sent.pop("model_kwargs", None) or {}
    _check(sent)
    return {name: value for name, value in options.items() if value is not None}, {**sent, **as_written}


def _check(names: Iterable[str]) -> None:
    for name in names:
        if name in _OF_THE_CONSTRUCTOR:
            raise ConfigError(
                f"{name!r} is an argument of the constructor, not of a call",
                remedy="Make a model with it, or use configurable_fields.",
                error_code="unknown-argument",
            )
        near = _find_near(name)
        if near:
            raise ConfigError(
                f"A call has no argument {name!r}",
                remedy=f"Did you mean {near!r}? To send it as it is, pass model_kwargs={{{name!r}: …}}.",
                error_code="unknown-argument",
            )


def _find_near(name: str) -> str:
    """Return the known name that `name` is probably a slip of, or ""."""
    if name in _KNOWN:
        return ""
    longer = next((known for known in _OPTIONS if known.startswith(f"{name}_")), "")
    return longer or next(iter(difflib.get_close_matches(name, _KNOWN, n=1, cutoff=_LIKENESS)), "")
