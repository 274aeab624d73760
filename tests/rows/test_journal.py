"""The journal keeps every response, repairs torn lines, and refuses other files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azml_magics.core import errors
from azml_magics.core.errors import BadRequestError, JournalError, RateLimitError, RunnableError
from azml_magics.core.response import Response, Usage
from azml_magics.core.secret import Secret
from azml_magics.rows import entries
from azml_magics.rows import journal as journal_module
from azml_magics.rows.journal import Journal

ASKS = {"endpoint": "https://n.example.com/score", "prompt": "Sum up {text}", "model kwarg temperature": 0.2}
ONE, TWO = b"1" * 16, b"2" * 16


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


def open_journal(path, asks=ASKS, **options):
    return Journal(path, asks, **options)


def write_journal(path, *rows):
    """A closed journal with an answer for each (key, n, text)."""
    journal = open_journal(path)
    for key, n, text in rows:
        assert journal.append(key, n, Response(text), None)
    journal.close()
    return path.read_bytes()


def stored_text(journal, key, n=0):
    found = journal.find(key, n)
    return found and found[0].text


def test_entries_are_found_after_reopening(path):
    write_journal(path, (ONE, 0, "ünï\n\ud800"), (ONE, 1, "again"))
    journal = open_journal(path)
    assert [stored_text(journal, ONE), stored_text(journal, ONE, 1), journal.find(TWO, 0)] == [
        "ünï\n\ud800",
        "again",
        None,
    ]
    assert len(journal) == 2
    journal.close()


def test_file_is_json_lines_with_settings_first(path):
    header, line = write_journal(path, (ONE, 0, "hi")).splitlines()
    assert json.loads(header) == {"azml_magics_journal": 2, "settings": ASKS}
    assert json.loads(line) == {"row": ONE.hex(), "n": 0, "response": {"text": "hi"}}


def test_entry_is_on_disk_before_append_returns(path):
    journal = open_journal(path)
    journal.append(ONE, 0, Response("hi"), None)
    assert path.read_bytes().endswith(b'"response":{"text":"hi"}}\n')
    journal.close()


def test_later_entry_replaces_an_earlier_one(path):
    journal = open_journal(path)
    journal.append(ONE, 0, None, RateLimitError("busy", status=429))
    journal.append(ONE, 0, Response("hi"), None)
    journal.close()
    journal = open_journal(path)
    assert journal.find(ONE, 0) == (Response("hi"), None)
    assert len(journal) == 1
    journal.close()


def test_next_number_counts_equal_rows(path):
    journal = open_journal(path)
    assert [journal.next_number(key) for key in (ONE, TWO, ONE, ONE, TWO)] == [0, 0, 1, 2, 1]
    journal.close()


def test_key_is_masked_in_every_line(path):
    asks = {**ASKS, "prompt": "use k3y-12345"}
    journal = open_journal(path, asks, secrets=[Secret("k3y-12345")])
    journal.append(ONE, 0, Response("the key is k3y-12345", tool_calls=({"id": "k3y-12345"},)), None)
    journal.append(TWO, 0, None, BadRequestError("bad k3y-12345", status=400))
    journal.close()
    assert b"k3y-12345" not in path.read_bytes()
    open_journal(path, asks, secrets=[Secret("k3y-12345")]).close()


def test_append_to_closed_journal_returns_false(path):
    journal = open_journal(path)
    journal.close()
    journal.close()
    assert journal.append(ONE, 0, Response("late"), None) is False


# ---- killed processes


@settings(max_examples=30)  # files are written
@given(cut=st.integers(1, 60))
def test_torn_last_line_is_removed(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "run.jsonl"
    whole = write_journal(path, (ONE, 0, "one"), (TWO, 0, "two"))
    path.write_bytes(whole[:-cut])
    journal = open_journal(path)
    assert stored_text(journal, ONE) == "one"
    assert stored_text(journal, TWO) == ("two" if cut == 1 else None), "only the line's end was missing"
    journal.append(TWO, 0, Response("two again"), None)
    journal.close()
    journal = open_journal(path)
    assert [stored_text(journal, ONE), stored_text(journal, TWO)] == ["one", "two again"]
    assert journal.skipped == 0
    journal.close()


@settings(max_examples=30)  # files are written
@given(length=st.integers(0, 140))
def test_torn_header_is_written_again(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("torn") / "run.jsonl"
    header = write_journal(path)
    path.write_bytes(header[: min(length, len(header) - 1)])
    open_journal(path, {**ASKS, "prompt": "another"}).close()
    assert json.loads(path.read_text())["settings"]["prompt"] == "another"


@settings(max_examples=30)  # files are written
@given(junk=st.binary(max_size=80))
def test_unreadable_lines_are_skipped(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "run.jsonl"
    header, line = write_journal(path, (ONE, 0, "one")).splitlines(keepends=True)
    path.write_bytes(header + junk.replace(b"\n", b"") + b"\n" + line)
    with pytest.warns(UserWarning, match="The journal 'run.jsonl' has 1 unreadable line: rows that it lacks are sent"):
        journal = open_journal(path)
    assert stored_text(journal, ONE) == "one"
    assert journal.skipped == 1
    journal.close()


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS])
def test_file_system_without_locks_is_named_and_used(path, monkeypatch, code):
    fcntl = pytest.importorskip("fcntl", reason="Windows locks bytes")

    def flock(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(UserWarning, match=r"'run\.jsonl' has no locks\. Make sure that no other run writes to it\."):
        journal = open_journal(path)
    journal.append(ONE, 0, Response("one"), None)
    journal.close()
    monkeypatch.undo()
    journal = open_journal(path)
    assert stored_text(journal, ONE) == "one"
    journal.close()


def test_other_failure_to_lock_is_refused(path, monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="Windows locks bytes")

    def flock(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(JournalError, match=r"cannot be locked: .*\. Choose another file"):
        open_journal(path)


# ---- files that change during a run

LOST = r"The journal 'run\.jsonl' was deleted or replaced while a run used it\. The results have the responses"


def delete(path):
    path.unlink()


def replace_by_empty(path):
    path.with_suffix(".new").touch()
    path.with_suffix(".new").replace(path)


def cut(path):
    path.write_bytes(b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
@pytest.mark.parametrize("harm", [delete, replace_by_empty, cut])
def test_lost_file_ends_the_writing(path, monkeypatch, harm):
    monkeypatch.setattr(journal_module, "_SYNC_SECONDS", 0.0)
    journal = open_journal(path)
    assert journal.append(ONE, 0, Response("one"), None)
    harm(path)
    with pytest.raises(JournalError, match=LOST):
        journal.append(TWO, 0, Response("two"), None)
    with pytest.warns(UserWarning, match=LOST):
        journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
def test_file_lost_in_the_last_second_is_named(path):
    journal = open_journal(path)
    journal.append(ONE, 0, Response("one"), None)
    path.unlink()
    with pytest.warns(UserWarning, match=LOST):
        journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
def test_lost_file_is_named_when_read(path):
    write_journal(path, (ONE, 0, "one"))
    journal = open_journal(path)
    path.unlink()
    with pytest.raises(JournalError, match=LOST):
        journal.find(ONE, 0)
    with pytest.warns(UserWarning, match=LOST):
        journal.close()


def test_folder_without_write_permission_is_refused(path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(JournalError, match=r"cannot be opened: Permission denied\. Choose another file"):
        open_journal(path)


def test_lock_ends_with_its_process(path):
    code = (
        "import sys; from azml_magics.rows.journal import Journal\n"
        f"journal = Journal({str(path)!r}, {ASKS!r}); print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(JournalError, match=r"Another run has the journal 'run\.jsonl' open\. Wait until it ends"):
            open_journal(path)
    finally:
        holder.kill()
        holder.communicate()
    open_journal(path).close()


def test_second_journal_on_a_file_is_refused(path):
    journal = open_journal(path)
    with pytest.raises(JournalError, match="Another run"):
        open_journal(path)
    journal.close()
    open_journal(path).close()


# ---- refused files


@pytest.mark.parametrize(
    ("asks", "difference"),
    [
        ({**ASKS, "model kwarg temperature": 0.7}, "model kwarg temperature was '0.2' and is '0.7'"),
        ({**ASKS, "prompt": "Sum up {text}!"}, "prompt was 'Sum up {text}' and is 'Sum up {text}!'"),
        ({**ASKS, "system": "Be terse."}, "there is system 'Be terse.'"),
        ({key: ASKS[key] for key in ("endpoint", "prompt")}, "there was model kwarg temperature '0.2'"),
        (
            {**ASKS, "prompt": "x" * 90 + "A" + "y" * 90},
            "prompt was 'Sum up {text}' and is 'xxxxxxxxxxxxxxxxxxxxxxxx…'",
        ),
    ],
)
def test_journal_of_another_run_is_refused_with_the_difference(path, asks, difference):
    before = write_journal(path, (ONE, 0, "one"))
    with pytest.raises(JournalError) as caught:
        open_journal(path, asks)
    assert f"'run.jsonl' is the journal of another run: {difference}. Choose" in str(caught.value)
    assert path.read_bytes() == before


def test_difference_of_long_prompts_is_an_excerpt(path):
    first = {**ASKS, "prompt": "a" * 200 + "old" + "b" * 200}
    open_journal(path, first).close()
    with pytest.raises(JournalError, match=r"was '…a{24}oldb{21}…' and is '…a{24}newb{21}…'"):
        open_journal(path, {**ASKS, "prompt": "a" * 200 + "new" + "b" * 200})


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"{}\n", b'{"azml_magics_journal": 2}\n', b"[1]\n", b"\xff\xfe", b"\n"]
)
def test_other_file_is_refused_and_unchanged(path, content):
    path.write_bytes(content)
    with pytest.raises(JournalError, match="is not a journal of rows"):
        open_journal(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("header", "version"),
    [
        (b'{"azml_magics_journal": 1, "asks": {}}\n', "1"),
        (b'{"azml_magics_journal":1,"asks":{}}', "1"),  # without the end of its line
        (b'{"azml_magics_journal": 3, "settings": {}}\n', "3"),
        (b'{"azml_magics_journal": "one\\ntwo"}\n', "one two"),
    ],
)
def test_other_format_is_named_and_never_overwritten(path, header, version):
    content = header + b'{"row":"' + ONE.hex().encode() + b'","n":0,"answer":{"text":"hi"}}\n'
    if not header.endswith(b"\n"):
        content = header
    path.write_bytes(content)
    with pytest.raises(
        JournalError, match=f"^The journal 'run.jsonl' has format {version}, and this .* not changed"
    ) as caught:
        open_journal(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("where", ["missing/run.jsonl", "."])
def test_unusable_path_is_refused(tmp_path, where):
    with pytest.raises(JournalError, match=r"cannot be opened: .* Choose another file"):
        open_journal(tmp_path / where)


def test_full_disk_leaves_no_half_line(path, monkeypatch):
    journal = open_journal(path)
    journal.append(ONE, 0, Response("one"), None)
    before = path.read_bytes()
    write = os.write

    def full(file, data):
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:10])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match=r"cannot be written: No space left on device\. Free some space"):
        journal.append(TWO, 0, Response("two"), None)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert journal.append(TWO, 0, Response("two"), None), "once there is room it goes on"
    journal.close()
    journal = open_journal(path)
    assert [stored_text(journal, ONE), stored_text(journal, TWO)] == ["one", "two"]
    journal.close()


# ---- entries


def test_response_is_restored_without_raw():
    calls = ({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},)
    response = Response(
        "text", usage=Usage(1, 2, 3), finish_reason="stop", latency=1.25, request_id="r", deployment="blue",
        config="prod", model="m", tool_calls=calls, reasoning="hm", logprobs=[1], raw={"big": 1},
    )  # fmt: skip
    key, n, again, error = entries.parse_entry(entries.entry_line(ONE, 4, response, None))
    assert (key, n, error, again.raw) == (ONE, 4, None, None)
    assert vars(again) == {**vars(response), "raw": None}


def test_error_is_restored_with_its_class_and_facts():
    error = RateLimitError("too many", remedy="Wait.", status=424, inner_status=429, config="prod", request_id="r")
    _, _, response, again = entries.parse_entry(entries.entry_line(ONE, 0, Response("part"), error))
    assert type(again) is RateLimitError
    assert (str(again), again.status, again.inner_status) == (str(error), 424, 429)
    assert response.text == "part"


def test_every_error_class_can_be_restored():
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AzmlError)]
    for kind in classes:
        again = entries.parse_entry(entries.entry_line(ONE, 0, None, kind("cause", remedy="Remedy.")))[3]
        assert (type(again), again.cause) == (kind, "cause")
    assert RunnableError in classes


def test_builtin_error_keeps_its_name():
    again = entries.parse_entry(entries.entry_line(ONE, 0, None, ZeroDivisionError("by zero")))[3]
    assert str(again) == "ZeroDivisionError: by zero"


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["row", "n", "response", "error", "text", "kind"]), x),
    ).map(lambda v: json.dumps(v).encode())
)
def test_anything_else_raises_only_value_error(line):
    with contextlib.suppress(ValueError):
        entries.parse_entry(line)
