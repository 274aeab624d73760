"""Every kind of table is read row by row and returned as its own type."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.errors import UsageError
from azml_magics.core.response import Response, Usage
from azml_magics.rows.sources import table_of
from azml_magics.rows.table_rows import TableRow, unique_names

ANSWER = Response("hi", usage=Usage(3, 4, 7), finish_reason="stop", latency=0.5)


def answered(table):
    """A row for each of the table's, the second one failed."""
    for record in table.records():
        failed = record.position == 1
        error = UsageError("no") if failed else None
        yield TableRow({}, None, None if failed else ANSWER, error, record.position, record.index)


def values(table):
    return [dict(record.values) for record in table.records()]


def test_list_of_dicts_gets_response_columns():
    table = table_of([{"a": 1}, {"a": 2, "b": 3}])
    assert (table.columns, table.length, table.is_lazy) == (("a", "b"), 2, False)
    first, second = table.with_responses(answered(table))
    assert first == {
        "a": 1,
        "text": "hi",
        "error": None,
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "latency": 0.5,
    }
    assert (second["b"], second["text"], second["error"]) == (3, None, "UsageError: no")


@pytest.mark.parametrize("row", ["word", 7, 2.5, True, None])
def test_plain_values_become_one_column(row):
    assert values(table_of([row], "w")) == [{"w": row}]


def test_existing_columns_are_never_overwritten():
    table = table_of([{"text": "mine", "answer_text": "also mine"}])
    (row,) = table.with_responses(answered(table))
    assert (row["text"], row["answer_text"], row["answer_text_2"]) == ("mine", "also mine", "hi")
    assert unique_names(["error"])[:3] == ("text", "answer_error", "finish_reason")


def test_rows_of_another_type_keep_their_place_with_a_problem():
    records = list(table_of([{"a": 1}, "text", [1], {"a": 2}]).records())
    assert [record.problem for record in records] == [
        "",
        "it is of type str, and the first row is of another type",
        "it is of type list, and rows are dicts or texts",
        "",
    ]


def test_column_names_become_texts():
    assert values(table_of([{1: "a"}])) == [{"1": "a"}]


@pytest.mark.parametrize("rows", [7, {"a": [1, 2]}, b"bytes", None])
def test_other_objects_are_not_tables(rows):
    with pytest.raises(
        UsageError, match=f"An object of type {type(rows).__name__} is not a table. Rows come in a DataFrame"
    ):
        table_of(rows)


# ---- one by one


def test_iterator_is_read_row_by_row():
    read = []

    def rows():
        for number in range(5):
            read.append(number)
            yield {"n": number}

    table = table_of(rows())
    assert (table.columns, table.length, table.is_lazy, read) == (("n",), None, True, [0])
    records = table.records()
    assert [next(records).values["n"] for _ in range(2)] == [0, 1]
    assert read == [0, 1]


def test_empty_iterator_has_no_columns():
    assert table_of(iter([])).columns == ()


@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_csv_is_read_with_quotes_and_bom(tmp_path, bom):
    path = tmp_path / "rows.csv"
    path.write_text(
        bom + 'city,note\r\nÅrhus,"two\nlines, a comma"\r\nRom\r\nOslo,a,b\r\n', encoding="utf-8", newline=""
    )
    records = list(table_of(str(path)).records())
    assert dict(records[0].values) == {"city": "Århus", "note": "two\nlines, a comma"}
    assert dict(records[1].values) == {"city": "Rom", "note": None}
    assert records[2].problem == "it has more cells than the header"


def test_tsv_is_read_from_a_path_object(tmp_path):
    (tmp_path / "rows.TSV").write_text("a\tb\n1\t2\n", encoding="utf-8")
    assert values(table_of(tmp_path / "rows.TSV")) == [{"a": "1", "b": "2"}]


def test_json_lines_are_read_with_problems(tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"a": "ü"}), "", "{broken", json.dumps("plain"), "[1]", json.dumps({"a": 2})]
    path.write_text("\n".join(lines), encoding="utf-8")
    records = list(table_of(path, "w").records())
    assert [dict(record.values) for record in records] == [{"a": "ü"}, {}, {"w": "plain"}, {}, {"a": 2}]
    assert [record.position for record in records] == [0, 1, 2, 3, 4]
    assert records[1].problem.startswith("line 3 is not JSON: ")
    assert records[3].problem == "line 5 is a list, and rows are objects or texts"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("rows.xlsx", b"", "'rows.xlsx' is not a table that can be read row by row"),
        ("rows.parquet", b"", "'rows.parquet' cannot be read after its row 0: Parquet file size is 0 bytes"),
        ("missing.csv", None, "There is no file"),
        ("twice.csv", b"a,a\n1,2\n", "'twice.csv' has two columns named 'a'"),
        ("latin.csv", b"a\n\xe9\n", "'latin.csv' is not UTF-8: byte 0xe9 after row 0. Save it as UTF-8"),
        ("quote.csv", b'a,b\n1,"two\nlines"\n2,"open\n3,4\n', "after its row 1: the quote that opens on line 4 is not"),
        ("quote2.csv", b'a,b\n1,"x"y\n', "after its row 0: line 2: ',' expected after"),
    ],
)
def test_unreadable_files_raise_usage_error(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=why):
        list(table_of(tmp_path / name).records())
