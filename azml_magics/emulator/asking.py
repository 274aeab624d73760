"""What is asked of the endpoint, whatever the dialect it came in: a prompt, what came before it, and settings."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import Any

DEFAULT_MAX_TOKENS = 256
"""The Inference API's documented default; used on every route, so that no demo is cut at Llama's native 16."""


@dataclass(frozen=True)
class Settings:
    """The model kwargs that shape an answer; None is "not given"."""

    max_tokens: int | None = None
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    penalties: tuple[float, ...] = ()
    return_full_text: bool | None = None


@dataclass(frozen=True)
class Ask:
    """One prompt: the last user text, the system message, the earlier turns and what came with them.

    `tool_results` are (tool name, text) of the `role: tool` messages that end the conversation; `attachments`
    are descriptions of image and audio parts; `task` is "text", "summary" or "translation".
    """

    prompt: str
    system: str = ""
    earlier: tuple[tuple[str, str], ...] = ()
    tool_results: tuple[tuple[str, str], ...] = ()
    attachments: tuple[str, ...] = ()
    task: str = "text"
    settings: Settings = field(default_factory=Settings)
    index: int = 0

    def choices(self) -> random.Random:
        """The same random choices for the same request: seeded by everything that may change the words."""
        settings = self.settings
        parts = (
            self.prompt, self.system, self.earlier, self.tool_results, self.task, self.index,
            float(settings.temperature), settings.top_p, settings.seed, settings.penalties,
        )  # fmt: skip
        digest = hashlib.sha256(repr(parts).encode(errors="replace")).digest()
        return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - word choice, not a secret


def lenient_settings(parameters: Any) -> Settings:
    """Settings from the `parameters` or `params` of /score, where a wrong value has no effect and no error."""
    given = parameters if isinstance(parameters, dict) else {}
    stop = given.get("stop", given.get("stop_sequences"))
    marks = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    full = given.get("return_full_text")
    limit = next((given[name] for name in LIMITS if isinstance(given.get(name), int)), DEFAULT_MAX_TOKENS)
    return Settings(
        max_tokens=max(0, int(limit)),
        min_tokens=_number(given.get("min_new_tokens"), 0, int),
        stop=tuple(mark for mark in marks if isinstance(mark, str)),
        temperature=_number(given.get("temperature"), 0.0, float),
        top_p=_number(given.get("top_p"), 1.0, float),
        seed=given.get("seed") if isinstance(given.get("seed"), int) else None,
        penalties=(_number(given.get("repetition_penalty"), 1.0, float),),
        return_full_text=full if isinstance(full, bool) else None,
    )


_LARGEST = 10**9

LIMITS = ("max_new_tokens", "max_tokens", "max_gen_len", "max_completion_tokens")
"""The names under which the different images take the most tokens of an answer."""


def _number(value: Any, default: Any, kind: type) -> Any:
    return kind(value) if isinstance(value, int | float) and abs(value) < _LARGEST else default
