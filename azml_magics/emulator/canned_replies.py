"""The prepared replies of replies.json, found by the prompt.

replies.json is a list of entries. Each has a `prompt`, in which `{name}` stands for any text, and `replies`: the first
one is given at temperature 0, the others at higher temperatures and with other seeds. A reply is a text or a list of
lines, and may repeat a `{name}` of its prompt. Optional keys:

    system     the entry applies only if the system message contains this text
    earlier    the entry applies only if an earlier user message contains this text, in which `{name}` stands for one
               word; replies may use it
    effort     the entry applies only at these efforts of reasoning
    words      label -> words: the reply is the label with the most of its words in the prompt's `{name}` texts
    reasoning  what a reasoning model thinks before it replies
    refusal    true if the replies refuse what the prompt asks for
    calls      the tools that the model calls first: a list of steps, each a list of {"name", "arguments"}; the entry
               applies only if these tools are offered. The reply may hold their results: {1} is the first one, and
               {1.total} a field of it
    note       true to add a line to the reply which says that it is prepared: the prompt may be the user's own
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azml_magics.emulator.generation import GenerationRequest

FILE = Path(__file__).with_name("replies.json")
NOTE = "\n\n(A prepared text: the demo is not a language model. %azureml demo --model starts a real one.)"
_MAX_PROMPT = 10_000
_RESULT = re.compile(r"\{(?P<position>[1-9])(?:\.(?P<field>\w+))?\}")
_SLOT = re.compile(r"\\\{(\w+)\\\}")  # as re.escape writes it


@dataclass(frozen=True)
class Entry:
    """One entry of replies.json: how its prompt is recognized, and the replies to it."""

    prompt: str
    replies: tuple[str, ...]
    pattern: re.Pattern[str]
    system: str = ""
    earlier: re.Pattern[str] | None = None
    effort: tuple[str, ...] = ()
    words: dict[str, frozenset[str]] | None = None
    reasoning: str = ""
    refusal: bool = False
    note: bool = False
    calls: tuple[tuple[dict[str, Any], ...], ...] = ()

    @classmethod
    def from_json(cls, item: dict[str, Any]) -> Entry:
        """Return the entry that an item of replies.json describes."""
        replies = tuple(reply if isinstance(reply, str) else "\n".join(reply) for reply in item["replies"])
        return cls(
            item["prompt"],
            replies,
            _compile(item["prompt"]),
            item.get("system", "").lower(),
            _compile(item["earlier"], slot=r"[\w'-]+") if "earlier" in item else None,
            tuple(item.get("effort", ())),
            {label: frozenset(words) for label, words in item["words"].items()} if "words" in item else None,
            item.get("reasoning", ""),
            item.get("refusal", False),
            item.get("note", False),
            tuple(tuple(step) for step in item.get("calls", ())),
        )

    def match(self, prompt: str, request: GenerationRequest, earlier: Iterable[str]) -> dict[str, str] | None:
        """Return the texts that stand for the entry's `{names}`, or None if the entry does not apply."""
        if self.system not in request.system.lower() or (self.effort and request.settings.effort not in self.effort):
            return None
        if any(call["name"] not in request.tools for step in self.calls for call in step):
            return None
        found = self.pattern.fullmatch(prompt)
        if found is None:
            return None
        if self.earlier is None:
            return found.groupdict()
        before = next((match for text in earlier if (match := self.earlier.search(text))), None)
        return None if before is None else {**before.groupdict(), **found.groupdict()}

    def reply(self, texts: dict[str, str], variant: int) -> str:
        """Return reply number `variant`, counted around, with `texts` in the place of its `{names}`."""
        if self.words:
            spoken = re.findall(r"\w+", " ".join(texts.values()).lower())
            scores = {label: sum(word in words for word in spoken) for label, words in self.words.items()}
            best = max(scores, key=lambda label: scores[label])
            if scores[best]:
                return best
        reply = self.replies[variant % len(self.replies)]
        for name, text in texts.items():
            reply = reply.replace(f"{{{name}}}", text)
        return reply + NOTE if self.note else reply


@lru_cache(maxsize=1)
def load_entries() -> tuple[Entry, ...]:
    """Return the entries of replies.json, those without `{names}` first."""
    entries = [Entry.from_json(item) for item in json.loads(FILE.read_text(encoding="utf-8"))]
    return tuple(
        sorted(
            entries,
            key=lambda entry: (
                *(not entry.calls, not entry.system, entry.earlier is None, not entry.effort),
                "{" in entry.prompt,
            ),
        )
    )


def find_reply(request: GenerationRequest, variant: int = 0) -> str | None:
    """Return the prepared reply to a request.

    Args:
        request: The prompt, system message and earlier turns.
        variant: Which of the entry's replies to take.

    Returns:
        The text, or None if no entry applies.
    """
    found = _find(request)
    return fill_results(found[0].reply(found[1], variant), request) if found else None


def fill_results(reply: str, request: GenerationRequest) -> str:
    """Return the reply with the results of tools in the place of {1}, {2.total} and the like."""

    def fill(place: re.Match[str]) -> str:
        results = [text for _, text in request.tool_results]
        position = int(place["position"]) - 1
        if position >= len(results):
            return place[0]
        return _field_of(results[position], place["field"]) if place["field"] else results[position].strip("\n")

    return _RESULT.sub(fill, reply)


def _field_of(text: str, name: str) -> str:
    try:
        value = json.loads(text)[name]
    except (ValueError, KeyError, TypeError):
        return "?"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and name != "year" else str(value)


def find_entry(request: GenerationRequest) -> Entry | None:
    """Return the entry that applies to a request, or None if no entry does."""
    found = _find(request)
    return found[0] if found else None


def _find(request: GenerationRequest) -> tuple[Entry, dict[str, str]] | None:
    """Return the entry for a request and the texts of its `{names}`.

    Formatters for models without roles or schemas put the system message or instructions around the prompt. So if the
    whole prompt is unknown, its last and its first paragraph are tried.
    """
    whole = request.prompt[:_MAX_PROMPT]
    earlier = [text for role, text in reversed(request.earlier) if role == "user"]
    paragraphs = whole.strip().split("\n\n")
    for prompt in dict.fromkeys((whole, paragraphs[-1], paragraphs[0])):
        for entry in load_entries():
            texts = entry.match(_normalize(prompt), request, earlier)
            if texts is not None:
                return entry, texts
    return None


def _normalize(prompt: str) -> str:
    """Return the prompt with white space collapsed and closing punctuation removed."""
    return " ".join(prompt.split()).rstrip(".!?: ")


def _compile(prompt: str, slot: str = ".+?") -> re.Pattern[str]:
    pattern = _SLOT.sub(lambda name: f"(?P<{name[1]}>{slot})", re.escape(_normalize(prompt)))
    return re.compile(pattern, re.IGNORECASE)
