"""Frames of Spark, pandas on Spark, geopandas and Modin with pandas 2, in an environment of their own."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component

SPARK = """
from pyspark.sql import Row
rows = [Row(city="Rome", n=1, tags=["a", "b"], at=Row(x=1, y=None)), Row(city="Oslo", n=None, tags=[], at=None)]
frame = make_spark().createDataFrame(rows, "city string, n long, tags array<string>, at struct<x:long,y:string>")
"""


def test_spark_frame_is_one_request_per_row_in_order(run_frames):
    text, kind = run_frames(SPARK + "table = ask('{city}', frame); out = [list(table['text']), type(table).__module__]")
    assert text == ["ROME", "OSLO"]
    assert kind.startswith("pandas")
    assert run_frames(SPARK + "ask('{city}', frame); out = sorted(sent)") == ["Oslo", "Rome"]


def test_spark_values_go_out_exactly(run_frames):
    code = "table = ask('{n} {tags} {at}', frame); out = [list(sent), list(table['error'])]"
    sent, errors = run_frames(SPARK + code)
    assert sent == ['1 ["a", "b"] {"x": 1, "y": null}']
    assert errors[1].startswith("PromptError: Row 1 has no value in the column 'n'")


def test_spark_times_are_those_that_spark_shows(run_frames):
    code = """
import datetime
spark = make_spark()
spark.conf.set("spark.sql.session.timeZone", "America/New_York")
frame = spark.sql("SELECT timestamp '2026-01-02 03:04:05' AS t")
ask("{t}", frame)
out = [sent[0], frame.selectExpr("cast(t AS string)").collect()[0][0]]
"""
    sent, shown = run_frames(code)
    assert sent == shown == "2026-01-02 03:04:05"


def test_dry_run_of_spark_counts_and_a_limit_collects_no_more(run_frames):
    code = """
frame = make_spark().range(5000).selectExpr("id AS n")
dry = ask("{n}", frame, dry_run=True)
table = ask("{n}", frame, limit=5)
out = [dry.count, list(table["text"]), len(sent)]
"""
    assert run_frames(code) == ["5,000 requests", ["0", "1", "2", "3", "4"], 5]


def test_collected_rows_of_spark_are_rows(run_frames):
    code = "out = [r['text'] for r in ask('{city} {at}', iter(frame.collect()[:1]))]"
    assert run_frames(SPARK + code) == ['ROME {"X": 1, "Y": NULL}']
    assert run_frames(SPARK + "out = [r['text'] for r in ask('{city}', frame.toLocalIterator())]") == ["ROME", "OSLO"]


def test_pandas_on_spark_keeps_its_index(run_frames):
    code = """
make_spark()
import pyspark.pandas as ps
frame = ps.DataFrame({"city": ["Rome", "Oslo", "Bern", "Riga"]}, index=["d", "c", "b", "a"])
table = ask("{city}", frame)
column = ask("{city}", frame["city"], limit=2)
out = [list(table.index), list(table["text"]), list(column["text"])]
"""
    assert run_frames(code) == [["d", "c", "b", "a"], ["ROME", "OSLO", "BERN", "RIGA"], ["ROME", "OSLO"]]


def test_geometry_goes_out_as_wkt_and_the_class_stays(run_frames):
    code = """
import geopandas, shapely
frame = geopandas.GeoDataFrame({"city": ["Rome", "Nowhere"]}, geometry=[shapely.Point(12.5, 41.9), None], crs=4326)
table = ask("{city} {geometry}", frame)
out = [list(sent), type(table).__name__, str(table.crs), list(table["error"])]
"""
    sent, kind, crs, errors = run_frames(code)
    assert (sent, kind, crs) == (["Rome POINT (12.5 41.9)"], "GeoDataFrame", "EPSG:4326")
    assert errors[1].startswith("PromptError: Row 1 has no value in the column 'geometry'")


def test_modin_frame_is_one_request_per_row(run_frames):
    code = """
import modin.pandas as mpd
frame = mpd.DataFrame({"city": ["Rome", "Oslo"], "n": [1, 2]})
table = ask("{city} {n}", frame)
out = list(table["text"])
"""
    assert run_frames(code) == ["ROME 1", "OSLO 2"]


@pytest.mark.parametrize("dtype", ["object", "string", "string[pyarrow]", "category"])
def test_texts_of_pandas_2_are_read_with_every_dtype(run_frames, dtype):
    code = f"""
import pandas as pd
frame = pd.DataFrame({{"w": pd.Series(["a", None, "b"], dtype={dtype!r}, index=[7, 8, 9])}})
table = ask("say {{w}}", frame)
out = [pd.__version__[0], list(table.index), list(table["text"].fillna("-"))]
"""
    assert run_frames(code) == ["2", [7, 8, 9], ["SAY A", "-", "SAY B"]]
