"""Responses that match a schema: requested, read, checked, and never lost."""

from __future__ import annotations

import datetime as dt
import enum
import json
import sys
from collections.abc import Callable  # noqa: TC003 - pydantic reads the annotation
from typing import Generic, Literal, Optional, TypeVar

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.client import invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import BadRequestError, SchemaError, UsageError
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt.schema import Schema, is_response_format_refused, make_repair_messages
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.pytest_plugin import KEY

from ..judge import only_our_errors
from ..server import reply

T = TypeVar("T")


class Course(enum.Enum):
    starter = "starter"
    main = "main"


class Step(pydantic.BaseModel):
    text: str
    minutes: int = pydantic.Field(ge=0)


class Recipe(pydantic.BaseModel):
    name: str
    course: Course
    steps: list[Step]
    wine: Optional[str] = None  # noqa: UP045 - pydantic on Python 3.10 reads it so
    serves: int | Literal["many"] = 2


class Box(pydantic.BaseModel, Generic[T]):
    content: T


PERSON = {
    "title": "Person",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
SOUP = {"name": "Soup", "course": "starter", "steps": [{"text": "Boil", "minutes": 5}], "serves": "many"}


def read(source, text, **fields):
    return Schema.from_source(source).parse(Response(json.dumps(text) if not isinstance(text, str) else text, **fields))


# ---- schemas


@pytest.mark.parametrize("source", [PERSON, json.dumps(PERSON)])
def test_json_schema_may_be_dict_or_text(source):
    schema = Schema.from_source(source)
    assert (schema.name, schema.json_schema, schema.model) == ("Person", PERSON, None)
    assert schema.parse(Response('{"name": "Ada", "age": 36}')) == {"name": "Ada", "age": 36}


def test_model_class_gives_its_schema():
    schema = Schema.from_source(Recipe)
    assert (schema.name, schema.model) == ("Recipe", Recipe)
    assert schema.json_schema == Recipe.model_json_schema()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (Box[int], "Box_int_"),
        ({"title": "Éclair für Gäste: " + "x" * 100}, "_clair_f_r_G_ste__" + "x" * 46),
        ({}, "answer"),
    ],
)
def test_name_has_characters_that_openai_routes_allow(source, name):
    assert Schema.from_source(source).name == name


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            Step(text="a", minutes=1),
            "A schema is a pydantic model class, a dict, or JSON in a text or a file, not Step. Pass the class",
        ),
        (5, "a dict, or JSON in a text or a file, not int"),
        (dict, "a dict, or JSON in a text or a file, not type"),
        ("true", "a dict, or JSON in a text or a file, not bool"),
        ("{", "The schema is not valid JSON: Expecting property name"),
        ("[" * 100_000, "The schema is not valid JSON"),
        ({"type": "strnig"}, "The JSON schema itself is wrong: 'strnig' is not valid under any of the given schemas"),
        ({"properties": {"age": {"type": "x"}}}, "any of the given schemas (at properties.age.type)"),
        ({"properties": []}, "The JSON schema itself is wrong: [] is not of type 'object'"),
        ({"type": "object", "required": "name"}, "The JSON schema itself is wrong: 'name' is not of type 'array'"),
        ({"enum": {1, 2}}, "The JSON schema itself is wrong"),
        ({"$schema": ["odd"]}, "The JSON schema itself is wrong"),
        (
            {"properties": {"a": {"$ref": "https://x.y/z.json"}}},
            "refers to another document, 'https://x.y/z.json', whi",
        ),
        (
            {"items": [{"$ref": "file:///etc/passwd"}], "$schema": "http://json-schema.org/draft-07/schema#"},
            "not fetche",
        ),
    ],
)
def test_invalid_schema_is_a_usage_error(source, message):
    with pytest.raises(UsageError) as caught:
        Schema.from_source(source)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_model_without_json_schema_is_a_usage_error():
    class Odd(pydantic.BaseModel):
        work: Callable[[], int]

    with pytest.raises(UsageError, match="Odd has no JSON schema: PydanticInvalidForJsonSchema"):
        Schema.from_source(Odd)


def test_dict_needs_jsonschema_and_a_model_does_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(UsageError, match=r"needs jsonschema\. Run pip install jsonschema, or pass a pydantic model"):
        Schema.from_source(PERSON)
    assert read(Step, {"text": "a", "minutes": 1}) == Step(text="a", minutes=1)


# ---- reading a response


def test_nested_models_enums_and_unions_are_read():
    recipe = read(Recipe, SOUP)
    assert recipe == Recipe(name="Soup", course=Course.starter, steps=[Step(text="Boil", minutes=5)], serves="many")
    assert recipe.wine is None


def test_strict_model_is_validated_as_json():
    class Strict(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(strict=True)
        day: dt.date
        course: Course

    assert read(Strict, {"day": "2026-01-31", "course": "main"}).day == dt.date(2026, 1, 31)
    with pytest.raises(SchemaError, match="course"):
        read(Strict, {"day": "2026-01-31", "course": 1})


@pytest.mark.parametrize(
    ("source", "text", "value"),
    [
        (PERSON, '```json\n{"name": "Ada", "age": 36}\n```', {"name": "Ada", "age": 36}),
        (PERSON, 'Certainly! {"name": "Ada", "age": 36} Anything else?', {"name": "Ada", "age": 36}),
        # the model repeats the schema, cites something, or corrects itself: the value that fits is meant
        (PERSON, f'The schema {json.dumps(PERSON)} gives {{"name": "Ada", "age": 36}}.', {"name": "Ada", "age": 36}),
        (PERSON, '[1] says: {"name": "Ada", "age": "?"}. So: {"name": "Ada", "age": 36}', {"name": "Ada", "age": 36}),
        ({"type": "array"}, "[1, 2]", [1, 2]),
        ({"type": "integer"}, "42", 42),
        ({"enum": [None]}, "null", None),
    ],
)
def test_value_that_fits_is_read(source, text, value):
    assert read(source, text) == value


@pytest.mark.parametrize(
    "text",
    [
        'A draft: {"name": "Bob", "age": 1}. Better: {"name": "Ada", "age": 36}',
        '```json\n{"name": "Bob", "age": 1}\n```\nCorrected:\n```json\n{"name": "Ada", "age": 36}\n```',
        '{"name": "Bob", "age": 1} is wrong.\r\n```json\r\n{"name": "Ada", "age": 36}\r\n```\r\nDone [1].',
        '```json\n{"name": "Bob", "age": 1}\n```\nNo: {"name": "Ada", "age": 36}',
    ],
)
def test_last_value_that_fits_is_read(text):
    assert read(PERSON, text) == {"name": "Ada", "age": 36}


LOOSE = {"type": "object", "properties": {"city": {"type": "string"}}, "title": "Place"}


@pytest.mark.parametrize(
    "repeated", [LOOSE, {"properties": LOOSE["properties"]}, Schema.from_source(LOOSE).response_format]
)
def test_schema_itself_is_never_the_answer(repeated):
    text = f'{json.dumps(repeated)}\n{{"city": "Lisbon"}}'
    assert read(LOOSE, text) == {"city": "Lisbon"}
    assert read(LOOSE, f'{{"city": "Lisbon"}} fits {json.dumps(repeated)}') == {"city": "Lisbon"}
    with pytest.raises(SchemaError, match="it repeats the schema and gives no answer"):
        read(LOOSE, json.dumps(repeated))


def test_repair_says_the_schema_in_words_beside_response_format():
    config = LLMConfig(endpoint_url="https://h.eastus2.models.ai.azure.com/v1/chat/completions")
    schema = Schema.from_source(LOOSE)
    asked_config, messages = schema.add_to(config, [{"role": "user", "content": "Again"}], in_words=True)
    assert asked_config.model_kwargs["response_format"] == schema.response_format
    assert messages[-1]["content"] == f"Again\n\n{schema.instruction}"


@pytest.mark.parametrize(
    ("source", "text", "problem"),
    [
        (
            Step,
            {"text": "a", "minutes": "soon"},
            "The response does not match Step: minutes: Input should be a valid integer",
        ),
        (
            Recipe,
            {**SOUP, "steps": [{"text": "Boil", "minutes": -1}]},
            "Recipe: steps.0.minutes: Input should be greater",
        ),
        (Recipe, {**SOUP, "course": "tea"}, "Recipe: course: Input should be 'starter' or 'main'"),
        (Recipe, {}, "Recipe: name: Field required; course: Field required; steps: Field required"),
        (Step, [], "Step: Input should be an object"),
        (PERSON, {"name": "Ada", "age": "36"}, "Person: age: '36' is not of type 'integer'"),
        (PERSON, {"name": "Ada"}, "Person: 'age' is a required property"),
        (
            {"properties": {"a": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "integer"}}]}}},
            {"a": [1, "x"]},
            "answer: a.1: 'x' is not of type 'integer'",
        ),
        (
            {"required": ["a", "b", "c", "d", "e"]},
            {},
            "'a' is a required property; 'b' is a required property; 'c' is a required property (and 2 more)",
        ),
        (PERSON, "I would rather not.", "The response does not match Person: it contains no JSON"),
        (PERSON, "", "it contains no JSON"),
        # schemas that break while they are applied
        ({"$ref": "#/$defs/missing"}, {"a": 1}, "answer: "),
        ({"$ref": "#"}, {"a": 1}, "answer: RecursionError"),
        ({"properties": {"a": {"pattern": "(" * 3 + "x)"}}}, {"a": "x"}, "The "),
    ],
)
def test_schema_error_is_one_line_and_keeps_response(source, text, problem):
    with pytest.raises((SchemaError, UsageError)) as caught:
        read(source, text)
    error = caught.value
    assert problem in str(error)
    assert len(str(error).splitlines()) == 1
    if isinstance(error, SchemaError):
        assert error.response.text == (text if isinstance(text, str) else json.dumps(text))
        assert "make_repair_messages(response, error)" in str(error)


def test_truncated_response_suggests_more_tokens():
    with pytest.raises(SchemaError, match=r"it contains no JSON\. It was cut off: raise max_tokens"):
        read(PERSON, '{"name": {"first": "Ada"}, "age', finish_reason="length")


def test_exception_in_validator_keeps_response():
    class Odd(pydantic.BaseModel):
        a: int

        @pydantic.field_validator("a")
        @classmethod
        def odd(cls, value):
            raise KeyError("no such a")

    with pytest.raises(SchemaError, match="does not match Odd: KeyError: 'no such a'") as caught:
        read(Odd, {"a": 1})
    assert caught.value.response.text == '{"a": 1}'


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYWORDS = ["type", "properties", "items", "anyOf", "$ref", "required", "enum", "const", "pattern", "minimum", "title"]
SCHEMAS = st.dictionaries(
    st.sampled_from(KEYWORDS),
    st.sampled_from(["object", "string", "#", "#/properties/a", ["a"], {"a": {}}, [{"$ref": "#"}]]) | ANY,
    max_size=4,
)


@given(SCHEMAS, ANY)
def test_any_schema_and_value_give_object_or_own_error(source, value):
    with only_our_errors():
        schema = Schema.from_source(source)
        assert schema.parse(Response(json.dumps(value))) == value


@given(st.text('{}[]":,ab1 \n`', max_size=60))
def test_any_text_gives_object_or_own_error(text):
    with only_our_errors(SchemaError):
        Schema.from_source(Recipe).parse(Response(text))


# ---- requests


CHAT = "https://n.eastus.inference.ml.azure.com/v1/chat/completions"
SCORE = "https://n.eastus.inference.ml.azure.com/score"


def asked(config, prompt="Make soup.", **options):
    return Schema.from_source(Recipe).add_to(config, as_messages(prompt, config.system), **options)


def test_openai_chat_route_gets_response_format():
    config = LLMConfig(endpoint_url=CHAT, model_kwargs={"temperature": 0})
    changed, messages = asked(config)
    assert changed.model_kwargs["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Recipe", "schema": json.loads(json.dumps(Recipe.model_json_schema()))},
    }
    assert changed.model_kwargs["temperature"] == 0
    assert messages == [{"role": "user", "content": "Make soup."}]
    assert "response_format" not in config.model_kwargs


@pytest.mark.parametrize(
    ("url", "formatter"),
    [(CHAT, "mistral-chat"), (SCORE, "openai-chat"), (SCORE, "gpt2"), (CHAT.replace("chat/", ""), "openai")],
)
def test_other_wire_formats_get_instruction(url, formatter):
    config = LLMConfig(endpoint_url=url, formatter=formatter, system="Be brief.")
    changed, messages = asked(config)
    assert changed is config
    assert messages[0] == {"role": "system", "content": "Be brief."}
    prompt, _, instruction = messages[1]["content"].partition("\n\n")
    assert prompt == "Make soup."
    assert instruction.startswith("Answer with JSON alone, no prose and no fences, valid for this JSON schema:\n{")
    assert json.loads(instruction.partition("\n")[2]) == Recipe.model_json_schema()


def test_instruction_follows_images():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    prompt = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]}]
    _, messages = asked(LLMConfig(endpoint_url=CHAT, formatter="mistral-chat"), prompt)
    *before, last = messages[0]["content"]
    assert before == prompt[0]["content"]
    assert last["text"].startswith("\n\nAnswer with JSON alone")
    assert len(prompt[0]["content"]) == 2


def test_instruction_is_new_message_after_assistant():
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": None, "tool_calls": []}]
    _, messages = asked(LLMConfig(endpoint_url=SCORE, formatter="openai-chat"), turns)
    assert messages[:2] == turns
    assert messages[2]["role"] == "user"


def test_repair_messages_have_response_and_problem():
    response = Response('{"text": "a"}')
    with pytest.raises(SchemaError) as caught:
        Schema.from_source(Step).parse(response)
    assistant, user = make_repair_messages(response, caught.value)
    assert assistant == {"role": "assistant", "content": '{"text": "a"}'}
    assert user["role"] == "user"
    assert "does not match Step: minutes: Field required. Answer again with corrected JSON alone." in user["content"]


# ---- against endpoints


@pytest.mark.parametrize(
    ("path", "model"),
    [("/v1/chat/completions", None), ("/openai/v1/responses", "m"), ("/anthropic/v1/messages", "claude-sonnet-4-6")],
)
@pytest.mark.parametrize("source", [Recipe, PERSON, Box[Step]])
def test_endpoint_with_response_format_gives_object(azml_endpoint, source, path, model):
    schema = Schema.from_source(source)
    config = LLMConfig(endpoint_url=azml_endpoint.url + path, model=model, key=Secret(KEY))
    changed, messages = schema.add_to(config, as_messages("Make soup.", None))
    found = schema.parse(invoke(changed, messages))
    assert isinstance(found, source if isinstance(source, type) else dict)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Invalid parameter: 'text.format' of type 'json_schema' is not supported with this model."},
        {"message": "output_config.format.schema: For 'object' type, 'additionalProperties' must be false"},
    ],
)
def test_refusals_of_the_other_routes_are_recognised(body):
    assert is_response_format_refused(BadRequestError("no", status=400, body=json.dumps({"error": body})))
    assert not is_response_format_refused(BadRequestError("no", status=400, body='{"error": {"message": "input"}}'))


def test_refused_response_format_falls_back_to_instruction(server, config_of):
    refusal = {"status": 422, "detail": {"loc": ["body", "response_format"], "input": "json_schema"}}
    server.respond_with(
        reply(refusal, 422), reply({"choices": [{"message": {"content": '{"name": "Ada", "age": 3}'}}]})
    )
    schema, config = Schema.from_source(PERSON), config_of()
    with pytest.raises(BadRequestError) as caught:
        invoke(*schema.add_to(config, as_messages("Who?", None)))
    assert "response_format" in caught.value.body
    response = invoke(*schema.add_to(config, as_messages("Who?", None), by_instruction=True))
    assert schema.parse(response) == {"name": "Ada", "age": 3}
    assert "response_format" in server.received[0].json
    assert "response_format" not in server.received[1].json
    assert "valid for this JSON schema" in server.received[1].json["messages"][0]["content"]
