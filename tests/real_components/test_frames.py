"""Frames of Spark, pandas on Spark, geopandas and Modin with pandas 2, in an environment of their own."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component

SPARK = """
from pyspark.sql import Row
rows = [Row(city="Rome", n=1, tags=["a", "b"], at=Row(x=1, y=None)), Row(city="Oslo", n=None, tags=[], at=None)]
frame = make_spark().createDataFrame(rows, "city string, n long, tags array<string>, at struct<x:long,y:string>")
"""


def test_collected_frame_of_spark_is_a_pandas_frame(run_frames):
    code = "table = ask('{city} {tags} {at}', frame.toPandas()); out = [list(table['text']), list(table['error'])]"
    texts, errors = run_frames(SPARK + code)
    assert texts[0] == 'ROME ["A", "B"] {"X": 1, "Y": NULL}'
    assert errors[1].startswith("PromptError: Row 1 has no value in the column 'at'")


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
