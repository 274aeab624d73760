"""A real Spark on two threads: its executors send the rows of a DataFrame, and a journal answers further actions."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component

FORTY = """
import os, tempfile, warnings
from azml_magics import map_rows
frame = make_spark().range(40).selectExpr("id AS n", "cast(id AS string) AS city").repartition(4)
"""
NAMED = """
from pyspark.sql import Row
from azml_magics import map_rows
rows = [Row(city="Rome", n=1, tags=["a", "b"], at=Row(x=1, y=None)), Row(city="Oslo", n=None, tags=[], at=None)]
frame = make_spark().createDataFrame(rows, "city string, n long, tags array<string>, at struct<x:long,y:string>")
"""


def test_rows_come_back_in_a_spark_frame_with_its_own_columns(run_frames):
    code = """
out_frame = map_rows(spark_config(), "{city}", frame)
before = len(sent)
rows = out_frame.orderBy("city").collect()
out = [before, out_frame.schema.simpleString(), [row.text for row in rows], rows[1].n, list(rows[1].tags), sorted(keys)]
"""
    before, schema, texts, n, tags, keys = run_frames(NAMED + code)
    assert before == 0, "something was sent before an action"
    assert schema == (
        "struct<city:string,n:bigint,tags:array<string>,at:struct<x:bigint,y:string>,text:string,error:string,"
        "finish_reason:string,prompt_tokens:bigint,completion_tokens:bigint,latency:double>"
    )
    assert (texts, n, tags) == (["OSLO", "ROME"], 1, ["a", "b"])
    assert keys == ["Bearer frames-key-0123456789"]


def test_values_go_out_exactly_and_a_missing_one_is_its_rows_error(run_frames):
    code = """
rows = map_rows(spark_config(), "{n} {tags} {at}", frame).orderBy("city").collect()
out = [sorted(set(sent)), [row.error for row in rows]]  # orderBy looks at the rows twice
"""
    sent, errors = run_frames(NAMED + code)
    assert sent == ['1 ["a", "b"] {"x": 1, "y": null}']
    assert errors[0].startswith("PromptError: Row")
    assert "has no value in the column 'n'" in errors[0]
    assert errors[1] is None


def test_second_action_asks_nothing_with_a_journal(run_frames):
    code = """
journal = os.path.join(tempfile.mkdtemp(), "run")
asked = []
out_frame = map_rows(spark_config(), "about {city}", frame, journal=journal)
for act in (out_frame.count, out_frame.collect, out_frame.coalesce(1).collect, frame.count):
    act()
    asked.append(len(sent))
more = map_rows(spark_config(), "about {city}", frame.repartition(7), journal=journal).count()
asked.append(len(sent))
out = asked
"""
    assert run_frames(FORTY + code) == [40, 40, 40, 40, 40]


def test_every_action_asks_again_without_a_journal_and_it_is_said(run_frames):
    code = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    out_frame = map_rows(spark_config(), "about {city}", frame)
out_frame.count()
out_frame.count()
out = [len(sent), [str(one.message) for one in caught if "Spark" in str(one.message)], caught[0].filename]
"""
    sent, said, place = run_frames(FORTY + code)
    assert sent == 80
    assert len(said) == 1
    assert "give a journal" in said[0]
    assert place == "<string>", "the warning does not name the caller's line"


def test_journal_of_another_prompt_is_refused(run_frames):
    code = """
journal = os.path.join(tempfile.mkdtemp(), "run")
map_rows(spark_config(), "about {city}", frame, journal=journal).count()
try:
    map_rows(spark_config(), "on {city}", frame, journal=journal).count()
except Exception as error:
    out = [type(error).__name__, "is the journal of another run: prompt was" in str(error), len(sent)]
"""
    assert run_frames(FORTY + code)[1:] == [True, 40]


def test_limit_and_sample_send_no_more(run_frames):
    code = """
config = spark_config()
map_rows(config, "{city}", frame, limit=5).collect()
limited = len(sent)
first = sorted(row.city for row in map_rows(config, "{city}", frame, sample=6).collect())
again = sorted(row.city for row in map_rows(config, "{city}", frame.repartition(3), sample=6).collect())
out = [limited, len(sent) - limited, first == again]
"""
    assert run_frames(FORTY + code) == [5, 12, True]


def test_schema_makes_columns(run_frames):
    code = """
schema = {"title": "Mood", "type": "object", "properties": {"mood": {"type": "string"}, "n": {"type": "integer"}}}
rows = map_rows(spark_config(), "{city}", frame, schema=schema)
row = rows.where("city = '7'").collect()[0]
out = [row.mood, row.answer_n, rows.schema["answer_n"].dataType.simpleString()]
"""
    assert run_frames(FORTY + code) == ["7", 1, "bigint"]


def test_rejected_row_fails_alone(run_frames):
    code = """
frame = make_spark().createDataFrame([("yes",), ("no",), ("maybe",)], "word string").coalesce(1)
rows = map_rows(spark_config(), "{word}", frame).collect()
out = [[row.text for row in rows], [row.error is None for row in rows]]
"""
    assert run_frames(FORTY + code) == [["YES", None, "MAYBE"], [True, False, True]]


def test_rpm_is_shared_among_the_tasks(run_frames):
    code = """
from azml_magics.rows import spark
from azml_magics.rows.run_options import RunOptions
shared = {}
original = spark._pickled
spark._pickled = lambda job: shared.update(options=job.options) or original(job)
try:
    map_rows(spark_config(), "{city}", frame, rpm=600, tpm=9000, concurrency=10)
finally:
    spark._pickled = original
out = [shared["options"].rpm, shared["options"].tpm, shared["options"].concurrency]
"""
    assert run_frames(FORTY + code) == [300, 4500, 5]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("map_rows(spark_config(Secret('k' * 20)), '{city}', frame)", "cannot be sent to the executors"),
        ("map_rows(spark_config('ask'), '{city}', frame)", "cannot be sent to the executors"),
        ("map_rows(spark_config(), '{city}', frame, client=Client())", "pass rows.toPandas() to send them from here"),
        ("map_rows(spark_config(), '{city}', frame, progress=True)", "Leave out progress"),
        ("map_rows(spark_config(), '{city}', frame, max_tokens_total=9)", "no limit of tokens can stop them"),
        ("map_rows(spark_config(), '{town}', frame)", "town"),
        ("map_rows(spark_config(), lambda row: str(lock), frame)", "The prompt cannot be sent to the executors"),
    ],
)
def test_what_cannot_travel_is_named_before_anything_is_sent(run_frames, call, said):
    code = f"""
import threading
from azml_magics import Client
from azml_magics.core.secret import Secret
lock = threading.Lock()
try:
    {call}
except Exception as error:
    out = [type(error).__module__.split(".")[0], str(error), len(sent)]
"""
    module, message, sent = run_frames(FORTY + code)
    assert (module, sent) == ("azml_magics", 0)
    assert said in message
    assert "\n" not in message
    assert "kkkk" not in message


def test_executors_without_the_package_say_so(run_frames):
    code = """
import sys
from azml_magics.rows import spark
task = spark._task(b"")
sys.modules["azml_magics.rows.spark_worker"], kept = None, sys.modules.get("azml_magics.rows.spark_worker")
try:
    list(task(iter([])))
except ImportError as error:
    out = str(error)
finally:
    sys.modules["azml_magics.rows.spark_worker"] = kept
"""
    assert run_frames(FORTY + code).startswith("Spark's executors cannot import azml_magics")


def test_dry_run_counts_and_shows_the_first_requests(run_frames):
    code = """
dry = map_rows(spark_config(), "{city}", frame, dry_run=True)
out = [dry.count, len(dry.requests), len(sent)]
"""
    assert run_frames(FORTY + code) == ["40 requests", 3, 0]


def test_times_go_out_as_spark_shows_them(run_frames):
    code = """
spark = make_spark()
spark.conf.set("spark.sql.session.timeZone", "America/New_York")
times = spark.sql("SELECT timestamp '2026-01-02 03:04:05' AS t")
map_rows(spark_config(), "{t}", times).collect()
out = [sent[0], times.selectExpr("cast(t AS string)").collect()[0][0]]
"""
    sent, shown = run_frames(FORTY + code)
    assert sent == shown == "2026-01-02 03:04:05"


def test_amap_rows_gives_the_same_frame(run_frames):
    code = """
import asyncio
from azml_magics import amap_rows
out = asyncio.run(amap_rows(spark_config(), "{city}", frame.limit(3))).count()
"""
    assert run_frames(FORTY + code) == 3


def test_cell_gives_a_spark_frame_and_says_when_rows_are_sent(run_frames):
    code = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "azml_magics")
shell.user_ns.update(frame=frame, main=spark_config(), folder=os.path.join(tempfile.mkdtemp(), "run"))
with capture_output() as captured:
    shell.run_cell("%%azureml $main --each $frame --journal $folder -o out\\nabout {city}").raise_error()
made = shell.user_ns["out"]
made.count(), made.count()
with capture_output() as dry:
    shell.run_cell("%%azureml $main --each $frame --dry-run\\nabout {city}").raise_error()
with capture_output() as refused:
    shell.run_cell("%%azureml $main --each $frame --max-tokens-total 9\\nabout {city}")
out = [type(made).__module__, captured.stdout, len(sent), dry.stdout, refused.stdout]
InteractiveShell.clear_instance()
"""
    module, said, sent, dry, refused = run_frames(FORTY + code)
    assert module.startswith("pyspark.sql")
    assert said.startswith("Spark sends the rows at the first action")
    assert "the journal answers the next ones" in said
    assert "text: string" in said
    assert sent == 40
    assert "Would send 40 requests" in dry
    assert "no limit of tokens can stop them" in refused
