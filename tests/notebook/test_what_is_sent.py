"""What is sent is what was meant: one test for each rule, in every front end that fills in text.

The rules are those of docs/how-to/prompts.md and docs/how-to/rows.md; the other tests of this folder have their details.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import BaseModel

FRONT_ENDS = ("cell", "ask", "system", "rows")


@pytest.fixture
def send(asking, endpoint):
    """Send a text from a front end; the text that the endpoint received in its place, and what was said of it."""

    def from_front_end(front_end, text, options=""):
        asking.vars["one_row"] = [{"row_column": "r"}]
        cells = {
            "cell": f"%%azureml {options}\n{text}",
            "ask": f"%azureml ask {text}",
            "system": f"%%azureml {options} -s {shlex.quote(text)}\nHi",
            "rows": f"%%azureml {options} --each $one_row\n{text}\n{{row_column}}",
        }
        ran = asking.ok(cells[front_end])
        messages = endpoint.requests[-1].json()["messages"]
        got = messages[0 if front_end == "system" else -1]["content"]
        return got.removesuffix("\nr"), ran.stdout + str([payload.get("text/plain") for payload in ran.payloads])

    return from_front_end


@pytest.fixture
def rows_sent(asking, endpoint):
    """Send a prompt for every row of `table`; the prompts that the endpoint received, in the rows' order."""

    def send(prompt, table, options=""):
        asking.vars["table"] = table
        before = len(endpoint.requests)
        asking.ok(f"%%azureml --each $table --concurrency 1 {options}\n{prompt}")
        return [request.json()["messages"][-1]["content"] for request in endpoint.requests[before:]]

    return send


# ---- braces


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_name_in_braces_becomes_the_variables_text_once(asking, send, front_end):
    asking.vars.update(city="{country} $5 {{x}}", country="never")
    assert send(front_end, "In {city}, {city}.")[0] == "In {country} $5 {{x}}, {country} $5 {{x}}."


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_nothing_is_evaluated_and_no_attribute_is_read(asking, send, front_end):
    class Reply:
        def __getattr__(self, name):
            raise AssertionError(f"{name} was read")

        def __str__(self):
            return "the reply"

    asking.vars["reply"] = Reply()
    got, said = send(front_end, "About {reply.text}, {reply()} and {reply!r}")
    assert got == "About {reply.text}, {reply()} and {reply!r}"
    assert "{reply.text} is sent as written" in said
    assert "text = reply.text" in said


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_double_braces_give_literal_braces(asking, send, front_end):
    asking.vars["name"] = "Ada"
    assert send(front_end, "Write {{name}} for {name}")[0] == "Write {name} for Ada"


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize(
    "text",
    [
        r"x_{name} and \frac{name}{2} and e^{name}",
        '{"name": 1, "b": [{}]}',
        "if (a) { return name; }",
        "{% for name in names %} {# name #}",
        "string.Format(`{0}`, `{1:N2}`)",
        "{} and { name }",
    ],
)
def test_latex_json_and_code_pass_unmentioned(asking, send, front_end, text):
    got, said = send(front_end, text)
    assert got == text
    assert "as written" not in said


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize("braces", ["{x:.2f}", '{df["a"]}', "{x.y}", "{x!r}"])
def test_lookup_on_a_defined_name_is_said_in_a_line(asking, send, front_end, braces):
    asking.vars.update(x=1.5, df="frame")
    got, said = send(front_end, f"Now {braces}")
    assert got == f"Now {braces}"
    assert f"{braces} is sent as written: only a name is filled in." in said


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_undefined_name_stops_before_anything_is_sent(asking, endpoint, front_end):
    asking.vars.update(city="Lisbon", one_row=[{"row_column": "r"}])
    before = len(endpoint.requests)
    line = {
        "cell": "%%azureml\nIn {citty}",
        "ask": "%azureml ask In {citty}",
        "system": "%%azureml -s 'In {citty}'\nHi",
        "rows": "%%azureml --each $one_row\nIn {citty} {row_column}",
    }[front_end]
    said = asking.refused(line)
    assert len(endpoint.requests) == before
    assert "{citty}" in said
    assert "city" in said.replace("citty", "")
    for way_out in ("--var", "{{citty}}", *(["-t none"] if front_end == "cell" else [])):
        assert way_out in said, way_out


def test_template_none_sends_the_body_untouched(asking, send):
    assert send("cell", "{nowhere} and {{both}}", "-t none")[0] == "{nowhere} and {{both}}"


# ---- names


def test_names_are_the_callers_locals_then_the_notebooks(asking, last_body):
    asking.vars.update(city="Rome", country="Italy")
    asking.ok(
        "def ask(city):\n    get_ipython().run_cell_magic('azureml', '-s $city', '{city} in {country}')\nask('Lisbon')"
    )
    assert [message["content"] for message in last_body()["messages"]] == ["Lisbon", "Lisbon in Italy"]


@pytest.mark.parametrize("column", ["Customer Review", "a.b", "0", "from", "x:.2f", "Größe (cm)"])
def test_exact_column_name_wins_whatever_it_looks_like(asking, rows_sent, column):
    asking.vars[column if column.isidentifier() else "other"] = "the notebook's"
    assert rows_sent(f"Row: {{{column}}}", [{column: "mine"}]) == ["Row: mine"]


def test_index_levels_are_columns(rows_sent):
    frame = pd.DataFrame({"v": [1]}, index=pd.MultiIndex.from_tuples([("eu", "de")], names=["region", "a b"]))
    assert rows_sent("{region} {a b} {v}", frame) == ["eu de 1"]


def test_name_that_is_no_column_is_the_notebooks_and_is_announced(asking):
    asking.vars.update(city="Lisbon", table=[{"review": "good"}])
    ran = asking.ok("%%azureml --each $table\n{review} in {city}")
    shown = ran.stdout + str([payload.get("text/plain") for payload in ran.payloads])
    assert "{city} is the notebook's 'Lisbon' in every row" in shown


@pytest.mark.parametrize("near", ["Review", "review ", " REVIEW"])
def test_column_that_differs_by_case_or_blanks_is_refused(asking, endpoint, near):
    asking.vars.update(review="the notebook's", table=[{near: "good", "id": 1}])
    before = len(endpoint.requests)
    assert repr(near) in asking.refused("%%azureml --each $table\n{id} {review}")
    assert len(endpoint.requests) == before


# ---- values


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"n": range(500)}),
        pd.Series(range(500)),
        np.arange(5000),
        pl.DataFrame({"n": range(500)}),
    ],
    ids=["DataFrame", "Series", "ndarray", "polars"],
)
def test_value_longer_than_its_str_goes_out_whole(asking, send, front_end, value):
    asking.vars["data"] = value
    got, _ = send(front_end, "Look: {data}")
    assert "499" in got
    assert "250" in got
    assert "..." not in got
    assert "…" not in got


@pytest.mark.parametrize(
    ("typed", "value"),
    [("True", True), ("true", True), ("None", None), (".5", 0.5), ("'x'", "x"), ("[1, 'a']", [1, "a"]), ("$given", 7)],
)
def test_typed_value_is_json_else_python_else_variable_else_text(asking, last_body, typed, value):
    asking.vars["given"] = 7
    quoted = f'"{typed}"' if "'" in typed or " " in typed else typed
    asking.ok(f"%%azureml -p user={quoted}\nHi")
    assert last_body()["user"] == value
    asking.ok(f"%%azureml --sweep user={quoted}\nHi" if "," not in typed else f"%%azureml -p user={quoted}\nHi")
    assert last_body()["user"] == value
    asking.ok(f"%azureml save typed --from main user={quoted}")
    asking.ok("%%azureml typed\nHi")
    assert last_body()["user"] == value


@pytest.mark.parametrize("option", ["-p temperature=warm", "--timeout soon", "-n many", "-p stream_options=x -n 1.5"])
def test_known_number_refuses_text(asking, endpoint, option):
    before = len(endpoint.requests)
    asking.refused(f"%%azureml {option}\nHi")
    assert len(endpoint.requests) == before


@pytest.mark.parametrize(
    "line",
    ["%%azureml $name\nHi", "%azureml use $name", "%%azureml --compare $name,main\nHi", "%azureml show $name"],
)
def test_names_of_configs_may_be_in_variables(asking, line):
    asking.vars["name"] = "main"
    asking.ok(line)


def test_path_may_be_in_a_variable(asking, tmp_path):
    asking.vars["path"] = str(tmp_path / "main.json")
    asking.ok("%azureml export main $path")
    assert (tmp_path / "main.json").exists()


@pytest.mark.parametrize("option", ["--model m-{size}", "-p user={size}", "--header X-Size={size}"])
def test_braces_in_option_values_are_filled_in_or_refused(asking, endpoint, option):
    before = len(endpoint.requests)
    asking.refused(f"%%azureml {option}\nHi")
    assert len(endpoint.requests) == before
    asking.vars["size"] = "small"
    asking.ok(f"%%azureml {option}\nHi")
    request = endpoint.requests[-1]
    assert "small" in str(request.headers) + request.body.decode()
    assert "{size}" not in str(request.headers) + request.body.decode()


# ---- tables

Pair = namedtuple("Pair", "word number")


@dataclass
class PairClass:
    word: str
    number: int


class PairModel(BaseModel):
    word: str
    number: int


def _sqlite_row():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("select 'tea' as word, 1 as number").fetchone()
    connection.close()
    return row


@pytest.mark.parametrize(
    "row",
    [{"word": "tea", "number": 1}, Pair("tea", 1), PairClass("tea", 1), PairModel(word="tea", number=1), _sqlite_row()],
    ids=lambda row: type(row).__name__,
)
def test_rows_may_be_of_any_type_with_names(rows_sent, row):
    assert rows_sent("{word} {number}", [row]) == ["tea 1"]


def test_rows_may_be_scalars(rows_sent):
    assert rows_sent("{it} is a number", [1, 2.5, True]) == ["1 is a number", "2.5 is a number", "True is a number"]


class Prices(pd.DataFrame):
    """A subclass, as geopandas' is."""

    @property
    def _constructor(self):
        return Prices


class OnlyArrow:
    """A frame that knows nothing but Arrow's stream."""

    columns = ("word", "number")

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.table({"word": ["tea"], "number": [1]}).__arrow_c_stream__(requested_schema)


class OnlyToPandas:
    """A frame of another library, whose iteration gives the columns' names."""

    columns = ("word", "number")

    def __iter__(self):
        raise AssertionError("a frame is never iterated")

    def to_pandas(self):
        return pd.DataFrame({"word": ["tea"], "number": [1]})


@pytest.mark.parametrize(
    "frame",
    [
        Prices({"word": ["tea"], "number": [1]}),
        pl.DataFrame({"word": ["tea"], "number": [1]}),
        pa.table({"word": ["tea"], "number": [1]}),
        OnlyArrow(),
        OnlyToPandas(),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_what_can_become_a_frame_is_one(rows_sent, frame):
    assert rows_sent("{word} {number}", frame) == ["tea 1"]


def test_object_with_columns_that_is_no_frame_is_never_iterated(asking, endpoint):
    class Odd:
        columns = ("word",)

        def __iter__(self):
            raise AssertionError("it was iterated")

    asking.vars["odd"] = Odd()
    before = len(endpoint.requests)
    asking.refused("%%azureml --each $odd\n{word}")
    assert len(endpoint.requests) == before


@pytest.mark.parametrize("look", ["--dry-run", "--limit 2", "--each $rows"])
def test_looking_consumes_no_row_of_an_iterator(asking, endpoint, look):
    asking.vars["rows"] = rows = iter([{"n": 0}, {"n": 1}, {"n": 2}])
    if look == "--limit 2":
        asking.ok("%%azureml --each $rows --limit 2 --dry-run\n{n}")
    elif look == "--dry-run":
        asking.ok("%%azureml --each $rows --dry-run\n{n}")
    else:
        asking.refused("%%azureml --each $rows\n{nn} {n}")
    before = len(endpoint.requests)
    asking.vars["rows"] = rows
    asking.ok("%%azureml --each $rows --concurrency 1\n{n}")
    assert [request.json()["messages"][-1]["content"] for request in endpoint.requests[before:]] == ["0", "1", "2"]


def test_table_tells_its_own_problem(asking, tmp_path):
    (tmp_path / "semicolons.csv").write_text("word;number\ntea;1\n")
    (tmp_path / "quote.csv").write_text('word,number\ntea,1\n"milk,2\nmore,3\n')
    assert "';'" in asking.refused("%%azureml --each semicolons.csv\n{word}")
    assert "line 3" in asking.refused("%%azureml --each quote.csv\n{word}")
    asking.vars["mixed"] = [object(), {"word": "tea"}]
    said = asking.run("%%azureml --each $mixed\n{word}")
    assert "object" in said.stdout + str(said.error)


def test_empty_table_gives_the_empty_table_with_its_columns(asking, endpoint):
    asking.vars["empty"] = pd.DataFrame({"word": []})
    before = len(endpoint.requests)
    asking.ok("%%azureml --each $empty -o out\n{word}")
    assert len(endpoint.requests) == before
    assert list(asking.vars["out"].columns)[:2] == ["word", "text"]
    assert len(asking.vars["out"]) == 0
