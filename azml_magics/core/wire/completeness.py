"""Whether a response has an answer in it, and what to say of one whose limit ended before the answer began."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .failures import make_empty_text_error

if TYPE_CHECKING:
    from collections.abc import Container

    from ..response import Response

_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens", "max_new_tokens")
NOT_UTF8 = "Some bytes of the response are not UTF-8: they show as \ufffd."


def is_empty(response: Response) -> bool:
    """Return whether nothing is in a response: no text, tool call, thoughts, items, nor tokens up to a limit."""
    if response.text or response.tool_calls or response.reasoning or response.items or response.parsed is not None:
        return False
    counted = response.usage.completion_tokens if response.usage else None
    return not (response.is_truncated and counted != 0)


def check_not_empty(response: Response) -> None:
    """Raise ModelError if neither the response nor another choice of it has anything in it."""
    if all(is_empty(choice) for choice in response.choices or (response,)):
        raise make_empty_text_error()


def note_empty_answer(response: Response, kwargs: Container[str], limit: str) -> Response:
    """Return the response with a notice if its text is empty because the limit of tokens was reached before it.

    Args:
        response: The response.
        kwargs: The model kwargs of its call; the limit among them is the one to raise.
        limit: The wire format's name of the limit, if there is none.
    """
    if response.text or response.tool_calls or not response.is_truncated:
        return response
    name = next((name for name in _LIMITS if name in kwargs), limit)
    usage = response.usage
    total, thought = (usage.completion_tokens, usage.reasoning_tokens) if usage else (None, 0)
    tokens = f"all {total} tokens" if total else "all tokens"
    if thought and total and thought < total:
        tokens = f"{thought} of {total} tokens"
    where = "went into reasoning" if thought or response.reasoning else "were used up before any text came"
    notice = f"The answer is empty: {tokens} {where}. Raise {name}."
    return replace(response, notices=(*response.notices, notice))
