"""A journal that is only read: whatever is in the file, it is an error in one line or what can be read of it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import JournalError
from azml_magics.core.response import Response
from azml_magics.rows import entries
from azml_magics.rows.journal_reader import JournalReader

KEY = b"k" * 16
HEADER = entries.header_line({"prompt": "{x}"}, ())
ENTRY = entries.entry_line(KEY, 0, Response("Hi"), None)
SETTING = entries.setting_line({"prompt": "{x}", "model": "a"}, {"config": "small"})


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "run.jsonl"


def test_reader_has_settings_entries_and_labels(journal):
    journal.write_bytes(HEADER + SETTING + ENTRY + entries.entry_line(KEY, 1, Response("Ho"), None))
    reader = JournalReader(journal)
    assert reader.settings == {"prompt": "{x}"}
    assert reader.declared == [({"prompt": "{x}", "model": "a"}, {"config": "small"})]
    assert reader.count(KEY) == 2
    assert reader.find(KEY, 1)[0].text == "Ho"
    assert reader.find(KEY, 2) is None
    reader.close()


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([ENTRY, SETTING, ENTRY[:30], b'{"setting":1}\n']))))
def test_lines_that_are_no_entries_are_passed_over(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    whole = [line if line.endswith(b"\n") else line.replace(b"\n", b" ") + b"\n" for line in lines]
    path.write_bytes(HEADER + b"".join(whole) + ENTRY)
    reader = JournalReader(path)
    assert reader.find(KEY, 0)[0].text == "Hi"
    reader.close()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.jsonl"
    path.write_bytes(content)
    with contextlib.suppress(JournalError):
        JournalReader(path).close()


def test_reading_changes_nothing_and_takes_no_lock(journal):
    journal.write_bytes(HEADER + ENTRY + ENTRY[:10])
    before = journal.read_bytes()
    one, two = JournalReader(journal), JournalReader(journal)
    assert journal.read_bytes() == before
    one.close()
    two.close()
