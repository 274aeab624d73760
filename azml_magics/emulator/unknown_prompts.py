"""What the demo says to a prompt for which no reply is prepared: the prompt's own words, what it is, and the way on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEXT = "%azureml demo --model runs a small real one, %azureml discover finds yours on Azure."
_REPLIES = (
    f'A model would respond to "{{prompt}}" here. The demo is not a language model. {_NEXT}',
    f'Your prompt "{{prompt}}" arrived. No reply is prepared, because the demo is not a language model. {_NEXT}',
    f'No reply is prepared for "{{prompt}}": the demo is not a language model. {_NEXT}',
)
_ATTACHED = 'Received {attached} with the prompt "{prompt}". The demo is not a language model and cannot look at it.'
_REASONING = (
    'The prompt is "{prompt}". No reply is prepared for it, and the demo is not a language model. So I say that, and '
    "how to get a real response."
)
_PREPARED_REASONING = 'The prompt is "{prompt}". A short and direct reply is best.'
_SHOWN = 60
"""Characters of the prompt that are repeated."""


def reply_to_unknown(prompt: str, variant: int = 0) -> str:
    """Return the reply to a prompt for which none is prepared; variants differ, as a model's replies do."""
    return _REPLIES[variant % len(_REPLIES)].format(prompt=_shorten(prompt))


def reply_to_attachments(prompt: str, attachments: Sequence[str]) -> str:
    """Return the reply to a prompt with images or other files, which names what arrived."""
    return f"{_ATTACHED.format(prompt=_shorten(prompt), attached=' and '.join(attachments))} {_NEXT}"


def reason_about(prompt: str, *, is_known: bool) -> str:
    """Return the thoughts of a reasoning model before its reply, if none are prepared."""
    return (_PREPARED_REASONING if is_known else _REASONING).format(prompt=_shorten(prompt))


def _shorten(prompt: str) -> str:
    line = " ".join(prompt.split()).replace('"', "'")
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN].rstrip()}…"
