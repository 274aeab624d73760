"""Values in a prompt that fit the properties of a JSON schema."""

from __future__ import annotations

import re
from typing import Any

from azml_magics.emulator.stop_words import NUMBER_WORDS, STOP_WORDS, word_set

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,10})?(?![\w]|\.\d)")
_QUOTED = re.compile(r"(?<!\w)[\"“«「\u2018'`]([^\"“”«»「」\u2018\u2019'`\n]{1,200})[\"”»」\u2019'`](?!\w)")
_PROPER = re.compile(r"\b[^\W\d_a-z][\w'\u2019-]*(?:,? (?:of |de |van )?[A-ZÀ-Þ][\w'\u2019-]*)*")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_URL = re.compile(r"https?://[^\s\"'<>)]{1,300}")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_WHOLE = re.compile(r"(?:^|_)(?:query|question|text|prompt|message|content|input|search|expression|body|sentence)$")
_SENTENCE_START = re.compile(r"(?:^|[.?!:\n])\s*[\"'(]?\Z")
_THING = re.compile(r"\b(?:the|a|an|of|for|about|in)\s+(?=([^\W\d_]{3,30})\b)", re.IGNORECASE)
_ASKING = word_set(
    """using create tell give write what who where when why how please can could find get call use add show make
    compute calculate hello hi the a an i is are do does book plan send set list name summarize"""
)


class PromptValues:
    """A prompt's numbers, quoted texts and names. Each is used once, in order."""

    def __init__(self, text: str) -> None:
        self.text = text[:8000]
        plain = _DATE.sub(" ", _URL.sub(" ", self.text))
        self.numbers = [float(found) for found in _NUMBER.findall(plain)]
        if not self.numbers:
            self.numbers = [
                float(NUMBER_WORDS[w]) for w in re.findall(r"[a-z]+", plain.lower()) if w in NUMBER_WORDS and w != "one"
            ]
        self.quoted: list[str] = _QUOTED.findall(self.text)
        self.proper = self._names(_QUOTED.sub(" ", plain))
        self.emails: list[str] = _EMAIL.findall(self.text)
        self.urls: list[str] = _URL.findall(self.text)
        self.dates: list[str] = _DATE.findall(self.text)

    @staticmethod
    def _names(text: str) -> list[str]:
        found = []
        for match in _PROPER.finditer(text):
            words = match.group().rstrip("'\u2019-").split()
            # The capital of a sentence's first word says nothing: "Using the tool" names no one.
            starts = _SENTENCE_START.search(text[: match.start()]) is not None
            while starts and words and words[0].lower().rstrip(",") in _ASKING | STOP_WORDS:
                words.pop(0)
            if words and words[0] != "I" and not words[0][0].islower():
                found.append(" ".join(words))
        return list(dict.fromkeys(found))

    def find_named(self, name: str) -> str | None:
        """Return the value given for `name`: "name=value", "name: value", "name is value" or "name of value"."""
        spoken = re.escape(name).replace("_", "[_ ]")
        says = rf"\b{spoken}\s*(?:=|:|\bis\b|\bof\b|\bto\b|\bas\b)\s*"
        value = r"[\"'“]?([^\"'”,;.?!\n]{1,80}?)[\"'”]?(?=$|[,;.?!\n\"'”]|\s+and\s|\s+with\s)"
        match = re.search(says + value, self.text, re.IGNORECASE)
        return match[1].strip() or None if match else None

    def number(self, name: str, *, whole: bool, low: float, high: float) -> float | None:
        """Return the next number that fits, first one given for `name`, or None if there is none."""
        said = self.find_named(name)
        if said and (found := _NUMBER.match(said)) and self._fits(float(found[0]), whole, low, high):
            value = float(found[0])
            if value in self.numbers:
                self.numbers.remove(value)
            return value
        for at, value in enumerate(self.numbers):
            if self._fits(value, whole, low, high):
                return self.numbers.pop(at)
        return None

    @staticmethod
    def _fits(value: float, whole: bool, low: float, high: float) -> bool:
        return low <= value <= high and (not whole or value == int(value))

    def string(self, name: str) -> str | None:
        """Return the text that fits a property called `name`, or None if there is none."""
        pools: tuple[tuple[str, list[str]], ...] = (("email", self.emails), ("url", self.urls), ("date", self.dates))
        for mark, pool in pools:
            if mark in name.lower() and pool:
                return pool.pop(0)
        said = self.find_named(name)
        if said:
            return said
        for pool in (self.quoted, self.proper):
            if pool:
                return pool.pop(0)
        if _WHOLE.search(name.lower()) and self.text.strip():
            return self.text.strip()[:200]
        return None

    def topic(self, ignored: frozenset[str]) -> str | None:
        """Return the last thing that the prompt speaks of, as in "of the mug", or None; `ignored` words are none."""
        things = [word.lower() for word in _THING.findall(self.text)]
        return next((word for word in reversed(things) if word not in STOP_WORDS | _ASKING | ignored), None)

    def example(self, name: str) -> str:
        """Return an example text for a property that the prompt does not mention."""
        return f"example {name.replace('_', ' ')}"

    def choose_option(self, options: list[Any]) -> Any:
        """Return the option that the prompt names (whole words, the longest first), or the first one."""
        lower = self.text.lower()
        for option in sorted((o for o in options if isinstance(o, str)), key=len, reverse=True):
            if option and re.search(rf"(?<!\w){re.escape(option.lower())}(?!\w)", lower):
                return option
        numbers = [
            o for o in options if isinstance(o, int | float) and not isinstance(o, bool) and float(o) in self.numbers
        ]
        return numbers[0] if numbers else options[0]

    def mentions(self, options: list[Any]) -> bool:
        """Return whether the prompt names one of the options."""
        return any(
            re.search(rf"(?<!\w){re.escape(str(o).lower())}(?!\w)", self.text.lower()) for o in options if o != ""
        )
