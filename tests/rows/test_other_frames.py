"""Frames of other libraries: read by what they can do, whole numbers stay whole, and only what is needed is collected."""

from __future__ import annotations

import warnings

import pytest

from azml_magics.core.errors import UsageError
from azml_magics.rows.api import map_rows
from azml_magics.rows.deferred import DeferredTable
from azml_magics.rows.sources import table_of

pd = pytest.importorskip("pandas", reason="pandas is optional")
pa = pytest.importorskip("pyarrow", reason="pyarrow is optional")

CITIES = {"city": ["Rome", "Oslo", "Bern", "Riga"], "n": [1, None, 3, 4]}
ROWS = [{"city": city, "n": n} for city, n in zip(*CITIES.values(), strict=True)]


def arrow():
    return pa.table(CITIES)


def dataset():
    import pyarrow.dataset as ds

    return ds.dataset(arrow())


def duckdb():
    return pytest.importorskip("duckdb", reason="duckdb is optional").sql(
        "SELECT * FROM (VALUES ('Rome', 1), ('Oslo', NULL), ('Bern', 3), ('Riga', 4)) t(city, n)"
    )


def polars():
    return pytest.importorskip("polars", reason="polars is optional").DataFrame(CITIES)


def narwhals(frame):
    return pytest.importorskip("narwhals", reason="narwhals is optional").from_native(frame)


FRAMES = {
    "a table of pyarrow": arrow,
    "a record batch": lambda: arrow().to_batches()[0],
    "a dataset of pyarrow": dataset,
    "a scanner of pyarrow": lambda: dataset().scanner(),
    "a relation of duckdb": duckdb,
    "a frame of polars": polars,
    "a lazy frame of polars": lambda: polars().lazy(),
    "narwhals over polars": lambda: narwhals(polars()),
    "narwhals over a lazy frame": lambda: narwhals(polars().lazy()),
    "narwhals over pyarrow": lambda: narwhals(arrow()),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_frames_keep_order_and_whole_numbers(make):
    table = table_of(make())
    records = list(table.records())
    assert (table.columns, table.length) == (("city", "n"), 4)
    assert [dict(record.values) for record in records] == ROWS
    assert [type(record.values["n"]) for record in records] == [int, type(None), int, int]


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_row_of_a_frame_is_one_request(echo, config, make):
    out = map_rows(config, "say {city}", make())
    assert list(out["text"]) == ["SAY ROME", "SAY OSLO", "SAY BERN", "SAY RIGA"]
    assert sum(echo.sent.values()) == 4


@pytest.mark.parametrize("make", [FRAMES["a lazy frame of polars"], FRAMES["narwhals over polars"]])
def test_frame_of_polars_comes_back_as_one(echo, config, make):
    assert type(map_rows(config, "say {city}", make())).__module__.startswith("polars")


def test_array_of_arrow_is_a_column(echo, config):
    assert list(map_rows(config, "say {city}", arrow()["city"], limit=1)["text"]) == ["SAY ROME"]


def test_dataset_of_one_dimension_is_a_frame_and_others_are_named():
    xarray = pytest.importorskip("xarray", reason="xarray is optional")
    warm = xarray.Dataset({"warm": ("city", [20.5, 4.0])}, coords={"city": ["Rome", "Oslo"]})
    assert [dict(record.values) for record in table_of(warm).records()] == [
        {"warm": 20.5, "city": "Rome"}, {"warm": 4.0, "city": "Oslo"},
    ]  # fmt: skip
    with pytest.raises(UsageError, match=r"This Dataset cannot become a table: .* Make a DataFrame of it, and pass"):
        table_of(xarray.Dataset({"t": (("a", "b"), [[1.0, 2.0]])}))


def test_index_of_pandas_is_a_column(echo, config):
    assert list(map_rows(config, "say {w}", pd.Index(["a", "b"]))["text"]) == ["SAY A", "SAY B"]
    levels = pd.MultiIndex.from_tuples([("a", 1)], names=["x", "y"])
    assert list(map_rows(config, "say {x}{y}", levels)["text"]) == ["SAY A1"]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_single_precision_goes_out_as_it_is_shown(echo, config, dtype):
    frame = pd.DataFrame({"x": pd.Series([0.1, 2.5], dtype=dtype)})
    out = map_rows(config, "say {x}", frame)
    assert (list(out["text"]), str(out["x"].dtype)) == (["SAY 0.1", "SAY 2.5"], dtype)


def test_single_precision_of_polars_goes_out_as_it_is_shown(echo, config):
    pl = pytest.importorskip("polars", reason="polars is optional")
    out = map_rows(config, "say {x}", pl.DataFrame({"x": pl.Series([0.1, 2.5], dtype=pl.Float32)}))
    assert (out["text"].to_list(), out["x"].dtype) == (["SAY 0.1", "SAY 2.5"], pl.Float32)


# ---- tables in place of rows


@pytest.mark.parametrize("make", [list, iter], ids=["list", "iterator"])
@pytest.mark.parametrize(
    "chunk", [pd.DataFrame({"a": [1]}), arrow(), arrow().to_batches()[0]], ids=lambda it: type(it).__name__
)
def test_frames_in_place_of_rows_are_refused(echo, config, make, chunk):
    with pytest.raises(UsageError, match=f"it is a {type(chunk).__name__}, a table itself: pass one table"):
        map_rows(config, "say {a}", make([chunk, chunk]))
    assert not echo.sent


def test_results_of_sqlalchemy_are_rows_and_none_is_lost(echo, config):
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="sqlalchemy is optional")
    query = sqlalchemy.text("SELECT 'Rome' AS city UNION SELECT 'Oslo' ORDER BY city")
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        found = connection.execute(query)
        assert len(map_rows(config, "say {city}", found, dry_run=True).requests) == 2
        assert [row["text"] for row in map_rows(config, "say {city}", found)] == ["SAY OSLO", "SAY ROME"]


# ---- frames that are computed or fetched when they are read


class Remote:
    """A frame on a cluster, as Spark's: it counts how many rows were collected."""

    def __init__(self, rows, log=None):
        self.rows, self.log = rows, [] if log is None else log
        self.columns = list(rows[0])

    def limit(self, count):
        return Remote(self.rows[:count], self.log)

    def count(self):
        self.log.append("count")
        return len(self.rows)

    def toPandas(self):
        self.log.append(len(self.rows))
        return pd.DataFrame(self.rows)

    def __iter__(self):
        raise AssertionError("a frame is never iterated")


@pytest.fixture
def remote():
    return Remote([{"w": f"w{n}"} for n in range(50)])


def test_dry_run_collects_three_rows_and_counts_all(config, remote):
    dry = map_rows(config, "say {w}", remote, dry_run=True)
    assert (len(dry.requests), dry.count) == (3, "50 requests")
    assert remote.log == [3, "count"]


def test_limit_collects_no_more_rows(echo, config, remote):
    out = map_rows(config, "say {w}", remote, limit=5)
    assert list(out["text"]) == [f"SAY W{n}" for n in range(5)]
    assert remote.log == [3, 5]


def test_all_rows_are_collected_once(echo, config, remote):
    assert len(map_rows(config, "say {w}", remote)) == 50
    assert remote.log == [3, 50]


def test_sample_of_a_remote_frame_is_that_of_a_local_one(echo, config, remote):
    local = map_rows(config, "say {w}", pd.DataFrame(remote.rows), sample=4)
    assert list(map_rows(config, "say {w}", remote, sample=4)["w"]) == list(local["w"])


def test_frame_that_cannot_count_is_dry_run_without_its_rows(config):
    class Expression(Remote):
        def count(self):
            return "count(*)"

    frame = Expression([{"w": "a"}] * 50)
    frame.limit = lambda count: Remote(frame.rows[:count], frame.log)
    table = table_of(frame)
    assert isinstance(table, DeferredTable)
    assert table.length == 50
    lazy = polars().lazy()
    assert map_rows(config, "say {city}", lazy, dry_run=True).count == "a request for every row"


def test_frame_that_cannot_be_collected_says_why(config):
    class Broken(Remote):
        def limit(self, count):
            return self

        def toPandas(self):
            raise RuntimeError("the cluster is gone")

    with pytest.raises(UsageError, match="This Broken cannot become a table: the cluster is gone"):
        table_of(Broken([{"w": 1}]))


def test_reading_a_frame_warns_of_nothing():
    class Interchange:
        columns = ("city",)

        def __dataframe__(self, *args, **options):
            return pd.DataFrame({"city": ["Rome"]}).__dataframe__(*args, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert table_of(Interchange()).columns == ("city",)
