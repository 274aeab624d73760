"""Claude's prompt cache: what of a prompt is read from it and written to it.

A `cache_control` at the end of a tool, a system block or a content block marks a prefix of the prompt; one beside
`messages` marks the whole prompt. A marked prefix is written, and a later request that begins with it reads it. Short
prefixes are not cached, and nothing says so. Entries of this cache never expire; those of the service do.

Source: Anthropic's documentation, "Prompt caching".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from azml_magics.emulator import tokens

LEAST_TOKENS = 1024
"""The shortest prefix that is cached."""

_LOOKBACK = 20
"""Blocks before a mark among which an earlier entry is looked for."""

_OVERHEAD = 4
"""Tokens of a block beside its text, as for a chat message."""


@dataclass(frozen=True)
class CacheUse:
    """How many tokens of a prompt were read from the cache, and how many written to it."""

    read: int = 0
    written: int = 0


class PromptCache:
    """The prefixes that were written, by their digests."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def use(self, body: dict[str, Any]) -> CacheUse:
        """Return what a request reads and writes, and keep what it writes.

        Args:
            body: The checked body of the request.
        """
        prefixes = _prefixes(body)
        marks = [at for at, prefix in enumerate(prefixes) if prefix.is_marked and prefix.tokens >= LEAST_TOKENS]
        if not marks:
            return CacheUse()
        earlier = {at for mark in marks for at in range(mark, max(-1, mark - _LOOKBACK), -1)}
        read = max((prefixes[at].tokens for at in earlier if prefixes[at].digest in self._written), default=0)
        self._written.update(prefixes[at].digest for at in marks)
        return CacheUse(read, max(0, prefixes[marks[-1]].tokens - read))


@dataclass(frozen=True)
class _Prefix:
    """The prompt up to the end of one of its blocks."""

    digest: str
    tokens: int
    is_marked: bool


def _prefixes(body: dict[str, Any]) -> list[_Prefix]:
    """Return the prefixes of a prompt, the shortest first: tools, then the system blocks, then the messages."""
    blocks = [*_list(body.get("tools")), *_to_blocks("system", body.get("system"))]
    for message in _list(body.get("messages")):
        blocks += _to_blocks(str(message.get("role")), message.get("content"))
    digest, counted = hashlib.sha256(str(body.get("model")).encode()), 0
    prefixes = []
    for at, block in enumerate(blocks):
        content = json.dumps({name: value for name, value in block.items() if name != "cache_control"}, sort_keys=True)
        digest.update(content.encode())
        text = block.get("text")
        counted += _OVERHEAD + tokens.count(text if isinstance(text, str) else content)
        is_last = at == len(blocks) - 1
        is_marked = bool(block.get("cache_control") or (is_last and body.get("cache_control")))
        prefixes.append(_Prefix(digest.hexdigest(), counted, is_marked))
    return prefixes


def _to_blocks(role: str, content: Any) -> list[dict[str, Any]]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) and content else _list(content)
    return [{**block, "role": role} for block in blocks]


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
