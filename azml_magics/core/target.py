"""A config as a function of a row: what azure-ai-evaluation calls a target, and MLflow a predict_fn."""

from __future__ import annotations

from functools import partial
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from .client import invoke
from .errors import PromptError
from .prompt import template
from .prompt.message_texts import find_prompt_variables, render_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .config import LLMConfig
    from .messages import Message
    from .response import Response


def make_target(
    config: LLMConfig, prompt: str | Sequence[Message], send: Callable[..., Response] | None
) -> Callable[..., dict[str, Any]]:
    """Return the function. The arguments are those of `LLMConfig.as_target`.

    Raises:
        PromptError: The prompt has no variable.
    """
    names = find_prompt_variables(prompt)
    if not names:
        raise PromptError(
            "The prompt of a target has no variable: every row would send the same request",
            remedy="Write {NAME} where the value of a column belongs.",
        )
    ask = send or invoke

    def target(*args: Any, **columns: Any) -> dict[str, Any]:
        values = signature.bind(*args, **columns).arguments
        render = partial(template.render, values=values, columns=names)
        filled = render(prompt) if isinstance(prompt, str) else [render_message(message, render) for message in prompt]
        response = ask(config, filled)
        usage = response.usage.to_dict() if response.usage else {}
        return {"response": response.text, "latency": response.latency, **usage}

    signature = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names])
    target.__signature__ = signature  # type: ignore[attr-defined]  # what tools read the columns from
    target.__name__ = target.__qualname__ = f"ask_{config.name}" if config.name.isidentifier() else "ask"
    target.__doc__ = f"Ask {config.name or 'the config'}; the arguments are the columns {', '.join(names)}."
    return target
