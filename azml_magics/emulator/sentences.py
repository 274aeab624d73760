"""Prose out of fixed sentence patterns with a prompt's own words in them. No model, no corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.emulator.keywords import keywords, topic

if TYPE_CHECKING:
    import random

OPENINGS = (
    "A first look at {topic} starts with {word}.",
    "There is more to {topic} than the question lets on.",
    "Take {topic} one step at a time, beginning with {word}.",
    "The short version of {topic} fits in a few lines.",
    "Anyone who asks about {topic} soon meets {word}.",
    "Here is a {mood} way to look at {topic}.",
)
MIDDLES = (
    "Most of the {noun} lies in {word}, and that is easy to miss.",
    "It helps to write down what {word} should do before changing it.",
    "{Word} and {other} are best seen side by side.",
    "Compare {word} with {other}, then keep the simpler of the two.",
    "A {mood} example with {word} says more than a long definition.",
    "What looks like a detail of {word} often decides the {noun}.",
    "Some begin with {other} and come back to {word} later.",
    "Measure {word} twice, and change one thing between the two.",
    "Ask what would be different without {word}.",
    "The {noun} of {word} shows only when {other} is in place.",
    "Small, {mood} steps keep {word} and {other} together.",
    "Notes on {word} are worth more when they name their {noun}.",
)
CLOSINGS = (
    "That is the {noun} of {topic} in brief.",
    "With {word} settled, the rest of {topic} follows.",
    "From here, {other} is the natural next question.",
    "The rest is patience with {word}.",
    "Everything else about {topic} can wait until {word} is clear.",
)
MOODS = ("quiet", "plain", "careful", "curious", "patient", "bright", "steady", "practical", "gentle", "simple")
NOUNS = ("value", "work", "charm", "trouble", "answer", "idea", "purpose", "difference", "pattern", "result")


def fill(pattern: str, prompt: str, choices: random.Random) -> str:
    """`pattern` with its {topic}, {word}, {Word}, {other}, {mood} and {noun} taken from the prompt and the lists."""
    about = topic(prompt)
    words = keywords(prompt, 8) or [about]
    word = choices.choice(words)
    other = choices.choice([w for w in words if w != word] or ["practice"])
    return (
        pattern.replace("{mood}", choices.choice(MOODS))
        .replace("{noun}", choices.choice(NOUNS))
        .replace("{word}", word)
        .replace("{Word}", word[:1].upper() + word[1:])
        .replace("{other}", other)
        .replace("{topic}", about)
    )


def prose(prompt: str, choices: random.Random, words: int | None = None) -> str:
    """Sentences about the prompt: three or four of them, or as many as give `words` words (cut there)."""
    target = words if words is not None else 0
    wanted = choices.randint(1, 2)
    said = [fill(choices.choice(OPENINGS), prompt, choices)]
    length = len(said[0].split())
    deck: list[str] = []
    while len(said) <= wanted or length < target:
        if not deck:
            deck = list(MIDDLES)
            choices.shuffle(deck)
        said.append(fill(deck.pop(), prompt, choices))
        length += len(said[-1].split())
    if words is None:
        said.append(fill(choices.choice(CLOSINGS), prompt, choices))
        return " ".join(said)
    return _cut(" ".join(said), words)


def _cut(text: str, words: int) -> str:
    """The first `words` words of `text`, ended by a full stop."""
    return " ".join(text.split()[:words]).rstrip(".,") + "."
