"""/score of the curated images: completions and chat."""

from __future__ import annotations

from azml_magics.core.response import Usage
from azml_magics.core.wire.input_data import InputDataChatWire


def test_chat_of_2026_has_usage_finish_reason_and_reasoning():
    response = InputDataChatWire().read_response(
        {
            "output": "Hello!",
            "message": {"role": "assistant", "content": "Hello!"},
            "finish_reason": "length",
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
            "model": "m",
            "reasoning_content": "hm",
        }
    )
    assert (response.text, response.finish_reason, response.usage) == ("Hello!", "length", Usage(9, 3, 12))
    assert (response.model, response.reasoning) == ("m", "hm")
