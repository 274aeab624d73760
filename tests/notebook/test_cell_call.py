"""--schema, %azureml repair and --insert: responses that a program can use."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from azml_magics.core.errors import SchemaError
from azml_magics.emulator import Fault


class Recipe(BaseModel):
    title: str
    minutes: int


GOOD = '{"title": "Soup", "minutes": 20}'
BAD = '{"title": "Soup", "minutes": "twenty"}'
WRONG = "minutes: Input should be a valid integer, unable to parse string as an integer"


class Says:
    """A formatter that returns the given responses one after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.prompts = []

    def format_request_payload(self, prompt, model_kwargs):
        self.prompts.append(prompt)
        return {"input_data": [prompt]}

    def format_response_payload(self, output):
        return self.answers.pop(0)


@pytest.fixture
def saying(asking, endpoint):
    """A notebook with the config `scripted`, which gives those answers."""

    def script(*answers):
        asking.vars.update(says=Says(*answers), Recipe=Recipe)
        asking.ok(f"%azureml save scripted --url {endpoint.url}/score -f $says --key env:TEST_KEY")
        return asking

    return script


# ---- --schema --------------------------------------------------------------------------------------------------


def test_schema_of_a_pydantic_model_gives_its_object(asking, last_body):
    asking.vars["Recipe"] = Recipe
    ran = asking.ok("%%azureml --schema $Recipe -o answer\nA recipe for pea soup in 20 minutes.")
    assert isinstance(ran.result.parsed, Recipe)
    assert ran.result.parsed.minutes == 20
    assert asking.vars["answer"] is ran.result
    assert ran.text == ran.result.text
    assert ran.data["text/markdown"].startswith('```json\n{\n  "title": ')
    assert last_body()["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Recipe", "schema": Recipe.model_json_schema()},
    }


def test_schema_of_a_file_gives_json(asking, tmp_path, last_body):
    (tmp_path / "recipe.json").write_text(json.dumps(Recipe.model_json_schema()), encoding="utf-8")
    parsed = asking.ok("%%azureml --schema recipe.json\nA recipe for pea soup in 20 minutes.").result.parsed
    assert isinstance(parsed, dict)
    assert parsed["minutes"] == 20
    assert last_body()["response_format"]["json_schema"]["name"] == "Recipe"


def test_schema_of_a_dict_gives_json(asking):
    asking.vars["schema"] = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    assert list(asking.ok("%%azureml --schema $schema\nAn age").result.parsed) == ["age"]


def test_schema_on_the_line_gives_json(asking, last_body):
    parsed = asking.ok(
        """%%azureml --schema '{"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}'\nAge?"""
    ).result.parsed
    assert list(parsed) == ["age"]
    assert last_body()["response_format"]["type"] == "json_schema"


def test_wrong_schema_on_the_line_is_refused(asking, endpoint):
    assert "The schema is not valid JSON" in asking.refused("%%azureml --schema '{\"type\": }'\nSoup")
    assert not endpoint.requests


def test_schema_is_instruction_without_response_format_field(saying):
    notebook = saying(GOOD)
    assert notebook.ok("%%azureml scripted --schema $Recipe\nSoup").result.parsed == Recipe(title="Soup", minutes=20)
    [prompt] = notebook.vars["says"].prompts
    assert prompt.startswith("Soup\n\nAnswer with JSON alone")
    assert '"minutes"' in prompt


def test_schema_is_instruction_after_server_refuses_field(asking, endpoint, last_body):
    asking.vars["Recipe"] = Recipe
    endpoint.script([Fault("400", message="response_format is not supported"), None])
    ran = asking.run("%%azureml --schema $Recipe\nJSON with 'title' and 'minutes' about soup")
    assert "response_format" in endpoint.requests[0].json()
    assert "response_format" not in last_body()
    assert "Answer with JSON alone" in last_body()["messages"][-1]["content"]
    assert len(endpoint.requests) == 2
    assert ran.error is None or type(ran.error) is SchemaError  # the demo endpoint is not a model


def test_other_bad_request_is_not_sent_again(asking, endpoint):
    asking.vars["Recipe"] = Recipe
    endpoint.script([Fault("400", message="maximum context length")])
    assert asking.refused("%%azureml --schema $Recipe\nSoup").startswith("BadRequestError: ")
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("answer", [f"Here you are:\n```json\n{GOOD}\n```\nEnjoy!", f"Sure. {GOOD} Anything else?"])
def test_schema_ignores_fences_and_prose(saying, answer):
    ran = saying(answer).ok("%%azureml scripted --schema $Recipe\nSoup")
    assert ran.result.parsed == Recipe(title="Soup", minutes=20)
    assert ran.text == answer


def test_schema_with_system_message_image_and_quiet(asking, last_body):
    asking.vars.update(Recipe=Recipe, picture=b"\x89PNG")
    ran = asking.ok("%%azureml -q -o r -s 'Be brief.' -i $picture --schema $Recipe\nIn 20 minutes")
    assert (ran.result, ran.payloads) == (None, [])
    assert isinstance(asking.vars["r"].parsed, Recipe)
    assert [turn["role"] for turn in last_body()["messages"]] == ["system", "user"]


def test_schema_dry_run_shows_the_request(asking, endpoint):
    asking.vars["Recipe"] = Recipe
    assert '"response_format"' in asking.ok("%%azureml --schema $Recipe --dry-run\nSoup").text
    text = asking.ok(f"%%azureml --schema $Recipe --dry-run -u {endpoint.url}/score -f gpt2\nSoup").text
    assert "Answer with JSON alone" in text
    assert len(endpoint.requests) == 0


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("$Nope", "There is no variable 'Nope' for $Nope"),
        ("$number", "A schema is a pydantic model class, a dict, or JSON in a text or a file, not int"),
        ("$recipe", "A schema is a pydantic model class"),
        ("nowhere.json", "The schema nowhere.json cannot be read"),
        ("broken.json", "The schema is not valid JSON"),
    ],
)
def test_invalid_schema_is_refused_before_sending(asking, endpoint, tmp_path, schema, why):
    (tmp_path / "broken.json").write_text("{")
    asking.vars.update(number=1, recipe=Recipe(title="Soup", minutes=20))
    line = asking.refused(f"%%azureml --schema {schema}\nSoup")
    assert line.startswith("UsageError: ")
    assert why in line
    assert len(endpoint.requests) == 0


# ---- an answer that does not fit, and its repair ---------------------------------------------------------------


def test_schema_error_keeps_response_and_offers_repair(saying):
    notebook = saying(BAD)
    line = notebook.refused("%%azureml scripted --schema $Recipe -o r\nSoup")
    assert line == (
        f"SchemaError: The response does not match Recipe: {WRONG} (config 'scripted'). "
        "It is kept in %azureml last; %azureml repair asks once more, saying what was wrong."
    )
    assert notebook.ok("%azureml last").text == BAD
    assert "SchemaError" in notebook.ok("%azureml history").text
    assert "r" not in notebook.vars


def test_schema_error_leaves_streamed_text_on_screen(asking, endpoint):
    class Strict(BaseModel):
        title: str
        minutes: int
        never: int

    asking.vars["Strict"] = Strict
    ran = asking.run(f"%%azureml --schema $Strict -u {endpoint.url}/v1/chat/completions -f mistral-chat\nHello")
    assert type(ran.error) is SchemaError
    assert ran.payloads[0] == {"text/markdown": ""}
    assert ran.payloads[-1]["text/plain"] == ran.error.response.text != ""


def test_repair_sends_the_error_and_gives_the_object(saying):
    notebook = saying(BAD, GOOD)
    notebook.refused("%%azureml scripted --schema $Recipe -o r\nSoup")
    ran = notebook.ok("%azureml repair")
    assert ran.result.parsed == Recipe(title="Soup", minutes=20)
    assert notebook.vars["r"] is ran.result
    prompt = notebook.vars["says"].prompts[1]
    assert BAD in prompt
    assert f"That does not fit: The response does not match Recipe: {WRONG}." in prompt
    assert notebook.refused("%azureml repair").startswith("ConfigError: There is nothing to repair.")


def test_repair_can_be_repeated(saying):
    notebook = saying(BAD, "no JSON at all", GOOD)
    notebook.refused("%%azureml scripted --schema $Recipe\nSoup")
    assert "it contains no JSON" in notebook.refused("%azureml repair")
    assert notebook.ok("%azureml repair").result.parsed == Recipe(title="Soup", minutes=20)
    assert "no JSON at all" in notebook.vars["says"].prompts[2]


def test_repair_survives_a_network_failure(saying, endpoint):
    notebook = saying(BAD, GOOD)
    notebook.ok("%azureml save scripted --retries 0")
    notebook.refused("%%azureml scripted --schema $Recipe\nSoup")
    endpoint.script([Fault("503")])
    assert notebook.refused("%azureml repair").startswith("ServiceUnavailableError: ")
    assert notebook.ok("%azureml repair").result.parsed == Recipe(title="Soup", minutes=20)


def test_repair_applies_the_cells_options(saying):
    notebook = saying(BAD, GOOD, GOOD)
    notebook.refused("%%azureml scripted --schema $Recipe -c cook --save cooking -q -o r\nSoup")
    assert notebook.ok("%azureml conversations").text.startswith("No conversations.")
    assert "cooking" not in notebook.ok("%azureml list").text
    assert notebook.ok("%azureml repair").result is None
    assert notebook.vars["r"].parsed.minutes == 20
    assert "cooking" in notebook.ok("%azureml list").text
    turns = notebook.ok("%azureml conversations show cook").text
    assert turns == f"user: Soup\n\nassistant: {GOOD}"


def test_repair_belongs_to_the_last_cell(saying):
    notebook = saying(BAD, "Hello")
    notebook.refused("%%azureml scripted --schema $Recipe\nSoup")
    notebook.ok("%%azureml scripted\nHello")
    assert notebook.refused("%azureml repair") == (
        "ConfigError: There is nothing to repair. It follows a cell whose response did not match its --schema."
    )


def test_response_survives_a_failing_schema(saying):
    notebook = saying(GOOD)
    notebook.vars["schema"] = {"type": "no such type"}
    ran = notebook.run("%%azureml scripted --schema $schema\nSoup")
    assert type(ran.error).__name__ == "UsageError"
    if notebook.vars["says"].prompts:  # else it was found out before anything was sent
        assert notebook.ok("%azureml last").text == GOOD


# ---- --insert --------------------------------------------------------------------------------------------------

CODE = "Try this:\n\n```python\nprint('hello')\n```\nGood luck!"


@pytest.fixture
def inserted(asking, monkeypatch):
    """What was put into the next cell, with whether it replaced the cell."""
    given = []
    monkeypatch.setattr(asking.shell, "set_next_input", lambda text, replace=False: given.append((text, replace)))
    return given


def test_insert_puts_code_into_next_cell(saying, inserted):
    ran = saying(CODE).ok("%%azureml scripted -F code --insert\nSay hello")
    assert inserted == [("print('hello')", False)]
    assert ran.text == CODE


def test_insert_works_with_quiet(saying, inserted):
    saying(CODE).ok("%%azureml scripted -q -F code --insert\nSay hello")
    assert inserted == [("print('hello')", False)]


def test_insert_takes_whole_text_without_fence(saying, inserted):
    saying("print(1)").ok("%%azureml scripted -F code --insert\nSay one")
    assert inserted == [("print(1)", False)]


def test_insert_needs_code_format(asking, endpoint, inserted):
    for line in ("--insert", "-F json --insert"):
        assert asking.refused(f"%%azureml {line}\nHello") == (
            "UsageError: --insert puts code into the next cell. Add -F code."
        )
    assert (inserted, len(endpoint.requests)) == ([], 0)


def test_insert_does_nothing_after_an_error(asking, endpoint, inserted):
    endpoint.script([Fault("cut", after=4)])
    asking.run("%%azureml -F code --insert\nWrite a Python function that adds two numbers")
    assert inserted == []
