"""What rows can be sent to: a config, one of our LangChain classes, or any other LangChain Runnable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.config import LLMConfig
from ..core.errors import UsageError
from ..runnables.recognition import is_runnable
from .prompts import RowPrompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.client import Client
    from ..core.prompt.schema import Schema
    from .prompts import Prompt


def make_row_prompt(
    target: Any,
    prompt: Prompt | None,
    variables: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    client: Client | None = None,
    *,
    name: str = "",
) -> RowPrompt:
    """Return the prompt of every row for a target.

    Args:
        target: An LLMConfig, an object with `to_config()` (azml_magics' LangChain classes), or a Runnable.
        prompt: A text, messages or a function; None for a Runnable that takes the row itself.
        variables: Values of names that are not columns.
        schema: The schema that every response must match.
        client: Sends the requests of a config.
        name: What messages call a Runnable.

    Raises:
        UsageError: The target is none of them, or needs a prompt; or a Runnable is given a client.
    """
    if isinstance(target, LLMConfig):
        return RowPrompt(target, _required(prompt), variables, schema, client)
    if is_runnable(target):
        if client is not None:
            raise UsageError(
                "A client sends the requests of configs, and a LangChain object has its own",
                remedy="Leave out client.",
                error_code="runnable-client",
            )
        from .runnable_prompt import RunnablePrompt

        return RunnablePrompt(target, prompt, variables, schema, name)
    if callable(getattr(target, "to_config", None)) and not isinstance(target, type):
        return RowPrompt(target.to_config(), _required(prompt), variables, schema, client)
    raise UsageError(
        f"Rows are sent to an LLMConfig or a LangChain Runnable, not {type(target).__name__}",
        remedy="Pass a config, a model or a chain.",
    )


def _required(prompt: Prompt | None) -> Prompt:
    if prompt is None:
        raise UsageError("A config needs a prompt", remedy="Write one with {NAME} where a value of the row belongs.")
    return prompt
