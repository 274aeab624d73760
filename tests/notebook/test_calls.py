"""What a line and a body ask for: which config, which kwargs, which messages."""

from __future__ import annotations

import json

import pytest

from azml_magics import LLMConfig, Secret
from azml_magics.emulator import Fault

from .conftest import KEY


@pytest.fixture
def sent(asking, endpoint):
    """Run a cell; the text of the prompt that the endpoint received."""

    def run(body, line=""):
        asking.ok(f"%%azureml {line}\n{body}")
        return endpoint.requests[-1].json()["messages"][-1]["content"]

    return run


# ---- the prompt ------------------------------------------------------------------------------------------------


def test_the_prompt_goes_out_as_it_was_written(sent):
    assert sent('  Say "hi" \\n\tand\n\n  stop.  ') == '  Say "hi" \\n\tand\n\n  stop.'


def test_variables_of_the_notebook_go_in(asking, sent):
    asking.vars.update(x="rivers", number=3, größe="L")
    assert sent("{x} {number} {größe} {{x}}") == "rivers 3 L {x}"


def test_the_lines_variables_come_before_the_notebooks(asking, sent):
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
def test_braces_that_are_no_variable_pass_untouched(sent, body):
    assert sent(body) == body


def test_a_value_is_not_expanded_again(asking, sent):
    asking.vars.update(x="{secret} {os.environ['TEST_KEY']} {{y}} $y", y="never")
    assert sent("{x}") == asking.vars["x"]


def test_what_ipython_put_into_the_namespace_is_no_variable(asking):
    asking.vars["exits"] = "a variable"
    assert "there is no variable 'exit'. Did you mean 'exits'?" in asking.refused("%%azureml\nType {exit}")
    assert "there is no variable 'In'" in asking.refused("%%azureml\n{In}")


def test_a_name_that_the_person_gave_a_value_of_their_own_is_theirs(asking, sent):
    asking.vars["exit"] = "the door"
    assert sent("Find {exit}") == "Find the door"


def test_the_last_answer_can_be_used(asking, sent):
    answer = asking.ok("%%azureml\nHello").result.text
    assert sent("Shorten: {_}") == f"Shorten: {answer}"


def test_an_undefined_variable_stops_before_anything_is_sent(asking, endpoint):
    asking.vars["topic"] = "rivers"
    line = asking.refused("%%azureml\nTell me about {topci}")
    assert line == (
        "UndefinedVariableError: The prompt uses {topci}, and there is no variable 'topci'. Did you mean 'topic'? Define it, "
        "pass --var topci=…, write {{topci}} for literal braces, or use -t none to send the prompt untouched."
    )
    assert len(endpoint.requests) == 0


def test_a_value_whose_str_raises_is_named(asking):
    asking.ok("class Bad:\n    def __str__(self): raise RuntimeError('no text')\nbad = Bad()")
    assert asking.refused("%%azureml\n{bad}").startswith(
        "PromptError: str() of the variable 'bad' (Bad) raised RuntimeError: no text."
    )


def test_no_template_sends_braces_as_they_are(sent):
    assert sent("Say {nothing} and {{nobody}}", "-t none") == "Say {nothing} and {{nobody}}"


@pytest.mark.parametrize("body", [" ", "\n\n", "   \n\t\n"])
def test_an_empty_prompt_is_refused(asking, body):
    assert asking.refused(f"%%azureml\n{body}\n").startswith("PromptError: There is no prompt.")


def test_ask_is_the_one_line_form(asking, last_body):
    asking.vars["x"] = "rivers"
    asking.ok('%azureml ask What\'s "new" about {x}? --no')
    assert last_body()["messages"] == [{"role": "user", "content": 'What\'s "new" about rivers? --no'}]
    assert asking.refused("%azureml ask").startswith("PromptError: There is no prompt.")


# ---- ipython keeps out of the line -----------------------------------------------------------------------------


def test_ipython_evaluates_and_expands_nothing_in_the_line(asking, last_body, monkeypatch):
    monkeypatch.setenv("CANARY", "expanded")
    asking.vars["name"] = "expanded"
    asking.ok("%%azureml -s \"{os.environ['CANARY']} $name {1+1}\"\nHello")
    assert last_body()["messages"][0]["content"] == "{os.environ['CANARY']} $name {1+1}"
    asking.ok("%azureml ask {1+1} $name")
    assert last_body()["messages"][-1]["content"] == "{1+1} $name"


# ---- kwargs ----------------------------------------------------------------------------------------------------


def test_kwargs_are_json_where_they_are_json(asking, last_body):
    asking.ok("""%%azureml -p temperature=0.2 -p stop='["a", "b"]' -p user=me -p seed=7\nHello""")
    body = last_body()
    assert (body["temperature"], body["stop"], body["user"], body["seed"]) == (0.2, ["a", "b"], "me", 7)


def test_several_kwargs_at_once_and_a_single_one_over_them(asking, last_body):
    asking.ok("""%%azureml -k '{"temperature": 0.2, "seed": 7}' -p seed=8\nHello""")
    assert (last_body()["temperature"], last_body()["seed"]) == (0.2, 8)
    asking.vars["kwargs"] = {"max_tokens": 5}
    asking.ok("%%azureml -k $kwargs\nHello")
    assert last_body()["max_tokens"] == 5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{temperature: 0.2}", "UsageError: -k is no JSON: "),
        ("[1]", "UsageError: -k takes a JSON object or a dict."),
        ("$nothing", "UsageError: There is no variable 'nothing' for $nothing."),
        ("$number", "UsageError: -k takes a JSON object or a dict."),
    ],
)
def test_kwargs_that_are_no_object_are_refused(asking, given, said):
    asking.vars["number"] = 3
    assert asking.refused(f"%%azureml -k '{given}'\nHello").startswith(said)


def test_a_kwarg_that_cannot_travel_is_named(asking):
    asking.vars["kwargs"] = {"stop": {1, 2}}
    assert "ConfigError: The model kwarg 'stop' cannot travel as JSON" in asking.refused("%%azureml -k $kwargs\nHello")


def test_a_misspelt_kwarg_is_sent_and_named_on_stderr(asking, last_body):
    ran = asking.ok("%%azureml -p temprature=0.2\nHello")
    assert last_body()["temprature"] == 0.2
    assert ran.stderr == "azureml: the model kwarg 'temprature' is sent as it is. Did you mean 'temperature'?\n"


@pytest.mark.parametrize(
    "name", ["max_tokens", "max_new_tokens", "top_k", "min_p", "repetition_penalty", "min_tokens", "typical_p", "n"]
)
def test_a_kwarg_of_another_dialect_is_no_misspelling(asking, name):
    assert asking.ok(f"%%azureml -p {name}=1\nHello").stderr == ""


# ---- the config ------------------------------------------------------------------------------------------------


def test_no_config_says_how_to_make_one(notebook):
    assert notebook.refused("%%azureml\nHello") == (
        "ConfigError: There is no config yet. Run `%azureml demo` to try without an account, "
        "or `%azureml save NAME --url URL -f FORMATTER`."
    )


def test_no_config_in_use_names_those_that_there_are(asking):
    asking.ok("%azureml save other --from main")
    asking.ok("%azureml delete main -f")
    for source in ("%%azureml\nHello", "%azureml test"):
        assert asking.refused(source) == "ConfigError: No config is in use. %azureml use NAME takes one: other."


def test_a_mistyped_config_names_the_nearest(asking):
    assert asking.refused("%%azureml mian\nHello").startswith(
        "UnknownNameError: No config named 'mian'. Did you mean 'main'? Known: main."
    )


def test_the_default_config_answers_where_none_is_in_use(asking):
    asking.ok("%azureml save second --from main")
    asking.ok("%azureml delete main -f")
    asking.ok("%config AzureMLMagics.default_config = 'second'")
    assert asking.ok("%%azureml\nHello").result.config == "second"


def test_a_config_object_of_the_notebook_answers(asking, endpoint):
    asking.vars["mine"] = LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key=Secret(KEY))
    assert "Hello" in asking.ok("%%azureml $mine\nHello").text


def test_a_langchain_endpoint_of_ours_is_a_config(asking, endpoint):
    from azml_magics.langchain import AzureMLChatOnlineEndpoint

    asking.vars["llm"] = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        endpoint_api_type="serverless",
        endpoint_api_key=KEY,
        model_kwargs={"temperature": 0.3},
    )
    asking.ok("%%azureml $llm -p seed=1\nHello")
    assert endpoint.requests[-1].json()["temperature"] == 0.3


def test_any_other_object_is_refused(asking):
    asking.vars["number"] = 3
    assert asking.refused("%%azureml $number\nHello").startswith("UsageError: $number is int, which is no config.")
    assert "Did you mean 'number'?" in asking.refused("%%azureml $numbr\nHello")


def test_a_url_alone_is_enough(notebook, endpoint):
    ran = notebook.ok(f"%%azureml -u {endpoint.url}/v1/chat/completions --key env:TEST_KEY\nHello")
    assert ran.result.config == ""


def test_the_environment_variables_of_langchain_make_a_config(notebook, endpoint, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", f"{endpoint.url}/score")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "dolly")
    assert notebook.ok("%%azureml -f dolly\nHello").result.deployment == "dolly"


def test_system_comes_from_the_line_or_a_variable(asking, last_body):
    asking.vars["rules"] = "Be very brief."
    for line in ("-s $rules", "-s 'Be very brief.'"):
        asking.ok(f"%%azureml {line}\nHello")
        assert last_body()["messages"][0] == {"role": "system", "content": "Be very brief."}


def test_a_setting_gives_every_call_its_timeout(asking, endpoint):
    asking.ok("%config AzureMLMagics.timeout = 0.2")
    endpoint.script([Fault("slow", seconds=30)])
    assert asking.refused("%%azureml\nHello").startswith("APITimeoutError: ")
    endpoint.script([Fault("slow", seconds=0.4)])
    asking.ok("%%azureml --timeout 20\nHello")


# ---- formatters ------------------------------------------------------------------------------------------------


def test_a_formatter_object_answers(asking, endpoint):
    asking.ok(
        "class Mine:\n"
        "    def format_request_payload(self, prompt, model_kwargs):\n"
        "        return {'inputs': prompt}\n"
        "    def format_response_payload(self, output):\n"
        "        return 'mine: ' + str(len(output) > 0)\n"
        "mine = Mine()"
    )
    assert asking.ok(f"%%azureml -u {endpoint.url}/score -f $mine\nHello").text == "mine: True"
    assert endpoint.requests[-1].json() == {"inputs": "Hello"}


def test_a_formatter_that_raises_is_named_with_what_it_said(asking, endpoint):
    asking.ok(
        "class Mine:\n"
        "    def format_request_payload(self, prompt, model_kwargs):\n"
        "        return {'inputs': prompt}\n"
        "    def format_response_payload(self, output):\n"
        "        return output['answer']\n"
        "mine = Mine()"
    )
    line = asking.refused(f"%%azureml -u {endpoint.url}/score -f $mine\nHello")
    assert line.startswith("FormatterError: Mine.format_response_payload raised TypeError: byte indices must be")
    assert "in format_response_payload" in asking.ok("%azureml last --traceback").text


@pytest.mark.parametrize("reference", ["$number", "$Mine"])
def test_what_is_no_formatter_is_refused(asking, endpoint, reference):
    asking.ok(
        "number = 3\nclass Mine:\n    def format_request_payload(self): ...\n    def format_response_payload(self): ..."
    )
    assert asking.refused(f"%%azureml -u {endpoint.url}/score -f {reference}\nHello").startswith("UsageError: ")


def test_a_mistyped_formatter_names_the_nearest(asking, endpoint):
    assert "UnknownNameError: No formatter named 'doly' (config 'main'). Did you mean 'dolly'?" in asking.refused(
        f"%%azureml -u {endpoint.url}/score -f doly\nHello"
    )


def test_a_formatter_for_another_kind_of_endpoint_says_what_fits(asking):
    line = asking.refused("%%azureml -f gpt2\nHello")
    assert line.startswith(
        "ConfigError: The formatter 'gpt2' speaks to dedicated endpoints, and this one is serverless"
    )
    assert "openai-chat" in line


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


def test_a_prompt_template_takes_the_body_for_its_open_variable(templates, last_body):
    templates.ok("%%azureml -t $plain\nthe {count} rivers")
    assert last_body()["messages"] == [{"role": "user", "content": "Summarise the 5 rivers in 5 words."}]


def test_a_chat_prompt_template_gives_messages(templates, last_body):
    templates.ok("%%azureml -t $chat\nExplain fusion")
    assert last_body()["messages"] == [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Explain fusion"},
    ]


def test_a_placeholder_is_filled_from_the_notebook(templates, last_body):
    from langchain_core.messages import AIMessage, HumanMessage

    templates.vars["past"] = [HumanMessage("Hi"), AIMessage("Hello")]
    templates.ok("%%azureml -t $chat\nExplain fusion")
    assert [turn["role"] for turn in last_body()["messages"]] == ["system", "user", "assistant", "user"]


def test_a_template_whose_variables_are_all_there_needs_no_body(templates, last_body):
    templates.vars["text"] = "the rivers"
    templates.ok("%azureml -t $plain")
    assert last_body()["messages"][-1]["content"] == "Summarise the rivers in 5 words."


def test_the_lines_variables_reach_the_template(templates, last_body):
    templates.ok("%azureml -t $plain -v text=lakes -v count=3")
    assert last_body()["messages"][-1]["content"] == "Summarise lakes in 3 words."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("%azureml -t $plain", "PromptError: $plain needs text. Define it, or pass --var NAME=VALUE."),
        ("%%azureml -t $plain -v text=a\nbody", "PromptError: The cell has a body, and $plain has no single variable"),
        ("%%azureml -t plain\nbody", "UsageError: -t takes none or a variable, not 'plain'. Write -t $plain"),
        ("%%azureml -t $count\nbody", "UsageError: $count is int, which is no LangChain prompt template"),
        ("%%azureml -t $plian\nbody", "UsageError: There is no variable 'plian' for $plian. Did you mean 'plain'?"),
    ],
)
def test_what_a_template_lacks_is_named(templates, source, said):
    assert templates.refused(source).startswith(said)


def test_a_template_that_raises_is_one_line(templates):
    from langchain_core.prompts import PromptTemplate

    templates.vars.update(odd=PromptTemplate.from_template("{text:d} rivers"), text="many")
    line = templates.refused("%azureml -t $odd")
    assert line.startswith("PromptError: $odd raised ValueError: Unknown format code 'd'")


# ---- keys ------------------------------------------------------------------------------------------------------


def test_a_key_on_the_line_is_refused_and_not_repeated(asking, endpoint):
    for line in ("--key sk-lIt3ral", "--key=sk-lIt3ral", "--key 'Bearer sk-lIt3ral'"):
        said = asking.refused(f"%%azureml {line}\nHello")
        assert said.startswith(
            "KeyRefusedError: That is not a key reference, and a key itself would stay in the notebook"
        )
        assert "lIt3ral" not in said
    assert len(endpoint.requests) == 0


def test_a_missing_key_says_where_it_was_looked_for(asking):
    assert asking.refused("%%azureml --key env:NOT_THERE\nHello").startswith(
        "KeyNotFoundError: No key: the environment variable NOT_THERE is not set (config 'main')."
    )


def test_a_typed_key_is_asked_for_once(asking, endpoint, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or KEY)
    for _ in range(2):
        asking.ok("%%azureml --key ask\nHello")
    assert asked == [f"Key for {endpoint.url}: "]


def test_a_wrong_key_is_refused_without_being_shown(asking, monkeypatch):
    monkeypatch.setenv("WRONG_KEY", "sk-wr0ng")
    line = asking.refused("%%azureml --key env:WRONG_KEY\nHello")
    assert line.startswith("AuthenticationError: The endpoint did not accept the key (401)")
    assert "wr0ng" not in line + asking.ok("%azureml last --traceback").text


@pytest.mark.parametrize("url", ["http://example.com/score", "http://10.0.0.1/v1"])
def test_a_key_does_not_travel_in_clear_text(asking, url):
    assert "would carry the key in clear text to another machine" in asking.refused(f"%%azureml -u {url}\nHello")


ELSEWHERE = "https://elsewhere.example/v1/chat/completions"


@pytest.fixture
def prod(asking):
    """A config of a host far away, in use."""
    asking.ok("%azureml save prod --url https://prod.example/v1/chat/completions --key env:TEST_KEY")
    asking.ok("%azureml use prod")


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize("url", [ELSEWHERE, "https://prod.example:8443/v1/chat/completions"])
@pytest.mark.parametrize("line", ["", "--compare prod,prod", "--each $rows", "--dry-run"])
def test_a_key_does_not_go_to_another_host(asking, url, line):
    asking.vars["rows"] = [{"name": "Ada"}]
    said = asking.refused(f"%%azureml -u {url} {line}\nHello")
    assert said.startswith("KeyRefusedError: The config's key is for prod.example, and --url names ")
    assert said.endswith("Say on the line which key goes there: --key env:NAME, or --key none.")


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize("key", ["env:TEST_KEY", "none", "ask"])
def test_a_key_that_the_line_names_goes_where_it_says(asking, key):
    assert "elsewhere.example" in asking.ok(f"%%azureml -u {ELSEWHERE} --key {key} --dry-run\nHello").text


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize(
    "url", ["prod.example/score -f gpt2", "PROD.example/v1/chat/completions", "prod.example:443/v1/chat/completions"]
)
def test_another_route_of_the_same_host_takes_the_same_key(asking, url):
    asking.ok(f"%%azureml -u https://{url} --dry-run\nHello")


def test_a_key_that_is_asked_for_is_asked_for_per_host(asking):
    asking.ok("%azureml save asks --url https://prod.example/v1/chat/completions --key ask")
    asking.ok(f"%%azureml asks -u {ELSEWHERE} --dry-run\nHello")


@pytest.mark.usefixtures("prod")
def test_a_server_on_this_machine_can_be_tried_with_any_config(asking, endpoint):
    asking.ok(f"%%azureml -u {endpoint.url}/v1/chat/completions\nHello")
    assert endpoint.requests


@pytest.mark.parametrize(
    "url", ["example.com/score", "ftp://example.com", "https://", "https://user:pw@example.com/score"]
)
def test_what_is_no_url_is_refused(asking, url):
    line = asking.refused(f"%%azureml -u {url}\nHello")
    assert line.startswith("ConfigError: The endpoint URL")
    assert "user:pw" not in line


def test_the_same_text_is_sent_as_json_says_it(asking, endpoint):
    asking.ok("%%azureml\nGrüße 🌊")
    assert json.loads(endpoint.requests[-1].body)["messages"][0]["content"] == "Grüße 🌊"
