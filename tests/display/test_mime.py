"""The mime bundles of responses."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.response import Response, Usage
from azml_magics.display.markdown import fence_code
from azml_magics.display.mime import response_bundle, response_markdown, response_summary


@given(
    st.text(st.characters(), max_size=60),
    st.sampled_from(["markdown", "text", "json", "code"]),
    st.none() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s), max_leaves=5),
)
def test_response_bundle_of_any_response_can_be_sent(text, shown_as, parsed):
    data, metadata = response_bundle(Response(text, parsed=parsed, format=shown_as, usage=Usage(1, 2, 3)))
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    json.dumps(metadata).encode()
    if text.isprintable():
        assert data["text/plain"] == text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", data["text/plain"])


def test_response_bundle_says_that_there_is_no_text():
    assert response_bundle(Response(""))[0]["text/markdown"] == "*(no text)*"


def test_response_bundle_keeps_the_request_in_the_metadata():
    data, metadata = response_bundle(Response("x"), request={"url": "https://x"})
    assert metadata["azml"]["request"] == {"url": "https://x"}
    assert "request" not in response_bundle(Response("x"))[1]["azml"]
    assert data == response_bundle(Response("x"))[0]


def test_response_summary_is_one_short_line():
    response = Response("x", config="prod", finish_reason="stop", usage=Usage(3, 42, 45), latency=1.26)
    assert response_summary(response) == "[prod · 42 tokens · 1.3 s]"
    assert (
        response_summary(Response("x", model="gpt-5", finish_reason="length")) == "[gpt-5 · cut off at the token limit]"
    )
    assert response_summary(Response("", notices=("All tokens were thoughts.",))) == "\nAll tokens were thoughts."


def test_fence_is_longer_than_any_inside():
    assert fence_code("a\n````\nb", "md") == "`````md\na\n````\nb\n`````"


def test_code_of_a_diagram_is_not_run_as_html():
    text = "```mermaid\n<img src=x onerror=alert(1)>\n```"
    shown = response_markdown(Response(text, parsed="<img src=x onerror=alert(1)>", format="code"))
    assert shown == "```mermaid\n&lt;img src=x onerror=alert(1)>\n```"


def test_repr_of_a_response_has_only_its_fields():
    assert "Secret" not in repr([Response("x")])
