"""Variables in the options of a line: `$name`, `{name}`, and typed values."""

from __future__ import annotations

import pytest


@pytest.fixture
def body(asking, last_body):
    """Run a cell with the options of a line; the JSON that the endpoint received."""

    def run(line):
        asking.ok(f"%%azureml {line}\nHi")
        return last_body()

    return run


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("do_sample=False", False),
        ("temperature=.5", 0.5),
        ("stop=None", None),
        ("stop=\"['a', 'b']\"", ["a", "b"]),
        ("temperature=$warm", 0.25),
        ("temperature={warm}", 0.25),
        ("stop=$stops", ["END"]),
        ('stop=\'["{word}", "x"]\'', ["tea", "x"]),
        ("user={word}-{word}", "tea-tea"),
        ("user={{word}}", "{word}"),
    ],
)
def test_kwarg_has_the_type_that_was_meant(asking, body, typed, value):
    asking.vars.update(warm=0.25, stops=["END"], word="tea")
    assert body(f"-p {typed}")[typed.partition("=")[0]] == value


@pytest.mark.parametrize("word", ["temperature=hot", "max_tokens=many", "temperature={word}", "temperature=$word"])
def test_text_in_place_of_a_number_is_refused(asking, endpoint, word):
    asking.vars["word"] = "tea"
    name, sent = word.partition("=")[0], len(endpoint.requests)
    assert f"UsageError: {name} takes a" in asking.refused(f"%%azureml -p {word}\nHi")
    assert "not the text" in asking.refused(f"%%azureml --sweep {word},1\nHi")
    assert len(endpoint.requests) == sent


def test_json_that_lost_its_quotes_is_refused(asking, endpoint):
    sent = len(endpoint.requests)
    said = asking.refused('%%azureml -p response_format={"type":"json_object"}\nHi')
    assert "UsageError: response_format takes JSON, not the text '{type:json_object}'" in said
    assert "single quotes" in said
    assert len(endpoint.requests) == sent


def test_json_in_single_quotes_and_a_stop_text_like_it_are_sent(asking, body):
    assert body("""-p 'response_format={"type":"json_object"}'""")["response_format"] == {"type": "json_object"}
    assert body("-p stop={")["stop"] == "{"


def test_undefined_variable_in_an_option_is_refused(asking, endpoint):
    sent = len(endpoint.requests)
    for line in ("-p temperature={temp}", '-s "Be {tone}"', "-v x={tone}", "--model {m}", "--header X-Team={team}"):
        assert "which is not defined" in asking.refused(f"%%azureml {line}\nHi"), line
    assert "no variable 'temp'" in asking.refused("%%azureml --timeout $temp\nHi")
    assert len(endpoint.requests) == sent


def test_system_message_is_filled_in(asking, body):
    asking.vars.update(tone="dry", rules="Never say {tone}.")
    assert body('-s "Be {tone}, not {{tone}}."')["messages"][0]["content"] == "Be dry, not {tone}."
    assert body("-s $rules")["messages"][0]["content"] == "Never say {tone}."


def test_numbers_and_texts_take_variables(asking, body):
    asking.vars.update(seconds=5, label="gpt", which="main", two=2)
    assert body("$which --timeout $seconds --model $label")["model"] == "gpt"
    assert body("--timeout {seconds} --model m-{label}")["model"] == "m-gpt"
    assert len(asking.ok("%%azureml --compare $which,main\nHi").result) == 2
    assert len(asking.ok("%%azureml -n $two\nHi").result) == 2
    assert "In use: main" in asking.ok("%azureml use $which").text


def test_wrong_types_of_variables_are_named(asking):
    asking.vars.update(items=[1], half=2.5)
    assert "--model takes a text, and $items is of the type list" in asking.refused("%%azureml --model $items\nHi")
    assert "--retries takes a whole number, not 2.5" in asking.refused("%%azureml --retries $half\nHi")
    assert "--timeout takes a number, not a list" in asking.refused("%%azureml --timeout $items\nHi")


def test_sweep_takes_a_list_in_a_variable(asking, endpoint):
    asking.vars.update(temperatures=(0, 0.5), one=1)
    asking.ok("%%azureml --sweep temperature=$temperatures\nHi")
    assert [request.json()["temperature"] for request in endpoint.requests[-2:]] == [0, 0.5]
    asking.ok("%%azureml --sweep temperature=0.5,$one\nHi")
    assert sorted(request.json()["temperature"] for request in endpoint.requests[-2:]) == [0.5, 1]


def test_braces_that_are_sent_as_written_are_said(asking):
    asking.vars.update(reply="x")
    said = "{reply.text} is sent as written: only a name is filled in. Write text = reply.text and {text}."
    assert said in asking.ok("%%azureml\nAbout {reply.text}").stdout
    assert f"-s {said}" in asking.ok('%%azureml -s "About {reply.text}"\nHi').stdout
    assert "as written" not in asking.ok("%%azureml\nAbout {unknown.text}").stdout


def test_typed_text_of_a_variable_stays_as_typed(asking, last_body):
    asking.vars["price"] = 5
    asking.ok("%%azureml -v a=0.50 -v b=$price -v c='in {price}'\n{a} {b} {c}")
    assert last_body()["messages"][-1]["content"] == "0.50 5 in 5"
