"""The answer to a prompt: always the same for the same request, and honest about where it comes from."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from azml_magics.emulator import forms, lexicon, tokens
from azml_magics.emulator.sentences import prose
from azml_magics.emulator.summary import summarize

if TYPE_CHECKING:
    from azml_magics.emulator.asking import Ask

MARKER = "[azml-magics demo endpoint, not a language model]"
_LONGEST = 20_000


@lru_cache(maxsize=256)
def answer(ask: Ask) -> tokens.Ending:
    """The answer's tokens and why it ended, after stop strings and max_tokens."""
    settings = ask.settings
    ending = tokens.end_at(compose(ask), settings.max_tokens, settings.stop)
    wanted = min(settings.min_tokens, _LONGEST)
    if len(ending.tokens) >= wanted:
        return ending
    # min_tokens and ignore_eos (vLLM) ask for more than the text has to say: prose goes on until there is enough.
    longer = f"{compose(ask)} {prose(ask.prompt, ask.choices(), wanted)}"
    return tokens.end_at(longer, settings.max_tokens or wanted, settings.stop)


def answers(ask: Ask, n: int) -> list[tokens.Ending]:
    """`n` answers to the same prompt, each with its own choice of words."""
    return [answer(replace(ask, index=index)) for index in range(n)]


def compose(ask: Ask) -> str:
    """The whole answer, before anything is cut off."""
    if ask.task == "summary":
        body = summarize(ask.prompt)
    elif ask.task == "translation":
        language, text = lexicon.order(ask.prompt) or ("french", ask.prompt)
        body = lexicon.translate(text, language)
    else:
        body = forms.body(ask, ask.choices())
    between = "\n\n" if "\n" in body else " "
    return f"{MARKER}{between}{body}"
