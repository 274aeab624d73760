"""Which objects are LangChain Runnables, and which of them are models."""

from __future__ import annotations

from typing import Any

_MAX_WRAPPERS = 8  # around a model: retries, bound kwargs, fallbacks


def is_runnable(found: Any) -> bool:
    """Whether `found` is a LangChain Runnable that is called as it is.

    One of our own classes is a config, unless it has what a config cannot hold, such as callbacks or a cache.
    """
    kind = type(found)  # not hasattr(found, …): a wrapper passes every attribute on
    if isinstance(found, type) or (hasattr(kind, "to_config") and not getattr(found, "needs_langchain", False)):
        return False
    return all(callable(getattr(kind, name, None)) for name in ("invoke", "astream", "get_input_jsonschema"))


def is_model(runnable: Any) -> bool:
    """Whether it is a chat model or LLM, possibly with retries, fallbacks or kwargs around it."""
    for _ in range(_MAX_WRAPPERS):
        if callable(getattr(type(runnable), "generate_prompt", None)):
            return True
        inner = vars(runnable).get("bound", vars(runnable).get("runnable")) if hasattr(runnable, "__dict__") else None
        if inner is None:
            return False
        runnable = inner
    return False
