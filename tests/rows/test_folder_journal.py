"""The journal that several processes share: every one reads the files of all and writes its own."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import AzmlError, JournalError
from azml_magics.core.response import Response
from azml_magics.rows import folder_journal
from azml_magics.rows.folder_journal import FolderJournal, make_folder

SETTINGS = {"prompt": "say {w}"}
ONE, TWO = b"1" * 16, b"2" * 16


@pytest.fixture(autouse=True)
def _new_process(monkeypatch):
    monkeypatch.setattr(folder_journal, "_indexes", {})


@pytest.fixture
def folder(tmp_path):
    make_folder(tmp_path / "run", "worker")
    return tmp_path / "run"


def write(folder, key, text=None, error=None, settings=SETTINGS):
    journal = FolderJournal(folder, settings)
    assert journal.append(key, journal.next_number(key), Response(text) if text else None, error)
    journal.close()


def test_rows_of_other_parts_are_found(folder):
    write(folder, ONE, "one")
    write(folder, TWO, "two")
    journal = FolderJournal(folder, SETTINGS)
    assert len(journal) == 2
    assert journal.find(ONE, 0)[0].text == "one"
    assert journal.find(TWO, 0)[0].text == "two"
    assert journal.find(TWO, 1) is None


def test_part_that_writes_nothing_makes_no_file(folder):
    FolderJournal(folder, SETTINGS).close()
    assert list(folder.iterdir()) == []


def test_equal_rows_of_a_part_are_told_apart(folder):
    journal = FolderJournal(folder, SETTINGS)
    numbers = [journal.next_number(ONE) for _ in range(2)]
    for number in numbers:
        journal.append(ONE, number, Response(f"answer {number}"), None)
    journal.close()
    again = FolderJournal(folder, SETTINGS)
    assert [again.find(ONE, again.next_number(ONE))[0].text for _ in range(2)] == ["answer 0", "answer 1"]


@pytest.mark.parametrize("order", [("error", "text"), ("text", "error")])
def test_response_counts_more_than_an_error_of_another_part(folder, order):
    for kind in order:
        write(folder, ONE, **({"text": "one"} if kind == "text" else {"error": AzmlError("no")}))
    assert FolderJournal(folder, SETTINGS).find(ONE, 0)[0].text == "one"


def test_half_a_line_of_a_killed_process_is_skipped(folder):
    write(folder, ONE, "one")
    file = next(folder.iterdir())
    with file.open("ab") as stream:
        stream.write(b'{"row": "32')
    assert len(FolderJournal(folder, SETTINGS)) == 1


def test_line_that_was_being_written_is_read_the_next_time(folder):
    write(folder, ONE, "one")
    write(folder, TWO, "two")
    file = next(path for path in folder.iterdir() if b'"two"' in path.read_bytes())
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    assert FolderJournal(folder, SETTINGS).find(TWO, 0) is None
    file.write_bytes(whole)
    assert FolderJournal(folder, SETTINGS).find(TWO, 0)[0].text == "two"


def test_journal_of_other_settings_is_refused(folder):
    write(folder, ONE, "one")
    with pytest.raises(JournalError, match=r"prompt was 'say \{w\}' and is 'write \{w\}'"):
        FolderJournal(folder, {"prompt": "write {w}"})


def test_deleted_files_are_forgotten(folder):
    write(folder, ONE, "one")
    journal = FolderJournal(folder, SETTINGS)
    next(folder.iterdir()).unlink()
    assert journal.find(ONE, 0) is None
    assert FolderJournal(folder, SETTINGS).find(ONE, 0) is None
    assert len(FolderJournal(folder, SETTINGS)) == 0


def test_closed_journal_writes_nothing(folder):
    journal = FolderJournal(folder, SETTINGS)
    journal.close()
    journal.close()
    assert not journal.append(ONE, 0, Response("late"), None)
    assert list(folder.iterdir()) == []


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(JournalError, match="cannot be a folder"):
        make_folder(tmp_path / "run", "executor")
