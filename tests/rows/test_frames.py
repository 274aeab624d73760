"""Frames of pandas and polars are returned with their index, their types and the responses."""

from __future__ import annotations

import pyarrow as pa
import pytest

from azml_magics.core.errors import BadRequestError, UsageError
from azml_magics.rows.api import map_rows
from azml_magics.rows.selection import select_rows
from azml_magics.rows.sources import table_of

from ..core.server import reply

pd = pytest.importorskip("pandas", reason="pandas is optional")


def test_dataframe_keeps_its_index_and_gets_responses(echo, config):
    frame = pd.DataFrame({"city": ["Rom", "Oslo", None], "n": [1, 2, 3]}, index=["x", "y", "x"])
    out = map_rows(config, "say {city}", frame)
    assert list(out.columns) == [
        "city",
        "n",
        "text",
        "error",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "latency",
    ]
    assert list(out.index) == ["x", "y", "x"], "duplicates in the index are allowed"
    assert list(out["text"])[:2] == ["SAY ROM", "SAY OSLO"]
    assert out["text"].isna().tolist() == [False, False, True]
    assert (
        out["error"].iloc[2]
        == "PromptError: Row 'x' has no value in the column 'city'. Fill it in or drop the row, such as with fillna or dropna."
    )
    assert out["completion_tokens"].tolist()[:2] == [4, 4]
    assert out["latency"].dtype == float
    assert list(frame.columns) == ["city", "n"], "the frame that came in is as it was"


@pytest.mark.parametrize("empty", [None, float("nan"), pd.NA, pd.NaT])
def test_missing_cell_is_an_error_of_its_row(echo, config, empty):
    out = map_rows(config, "say {a}", pd.DataFrame({"a": pd.Series(["one", empty], dtype=object)}))
    assert out["error"].isna().tolist() == [True, False]
    assert list(echo.sent) == ["say one"]


def test_cells_with_own_comparison_are_values(echo, config):
    cells = [[1, 2], pd.Series([1, 2]), ""]
    out = map_rows(config, "say {a}!", pd.DataFrame({"a": pd.Series(cells, dtype=object)}))
    assert out["error"].isna().all()
    assert out["text"].iloc[2] == "SAY !"


def test_series_is_a_frame_of_one_column(echo, config):
    series = pd.Series(["Rom", "Oslo"], index=[7, 9], name="city")
    out = map_rows(config, "say {city}", series)
    assert (list(out.index), list(out["text"])) == ([7, 9], ["SAY ROM", "SAY OSLO"])
    assert list(map_rows(config, "say {w}", series.rename(None))["w"]) == ["Rom", "Oslo"]


def test_failed_row_has_its_error_in_the_frame(echo, config):
    echo.first = lambda prompt, times: reply({"detail": "too long"}, 400) if "Oslo" in prompt else None
    out = map_rows(config, "say {city}", pd.DataFrame({"city": ["Rom", "Oslo", "Bern"]}))
    assert out["error"].isna().tolist() == [True, False, True]
    assert (
        out["error"]
        .iloc[1]
        .startswith(f"{BadRequestError.__name__}: The endpoint rejected the request (400): too long")
    )


def test_duplicate_columns_and_other_objects_are_refused():
    with pytest.raises(UsageError, match="two columns named 'a'"):
        table_of(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(UsageError, match="A pandas Timestamp is not a table"):
        table_of(pd.Timestamp(0))


def test_limit_and_sample_of_a_dataframe():
    frame = pd.DataFrame({"a": range(100)}, index=range(100, 200))
    assert [record.index for record in select_rows(table_of(frame), 2, None).records()] == [100, 101]
    assert select_rows(table_of(frame), None, 7).length == 7


def test_polars_frames_and_series_become_frames(echo, config):
    pl = pytest.importorskip("polars", reason="polars is optional")
    frame = pl.DataFrame({"city": ["Rom", None, "Oslo"], "text": ["a", "b", "c"]})
    for given in (frame, frame.lazy()):
        out = map_rows(config, "say {city}", given)
        assert isinstance(out, pl.DataFrame)
        assert out["answer_text"].to_list() == ["SAY ROM", None, "SAY OSLO"]
        assert out["text"].to_list() == ["a", "b", "c"]
        assert out["completion_tokens"].to_list() == [4, None, 4]
        assert (
            out["error"][1]
            == "PromptError: Row 1 has no value in the column 'city'. Fill it in or drop the row, such as with fillna or dropna."
        )
    assert map_rows(config, "say {city}", frame["city"], limit=1)["text"].to_list() == ["SAY ROM"]
    with pytest.raises(UsageError, match="is not a table"):
        table_of(pl.col("a"))


# ---- frames by what they can do --------------------------------------------------------------------------------


class Geo(pd.DataFrame):
    """A subclass from another module, as GeoDataFrame is."""

    __module__ = "geo"

    @property
    def _constructor(self):
        return Geo


def test_subclass_of_a_dataframe_is_a_frame():
    table = table_of(Geo({"city": ["Rome"]}))
    assert [dict(record.values) for record in table.records()] == [{"city": "Rome"}]


@pytest.mark.parametrize("make", ["arrow", "to_pandas", "stream", "interchange"])
def test_what_can_become_a_frame_is_one(make):
    frame = pd.DataFrame({"city": ["Rome", "Oslo"]})

    class Wrapper:
        def __init__(self, **methods):
            vars(self).update(methods)

        columns = ("city",)

    class Stream(Wrapper):
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.Table.from_pandas(frame).__arrow_c_stream__(requested_schema)

    class Interchange(Wrapper):
        def __dataframe__(self, *args, **options):
            return frame.__dataframe__(*args, **options)

    rows = {
        "arrow": lambda: pa.Table.from_pandas(frame),
        "to_pandas": lambda: Wrapper(to_pandas=lambda: frame),
        "stream": Stream,
        "interchange": Interchange,
    }[make]()
    assert [dict(record.values) for record in table_of(rows).records()] == [{"city": "Rome"}, {"city": "Oslo"}]


def test_object_with_columns_that_is_no_frame_is_refused():
    class Table:
        columns = ("a",)

        def __iter__(self):
            return iter(self.columns)

    with pytest.raises(UsageError, match="An object of type Table is not a table"):
        table_of(Table())


def test_named_index_is_a_column_of_the_prompt_alone(echo, config):
    frame = pd.DataFrame({"city": ["Rome"], "year": [1]}).set_index("city")
    out = map_rows(config, "say {city} {year}", frame)
    assert list(out["text"]) == ["SAY ROME 1"]
    assert list(out.columns)[:2] == ["year", "text"]


def test_levels_of_a_multiindex_are_columns():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"]))
    assert [dict(record.values) for record in table_of(frame).records()] == [
        {"n": 1, "x": "a", "y": 1}, {"n": 2, "x": "b", "y": 2},
    ]  # fmt: skip


def test_third_run_over_a_table_numbers_its_columns(echo, config):
    frame = pd.DataFrame({"w": ["a"]})
    for _ in range(3):
        frame = map_rows(config, "say {w}", frame)
    assert [name for name in frame.columns if "text" in name] == ["text", "answer_text", "answer_text_2"]
