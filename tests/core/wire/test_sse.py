"""Server-sent events: any chunking gives the same events, in the framings of real servers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azml_magics.core.wire.sse import Event, SSEDecoder, is_event_stream


def events(*pieces: bytes) -> list[Event]:
    decoder = SSEDecoder()
    found = [event for piece in pieces for event in decoder.feed(piece)]
    return [*found, *decoder.flush()]


def data(*pieces: bytes) -> list[bytes]:
    return [event.data for event in events(*pieces)]


FRAMINGS = {
    # name: (bytes as that server frames them, the events' data)
    "uvicorn (the catalogue's server)": (
        b'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}\n\ndata: [DONE]\n\n',
        [b'{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}', b"[DONE]"],
    ),
    "llama.cpp: two events in one piece": (
        b'data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}]}\n\n'
        b'data: {"choices":[],"usage":{"completion_tokens":8,"prompt_tokens":25}}\n\ndata: [DONE]\n\n',
        [
            b'{"choices":[{"finish_reason":"stop","index":0,"delta":{}}]}',
            b'{"choices":[],"usage":{"completion_tokens":8,"prompt_tokens":25}}',
            b"[DONE]",
        ],
    ),
    "NVIDIA NIM: no space after data:": (b'data:{"a":1}\n\ndata:[DONE]\n\n', [b'{"a":1}', b"[DONE]"]),
    "TGI: no space, no [DONE]": (b'data:{"token":{"text":" a"}}\n\n', [b'{"token":{"text":" a"}}']),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "lone CR": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "all three mixed": (b"data: a\n\r\ndata: b\r\rdata: c\r\n\n", [b"a", b"b", b"c"]),
    "comments and keep-alives": (b": ping\n\n:\n\ndata: a\n: in between\n\n", [b"a"]),
    "id and retry lines": (b"id: 7\nretry: 10\ndata: a\n\n", [b"a"]),
    "data of several lines": (b"data: a\ndata:\ndata: b\n\n", [b"a\n\nb"]),
    "no final blank line": (b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "no final newline at all": (b"data: a\n\ndata: [DONE]", [b"a", b"[DONE]"]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "only the first of two spaces is the separator": (b"data:  a\n\n", [b" a"]),
    "empty data is no event": (b"data:\n\ndata: \n\ndata\n\ndata: a\n\n", [b"a"]),
    "blank lines alone": (b"\n\n\r\n\r", []),
    "lines of no known field": (b"datax: a\nnonsense\nevent\n\ndata: a\n\n", [b"a"]),
    "a character cut in two": ("data: é漢🫧\n\n".encode(), ["é漢🫧".encode()]),
    "line separators of Unicode are text": (
        "data: a\u2028b\x0bc\x1cd\x85\n\n".encode(),
        ["a\u2028b\x0bc\x1cd\x85".encode()],
    ),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("raw", "expected"), FRAMINGS.values(), ids=FRAMINGS)
class TestEveryFraming:
    def test_in_one_piece(self, raw, expected):
        assert data(raw) == expected

    def test_byte_by_byte(self, raw, expected):
        assert data(*(raw[i : i + 1] for i in range(len(raw)))) == expected


def test_event_line_sets_type():
    assert events(b"event: error\ndata: boom\n\nevent:x\ndata: a\n\nevent:\ndata: b\n\ndata: c\n\n") == [
        Event("error", b"boom"),
        Event("x", b"a"),
        Event("message", b"b"),
        Event("message", b"c"),
    ]


def test_error_event_without_data_is_returned():
    assert events(b"event: error\n\n") == [Event("error", b"")]


def test_event_is_returned_when_complete():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n\ndata: b") == [Event("message", b"a")]
    assert decoder.feed(b"\n\n") == [Event("message", b"b")]


LINES = st.sampled_from(
    [
        b"data: x",
        b"data:y",
        b"data:",
        b"data",
        b": c",
        b"event: error",
        b"event:",
        b"id: 1",
        b"",
        b"",
        "data: ü".encode(),
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.one_of(
    st.lists(st.tuples(LINES, ENDS).map(b"".join)).map(b"".join),
    st.binary(max_size=60),
    st.text("dat: \r\n\ufeff", max_size=40).map(str.encode),
)


@given(STREAMS, st.lists(st.integers(0, 80), max_size=8))
@example(b"data: a\r\n\r\ndata: b", [8])
@example(b"\xef\xbb\xbfdata: a\n\n", [1])
def test_any_chunking_gives_the_same_events(raw, cuts):
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    pieces = [raw[start:end] for start, end in itertools.pairwise(edges)]
    assert b"".join(pieces) == raw
    assert events(*pieces) == events(raw)
    assert events(*pieces, b"") == events(raw)


@given(st.lists(st.text(max_size=20).filter(lambda t: t and "\r" not in t and "\n" not in t), max_size=6), ENDS)
def test_written_events_are_read_back(texts, end):
    raw = b"".join(b"data: " + text.encode() + end + end for text in texts)
    assert data(raw) == [text.encode() for text in texts]


class _CountedPiece(bytes):
    """A piece that counts the bytes that are joined with it or searched in it."""

    work = 0

    def __radd__(self, other):
        type(self).work += len(other) + len(self)
        return bytes(other) + bytes(self)

    def rfind(self, *args):
        type(self).work += len(self)
        return super().rfind(*args)


def test_work_for_one_long_line_doubles_with_its_length():
    def work(count):
        _CountedPiece.work, decoder = 0, SSEDecoder()
        assert decoder.feed(b"data: ") == []
        for _ in range(count):
            assert decoder.feed(_CountedPiece(b"x" * 100)) == []
        assert len(decoder.feed(b"\n\n")[0].data) == count * 100
        return _CountedPiece.work

    assert work(2000) <= 2 * work(1000) + 1000


# ---- fields that are not of the standard


def decode_all(body: bytes) -> list[Event]:
    decoder = SSEDecoder()
    return [*decoder.feed(body), *decoder.flush()]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b'error: {"code":400}\n\ndata: [DONE]\n\n', [Event("error", b'{"code":400}'), Event("message", b"[DONE]")]),
        (b'error:{"code":400}', [Event("error", b'{"code":400}')]),
        (b'data: {"a":1}\nerror: {"code":400}\n\n', [Event("message", b'{"a":1}'), Event("error", b'{"code":400}')]),
        (b'result: {"a":1}\n\n', [Event("message", b'{"a":1}')]),
        (b'data: {"a":1}\nmeta: {"b":2}\n\n', [Event("message", b'{"a":1}')]),
        (b"error: no JSON\nnote: x\n\n", []),
    ],
)
def test_unknown_fields_with_json_are_events(body, events):
    assert decode_all(body) == events


@pytest.mark.parametrize(
    ("start", "content_type", "found"),
    [
        (b"data: {}", "", True),
        (b"\n\n: ping", "application/json", True),
        (b"event: error", "text/plain", True),
        (b'error: {"code": 1}', "", True),
        (b"\xef\xbb\xbfdata:[DONE]", "", True),
        (b' {"choices": []}', "text/event-stream", False),
        (b"<html>", "text/event-stream", False),
        (b'"text"', "text/event-stream", False),
        (b"upstream connect error", "text/plain", False),
        (b"upstream connect error", "text/event-stream; charset=utf-8", True),
        (b"error: no healthy upstream", "text/plain", False),
        (b"dat", "", None),
        (b"", "text/event-stream", None),
    ],
)
def test_first_bytes_tell_a_stream_of_events(start, content_type, found):
    assert is_event_stream(start, content_type) is found


def test_label_decides_when_the_whole_body_does_not():
    assert is_event_stream(b"ok", "text/event-stream", is_all=True) is True
    assert is_event_stream(b"ok", "text/plain", is_all=True) is False
