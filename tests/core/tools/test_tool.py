"""What a model is told of a function, and what its arguments become."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import functools
import sqlite3  # noqa: TC003 - the hints are read
from dataclasses import dataclass
from typing import Annotated, Literal, Optional

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from azml_magics import Toolset
from azml_magics.core.errors import UsageError
from azml_magics.core.tools.results import to_text
from azml_magics.core.tools.tool import Tool, ToolArgumentsError


class Region(enum.Enum):
    NORTH = "north"
    SOUTH = "south"


class Filter(TypedDict):
    column: str
    above: float


@dataclass
class Period:
    start: dt.date
    days: int = 7


class Order(pydantic.BaseModel):
    item: str
    count: int = 1


def sales(  # noqa: PLR0917 - all kinds of parameters
    region: Region,
    period: Period,
    order: Order,
    filters: list[Filter],
    kind: Literal["net", "gross"] = "net",
    limit: Optional[int] = None,  # noqa: UP045 - people write it
    note: Annotated[str, "why it is asked"] = "",
    connection: sqlite3.Connection | None = None,
):
    """Return the sales of a region.

    They are in euros.

    Args:
        region (Region): The region
            that is asked for.
        limit: The most rows.

    Returns:
        A number.
    """
    return region, period, order, filters, kind, limit


def test_hints_and_google_docstring_become_the_schema():
    tool = Tool.of(sales)
    properties = tool.parameters["properties"]
    assert tool.description == "Return the sales of a region.\n\nThey are in euros."
    assert properties["region"] == {
        "type": "string",
        "enum": ["north", "south"],
        "description": "The region that is asked for.",
    }
    assert properties["period"]["required"] == ["start"]
    assert tool.parameters["$defs"]["Filter"]["properties"]["above"] == {"type": "number"}
    assert properties["kind"] == {"type": "string", "enum": ["net", "gross"], "default": "net"}
    assert properties["limit"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "The most rows."}
    assert properties["note"]["description"] == "why it is asked"
    assert "connection" not in properties
    assert tool.parameters["required"] == ["region", "period", "order", "filters"]


def test_arguments_become_what_the_hints_promise():
    tool = Tool.of(sales)
    arguments = tool.read_arguments(
        '{"region": "north", "period": {"start": "2026-01-31", "days": "3"}, "order": {"item": "tea"},'
        ' "filters": [{"column": "a", "above": 1}], "limit": "5"}'
    )
    region, period, order, filters, kind, limit = tool.call(**arguments)
    assert (region, kind, limit) == (Region.NORTH, "net", 5)
    assert period == Period(dt.date(2026, 1, 31), 3)
    assert order == Order(item="tea", count=1)
    assert filters == [{"column": "a", "above": 1.0}]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ('{"region": "west"}', "period is missing"),
        (
            '{"region": "west", "period": {"start": "2026-01-31"}, "order": {"item": "x"}, "filters": []}',
            "region: Input should be",
        ),
        (
            '{"region": "north", "period": {"start": "soon"}, "order": {"item": "x"}, "filters": []}',
            "start: Input should be a valid date",
        ),
        ('{"region": "north", "period": {"start": "2026-01-31"}, "order": {}, "filters": []}', "order"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, problem):
    with pytest.raises(ToolArgumentsError, match=problem):
        Tool.of(sales).read_arguments(arguments)


def test_a_function_without_hints_is_offered_by_its_names():
    def find(city, limit=3):
        return city, limit

    tool = Tool.of(find)
    assert tool.parameters["properties"] == {"city": {}, "limit": {"default": 3}}
    assert tool.untyped == ("city", "limit")
    assert tool.read_arguments('{"city": 7}') == {"city": 7}


def test_types_in_the_docstring_stand_for_hints():
    def find(city, limit=3):
        """Find.

        Args:
            city (str): A city.
            limit (int, optional): The most.
        """

    assert Tool.of(find).parameters["properties"]["limit"] == {
        "type": "integer",
        "description": "The most.",
        "default": 3,
    }
    assert not Tool.of(find).untyped


def test_methods_partials_and_positional_parameters_work():
    class Shop:
        def price(self, item: str, /, count: int = 1) -> str:
            return f"{item}: {count}"

    method, bound = Tool.of(Shop().price), Tool.of(functools.partial(sales, kind="gross"))
    assert method.call(**method.read_arguments('{"item": "tea", "count": 2}')) == "tea: 2"
    assert bound.name == "sales"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: lambda city: city, "A lambda has no name"),
        (lambda: 5, "A tool is a Python function or a LangChain tool, not int"),
        (lambda: Order, "not the class Order"),
        (list, "There is no tool"),
        (lambda: [sales, sales], "There are two tools named sales"),
        (lambda: _many, "takes \\*numbers, any number of arguments"),
        (lambda: _named, "takes \\*\\*options, any number of arguments"),
        (lambda: _connected, "The parameter connection of _connected is of the type Connection"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_in_one_line(make, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        Toolset(make())
    assert "\n" not in str(caught.value)


def _many(*numbers: int):
    return numbers


def _named(**options):
    return options


def _connected(connection: sqlite3.Connection):
    return connection


def test_langchain_tools_are_offered_and_called():
    tools = pytest.importorskip("langchain_core.tools")

    @tools.tool
    def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        return a * b

    tool = Tool.of(multiply)
    assert tool.description == "Multiply two numbers."
    assert set(tool.parameters["properties"]) == {"a", "b"}
    assert tool.parameters["required"] == ["a", "b"]
    assert tool.call(**tool.read_arguments('{"a": 6, "b": 7}')) == 42
    with pytest.raises(ToolArgumentsError, match="b is missing"):
        tool.read_arguments('{"a": 6}')


class Odd:
    def __str__(self):
        return "an odd object"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ({"a": [1, 2.5], "day": dt.date(2026, 1, 31)}, '{"a": [1, 2.5], "day": "2026-01-31"}'),
        (Order(item="tea"), '{"item": "tea", "count": 1}'),
        (Period(dt.date(2026, 1, 31)), '{"start": "2026-01-31", "days": 7}'),
        ({1}, "[1]"),
        ([Odd()], '["an odd object"]'),
        ({(1, 2): 3}, "{(1, 2): 3}"),
    ],
)
def test_results_become_text(value, text):
    assert to_text(value) == text


def test_tables_and_numpy_values_become_text():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"region": ["north", "south"], "sales": [3, 4]})
    assert "north" in to_text(frame)
    assert to_text({"total": frame["sales"].sum(), "all": frame["sales"].to_numpy()}) == '{"total": 7, "all": [3, 4]}'


@given(st.text())
def test_no_arguments_raise_anything_else(text):
    with contextlib.suppress(ToolArgumentsError):
        assert isinstance(Tool.of(sales).read_arguments(text), dict)
