"""Text Generation Inference: /generate and /generate_stream."""

from __future__ import annotations

import json

from azml_magics.core.response import Chunk, Usage
from azml_magics.core.wire.sse import Event
from azml_magics.core.wire.tgi import TGIWire


def read_event(value: object) -> Chunk | None:
    return TGIWire().read_event(Event("message", json.dumps(value).encode()))


def test_events_are_tokens():
    assert read_event(
        {"token": {"id": 1, "text": " a", "special": False}, "generated_text": None, "details": None}
    ) == Chunk(" a")
    last = {"token": {"text": "</s>", "special": True}, "generated_text": " a", "details": None}
    assert read_event(last) == Chunk(finish_reason="stop")
    counted = {"finish_reason": "length", "generated_tokens": 9}
    assert read_event({**last, "details": counted}) == Chunk(usage=Usage(None, 9, None), finish_reason="length")
    assert read_event({**last, "generated_text": ""}) == Chunk(finish_reason="stop")


def test_details_have_finish_reason_and_count():
    response = TGIWire().read_response(
        {"generated_text": "t", "details": {"finish_reason": "length", "generated_tokens": 20}}
    )
    assert (response.finish_reason, response.usage) == ("length", Usage(None, 20, None))
