"""Tool calls and JSON by schema: chosen by rules, filled from the prompt, valid for the schema."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.emulator.json_schema_values import arguments, value_for_schema
from azml_magics.emulator.unknown_prompts import reply_to_unknown


def tool(name, required=None, **properties):
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


WEATHER = tool("get_weather", location={"type": "string"})
ADD = tool("my_adder", a={"type": "integer"}, b={"type": "integer"})
CLOCK = tool("what_time")


def calls(response):
    (choice,) = response["choices"]
    assert choice["finish_reason"] == "tool_calls"
    return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in choice["message"]["tool_calls"]]


def test_auto_calls_only_requested_tools(chat):
    tools = [WEATHER, ADD]
    assert calls(chat("What is the weather in San Francisco, CA?", tools=tools)) == [
        ("get_weather", {"location": "San Francisco, CA"})
    ]
    assert calls(chat("my_adder with a=5 and b=7", tools=tools)) == [("my_adder", {"a": 5, "b": 7})]
    assert chat("Hello!", tools=tools)["choices"][0]["message"]["tool_calls"] is None
    assert (
        chat("What is the weather in Paris?", tools=tools, tool_choice="none")["choices"][0]["finish_reason"] == "stop"
    )


def test_required_call_after_a_result_is_of_another_tool(chat):
    mood = tool("Mood", kind={"type": "string"})
    asked = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "What is the weather in Lisbon?"},
        {"role": "assistant", "content": None, "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    assert [name for name, _ in calls(chat("", messages=messages, tools=[WEATHER, mood], tool_choice="required"))] == [
        "Mood"
    ]
    assert [name for name, _ in calls(chat("", messages=messages, tools=[WEATHER], tool_choice="required"))] == [
        "get_weather"
    ]


@pytest.mark.parametrize(
    ("question", "product"),
    [
        ("How many sales of the mug were there?", "mug"),
        ("What were the sales in the shop for a kettle?", "kettle"),
        ("How are sales?", "example product"),
        ("What were the sales of the Blue Mug?", "Blue Mug"),
    ],
)
def test_argument_is_what_the_question_speaks_of(chat, question, product):
    sales = tool("sales", product={"type": "string"})
    assert calls(chat(question, tools=[sales])) == [("sales", {"product": product})]


def test_required_and_named_choices_always_call(chat):
    for choice in ("required", {"type": "function", "function": {"name": "my_adder"}}):
        ((name, given_arguments),) = calls(chat("What is 3 + 4", tools=[ADD, WEATHER], tool_choice=choice))
        assert (name, given_arguments) == ("my_adder", {"a": 3, "b": 4})


def test_unknown_tool_choice_is_refused(client):
    body = {
        "messages": [{"role": "user", "content": "x"}],
        "tools": [ADD],
        "tool_choice": {"type": "function", "function": {"name": "nope"}},
    }
    assert client.post("/v1/chat/completions", json=body).status_code == 422


def test_several_tools_are_called_at_once_unless_forbidden(chat):
    question = "Use get_weather for Oslo and my_adder for 1 and 2"
    assert [name for name, _ in calls(chat(question, tools=[WEATHER, ADD]))] == ["get_weather", "my_adder"]
    assert len(calls(chat(question, tools=[WEATHER, ADD], parallel_tool_calls=False))) == 1


def test_longer_tool_name_wins(chat):
    both = [tool("magic", input={"type": "integer"}), tool("magic_no_args")]
    assert calls(chat("What is magic_no_args()? Use the tool.", tools=both)) == [("magic_no_args", {})]


def test_streamed_call_fragments_join(client, events, chat):
    body = {"messages": [{"role": "user", "content": "weather in Oslo and my_adder 1 2"}], "tools": [WEATHER, ADD]}
    whole = chat("", **body)["choices"][0]["message"]["tool_calls"]
    found = events(client.post("/v1/chat/completions", json={**body, "stream": True}))
    joined = {}
    for event in found[:-1]:
        for piece in event["choices"][0]["delta"].get("tool_calls", []):
            slot = joined.setdefault(piece["index"], {"arguments": ""})
            slot.setdefault("id", piece.get("id"))
            slot.setdefault("name", piece["function"].get("name"))
            slot["arguments"] += piece["function"]["arguments"]
    assert [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in whole] == [
        (slot["id"], slot["name"], slot["arguments"]) for slot in joined.values()
    ]
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_text_after_tool_message_has_its_result(chat):
    call = chat("What is the weather in Oslo?", tools=[WEATHER])["choices"][0]["message"]
    messages = [
        {"role": "user", "content": "What is the weather in Oslo?"},
        call,
        {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": "It's sunny."},
    ]
    answer = chat("", messages=messages, tools=[WEATHER])["choices"][0]
    assert answer["finish_reason"] == "stop"
    assert "get_weather returned: It's sunny." in answer["message"]["content"]


def test_unicode_reaches_arguments_unescaped(client):
    customer = tool("make_customer", customer_name={"type": "string"}, description={"type": "string"})
    body = {
        "messages": [{"role": "user", "content": "Create a customer named '你好啊集团' (Hello Group)"}],
        "tools": [customer],
    }
    response = client.post("/v1/chat/completions", json=body)
    assert "你好啊集团" in response.text
    assert calls(response.json()) == [("make_customer", {"customer_name": "你好啊集团", "description": "Hello Group"})]


@pytest.mark.parametrize(
    ("properties", "prompt", "expected"),
    [
        (
            {"input": {"type": "integer", "exclusiveMinimum": -1000, "exclusiveMaximum": 1000}},
            "magic_function(3)",
            {"input": 3},
        ),
        ({"n": {"type": "integer", "maximum": 5}}, "take 7 then 4", {"n": 4}),
        ({"unit": {"enum": ["celsius", "kelvin"]}}, "in kelvin please", {"unit": "kelvin"}),
        ({"style": {"type": "string"}}, "Using the tool, generate a Pirate greeting.", {"style": "Pirate"}),
        (
            {"email": {"type": "string"}, "day": {"type": "string", "format": "date"}},
            "mail ada@example.org on 2026-05-01",
            {"email": "ada@example.org", "day": "2026-05-01"},
        ),
        ({"query": {"type": "string"}}, "find cheap tea", {"query": "find cheap tea"}),
        ({"values": {"type": "array", "items": {"type": "number"}}}, "sum 1, 2.5 and 3", {"values": [1, 2.5, 3]}),
        (
            {"size": {"type": "integer"}, "color": {"type": "string"}},
            "color: red, size: 12",
            {"size": 12, "color": "red"},
        ),
    ],
)
def test_prompt_values_fill_matching_properties(properties, prompt, expected):
    assert arguments({"type": "object", "properties": properties, "required": list(properties)}, prompt) == expected


def test_optional_arguments_need_a_mention():
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    assert arguments(schema, "weather in Rome") == {"city": "Rome"}
    assert arguments(schema, "weather in Rome in F, days = 3") == {"city": "Rome", "unit": "F", "days": 3}


TREE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "label": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "maxItems": 1},
            },
            "required": ["label"],
        }
    },
    "$ref": "#/$defs/Node",
}
SCHEMAS = [
    {
        "type": "object",
        "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
        "required": ["setup", "punchline"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 18, "maximum": 20},
            "name": {"type": "string", "maxLength": 5, "minLength": 5},
        },
        "required": ["age"],
    },
    {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "boolean"}]}, "minItems": 2, "maxItems": 4},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"const": 4}}, "required": ["a"]},
            {"properties": {"b": {"type": ["null", "number"], "multipleOf": 0.5}}, "required": ["b"]},
        ]
    },
    {
        "type": "object",
        "properties": {
            "when": {"type": "string", "format": "date-time"},
            "pick": {"oneOf": [{"type": "integer", "exclusiveMinimum": 9}]},
        },
        "required": ["when", "pick"],
    },
    TREE,
]


@pytest.mark.parametrize("schema", SCHEMAS)
@given(prompt=st.text(max_size=120))
def test_generated_values_are_valid_for_their_schema(schema, prompt):
    jsonschema.validate(value_for_schema(schema, prompt), schema)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "required",
                    "enum",
                    "anyOf",
                    "allOf",
                    "$ref",
                    "minimum",
                    "minItems",
                    "maxLength",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(schema=JSON_VALUES, prompt=st.text(max_size=40))
def test_meaningless_schema_gives_json(schema, prompt):
    json.dumps(value_for_schema(schema if isinstance(schema, dict) else {"items": schema}, prompt))


def test_response_format_gives_json(say):
    schema = SCHEMAS[0]
    text = say(
        "Tell me a joke about cats.",
        response_format={"type": "json_schema", "json_schema": {"name": "Joke", "schema": schema}},
    )
    jsonschema.validate(json.loads(text), schema)
    text = say("A joke as JSON with 'setup' and 'punchline' keys.", response_format={"type": "json_object"})
    assert set(json.loads(text)) == {"setup", "punchline"}
    assert json.loads(say("Anything", response_format={"type": "json_object"})) == {
        "response": reply_to_unknown("Anything")
    }


def test_json_is_cut_only_by_a_requested_limit(chat):
    wide = {"type": "object", "properties": {f"field_{at}": {"type": "string"} for at in range(80)}}
    form = {"type": "json_schema", "json_schema": {"schema": wide}}
    whole = chat("x", response_format=form)
    assert whole["usage"]["completion_tokens"] > 256
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert chat("x", response_format=form, max_tokens=5)["choices"][0]["finish_reason"] == "length"


REVENUE = {
    "type": "function",
    "function": {
        "name": "revenue",
        "parameters": {"type": "object", "properties": {"region": {"type": "string"}, "year": {"type": "integer"}}},
    },
}


def test_a_prepared_prompt_calls_its_tools_and_answers_with_their_results(client):
    messages = [{"role": "user", "content": "Did the South grow from 2024 to 2025?"}]
    first = client.post("/v1/chat/completions", json={"model": "demo", "messages": messages, "tools": [REVENUE]})
    called = first.json()["choices"][0]["message"]
    assert [json.loads(call["function"]["arguments"])["year"] for call in called["tool_calls"]] == [2024, 2025]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": json.dumps({"revenue": revenue})}
        for call, revenue in zip(called["tool_calls"], (1200, 1500), strict=True)
    ]
    body = {"model": "demo", "messages": [*messages, called, *results], "tools": [REVENUE]}
    last = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
    assert last["content"] == "Yes. The South made 1,200 thousand euros in 2024 and 1,500 thousand euros in 2025."
