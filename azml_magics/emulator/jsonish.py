"""JSON objects for prompts that ask for JSON without giving a schema."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.keywords import keywords, topic
from azml_magics.emulator.sentences import OPENINGS, fill

if TYPE_CHECKING:
    import random

_ASKED = re.compile(r"\bJSON\b")
_KEY = re.compile(r"(?<!\w)[\"'`“\u2018]([^\W\d][\w.-]{0,40})[\"'`”\u2019](?!\w)")
_NAMED = re.compile(
    r"\b(?:keys?|fields?|properties|attributes)\s*(?:are|named|called|:)?\s*:?\s*((?:[a-z_]\w*)(?:(?:,\s*(?:and\s+)?|\s+and\s+)[a-z_]\w*)*)"
)


def json_asked(prompt: str) -> bool:
    """Whether the prompt asks for JSON in so many letters."""
    return bool(_ASKED.search(prompt[:4000]))


def json_text(prompt: str, choices: random.Random) -> str:
    """The object of `json_object` as text, two spaces of indent."""
    return json.dumps(json_object(prompt, choices), ensure_ascii=False, indent=2)


def json_object(prompt: str, choices: random.Random) -> dict[str, Any]:
    """An object with the keys that the prompt names; without any, a note, the topic and the keywords."""
    names = _KEY.findall(prompt[:4000])
    if not names:
        named = _NAMED.search(prompt[:4000])
        names = re.split(r"[,\s]+(?:and\s+)?", named[1]) if named else []
    if names:
        return {name: _value(name, prompt, choices) for name in dict.fromkeys(names[:20])}
    return {
        "note": "azml-magics demo endpoint, not a language model",
        "topic": topic(prompt),
        "keywords": keywords(prompt),
    }


def _value(name: str, prompt: str, choices: random.Random) -> Any:
    if re.search(r"(?:^|_)(?:age|count|year|number|amount|price|score|total|size|quantity)$", name):
        return choices.randint(1, 99)
    if name.endswith(("s_list", "list", "tags", "keywords", "items")):
        return keywords(prompt, 3)
    return fill(choices.choice(OPENINGS), prompt, choices)
