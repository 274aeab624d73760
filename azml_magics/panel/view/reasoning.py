"""A model's thoughts and tool calls above its answer, while they arrive and afterwards, wherever an answer is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.display.mime import reasoning_html
from azml_magics.display.reasoning import growing_reasoning
from azml_magics.display.tool_runs import fold_steps

if TYPE_CHECKING:
    from azml_magics.core.response import Response


def thoughts_html(response: Response | None, *, is_running: bool = False) -> str:
    """Return a response's thoughts and tool calls as HTML elements; "" if there are none. Thoughts may be hidden.

    Args:
        response: The response as far as it has arrived.
        is_running: Whether more may arrive. Thoughts are open as long as the answer has not begun.
    """
    if response is None:
        return ""
    has_thoughts = response.show_reasoning != "hidden" and bool(response.reasoning.strip())
    is_thinking = is_running and has_thoughts and not response.text and not response.steps
    thoughts = growing_reasoning(response.reasoning) if is_thinking else reasoning_html(response)
    return thoughts + fold_steps(response)
