"""A key that several events of a stream spell together is masked in a cassette; everything else stays as it came."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.cassettes.cut_keys import mask_cut_keys
from azml_magics.core.redaction import redact_bytes
from azml_magics.core.secret import Secret

KEY = "kQ7pLm2/xV+9wR4tYb8nZc3H"


def event(text):
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()


def text_of(pieces):
    lines = b"".join(piece for _, piece in pieces).splitlines()
    events = [json.loads(line[5:]) for line in lines if line.startswith(b"data: {")]
    return "".join(found["choices"][0]["delta"]["content"] for found in events)


@given(st.data())
def test_key_cut_into_events_is_masked(data):
    text = f"before {KEY} between {KEY} after"
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    pieces = [(0.1, event(part)) for part in parts]
    masked = mask_cut_keys([*pieces, (0.2, b"data: [DONE]\n\n")], (Secret(KEY),))
    shown = text_of([(0.0, redact_bytes(piece, KEY)) for _, piece in masked])
    assert re.fullmatch(r"before \*+ between \*+ after", shown)
    assert [seconds for seconds, _ in masked] == [0.1] * len(pieces) + [0.2]
    assert masked[-1][1] == b"data: [DONE]\n\n"


@given(st.lists(st.tuples(st.floats(0, 1), st.binary())))
def test_stream_without_a_key_stays_byte_for_byte(pieces):
    assert mask_cut_keys(pieces, (Secret(KEY),)) == pieces
    assert mask_cut_keys(pieces, ()) == pieces
