"""The file format of cassettes: every exchange comes back unchanged, and no key is ever written."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.cassettes import format as form
from azml_magics.cassettes.matching import find_differences, has_mask, hash_request, is_match
from azml_magics.core.errors import DocumentError
from azml_magics.core.http.exchange import Request
from azml_magics.core.http.recording import RecordedResponse
from azml_magics.core.redaction import MASK
from azml_magics.core.secret import Secret

from ..core.judge import only_our_errors

KEY = "k3y/with+signs=0123456789"
URL = "http://127.0.0.1:8000/v1/chat/completions"


def request(body=b"{}", url=URL, *, key=KEY, stream=False, method="POST", **headers):
    headers = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request(url, headers, body, 20, stream, method=method, secrets=(Secret(key),))


def written(asked, take, folder):
    """What a cassette with that one exchange holds: (its line, what is read from it)."""
    line = form.exchange_line(asked, take, 0)
    path = folder / "tape.jsonl"
    path.write_bytes(form.heading_line() + line)
    ((question, found),), filled = form.read_cassette(path)
    assert filled == path.stat().st_size
    return line.decode(), question, found


# ---- what identifies a request


def test_request_is_described_by_path_query_deployment_and_body():
    asked = request(b'{"a": [1]}', f"{URL}?api-version=1&b=", azureml_model_deployment="blue", Accept="*/*")
    assert form.describe_request(asked) == {
        "path": "/v1/chat/completions",
        "query": "api-version=1&b=",
        "deployment": "blue",
        "body": {"a": [1]},
    }


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:8080", "[::1]:9", "azml.localhost"])
def test_loopback_hosts_are_left_out(host):
    assert form.describe_request(request(url=f"http://{host}/score")) == form.describe_request(
        request(url="http://127.0.0.1/score")
    )


def test_other_hosts_are_part_of_the_request():
    one, other = (
        form.describe_request(request(url=f"https://{host}/score")) for host in ("a.azure.com", "b.azure.com:8443")
    )
    assert (one["host"], other["host"]) == ("a.azure.com", "b.azure.com:8443")
    assert form.describe_request(request(url="https://A.azure.com/score")) == one


def test_method_and_stream_are_part_of_the_request():
    questions = [form.describe_request(request(**options)) for options in ({}, {"method": "GET"}, {"stream": True})]
    assert len({hash_request(question) for question in questions}) == 3


def test_order_of_keys_does_not_matter():
    one, other = form.describe_request(request(b'{"a": 1, "b": 2}')), form.describe_request(request(b'{"b":2,"a":1}'))
    assert hash_request(one) == hash_request(other)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"no JSON", b"base64:x", b"", b"[" * 100_000])
def test_body_that_is_not_json_is_kept_unchanged(body):
    question = form.describe_request(request(body))
    assert form._from_text(question["body"]) == body


# ---- replies come back


BODIES = st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace"))
HARD = st.sampled_from([b"base64:QQ==", b"\xe2\x80\xa8 \xc2\x85 \r\n \x00", b'{"a": "\\ud800"}', b"", b"\n\n"])


@given(st.lists(st.tuples(st.floats(0, 2), BODIES | HARD), max_size=5), st.booleans(), st.booleans())
def test_any_response_comes_back_byte_for_byte(tmp_path_factory, pieces, stream, is_complete):
    take = RecordedResponse(200, {"content-type": "text/event-stream"}, pieces, is_complete)
    _, _, found = written(request(stream=stream), take, tmp_path_factory.mktemp("cassette"))
    assert found.body == take.body
    assert (found.status, found.headers, found.is_complete) == (200, take.headers, is_complete)
    assert sum(seconds for seconds, _ in found.pieces) <= sum(seconds for seconds, _ in pieces) + 0.001


def test_stream_keeps_pieces_and_pauses_up_to_two_seconds(tmp_path):
    pieces = [(0.25, b"data: 1\n\n"), (600.0, b"data: 2\n\nda"), (0.5, b"ta: 3"), (0.5, b"\n\n"), (0.125, b"end")]
    _, _, found = written(request(stream=True), RecordedResponse(200, {}, pieces), tmp_path)
    assert found.pieces == [(0.25, b"data: 1\n\n"), (2.0, b"data: 2\n\n"), (1.0, b"data: 3\n\n"), (0.125, b"end")]


def test_only_headers_that_matter_are_kept(tmp_path):
    headers = {"content-type": "a", "retry-after": "3", "x-request-id": "r-1", "set-cookie": "session", "server": "x"}
    _, _, found = written(request(), RecordedResponse(429, headers, [(0.0, b"")]), tmp_path)
    assert (found.status, found.headers) == (429, {"content-type": "a", "retry-after": "3", "x-request-id": "r-1"})


def test_exchange_is_one_readable_line(tmp_path):
    line, _, _ = written(
        request('{"q": "서울"}'.encode()), RecordedResponse(200, {}, [(0.0, "é\u2028\n".encode())]), tmp_path
    )
    assert line.count("\n") == 1
    assert "서울" in line
    assert json.loads(line)["response"]["body"] == "é\u2028\n"


@given(st.text(max_size=20), st.text(st.characters(codec=None), max_size=20))
def test_any_prompt_is_found_in_the_cassette(tmp_path_factory, prompt, odd):
    asked = request(json.dumps({"messages": [prompt, odd]}).encode())
    _, question, _ = written(asked, RecordedResponse(200, {}, [(0.0, b"")]), tmp_path_factory.mktemp("cassette"))
    assert question == form.describe_request(asked)
    assert hash_request(question) == hash_request(form.describe_request(asked))


# ---- no key gets in


SPELLINGS = (KEY, json.dumps(KEY), KEY.replace("/", "\\/"), quote(KEY, safe=""), quote(KEY))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("header", ["Authorization", "authorization", "api-key"])
def test_echoed_key_is_masked_in_every_spelling(tmp_path, spelling, header):
    said = f'{{"message": "The key {spelling} is wrong"}}'.encode()
    value = KEY if header == "api-key" else f"Bearer {KEY}"
    asked = Request(URL, {header: value}, b"{}", 20, secrets=(Secret(KEY),))
    take = RecordedResponse(401, {"x-request-id": f"r-{spelling}"}, [(0.0, said)])
    line, _, found = written(asked, take, tmp_path)
    assert not any(other in line for other in SPELLINGS)
    assert MASK.encode() in found.body
    assert MASK in found.headers["x-request-id"]


@given(st.lists(st.integers(1, 40), max_size=6))
def test_key_that_arrives_in_pieces_is_masked(tmp_path_factory, cuts):
    whole = f'data: {{"a": "{KEY}"}}\n\ndata: \xff{KEY}\n\n'.encode("latin-1")
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)})
    pieces = [(0.0, whole[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    line, _, found = written(
        request(stream=True), RecordedResponse(200, {}, pieces), tmp_path_factory.mktemp("cassette")
    )
    assert KEY not in line
    assert KEY.encode() not in found.body
    assert found.body == whole.replace(KEY.encode(), MASK.encode())


def test_key_in_a_binary_body_is_masked(tmp_path):
    line, _, found = written(request(), RecordedResponse(200, {}, [(0.0, b"\xff" + KEY.encode() + b"\xfe")]), tmp_path)
    assert found.body == b"\xff" + MASK.encode() + b"\xfe"
    assert base64.b64encode(KEY.encode())[4:-4].decode() not in line


@pytest.mark.parametrize(
    "query", ["code=KEY&a=1", "subscription-key=KEY&a=1", "Api-Key=KEY&a=1", "sig=KEY&a=1", "other=KEY&a=1"]
)
def test_key_in_the_url_is_masked(tmp_path, query):
    asked = request(url=f"{URL}?{query.replace('KEY', quote(KEY, safe=''))}")
    line, question, _ = written(asked, RecordedResponse(200, {}, [(0.0, b"")]), tmp_path)
    assert not any(spelling in line for spelling in SPELLINGS)
    assert question["query"] == query.replace("KEY", MASK)


def test_key_in_the_prompt_is_masked_and_still_matches(tmp_path):
    asked = request(json.dumps({"messages": [{"content": f"Is {KEY} mine, {KEY}?"}], KEY: 1}).encode())
    line, question, _ = written(asked, RecordedResponse(200, {}, [(0.0, b"")]), tmp_path)
    assert KEY not in line
    assert has_mask(question)
    question["body"].pop(MASK)
    unmasked = form.describe_request(request(b'{"messages": [{"content": "Is another mine, yes?"}]}'))
    assert is_match(question, unmasked)
    assert not is_match(question, form.describe_request(request(b'{"messages": [{"content": "Is it yours?"}]}')))


@pytest.mark.parametrize("key", ["x", "data", "EMPTY", ""])
def test_placeholder_key_masks_nothing(tmp_path, key):
    body = b'data: {"text": "x EMPTY"}\n\n'
    _, question, found = written(
        request(b'{"a": "EMPTY"}', key=key), RecordedResponse(200, {}, [(0.0, body)]), tmp_path
    )
    assert found.body == body
    assert not has_mask(question)


# ---- what a mask hides


@pytest.mark.parametrize(
    ("known", "asked", "alike"),
    [
        (f"a{MASK}b", "a key b", True),
        (f"a{MASK}b", "ab", True),
        (f"a{MASK}b", "a key c", False),
        (f"ab{MASK}bc", "abc", False),
        (f"{MASK} and {MASK}", "x and y", True),
        (f"{MASK} and {MASK}.", "x or y.", False),
        ("plain", "plain", True),
        ([MASK, 1], ["x", 1], True),
        ([MASK], ["x", 1], False),
        ({"a": MASK}, {"a": "x"}, True),
        ({"a": MASK}, {"b": "x"}, False),
        ({"a": MASK}, {"a": 1}, False),
        (None, None, True),
    ],
)
def test_mask_matches_any_text(known, asked, alike):
    assert is_match(known, asked) is alike


# ---- differences


@pytest.mark.parametrize(
    ("asked", "known", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("a.b.1", 2, 3)]),
        ({"a": None}, {}, [("a", None, ...)]),
        ({}, {"a": None}, [("a", ..., None)]),
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ([1], [1, 2], [("", [1], [1, 2])]),
    ],
)
def test_find_differences_gives_path_and_values(asked, known, found):
    assert list(find_differences(asked, known)) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON)
def test_requests_differ_if_their_hashes_do(one, other):
    assert bool(list(find_differences(one, other))) == (hash_request(one) != hash_request(other))


# ---- files from outside


def read(folder, content):
    path = folder / "tape.jsonl"
    path.write_bytes(content)
    return form.read_cassette(path)


LINE = form.exchange_line(request(), RecordedResponse(200, {}, [(0.0, b"hi")]), 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "tape.jsonl is not a cassette. Check the path, or record to a new file with azml_magics.record(PATH)."),
        (b"\xff\xfe\x00", "is not a cassette"),
        (b"[]\n", "is not a cassette"),
        (b'"azml_cassette"\n', "is not a cassette"),
        (b'{"cells": []}\n', "is not a cassette"),
        (b"[" * 100_000, "is not a cassette"),
        (
            b'{"azml_cassette": 1}\n',
            "is a cassette of format 1; this azml-magics reads and writes format 2. Record it again in a new file.",
        ),
        (b'{"azml_cassette": "9"}\n', "is a cassette of format '9'; this azml-magics"),
        (form.heading_line() + b"{}\n" + LINE, "line 2, is not a recorded exchange. Remove the line."),
        (form.heading_line() + LINE + b'{"request": 5}\n' + LINE, "line 3, is not a recorded exchange"),
    ],
)
def test_file_that_is_not_a_cassette_is_one_line(tmp_path, content, said):
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_missing_file_is_one_line(tmp_path):
    with pytest.raises(DocumentError, match="cannot be read: No such file or directory"):
        form.read_cassette(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize("cut", [1, 20, len(LINE) - 2])
def test_cut_off_last_line_is_left_out(tmp_path, cut):
    entries, filled = read(tmp_path, form.heading_line() + LINE + LINE[:cut])
    assert len(entries) == 1
    assert filled == len(form.heading_line() + LINE)


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n\n\n", b"  \n"])
def test_blank_lines_and_line_ends_do_not_matter(tmp_path, end):
    content = form.heading_line().replace(b"\n", b"\r\n") + LINE + b"\n" + LINE.rstrip(b"\n") + end
    entries, filled = read(tmp_path, content)
    assert len(entries) == 2
    assert filled == len(content)


ODD = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
PIECES = st.lists(st.lists(ODD, max_size=3) | st.tuples(st.floats(), st.text(max_size=5)) | ODD, max_size=3)
ANSWERED = st.fixed_dictionaries(
    {},
    optional={
        "status": ODD | st.just(200),
        "headers": ODD | st.dictionaries(st.text(max_size=3), ODD, max_size=2),
        "body": ODD | st.sampled_from(["base64:", "base64:A", "base64:QQ=="]),
        "stream": ODD | PIECES,
        "complete": ODD,
    },
)


@given(st.dictionaries(st.sampled_from(["request", "response", "sequence"]), ODD | ANSWERED), st.binary(max_size=20))
def test_any_line_is_an_exchange_or_an_error(tmp_path_factory, entry, noise):
    folder = tmp_path_factory.mktemp("cassette")
    for line in (json.dumps(entry).encode(), noise.replace(b"\n", b"").replace(b"\r", b"")):
        with only_our_errors(DocumentError):
            entries, _ = read(folder, form.heading_line() + line + b"\n" + LINE)
            for _, take in entries:
                assert isinstance(take.body, bytes)
                assert all(0 <= seconds <= 2 for seconds, _ in take.pieces)
