"""Text that can be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.text import one_line, printable, replace_surrogates


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
