"""Masks keys in a streamed response, also one that the server cut into several pieces.

Of each text of the stream no more is held back than what may be the beginning of a key, until the next piece decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .redaction import is_distinctive, literal_spellings, redact, redact_data, redact_whole
from .response import Chunk, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .secret import Secret

_SERVER_FIELDS = ("model", "id", "finish_reason")
"""What the server writes in one piece, in a response and in its chunks: a text, or nothing."""


def keys_to_mask(secrets: tuple[Secret | None, ...]) -> tuple[str, ...]:
    """Return the keys that are masked in what a model writes, the longest first; words are not."""
    keys = {secret.reveal() for secret in secrets if secret} | {each.reveal_as_given() for each in secrets if each}
    return tuple(sorted(filter(is_distinctive, keys), key=len, reverse=True))


def redact_response(response: Response, keys: tuple[str, ...]) -> Response:
    """Return a response with the keys masked in everything that the model or the server wrote."""
    if not keys:
        return response
    texts = {
        "text": redact(response.text, *keys),
        "reasoning": redact(response.reasoning, *keys),
        **_redact_fields(response, keys),
        "tool_calls": tuple(redact_data(list(response.tool_calls), *keys)),
        "items": tuple(redact_data(list(response.items), *keys)),
    }
    changes: dict[str, Any] = {name: value for name, value in texts.items() if value != getattr(response, name)}
    if changes and response.logprobs is not None:
        changes["logprobs"] = None  # its tokens would spell the key
    if changes and response.raw is not None:
        changes["raw"] = redact_data(response.raw, *keys)
    choices = tuple(redact_response(choice, keys) for choice in response.choices)
    if choices != response.choices:
        changes["choices"] = choices
    return replace(response, **changes) if changes else response


def _redact_fields(source: Response | Chunk, keys: tuple[str, ...]) -> dict[str, Any]:
    written = {name: getattr(source, name) for name in _SERVER_FIELDS}
    return {name: redact(text, *keys) for name, text in written.items() if text}


class StreamRedactor:
    """Masks the keys in the chunks of one stream: `feed` each chunk, `close` at the end.

    Attributes:
        keys: What is masked.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        self._spellings = tuple(dict.fromkeys(spelling for key in keys for spelling in literal_spellings(key)))
        self._held: dict[tuple[str, int], str] = {}

    def feed(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the keys masked, and without the beginning of one; that comes with a later chunk."""
        if not self.keys:
            return chunk
        if chunk.retracts:
            self._held.pop(("text", 0), None)
        is_last = chunk.finish_reason is not None
        text = self._pass("text", chunk.index, chunk.text, is_last=is_last)
        reasoning = self._pass("reasoning", chunk.index, chunk.reasoning, is_last=is_last)
        calls = tuple(map(self._pass_call, chunk.tool_calls))
        items = tuple(redact_data(list(chunk.items), *self.keys))
        shown = {"text": text, "reasoning": reasoning, "tool_calls": calls, "items": items}
        shown |= _redact_fields(chunk, self.keys)
        if all(value == getattr(chunk, name) for name, value in shown.items()):
            return chunk
        changed = text != chunk.text or reasoning != chunk.reasoning
        return replace(chunk, **shown, logprobs=None if changed else chunk.logprobs)  # type: ignore[arg-type]  # by name

    def close(self) -> Iterator[Chunk]:
        """Yield what was held back, at the end of the stream."""
        for (kind, index), text in list(self._held.items()):
            shown = redact(text, *self.keys)
            if kind == "arguments":
                yield Chunk(tool_calls=({"index": index, "function": {"arguments": shown}},))
            else:
                chunk = Chunk(index=index)
                yield replace(chunk, text=shown) if kind == "text" else replace(chunk, reasoning=shown)
        self._held.clear()

    def _pass_call(self, call: dict[str, Any]) -> dict[str, Any]:
        function = call.get("function")
        given = function.get("arguments") if isinstance(function, dict) else None
        if not isinstance(given, str) or not isinstance(call.get("index"), int):
            return call
        shown = self._pass("arguments", call["index"], given, is_last=False)
        # `function` is a dict: it had arguments
        return call if shown == given else {**call, "function": {**function, "arguments": shown}}  # type: ignore[dict-item]

    def _pass(self, kind: str, index: int, new: str, *, is_last: bool) -> str:
        place = kind, index
        held = self._held.pop(place, "")
        if not new and not (held and is_last):
            if held:
                self._held[place] = held
            return ""
        text = held + new
        for key in self.keys:
            text = redact_whole(text, key)
        if is_last:
            return redact(text, *self.keys)
        start = self._start_of_key(text)
        if start < len(text):
            self._held[place] = text[start:]
        return text[:start]

    def _start_of_key(self, text: str) -> int:
        """Return where the end of the text may be the beginning of a key; its length if nowhere."""
        earliest = len(text)
        for spelling in self._spellings:
            start = text.find(spelling[0], max(0, len(text) - len(spelling) + 1))
            while 0 <= start < earliest and not spelling.startswith(text[start:]):
                start = text.find(spelling[0], start + 1)
            earliest = start if 0 <= start < earliest else earliest
        return earliest
