"""--schema, %azureml repair, --insert and %azureml code: answers that a program can use."""

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
    """A formatter whose answers are given, one after the other."""

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


def test_schema_is_asked_for_by_instruction_where_the_dialect_has_no_field_for_it(saying):
    notebook = saying(GOOD)
    assert notebook.ok("%%azureml scripted --schema $Recipe\nSoup").result.parsed == Recipe(title="Soup", minutes=20)
    [prompt] = notebook.vars["says"].prompts
    assert prompt.startswith("Soup\n\nAnswer with JSON alone")
    assert '"minutes"' in prompt


def test_schema_is_asked_for_by_instruction_where_the_server_refuses_the_field(asking, endpoint, last_body):
    asking.vars["Recipe"] = Recipe
    endpoint.script([Fault("400", message="response_format is not supported"), None])
    ran = asking.run("%%azureml --schema $Recipe\nJSON with 'title' and 'minutes' about soup")
    assert "response_format" in endpoint.requests[0].json()
    assert "response_format" not in last_body()
    assert "Answer with JSON alone" in last_body()["messages"][-1]["content"]
    assert len(endpoint.requests) == 2
    assert ran.error is None or type(ran.error) is SchemaError  # the demo endpoint is no model


def test_another_refusal_is_not_asked_again(asking, endpoint):
    asking.vars["Recipe"] = Recipe
    endpoint.script([Fault("400", message="too long")])
    assert asking.refused("%%azureml --schema $Recipe\nSoup").startswith("BadRequestError: ")
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("answer", [f"Here you are:\n```json\n{GOOD}\n```\nEnjoy!", f"Sure. {GOOD} Anything else?"])
def test_schema_fences_and_prose_around_it_are_handled(saying, answer):
    ran = saying(answer).ok("%%azureml scripted --schema $Recipe\nSoup")
    assert ran.result.parsed == Recipe(title="Soup", minutes=20)
    assert ran.text == answer


def test_schema_with_a_system_message_a_picture_and_quiet(asking, last_body):
    asking.vars.update(Recipe=Recipe, picture=b"\x89PNG")
    ran = asking.ok("%%azureml -q -o r -s 'Be brief.' -i $picture --schema $Recipe\nIn 20 minutes")
    assert (ran.result, ran.payloads) == (None, [])
    assert isinstance(asking.vars["r"].parsed, Recipe)
    assert [turn["role"] for turn in last_body()["messages"]] == ["system", "user"]


def test_schema_dry_run_shows_how_it_is_asked_for(asking, endpoint):
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
def test_what_is_no_schema_is_refused_before_anything_is_sent(asking, endpoint, tmp_path, schema, why):
    (tmp_path / "broken.json").write_text("{")
    asking.vars.update(number=1, recipe=Recipe(title="Soup", minutes=20))
    line = asking.refused(f"%%azureml --schema {schema}\nSoup")
    assert line.startswith("UsageError: ")
    assert why in line
    assert len(endpoint.requests) == 0


# ---- an answer that does not fit, and its repair ---------------------------------------------------------------


def test_a_validation_error_keeps_the_answer_and_offers_a_repair(saying):
    notebook = saying(BAD)
    line = notebook.refused("%%azureml scripted --schema $Recipe -o r\nSoup")
    assert line == (
        f"SchemaError: The response does not match Recipe: {WRONG} (config 'scripted'). "
        "It is kept in %azureml last; %azureml repair asks once more, saying what was wrong."
    )
    assert notebook.ok("%azureml last").text == BAD
    assert "SchemaError" in notebook.ok("%azureml history").text
    assert "r" not in notebook.vars


def test_a_validation_error_leaves_the_streamed_answer_on_the_screen(asking, endpoint):
    class Strict(BaseModel):
        title: str
        minutes: int
        never: int

    asking.vars["Strict"] = Strict
    ran = asking.run(f"%%azureml --schema $Strict -u {endpoint.url}/v1/chat/completions -f mistral-chat\nHello")
    assert type(ran.error) is SchemaError
    assert ran.payloads[0] == {"text/plain": ""}
    assert ran.payloads[-1]["text/plain"] == ran.error.response.text != ""


def test_repair_says_what_was_wrong_and_gives_the_object(saying):
    notebook = saying(BAD, GOOD)
    notebook.refused("%%azureml scripted --schema $Recipe -o r\nSoup")
    ran = notebook.ok("%azureml repair")
    assert ran.result.parsed == Recipe(title="Soup", minutes=20)
    assert notebook.vars["r"] is ran.result
    prompt = notebook.vars["says"].prompts[1]
    assert BAD in prompt
    assert f"That does not fit: The response does not match Recipe: {WRONG}." in prompt
    assert notebook.refused("%azureml repair").startswith("ConfigError: There is nothing to repair.")


def test_repair_may_be_asked_for_again(saying):
    notebook = saying(BAD, "no JSON at all", GOOD)
    notebook.refused("%%azureml scripted --schema $Recipe\nSoup")
    assert "it contains no JSON" in notebook.refused("%azureml repair")
    assert notebook.ok("%azureml repair").result.parsed == Recipe(title="Soup", minutes=20)
    assert "no JSON at all" in notebook.vars["says"].prompts[2]


def test_repair_survives_a_failure_of_the_network(saying, endpoint):
    notebook = saying(BAD, GOOD)
    notebook.ok("%azureml save scripted --retries 0")
    notebook.refused("%%azureml scripted --schema $Recipe\nSoup")
    endpoint.script([Fault("503")])
    assert notebook.refused("%azureml repair").startswith("ServiceUnavailableError: ")
    assert notebook.ok("%azureml repair").result.parsed == Recipe(title="Soup", minutes=20)


def test_repair_finishes_what_the_cell_began(saying):
    notebook = saying(BAD, GOOD, GOOD)
    notebook.refused("%%azureml scripted --schema $Recipe -c cook --save cooking -q -o r\nSoup")
    assert notebook.ok("%azureml conversations").text.startswith("No conversations.")
    assert "cooking" not in notebook.ok("%azureml list").text
    assert notebook.ok("%azureml repair").result is None
    assert notebook.vars["r"].parsed.minutes == 20
    assert "cooking" in notebook.ok("%azureml list").text
    turns = notebook.ok("%azureml conversations show cook").text
    assert turns == f"user: Soup\n\nassistant: {GOOD}"


def test_repair_belongs_to_the_last_question(saying):
    notebook = saying(BAD, "Hello")
    notebook.refused("%%azureml scripted --schema $Recipe\nSoup")
    notebook.ok("%%azureml scripted\nHello")
    assert notebook.refused("%azureml repair") == (
        "ConfigError: There is nothing to repair. It follows a cell whose response did not match its --schema."
    )


def test_an_answer_is_not_lost_to_a_schema_that_is_wrong_itself(saying):
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


def test_insert_puts_the_code_into_the_next_cell(saying, inserted):
    ran = saying(CODE).ok("%%azureml scripted -F code --insert\nSay hello")
    assert inserted == [("print('hello')", False)]
    assert ran.text == CODE


def test_insert_works_quietly_too(saying, inserted):
    saying(CODE).ok("%%azureml scripted -q -F code --insert\nSay hello")
    assert inserted == [("print('hello')", False)]


def test_insert_takes_all_of_an_answer_without_a_fence(saying, inserted):
    saying("print(1)").ok("%%azureml scripted -F code --insert\nSay one")
    assert inserted == [("print(1)", False)]


def test_insert_needs_code(asking, endpoint, inserted):
    for line in ("--insert", "-F json --insert"):
        assert asking.refused(f"%%azureml {line}\nHello") == (
            "UsageError: --insert puts code into the next cell. Add -F code."
        )
    assert (inserted, len(endpoint.requests)) == ([], 0)


def test_insert_does_nothing_where_the_answer_did_not_come(asking, endpoint, inserted):
    endpoint.script([Fault("cut", after=4)])
    asking.run("%%azureml -F code --insert\nWrite a Python function that adds two numbers")
    assert inserted == []


# ---- %azureml code ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "starts"), [("", "import os"), ("--as langchain", "import os"), ("--as python", "from azml_magics import")]
)
def test_code_of_the_last_call_is_python(asking, line, starts):
    asking.ok("%%azureml -p temperature=0.5 -s 'Be brief.'\nHello there")
    ran = asking.ok(f"%azureml code {line}")
    assert ran.text.startswith(starts)
    assert "Hello there" in ran.text
    assert "Be brief." in ran.text
    assert "'temperature': 0.5" in ran.text
    assert "TEST_KEY" in ran.text
    assert ran.data["text/markdown"].startswith("```python\n")
    compile(ran.text, "code", "exec")


def test_code_as_curl_is_for_a_shell(asking):
    asking.ok("%%azureml\nHello there")
    ran = asking.ok("%azureml code last --as curl")
    assert ran.text.startswith("curl ")
    assert "Bearer $TEST_KEY" in ran.text
    assert ran.data["text/markdown"].startswith("```bash\n")


def test_code_of_a_config_without_asking_it(asking, endpoint):
    assert "'Hello'" in asking.ok("%azureml code main").text
    assert len(endpoint.requests) == 0


def test_code_runs_as_printed(asking, capsys):
    from .conftest import KEY

    asking.ok("%%azureml\nHello there")
    for language in ("langchain", "python"):
        code = asking.ok(f"%azureml code --as {language}").text
        assert KEY not in code
        asking.vars["code"] = code
        assert "not a language model" in asking.ok("exec(code)").stdout


def test_code_after_a_chain_says_where_its_code_is(asking):
    asking.ok("from langchain_core.runnables import RunnableLambda\nchain = RunnableLambda(str.upper)")
    asking.ok("%%azureml $chain\nhello")
    assert asking.refused("%azureml code") == (
        "ConfigError: $chain is a LangChain object, and its code is in your notebook. "
        "Name a config for the code of a call with it: %azureml code NAME."
    )
    assert "'Hello'" in asking.ok("%azureml code main").text


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("code", "ConfigError: No prompt has been sent yet. Name a config: %azureml code NAME."),
        ("code mian", "UnknownNameError: No config named 'mian'. Did you mean 'main'?"),
        ("code main --as perl", "UsageError: --as takes langchain, python, curl"),
    ],
)
def test_code_that_cannot_be_made_is_one_line(asking, line, error):
    assert asking.refused(f"%azureml {line}").startswith(error)
