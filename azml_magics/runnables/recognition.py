"""Which objects are LangChain Runnables, and which of them are models or graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    return _find(runnable, ("generate_prompt",)) is not None


def find_graph(runnable: Any) -> Any:
    """Return the graph of LangGraph that a Runnable is, such as an agent; None if it is none.

    There may be retries, fallbacks or a bound config around it.
    """
    return _find(runnable, ("get_state", "update_state", "get_graph"))


def keeps_threads(runnable: Any) -> bool:
    """Whether it is a graph with a checkpointer, which keeps what happened under the id of a thread."""
    return bool(getattr(find_graph(runnable), "checkpointer", None))


def bound_configurable(runnable: Any) -> dict[str, Any]:
    """Return the `configurable` values that with_config has bound to a Runnable."""
    found: dict[str, Any] = {}
    for each in _layers(runnable):
        config = getattr(each, "config", None)
        found = {**((config.get("configurable") or {}) if isinstance(config, dict) else {}), **found}
    return found


def _find(runnable: Any, methods: Sequence[str]) -> Any:
    for each in _layers(runnable):
        if all(callable(getattr(type(each), name, None)) for name in methods):
            return each
    return None


def _layers(runnable: Any) -> Iterator[Any]:
    """A Runnable, what it wraps, and what that wraps."""
    for _ in range(_MAX_WRAPPERS):
        yield runnable
        runnable = (
            vars(runnable).get("bound", vars(runnable).get("runnable")) if hasattr(runnable, "__dict__") else None
        )
        if runnable is None:
            return
