"""How many tokens a prompt will be, estimated before it is sent.

The rule: the tokens of every text, `OVERHEAD` for every message, and `REPLY` for the start of the reply, as OpenAI
counts a chat. A text is counted by tiktoken if that is installed and knows the model, otherwise as one token for every
four bytes of UTF-8, which is about right for the tokenizers of today in most languages. Pictures, sounds and files are
not counted, because what they take depends on the model; the estimate says how many there are.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .messages import Message

OVERHEAD: Final = 4
"""Tokens around the text of a message."""
REPLY: Final = 3
"""Tokens that start the reply."""
BYTES_PER_TOKEN: Final = 4
LOAD_TIMEOUT: Final = 3.0
"""Seconds that an estimate waits for tiktoken at most: it downloads each vocabulary once."""

_BY_BYTES: Final = f"bytes / {BYTES_PER_TOKEN}"
_LONGEST: Final = 200_000  # characters of a text that tiktoken counts: an estimate is made again for every key


@dataclass(frozen=True)
class TokenEstimate:
    """How many tokens a prompt is estimated to be.

    Attributes:
        tokens: The tokens of its texts, with those around its messages.
        method: How they were counted: "bytes / 4", or "tiktoken" with its vocabulary.
        uncounted: Pictures, sounds and files, which are not counted.

    Examples:
        >>> str(estimate_tokens([{"role": "user", "content": "Name a river."}]))
        'about 11 tokens (estimated: bytes / 4)'
    """

    tokens: int
    method: str = _BY_BYTES
    uncounted: int = 0

    def __str__(self) -> str:
        attachments = f"{self.uncounted} attachment{'' if self.uncounted == 1 else 's'}"
        without = f", without {attachments}" if self.uncounted else ""
        return f"about {self.tokens:,} tokens{without} (estimated: {self.method})"

    def __add__(self, other: TokenEstimate) -> TokenEstimate:
        """Return the estimate of two prompts together."""
        methods = dict.fromkeys((*self.method.split(", "), *other.method.split(", ")))
        return TokenEstimate(self.tokens + other.tokens, ", ".join(methods), self.uncounted + other.uncounted)


def estimate_tokens(
    messages: str | Sequence[Message],
    model: str = "",
    *,
    tools: Sequence[Mapping[str, Any]] = (),
    wait: float = LOAD_TIMEOUT,
    count: Callable[[str], int] | None = None,
) -> TokenEstimate:
    """Estimate the tokens of a prompt without sending it.

    Args:
        messages: A text, or OpenAI-style messages.
        model: The model's name, or that of its deployment; "" if it is not known.
        tools: What the model may call: their JSON is part of the prompt.
        wait: Seconds to wait for tiktoken's vocabulary. Until it is there, bytes are counted.
        count: Counts the tokens of a text: the tokenizer of the model, if there is one.
    """
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    parts = [part for message in messages for part in _parts_of(message)]
    texts = [part for part in parts if part is not None]
    texts += [_to_json(tool) for tool in tools]
    method = "tokenizer"
    if count is None:
        vocabulary = _vocabulary_for(model, wait) if max(map(len, texts), default=0) <= _LONGEST else None
        count, method = (vocabulary.count, f"tiktoken {vocabulary.name}") if vocabulary else (_count_bytes, _BY_BYTES)
    tokens = sum(map(count, texts)) + OVERHEAD * len(messages) + REPLY
    return TokenEstimate(tokens, method, sum(part is None for part in parts))


def _parts_of(message: Message) -> Iterator[str | None]:
    """The texts of a message; None for each part that is none."""
    content = message.get("content")
    for part in content if isinstance(content, (list, tuple)) else (content,):
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            text = part.get("text")
            yield text if isinstance(text, str) else None
    if calls := message.get("tool_calls"):
        yield _to_json(calls)


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _count_bytes(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


class _Vocabulary:
    """One of tiktoken's vocabularies, loaded in the background: the first time it is downloaded, which may hang."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._encode: Callable[[str], list[int]] | None = None
        self._loaded = threading.Event()
        threading.Thread(target=self._load, name="tiktoken-vocabulary", daemon=True).start()

    def _load(self) -> None:
        with contextlib.suppress(Exception):  # offline, a proxy, another version: bytes are counted, and it says so
            import tiktoken

            encoding = tiktoken.get_encoding(self.name)
            self._encode = lambda text: encoding.encode(text, disallowed_special=())
        self._loaded.set()

    def is_ready(self, wait: float) -> bool:
        """Whether it is loaded; waits for that at most so many seconds."""
        return self._loaded.wait(wait) and self._encode is not None

    def count(self, text: str) -> int:
        """The tokens of `text`."""
        assert self._encode is not None
        return len(self._encode(text))


_vocabularies: dict[str, _Vocabulary] = {}
_lock = threading.Lock()


def _vocabulary_for(model: str, wait: float) -> _Vocabulary | None:
    """The vocabulary of a model; None if tiktoken is not installed, does not know the model or is not loaded."""
    if not model:
        return None
    try:
        from tiktoken.model import encoding_name_for_model

        name = encoding_name_for_model(model)
    except (ImportError, KeyError):
        return None
    with _lock:
        vocabulary = _vocabularies.get(name) or _vocabularies.setdefault(name, _Vocabulary(name))
    return vocabulary if vocabulary.is_ready(wait) else None
