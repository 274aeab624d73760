"""What a cell sends as its prompt: the body with its variables, or a template."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def sent(asking, endpoint):
    """Run a cell; the text of the prompt that the endpoint received."""

    def run(body, line=""):
        asking.ok(f"%%azureml {line}\n{body}")
        return endpoint.requests[-1].json()["messages"][-1]["content"]

    return run


# ---- the prompt ------------------------------------------------------------------------------------------------


def test_prompt_is_sent_as_written(sent):
    assert sent('  Say "hi" \\n\tand\n\n  stop.  ') == '  Say "hi" \\n\tand\n\n  stop.'


def test_notebook_variables_are_filled_in(asking, sent):
    asking.vars.update(x="rivers", number=3, größe="L")
    assert sent("{x} {number} {größe} {{x}}") == "rivers 3 L {x}"


def test_var_option_overrides_notebook_variable(asking, sent):
    asking.vars["x"] = "rivers"
    assert sent("{x} and {y}", '-v x=lakes -v y="the sea = blue"') == "lakes and the sea = blue"


@pytest.mark.parametrize(
    "body",
    [
        'Give {"a": {"b": [1, {}]}, "c": "{}"}',
        r"Explain \frac{a}{b} and \begin{align} x^{2} \end{align}",
        "f'{x!r:>8}' % {}",
        "{% for item in items %}{{ item.name }}{% endfor %}",
        "int main() { return x; }",
        "{}{ }{0}{a b}{a.b}{a[0]}{a:>3}",
        "${HOME:-x} #{x y} {{}} }{",
    ],
)
def test_braces_that_are_not_variables_stay(sent, body):
    assert sent(body) == body


def test_value_is_not_expanded_again(asking, sent):
    asking.vars.update(x="{secret} {os.environ['TEST_KEY']} {{y}} $y", y="never")
    assert sent("{x}") == asking.vars["x"]


def test_ipythons_own_names_are_not_variables(asking):
    asking.vars["exits"] = "a variable"
    assert "there is no variable 'exit'. Did you mean 'exits'?" in asking.refused("%%azureml\nType {exit}")
    assert "there is no variable 'In'" in asking.refused("%%azureml\n{In}")


def test_reassigned_ipython_name_is_a_variable(asking, sent):
    asking.vars["exit"] = "the door"
    assert sent("Find {exit}") == "Find the door"


def test_last_output_can_be_used(asking, sent):
    answer = asking.ok("%%azureml\nHello").result.text
    assert sent("Shorten: {_}") == f"Shorten: {answer}"


def test_undefined_variable_stops_before_sending(asking, endpoint):
    asking.vars["topic"] = "rivers"
    line = asking.refused("%%azureml\nTell me about {topci}")
    assert line == (
        "UndefinedVariableError: The prompt uses {topci}, and there is no variable 'topci'. Did you mean 'topic'? Define it, "
        "pass --var topci=…, write {{topci}} for literal braces, or use -t none to send the prompt untouched."
    )
    assert len(endpoint.requests) == 0


def test_value_whose_str_raises_is_named(asking):
    asking.ok("class Bad:\n    def __str__(self): raise RuntimeError('no text')\nbad = Bad()")
    assert asking.refused("%%azureml\n{bad}").startswith(
        "PromptError: str() of the variable 'bad' (Bad) raised RuntimeError: no text."
    )


def test_template_none_sends_braces_unchanged(sent):
    assert sent("Say {nothing} and {{nobody}}", "-t none") == "Say {nothing} and {{nobody}}"


@pytest.mark.parametrize("body", [" ", "\n\n", "   \n\t\n"])
def test_empty_prompt_is_refused(asking, body):
    assert asking.refused(f"%%azureml\n{body}\n").startswith("PromptError: There is no prompt.")


def test_ask_sends_the_rest_of_the_line(asking, last_body):
    asking.vars["x"] = "rivers"
    asking.ok('%azureml ask What\'s "new" about {x}? --no')
    assert last_body()["messages"] == [{"role": "user", "content": 'What\'s "new" about rivers? --no'}]
    assert asking.refused("%azureml ask").startswith("PromptError: There is no prompt.")


# ---- ipython keeps out of the line -----------------------------------------------------------------------------


def test_ipython_expands_nothing_in_the_line(asking, last_body, monkeypatch):
    monkeypatch.setenv("CANARY", "expanded")
    asking.vars["name"] = "expanded"
    asking.ok("%%azureml -s \"{os.environ['CANARY']} $name {1+1}\"\nHello")
    assert last_body()["messages"][0]["content"] == "{os.environ['CANARY']} $name {1+1}"
    asking.ok("%azureml ask {1+1} $name")
    assert last_body()["messages"][-1]["content"] == "{1+1} $name"


# ---- prompt templates ------------------------------------------------------------------------------------------


@pytest.fixture
def templates(asking):
    from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate

    asking.vars.update(
        plain=PromptTemplate.from_template("Summarise {text} in {count} words."),
        chat=ChatPromptTemplate.from_messages(
            [("system", "You are {role}."), MessagesPlaceholder("past", optional=True), ("human", "{text}")]
        ),
        role="a pirate",
        count=5,
    )
    return asking


def test_template_takes_body_as_its_missing_variable(templates, last_body):
    templates.ok("%%azureml -t $plain\nthe {count} rivers")
    assert last_body()["messages"] == [{"role": "user", "content": "Summarise the 5 rivers in 5 words."}]


def test_chat_template_gives_messages(templates, last_body):
    templates.ok("%%azureml -t $chat\nExplain fusion")
    assert last_body()["messages"] == [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Explain fusion"},
    ]


def test_placeholder_is_filled_from_the_notebook(templates, last_body):
    from langchain_core.messages import AIMessage, HumanMessage

    templates.vars["past"] = [HumanMessage("Hi"), AIMessage("Hello")]
    templates.ok("%%azureml -t $chat\nExplain fusion")
    assert [turn["role"] for turn in last_body()["messages"]] == ["system", "user", "assistant", "user"]


def test_complete_template_needs_no_body(templates, last_body):
    templates.vars["text"] = "the rivers"
    templates.ok("%azureml -t $plain")
    assert last_body()["messages"][-1]["content"] == "Summarise the rivers in 5 words."


def test_var_option_reaches_the_template(templates, last_body):
    templates.ok("%azureml -t $plain -v text=lakes -v count=3")
    assert last_body()["messages"][-1]["content"] == "Summarise lakes in 3 words."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("%azureml -t $plain", "PromptError: $plain needs text. Define it, or pass --var NAME=VALUE."),
        ("%%azureml -t $plain -v text=a\nbody", "PromptError: The cell has a body, and $plain has no single variable"),
        ("%%azureml -t plain\nbody", "UsageError: -t takes none or a variable, not 'plain'. Write -t $plain"),
        ("%%azureml -t $count\nbody", "UsageError: $count is not a LangChain prompt template: it is of the type int"),
        ("%%azureml -t $plian\nbody", "UsageError: There is no variable 'plian' for $plian. Did you mean 'plain'?"),
    ],
)
def test_missing_template_variables_are_named(templates, source, said):
    assert templates.refused(source).startswith(said)


def test_raising_template_is_one_line(templates):
    from langchain_core.prompts import PromptTemplate

    templates.vars.update(odd=PromptTemplate.from_template("{text:d} rivers"), text="many")
    line = templates.refused("%azureml -t $odd")
    assert line.startswith("PromptError: $odd raised ValueError: Unknown format code 'd'")


# ---- text ----


def test_non_ascii_prompt_is_sent_unchanged(asking, endpoint):
    asking.ok("%%azureml\nGrüße 🌊")
    assert json.loads(endpoint.requests[-1].body)["messages"][0]["content"] == "Grüße 🌊"
