"""A schema over a table: responses are validated, their fields become columns, an invalid one is its row's error."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import json
from typing import Any, Literal, Optional, Union

import pytest
from pydantic import BaseModel, Field, RootModel, field_serializer, field_validator

from azml_magics.core.errors import AuthenticationError, JournalError, RowsError, UsageError
from azml_magics.core.prompt.schema import Schema
from azml_magics.rows.api import map_rows
from azml_magics.rows.async_api import amap_rows
from azml_magics.rows.extraction import WHOLE, Extraction
from azml_magics.rows.table_rows import Column

from ..core.server import reply
from .conftest import USAGE


class Review(BaseModel):
    mood: Literal["good", "bad"]
    stars: int


USUAL = ("text", "error", "finish_reason", "prompt_tokens", "completion_tokens", "latency")
GOOD, BAD = '{"mood": "good", "stars": 4}', '{"mood": "good", "stars": "many"}'
WRONG = (
    "SchemaError: The response does not match Review: stars: Input should be a valid integer, unable to parse string "
    "as an integer (config 'prod'). Its text is kept. Run again with the journal and retry_failed to send the failed rows again."
)


def says(text, finish_reason="stop"):
    message = {"role": "assistant", "content": text}
    return reply({"model": "tiny", "choices": [{"message": message, "finish_reason": finish_reason}], "usage": USAGE})


@pytest.fixture
def answers(echo):
    """What the endpoint says to each review; "Good." is answered well."""
    known = {"Good.": GOOD}
    echo.first = lambda prompt, times: says(known[prompt.split("\n")[0]])
    return known


def sent(echo):
    return [request.json for request in echo.server.received]


# ---- columns


def test_fields_become_columns(echo, config, answers):
    answers["Bad."] = 'Here you are:\n```json\n{"mood": "bad", "stars": 1}\n```'
    first, second = map_rows(config, "{review}", [{"review": "Good."}, {"review": "Bad."}], schema=Review)
    assert tuple(first) == ("review", "mood", "stars", *USUAL)
    assert (first["mood"], first["stars"], first["text"]) == ("good", 4, GOOD)
    assert (second["mood"], second["stars"], second["error"]) == ("bad", 1, None)
    assert second["text"] == answers["Bad."], "as it came"
    assert sent(echo)[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Review", "schema": Review.model_json_schema()},
    }


def test_invalid_response_is_an_error_that_keeps_its_text(echo, config, answers):
    answers["Odd."] = BAD
    row, _ = map_rows(config, "{review}", [{"review": "Odd."}, {"review": "Good."}], schema=Review)
    assert (row["mood"], row["stars"], row["text"], row["error"]) == (None, None, BAD, WRONG)
    assert row["completion_tokens"] == 4, "they are paid for"


def test_invalid_responses_never_end_the_run(echo, config, answers):
    answers["Odd."] = "No."
    rows = map_rows(config, "{review}", [{"review": "Odd."}] * 40, schema=Review)
    assert {row["error"].partition(" (config")[0] for row in rows} == {
        "SchemaError: The response does not match Review: it contains no JSON"
    }


def test_truncated_response_names_max_tokens(echo, config):
    echo.first = lambda prompt, times: says('{"mood": "go', "length")
    (row,) = map_rows(config, "{review}", ["Good."], schema=Review)
    assert row["error"].endswith("It was cut off: raise max_tokens.")


def test_tokens_of_invalid_responses_count(echo, config, answers):
    answers["Odd."] = BAD
    rows = map_rows(config, "{review}", ["Odd."] * 20, schema=Review, max_tokens_total=14, concurrency=1)
    assert [row["error"] == "not sent" for row in rows] == [False] * 2 + [True] * 18


def test_endpoint_errors_are_the_same_with_a_schema(echo, config):
    echo.first = lambda prompt, times: reply({"detail": "no"}, 401)
    with pytest.raises((AuthenticationError, RowsError)):
        map_rows(config, "{review}", ["Good."], schema=Review)


def test_iterator_and_amap_rows_take_a_schema(echo, config, answers):
    (row,) = map_rows(config, "{review}", iter(["Good."]), schema=Review)

    async def gathered():
        rows = await amap_rows(config, "{review}", ["Good."], schema=Review)
        return rows + [row async for row in await amap_rows(config, "{review}", iter(["Good."]), schema=Review)]

    for each in (row, *asyncio.run(gathered())):
        assert (each["mood"], each["stars"], tuple(each)) == ("good", 4, ("review", "mood", "stars", *USUAL))


def test_taken_column_names_get_a_prefix(echo, config):
    class Note(BaseModel):
        text: str
        stars: int
        error: str | None = None

    echo.first = lambda prompt, times: says('{"text": "fine", "stars": 2}')
    (row,) = map_rows(config, "{stars} {answer_text}", [{"stars": "**", "answer_text": "x"}], schema=Note)
    assert (row["stars"], row["answer_stars"], row["text"]) == ("**", 2, "fine")
    assert (row["answer_text_2"], row["error"], row["answer_error"]) == (
        '{"text": "fine", "stars": 2}',
        None,
        None,
    )


# ---- requests


def refusing(answers):
    """An endpoint that knows no response_format."""

    def first(prompt, times):
        if "Answer with JSON alone" in prompt:
            return says(answers)
        return reply({"detail": "Extra inputs are not permitted: response_format"}, 400)

    return first


def test_rejected_response_format_is_replaced_by_an_instruction(echo, config):
    echo.first = refusing(GOOD)
    rows = map_rows(config, "{review}", ["a", "b", "c"], schema=Review, concurrency=1)
    assert [row["stars"] for row in rows] == [4, 4, 4]
    assert ["response_format" in body for body in sent(echo)] == [True, False, False, False]


def test_concurrent_requests_fall_back_each(echo, config):
    echo.first = refusing(GOOD)
    rows = map_rows(config, "{review}", [f"r{n}" for n in range(50)], schema=Review)
    assert [row["stars"] for row in rows] == [4] * 50


def test_other_rejections_belong_to_their_row(echo, config):
    echo.first = lambda prompt, times: reply({"detail": "too long"}, 400)
    (row,) = map_rows(config, "{review}", ["a"], schema=Review)
    assert row["error"].startswith("BadRequestError: ")
    assert len(sent(echo)) == 1


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (7, "A schema is a pydantic model class, a dict, or JSON in a text or a file, not int"),
        (Review(mood="good", stars=1), "Pass the class itself"),
        ({"type": "objekt"}, "The JSON schema itself is wrong"),
        ("{", "The schema is not valid JSON"),
    ],
)
def test_wrong_schema_is_refused_before_sending(echo, config, schema, why):
    with pytest.raises(UsageError, match=why):
        map_rows(config, "{review}", ["a"], schema=schema)
    with pytest.raises(UsageError, match=why):
        asyncio.run(amap_rows(config, "{review}", ["a"], schema=schema))
    assert sent(echo) == []


# ---- the journal


def test_journal_restores_fields_without_sending(echo, config, answers, tmp_path):
    journal = tmp_path / "run.jsonl"
    ran = [map_rows(config, "{review}", ["Good."], schema=Review, journal=journal) for _ in range(2)]
    assert ran[0] == ran[1]
    assert len(sent(echo)) == 1


def test_retry_failed_sends_invalid_rows_again(echo, config, answers, tmp_path):
    journal = tmp_path / "run.jsonl"
    answers["Odd."] = BAD
    first = map_rows(config, "{review}", ["Odd.", "Good."], schema=Review, journal=journal)
    answers["Odd."] = GOOD
    again = map_rows(config, "{review}", ["Odd.", "Good."], schema=Review, journal=journal)
    assert first == again
    assert (again[0]["text"], again[0]["error"]) == (BAD, WRONG)
    mended = map_rows(config, "{review}", ["Odd.", "Good."], schema=Review, journal=journal, retry_failed=True)
    assert [row["stars"] for row in mended] == [4, 4]
    assert len(sent(echo)) == 3


def test_instruction_and_response_format_share_journal_entries(echo, config, tmp_path):
    """A server that learns response_format between two runs is not sent again."""
    journal = tmp_path / "run.jsonl"
    echo.first = refusing(GOOD)
    map_rows(config, "{review}", ["a"], schema=Review, journal=journal)
    count = len(sent(echo))
    echo.first = lambda prompt, times: says(GOOD)
    assert map_rows(config, "{review}", ["a"], schema=Review, journal=journal)[0]["stars"] == 4
    assert len(sent(echo)) == count


def test_journal_of_another_schema_is_refused(echo, config, answers, tmp_path):
    journal = tmp_path / "run.jsonl"
    map_rows(config, "{review}", ["Good."], schema=Review, journal=journal)
    for other, difference in (({"type": "object"}, "schema was"), (None, "there was schema")):
        with pytest.raises(JournalError, match=f"is the journal of another run: {difference} .*mood"):
            map_rows(config, "{review}", ["Good."], schema=other, journal=journal)


# ---- columns of a schema


class Colour(enum.Enum):
    RED = "red"


class Part(BaseModel):
    name: str
    parts: list[Part] = []


class Everything(BaseModel):
    text: str
    whole: int
    real: float
    flag: bool
    colour: Colour
    day: dt.date
    maybe: Optional[int] = None  # noqa: UP045 - as people write it
    either: Union[int, str] = 0  # noqa: UP007 - as people write it
    labels: list[str] = []
    part: Part = Part(name="p")
    aliased: int = Field(1, alias="theirName")


def test_every_field_has_a_column_of_its_type():
    assert dict(Extraction(Schema.from_source(Everything)).columns) == {
        "text": "text",
        "whole": "integer",
        "real": "number",
        "flag": "boolean",
        "colour": "text",
        "day": "text",
        "maybe": "integer",
        "either": "any",
        "labels": "any",
        "part": "any",
        "aliased": "integer",
    }


def test_model_values_are_json_data():
    day = dt.date(2026, 2, 28)
    made = Everything(text="t", whole=1, real=2, flag=True, colour=Colour.RED, day=day, theirName=5)
    values = Extraction(Schema.from_source(Everything)).values(made)
    part = {"name": "p", "parts": []}
    assert values == ("t", 1, 2.0, True, "red", "2026-02-28", None, 0, [], part, 5)


class Pairs(RootModel[dict[str, int]]):
    """Arbitrary names."""


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        (Part, [Column("name", "text"), Column("parts", "any")]),
        (Pairs, [Column(WHOLE, "any")]),
        (RootModel[Review], [Column("mood", "text"), Column("stars", "integer")]),
        ({"$ref": "#/$defs/nowhere"}, [Column(WHOLE, "any")]),
        (
            {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "object", "properties": {"b": {}}}}},
            [Column("b", "any")],
        ),
        ({"allOf": [True]}, [Column(WHOLE, "any")]),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, [Column(WHOLE, "any")]),
        ({"type": "array", "items": {"type": "string"}}, [Column(WHOLE, "any")]),
        ({"type": "integer"}, [Column(WHOLE, "integer")]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [Column(WHOLE, "any")]),
        ({"type": "object", "properties": {"a": True, "b": {}}}, [Column("a", "any"), Column("b", "any")]),
        ({"type": "object", "properties": {"a": {"type": ["integer", "null"]}}}, [Column("a", "integer")]),
        ({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}, [Column("a", "any")]),
        (RootModel[list[int]], [Column(WHOLE, "any")]),
    ],
)
def test_schemas_of_every_shape_have_columns(schema, columns):
    extraction = Extraction(Schema.from_source(schema))
    assert list(extraction.columns) == columns
    assert extraction.values(None) == (None,) * len(columns)


def test_schema_without_object_has_one_column(echo, config):
    echo.first = lambda prompt, times: says('["red", "blue"]')
    (row,) = map_rows(config, "{a}", ["x"], schema={"type": "array", "items": {"type": "string"}})
    assert row[WHOLE] == ["red", "blue"]
    (row,) = map_rows(config, "{a}", ["x"], schema=RootModel[list[str]])
    assert row[WHOLE] == ["red", "blue"]


class Awkward(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def _checked(cls, number):
        if number == 3:
            raise RuntimeError("three!")
        return number

    @field_serializer("number")
    def _serialised(self, number):
        raise RuntimeError("not as JSON")


@pytest.mark.parametrize(("number", "value", "error"), [(4, 4, None), (3, None, "RuntimeError: three!")])
def test_failing_model_methods_lose_no_row(echo, config, number, value, error):
    echo.first = lambda prompt, times: says(json.dumps({"number": number}))
    (row,) = map_rows(config, "{a}", ["x"], schema=Awkward)
    assert row["number"] == value
    assert (row["error"] is None) if error is None else (error in row["error"])


# ---- frames


ANYTHING: list[Any] = [
    {"whole": 1, "real": 0.5, "flag": True, "text": "a", "thing": {"b": 1}},
    {"whole": None, "real": 2, "flag": None, "text": None, "thing": [1, "two"]},
    "no JSON",
]
FORM = {
    "type": "object",
    "properties": {
        "whole": {"type": ["integer", "null"]},
        "real": {"type": "number"},
        "flag": {"type": ["boolean", "null"]},
        "text": {"type": ["string", "null"]},
        "thing": {},
    },
}


def scripted(echo, *values):
    echo.first = lambda prompt, times: says(json.dumps(values[int(prompt.split("\n")[0])]))


def test_pandas_columns_have_the_schemas_types(echo, config):
    pd = pytest.importorskip("pandas", reason="pandas is optional")
    scripted(echo, *ANYTHING)
    out = map_rows(config, "{n}", pd.DataFrame({"n": ["0", "1", "2"]}), schema=FORM)
    types = {name: str(out[name].dtype) for name in FORM["properties"]}
    assert types == {"whole": "Int64", "real": "float64", "flag": "boolean", "text": "object", "thing": "object"}
    assert out["whole"].isna().tolist() == [False, True, True]
    assert out["thing"].tolist() == [{"b": 1}, [1, "two"], None]
    assert out["error"].notna().tolist() == [False, False, True]
    empty = map_rows(config, "{n}", pd.DataFrame({"n": [None]}), schema=FORM)
    assert {name: str(empty[name].dtype) for name in FORM["properties"]} == types


def test_polars_columns_have_the_schemas_types(echo, config):
    pl = pytest.importorskip("polars", reason="polars is optional")
    scripted(echo, *ANYTHING)
    out = map_rows(config, "{n}", pl.DataFrame({"n": ["0", "1", "2"]}), schema=FORM)
    assert [str(out[name].dtype) for name in ("whole", "real", "flag", "text")] == [
        "Int64",
        "Float64",
        "Boolean",
        "String",
    ]
    assert out["whole"].to_list() == [1, None, None]
    assert out["thing"].to_list() == [{"b": 1}, [1, "two"], None]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("number", [2**80, 5.0])
def test_too_large_number_is_kept_as_object(echo, config, library, number):
    frames = pytest.importorskip(library, reason="frames are optional")
    scripted(echo, {"whole": number}, {"whole": 1})
    out = map_rows(config, "{n}", frames.DataFrame({"n": ["0", "1"]}), schema=FORM)
    assert list(out["whole"]) == [number, 1]
