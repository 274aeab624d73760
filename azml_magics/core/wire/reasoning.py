"""Separates a reasoning model's thoughts from its answer where both stand in one text, whole and in any pieces.

Models mark their thoughts with `<think>…</think>` (DeepSeek, Qwen and others), `[THINK]…[/THINK]` (Mistral) or the
analysis channel of OpenAI's harmony format (gpt-oss), and some servers pass the marks on.

The rule is the position. An opening tag counts only at the very beginning of a text, white space aside; anywhere else
it is part of the answer. A closing tag without any opening tag before it ends thoughts as well, because the chat
templates of some models put the opening tag into the prompt; as a word in a sentence or in quotes it is part of the
answer.

Sources: DeepSeek-R1, QwQ and Magistral model cards; OpenAI's harmony response format.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TAGS = {"<think>": "</think>", "[THINK]": "[/THINK]"}
_TAG = re.compile("|".join(re.escape(tag) for tag in (*_TAGS, *_TAGS.values())))
_HARMONY_STARTS = ("<|channel|>", "<|start|>assistant<|channel|>")
_HARMONY_TOKENS = tuple(f"<|{name}|>" for name in ("start", "channel", "message", "constrain", "end", "return", "call"))
_HARMONY_TOKEN = re.compile("|".join(re.escape(token) for token in _HARMONY_TOKENS))
_MARK = re.compile(r"[<\[]")  # what every tag begins with
_QUOTES = frozenset("`'\"")


class Piece(NamedTuple):
    """What a piece of a text adds.

    Attributes:
        reasoning: Thoughts.
        text: The answer.
        retracts: Whether the text of all earlier pieces was thoughts, too: a closing tag came without an opening one.
    """

    reasoning: str = ""
    text: str = ""
    retracts: bool = False

    def then(self, later: Piece) -> Piece:
        """Return both pieces as one."""
        if later.retracts:
            return Piece((self.reasoning + self.text + later.reasoning).strip(), later.text, retracts=True)
        return Piece(self.reasoning + later.reasoning, self.text + later.text, self.retracts)


def split_reasoning(text: str) -> tuple[str, str]:
    """Return the thoughts in a whole text, and the answer."""
    splitter = ReasoningSplitter()
    whole = Piece().then(splitter.feed(text)).then(splitter.finish())
    return whole.reasoning, whole.text


class ReasoningSplitter:
    """Splits a text that comes in pieces. White space between the thoughts and the answer belongs to neither."""

    def __init__(self) -> None:
        self._held = ""  # may be the beginning of a tag
        self._blanks: list[str] = []  # white space before the text: joined once, not searched with every piece
        self._read = self._read_start
        self._is_in_text = False  # so that only a tag needs a closer look
        self._opening = ""
        self._last = ""  # the character before the held ones
        self._has_thoughts = self._has_text = False  # in earlier pieces or in this one
        self._in_header, self._header, self._is_answer = True, "", False  # of harmony's messages
        self._blank = ""  # white space that belongs to the thoughts if more of them follow
        self._has_words = False  # in the thoughts
        self._reasoning: list[str] = []  # of this piece
        self._text: list[str] = []
        self._retracts = False

    def feed(self, piece: str) -> Piece:
        """Return what `piece` adds, as far as it is certain."""
        if self._is_in_text and not self._held and not _MARK.search(piece):  # nearly every piece of a stream
            self._last = piece[-1:] or self._last
            self._has_text = self._has_text or not piece.isspace()
            return Piece("", piece)
        if self._blanks and piece.isspace():
            self._blanks.append(piece)
            return Piece()
        self._held += "".join([*self._blanks, piece])
        self._blanks.clear()
        while self._held and self._read(is_all=False):
            pass
        return self._take()

    def finish(self) -> Piece:
        """Return what was held back."""
        self._held, self._blanks = "".join(self._blanks) + self._held, []
        while self._held and self._read(is_all=True):
            pass
        if self._opening and not (self._has_thoughts or self._has_text):
            self._text.append(self._opening)  # a tag and nothing else is the answer
        self._read = self._read_answer
        self._opening = ""
        return self._take()

    def stop(self) -> None:
        """Take all that follows for the answer: the thoughts come in a field of their own."""
        self._held, self._blanks = "".join(self._blanks) + self._held, []
        self._read = self._read_answer
        self._is_in_text = True

    def _take(self) -> Piece:
        piece = Piece("".join(self._reasoning), "".join(self._text), self._retracts)
        self._reasoning, self._text, self._retracts = [], [], False
        return piece

    # ---- each of these reads on in `_held`, and returns whether the next one can

    def _read_start(self, *, is_all: bool) -> bool:
        """At the beginning, or after thoughts: an opening tag may come."""
        start = self._held.lstrip()
        if not start and not is_all:
            self._blanks.append(self._held)
            self._held = ""
            return False
        for tag in (*_TAGS, *_HARMONY_STARTS):
            if start.startswith(tag):
                self._opening = tag if tag in _TAGS else ""
                self._held = start[len(self._opening) :]
                self._read = self._read_thoughts if self._opening else self._read_harmony
                return True
        if not is_all and any(tag.startswith(start) for tag in (*_TAGS, *_HARMONY_STARTS)):
            return False
        if self._opening or self._has_thoughts:
            self._held, self._read = start, self._read_answer
        else:
            self._read = self._read_undecided
        self._is_in_text = True
        return True

    def _read_thoughts(self, *, is_all: bool) -> bool:
        """After an opening tag: all is thoughts up to the closing one."""
        closing = _TAGS[self._opening]
        thoughts, tag, rest = self._held.partition(closing)
        if tag:
            self._read = self._read_start
            self._has_thoughts = True  # also if there are none: the tags themselves are not the answer
        else:
            thoughts, rest = _cut(thoughts, 0 if is_all else _partial_length(thoughts, (closing,)))
        self._add_thoughts(thoughts)
        self._held = rest
        return bool(tag)

    def _read_undecided(self, *, is_all: bool) -> bool:
        """In a text without an opening tag: a closing one may still come, and make all before it thoughts."""
        at = 0
        while found := _TAG.search(self._held, at):
            if found[0] in _TAGS:  # an opening tag within the answer: tags are text from here on
                self._read = self._read_answer
                return True
            before, behind = self._held[: found.start()], self._held[found.end() : found.end() + 1]
            if not behind and not is_all:
                self._add_text(before)
                self._held = self._held[found.start() :]
                return False
            if _ends_thoughts(before[-1:] or self._last, behind):
                self._retract(before)
                self._held, self._read = self._held[found.end() :], self._read_start
                self._is_in_text = False
                return True
            at = found.end()
        keep = 0 if is_all else _partial_length(self._held[at:], (*_TAGS, *_TAGS.values()))
        text, self._held = _cut(self._held, keep)
        self._add_text(text)
        return False

    def _read_answer(self, *, is_all: bool) -> bool:  # noqa: ARG002 - takes what the others take
        """After the thoughts: all is the answer."""
        self._add_text(self._held)
        self._held = ""
        return False

    def _read_harmony(self, *, is_all: bool) -> bool:
        """In harmony's messages: `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final…`."""
        found = _HARMONY_TOKEN.search(self._held)
        keep = 0 if is_all else _partial_length(self._held, _HARMONY_TOKENS)
        part, rest = (self._held[: found.start()], self._held[found.end() :]) if found else _cut(self._held, keep)
        self._held = rest
        if self._in_header:
            self._header += part
        elif self._is_answer:
            self._add_text(part)
        else:
            self._add_thoughts(part)
        if found is None:
            return False
        if found[0] == "<|message|>":  # analysis and calls of tools are not for the reader
            self._in_header = False
            self._is_answer = not self._header.strip().startswith("analysis") and "to=" not in self._header
        elif found[0] != "<|constrain|>":
            self._in_header, self._header = True, ""
        return True

    # ---- what is found

    def _add_text(self, text: str) -> None:
        self._text.append(text)
        self._last = text[-1:] or self._last
        self._has_text = self._has_text or bool(text.strip())

    def _add_thoughts(self, thoughts: str) -> None:
        whole = self._blank + thoughts
        seen = whole.rstrip()
        self._blank = whole[len(seen) :] if self._has_words or seen else ""
        self._reasoning.append(seen if self._has_words else seen.lstrip())
        self._has_words = self._has_words or bool(seen)
        self._has_thoughts = self._has_thoughts or bool(seen)

    def _retract(self, before: str) -> None:
        """Make the text so far thoughts: that of this piece here, that of earlier ones by telling the caller."""
        self._reasoning = ["".join([*self._text, before]).rstrip()]
        self._text = []
        self._has_words = self._has_text or bool(before.strip())
        self._retracts = True
        self._has_thoughts, self._has_text = True, False


def _ends_thoughts(before: str, behind: str) -> bool:
    """Return whether a closing tag between these characters ends thoughts, and is not a word of a sentence."""
    if before in _QUOTES and behind in _QUOTES:
        return False
    return behind in {"", "\n", "\r"} or before in {"", "\n", "\r"} or not before.isspace()


def _cut(text: str, keep: int) -> tuple[str, str]:
    """Return the text without its last `keep` characters, and these."""
    return text[: len(text) - keep], text[len(text) - keep :]


def _partial_length(text: str, tags: tuple[str, ...]) -> int:
    """Return how many characters at the end of `text` may begin one of the tags; they start with < or [."""
    at = max(text.rfind("<"), text.rfind("["))
    return len(text) - at if at >= 0 and any(tag.startswith(text[at:]) for tag in tags) else 0
