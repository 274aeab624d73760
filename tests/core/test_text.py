"""Text that can be shown."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.text import escape_controls, one_line, printable, printable_data, replace_surrogates


def test_printable_removes_terminal_commands_and_keeps_tabs_and_newlines():
    assert printable("a\x1b]52;c;aGk=\x07b\x9b31mc\r\td\ne\x7f") == "a]52;c;aGk=b31mc\td\ne"


@given(st.text(st.characters()))
def test_printable_text_can_be_encoded_and_commands_nothing(text):
    shown = printable(text)
    shown.encode()
    assert all(sign in "\t\n" or sign >= " " for sign in shown)


def test_replace_surrogates_changes_nothing_else():
    assert replace_surrogates("caf\ud83d \x1b[0m é 😀") == "caf\ufffd \x1b[0m é 😀"


def test_one_line_folds_white_space_and_cuts_long_text():
    assert one_line("a\r\n\x1b[2Jb\t c") == "a [2Jb c"
    assert one_line("word " * 10, 12) == "word word w…"


def test_printable_removes_what_reorders_text_and_keeps_joiners():
    assert printable("a\u202egpj.exe\u202c \u2066b\u2069") == "agpj.exe b"
    kept = "👨\u200d👩\u200d👧 \u200eab\u200f \u0645\u06cc\u200c\u062e\u0648"
    assert printable(kept) == kept


def test_printable_data_reads_names_and_lists():
    assert printable_data({"a\x1b": ["b\x07", 1, None, ("c\x9b",)]}) == {"a": ["b", 1, None, ["c"]]}


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaped_controls_leave_json_its_value(value):
    text = escape_controls(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert printable(text) == replace_surrogates(text)
