"""The table of test cases: edits, CSV and text from spreadsheets, and what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import UsageError
from azml_magics.panel.model.case_table import MAX_CASES, CaseTable

TWO = CaseTable(("name", "place"), (("Ada", "Rome"), ("Bob", "")))
_CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=6)
_NAME = st.text("abc é", min_size=1, max_size=4).filter(lambda name: name == name.strip())


def test_edits_return_new_tables():
    assert TWO.with_value(1, "place", "Bonn").rows[1] == ("Bob", "Bonn")
    assert TWO.with_value(0, "new", "x").rows == (("Ada", "Rome", "x"), ("Bob", "", ""))
    assert TWO.with_case().rows[2] == ("", "")
    assert TWO.with_copy(0).rows == (("Ada", "Rome"), ("Ada", "Rome"), ("Bob", ""))
    assert TWO.without(0).rows == (("Bob", ""),)
    assert TWO.with_columns(["place", "x", "x"]).columns == ("name", "place", "x")
    assert TWO.empty_cases("place") == [2]
    assert TWO.value(0, "nothing") == ""
    assert TWO.rows == (("Ada", "Rome"), ("Bob", ""))


@given(st.lists(_NAME, min_size=1, max_size=3, unique=True), st.data())
def test_any_table_is_read_back_from_its_csv(columns, data):
    row = st.tuples(*[_CELL] * len(columns)).filter(lambda cells: any(cell.strip() for cell in cells))
    table = CaseTable(tuple(columns), tuple(data.draw(st.lists(row, max_size=4))))
    if "\t" in table.to_csv().splitlines()[0]:
        return
    assert CaseTable.from_text(table.to_csv()) == table or ";" in table.to_csv()


@given(st.text(max_size=40))
def test_any_text_is_a_table_or_one_line(text):
    try:
        table = CaseTable.from_text(text)
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - any text may be a table
    else:
        assert all(len(row) == len(table.columns) for row in table.rows)


@pytest.mark.parametrize(
    "text",
    [
        "name,place\nAda,Rome\nBob,\n",
        "name\tplace\nAda\tRome\nBob\t\n",  # copied from a spreadsheet
        "name;place\r\nAda;Rome\r\n\r\nBob\r\n",
        '\n"name", place\n"Ada",Rome\nBob',
    ],
)
def test_text_is_read_by_its_delimiter(text):
    assert CaseTable.from_text(text) == TWO


def test_cell_may_have_lines_and_quotes():
    table = CaseTable.from_text('name\tsaid\nAda\t"two\nlines, ""quoted"""\n')
    assert table.rows == (("Ada", 'two\nlines, "quoted"'),)
    assert CaseTable.from_text(table.to_csv()) == table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name,place\nAda,"Rome\nBob,x\n', "The quote that opens on line 2 is not closed"),
        ("name,name\nAda,Rome\n", "Two columns are named 'name'"),
        ("name,\nAda,Rome\n", "Column 2 has no name"),
        ("name,place\nAda,Rome,1990\n", "Line 2 has 3 cells, and there are 2 columns"),
        ('name\n"Ada" x\n', "Line 2 cannot be read"),
        ("name\n" + "x\n" * 501, "There are 501 cases, and the table takes 500"),
    ],
)
def test_wrong_text_says_what_and_where(text, said):
    with pytest.raises(UsageError) as caught:
        CaseTable.from_text(text)
    assert str(caught.value).startswith(said)


def test_table_takes_no_more_than_its_limit():
    full = CaseTable(("a",), (("x",),) * MAX_CASES)
    for change in (full.with_case, lambda: full.with_copy(0)):
        with pytest.raises(UsageError):
            change()


def test_empty_text_is_an_empty_table():
    assert CaseTable.from_text(" \n\n") == CaseTable()
    assert CaseTable().to_csv() == ""
