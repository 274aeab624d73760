"""Files of rows: what is wrong with one is said in its own terms."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from azml_magics.core.errors import UndefinedVariableError, UsageError
from azml_magics.rows.mapper import RowMapper
from azml_magics.rows.sources import table_of

FRAME = pd.DataFrame({"city": ["Århus", "Rome"], "tags": [["a", "b"], []]})


def values(path):
    return [dict(record.values) for record in table_of(path).records()]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.feather", "rows.arrow"])
def test_parquet_and_arrow_are_read(tmp_path, name):
    path = tmp_path / name
    table = pa.Table.from_pandas(FRAME)
    if name == "rows.parquet":
        pq.write_table(table, path)
    elif name == "rows.feather":
        FRAME.to_feather(path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    assert values(path) == [{"city": "Århus", "tags": ["a", "b"]}, {"city": "Rome", "tags": []}]
    assert table_of(path).columns == ("city", "tags")


def test_single_precision_of_a_file_is_read_as_it_is_written(tmp_path):
    table = pa.table({"x": pa.array([0.1, None, 2.5], pa.float32()), "city": ["a", "b", "c"]})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert [row["x"] for row in values(tmp_path / "rows.parquet")] == [0.1, None, 2.5]
    assert table_of(tmp_path / "rows.parquet").columns == ("x", "city")


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("rows.xlsx", "Read it with pandas.read_excel('rows.xlsx') and pass what it returns"),
        ("rows.csv.gz", "Read it with pandas.read_csv('rows.csv.gz') and pass"),
        ("rows.json", "Read it with json.load(open('rows.json')) and pass"),
        ("rows.sav", "Read it with pandas or polars and pass"),
    ],
)
def test_other_file_is_refused_with_the_way_to_read_it(tmp_path, name, way):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        table_of(tmp_path / name)
    assert way in str(caught.value)


def test_utf_16_is_known_by_its_first_bytes(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("city\nÅrhus\n", encoding="utf-16")
    assert values(path) == [{"city": "Århus"}]


def test_long_cell_is_read(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text\n" + "y" * 1_000_000 + "\n")
    assert len(values(path)[0]["text"]) == 1_000_000


def test_header_alone_has_columns_and_no_rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n")
    table = table_of(path)
    assert (table.columns, list(table.records())) == (("a", "b"), [])


def test_other_delimiter_is_said_with_an_unknown_column(config, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a;b\n1;2\n")
    with pytest.raises(UndefinedVariableError) as caught:
        RowMapper(config, "say {a}", path)
    assert str(caught.value).endswith(
        "'rows.csv' has one column, 'a;b': a semicolon seems to divide its cells. "
        "Read it with pandas.read_csv('rows.csv', sep=';') and pass the frame."
    )
    RowMapper(config, "say {a;b}", path)  # its exact name is a column all the same


def test_first_line_that_is_not_json_does_not_end_the_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('# exported by hand\n{"q": "a"}\n{"q": "b"}\n')
    table = table_of(path)
    assert table.columns == ("q",)
    assert [record.problem[:21] for record in table.records()] == ["line 1 is not JSON: E", "", ""]


def test_file_without_a_readable_row_is_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("one\ntwo\n")
    with pytest.raises(UsageError, match="No row can be read: line 1 is not JSON"):
        table_of(path)
