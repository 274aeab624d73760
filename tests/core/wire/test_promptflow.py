"""Deployed prompt flows."""

from __future__ import annotations

import json

from azml_magics.core.response import Chunk
from azml_magics.core.wire.promptflow import PromptFlowWire
from azml_magics.core.wire.sse import Event


def read_event(value: object) -> Chunk | None:
    return PromptFlowWire().read_event(Event("message", json.dumps(value).encode()))


def test_events_are_outputs_of_the_flow():
    assert read_event({"answer": "Hello"}) == Chunk("Hello")
    assert read_event({"my_own_output": "Hello"}) == Chunk("Hello")
    assert read_event({"answer": ""}) == Chunk("")
