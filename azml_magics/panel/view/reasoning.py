"""A model's thoughts above its answer, while they arrive and afterwards: for one answer, a turn and a column alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.display.mime import reasoning_html
from azml_magics.display.reasoning import growing_reasoning

if TYPE_CHECKING:
    from azml_magics.core.response import Response


def thoughts_html(response: Response | None, *, is_running: bool = False) -> str:
    """Return the thoughts of a response as one HTML element; "" if there are none, or if they are hidden.

    Args:
        response: The response as far as it has arrived.
        is_running: Whether more may arrive. Thoughts are open as long as the answer has not begun.
    """
    if response is None or response.show_reasoning == "hidden":
        return ""
    is_thinking = is_running and not response.text and bool(response.reasoning.strip())
    return growing_reasoning(response.reasoning) if is_thinking else reasoning_html(response)
