"""What a prompt is about, by plain rules: its topic, its keywords, and how many things it asks for."""

from __future__ import annotations

import re


def word_set(text: str) -> frozenset[str]:
    """The words of `text` as a set, for the word lists of these modules."""
    return frozenset(text.split())


COMMON = word_set(
    """a about above after again all also am an and any are as at be because been before being below between both but
    by can could did do does doing down during each every few for from further give had has have having he her here
    hers him his how however i if in into is it its itself just keep let like list make many may me might more most
    much must my name no nor not now of off on once one only or other our out over own please provide return same say
    she should show so some such tell than that the their them then there these they this those three through to too
    two under until up upon us use using very was we were what when where which while who whom why will with word
    words would write you your yours answer explain describe create generate create hello hi hey thanks sentence
    sentences short brief story poem haiku song essay json good great summarize summarise translate difference
    include result nothing think know go going"""
)

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "a dozen": 12,
}  # fmt: skip

_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")
_TOPIC = (
    re.compile(
        r"\b(?:about|regarding|describing|on the (?:topic|subject) of|explain(?: to me)?|define|describe|discuss|"
        r"difference between|compare|definition of|meaning of)\s+([^.?!:;,\n]{2,120})",
        re.IGNORECASE,
    ),
    re.compile(r"\bwh(?:at|o|ere) (?:is|are|was|were|do|does)\s+([^.?!:;,\n]{2,80})", re.IGNORECASE),
    re.compile(
        r"\b(?:names?|ideas?|reasons?|tips?|facts?|examples?|slogans?|titles?)\s+(?:for|of|to)\s+([^.?!:;,\n]{2,80})",
        re.IGNORECASE,
    ),
)
_TRAILER = re.compile(
    r"\s+(?:in (?:one|two|three|\d+|a few) .*|in (?:plain|simple) .*|as (?:a )?json.*|please)$", re.IGNORECASE
)
_LEADER = re.compile(
    r"^(?:the |a |an |my |your )?(?:(?:difference|relation)s? between |(?:meaning|definition) of )?(?:the |a |an )?",
    re.IGNORECASE,
)
LONGEST_LOOK = 4000
_SHORTEST = 3


def keywords(text: str, most: int = 6) -> list[str]:
    """The first words of `text` that carry meaning, each once, at most `most` of them."""
    found: dict[str, str] = {}
    for match in _WORD.finditer(text[:LONGEST_LOOK]):
        word = match.group().strip("'\u2019-")[:24]
        if word.lower() in COMMON or word.lower() in NUMBERS or (len(word) < _SHORTEST and word.isascii()):
            continue
        found.setdefault(word.lower(), word)
        if len(found) == most:
            break
    return list(found.values())


def topic(text: str) -> str:
    """The thing that `text` is about as a short phrase; "this request" when nothing can be found."""
    for pattern in _TOPIC:
        match = pattern.search(text[:LONGEST_LOOK])
        if match:
            phrase = _TRAILER.sub("", match.group(1).strip().strip("'\"`“”"))
            words = _LEADER.sub("", phrase).split()
            phrase = " ".join(words[:8]).strip("'\"`“”,() ")
            if phrase and phrase.lower() not in COMMON:
                return phrase
    words = keywords(text, 3)
    if not words:
        return "this request"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def number_before(text: str, nouns: str, most: int = 20) -> int | None:
    """How many of `nouns` (a regular expression) the text asks for: "three ideas" is 3; None when it does not say."""
    match = re.search(
        rf"\b(\d{{1,4}}|{'|'.join(NUMBERS)})[ -](?:[\w'\u2019-]+\s+){{0,3}}?(?:{nouns})\b",
        text[:LONGEST_LOOK],
        re.IGNORECASE,
    )
    if not match:
        return None
    said = match.group(1).lower()
    return max(1, min(most, NUMBERS[said] if said in NUMBERS else int(said)))
