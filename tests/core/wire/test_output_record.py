"""Records of the curated images."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import ContentFilterError, ModelError
from azml_magics.core.wire.output_record import parse_output_record

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_tool_calls_need_no_output():
    response = parse_output_record({"output": None, "tool_calls": [CALL], "finish_reason": "tool_calls"}, ("output",))
    assert (response.text, response.tool_calls, response.finish_reason) == ("", (CALL,), "tool_calls")


@pytest.mark.parametrize("value", [{"output": None}, {"output": "None"}, {"output": ""}])
def test_missing_output_is_a_model_error(value):
    with pytest.raises(ModelError):
        parse_output_record(value, ("output",))


def test_word_none_with_finish_reason_is_text():
    assert parse_output_record({"output": "None", "finish_reason": "stop"}, ("output",)).text == "None"


def test_filtered_output_is_kept_in_error():
    with pytest.raises(ContentFilterError) as caught:
        parse_output_record({"output": "Once", "finish_reason": "content_filter"}, ("output",))
    assert caught.value.response.text == "Once"
