"""Hypothesis strategies: JSON with the keys of responses, and values shaped as servers shape them."""

from __future__ import annotations

from hypothesis import strategies as st

_KEYS = [
    "choices",
    "message",
    "content",
    "text",
    "delta",
    "error",
    "output",
    "finish_reason",
    "usage",
    "tool_calls",
    "function",
    "arguments",
    "index",
    "token",
    "details",
    "generated_text",
    "reasoning",
    "reasoning_content",
    "model",
    "object",
    "code",
    "0",
    "predictions",
    "answer",
    "logprobs",
    "prompt_tokens",
    "completion_tokens",
    "id",
    "exception",
    "body",
    "status_code",
    "refusal",
    "special",
    "generated_tokens",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS) | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CHOICES = st.fixed_dictionaries({"choices": st.lists(JSON, max_size=2)}, optional={"usage": JSON, "model": JSON})
CHAT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("content", "text", "tool_calls", "reasoning", "reasoning_content", "refusal", "function"), JSON
    ),
)
CHAT_CHOICES = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({}, optional={"message": CHAT, "delta": CHAT, "finish_reason": JSON}))},
    optional={"usage": JSON, "model": JSON, "id": JSON},
)
TGI = st.fixed_dictionaries({"token": JSON}, optional={"generated_text": JSON, "details": JSON})
