"""%%azureml --tool $fn: asked for, run, shown, and gone on with."""

from __future__ import annotations

import builtins

import pytest

from azml_magics.core.response import Response

FUNCTION = '''
def get_weather(city: str) -> str:
    """Return the weather of a city.

    Args:
        city: The name of the city.
    """
    calls.append(city)
    return f"It is sunny in {city} with 21 °C."
'''
QUESTION = "How is the weather in Lisbon?"


@pytest.fixture
def asking(asking):
    asking.vars["calls"] = []
    asking.ok(FUNCTION)
    return asking


@pytest.fixture
def answers(monkeypatch):
    """What the user types at each question, and the questions."""
    typed, questions = [], []

    def read(question):
        questions.append(question)
        return typed.pop(0)

    monkeypatch.setattr(builtins, "input", read)
    return typed, questions


def test_a_cell_calls_the_function_and_shows_its_line(asking):
    ran = asking.ok(f"%%azureml main --tool $get_weather --auto -o out\n{QUESTION}")
    assert asking.vars["calls"] == ["Lisbon"]
    assert "21 °C" in ran.text
    assert "<details" in ran.data["text/markdown"]
    assert isinstance(asking.vars["out"], Response)
    assert [step["role"] for step in asking.vars["out"].steps] == ["assistant", "tool"]
    live = [shown["text/plain"] for shown in ran.payloads if "get_weather" in shown.get("text/plain", "")]
    assert live[0] == 'get_weather(city="Lisbon") …'
    assert ran.payloads[-1] == {"text/markdown": ""}


def test_a_terminal_shows_the_call_and_the_result(terminal, endpoint):
    terminal.vars["calls"] = []
    terminal.ok(FUNCTION)
    terminal.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    ran = terminal.ok(f"%%azureml --tool $get_weather --auto\n{QUESTION}")
    assert ran.stdout.startswith('get_weather(city="Lisbon")\n  → It is sunny in Lisbon')


def test_the_tool_is_described_in_the_request(asking, endpoint):
    asking.ok(f"%%azureml --tool $get_weather --auto\n{QUESTION}")
    function = endpoint.requests[0].json()["tools"][0]["function"]
    assert function["description"] == "Return the weather of a city."
    assert function["parameters"]["properties"]["city"]["description"] == "The name of the city."


@pytest.mark.parametrize(("typed", "ran"), [(["y"], 1), (["what?", "yes"], 1), (["a"], 1), (["n"], 0), ([""], 0)])
def test_the_user_is_asked_before_a_function_runs(asking, answers, typed, ran):
    answers[0].extend(typed)
    out = asking.ok(f"%%azureml --tool $get_weather -o out\n{QUESTION}")
    assert len(asking.vars["calls"]) == ran
    assert answers[1][0] == 'Run get_weather(city="Lisbon")? [y]es, [n]o, [a]ll: '
    assert ("did not allow" in out.data["text/markdown"]) == (not ran)


def test_a_kernel_without_input_refuses_before_anything_is_sent(asking, endpoint):
    class Kernel:
        _allow_stdin = False

    asking.shell.kernel = Kernel()
    line = asking.refused(f"%%azureml --tool $get_weather\n{QUESTION}")
    assert "takes no input" in line
    assert line.endswith("Add --auto to run them without asking.")
    assert not endpoint.requests


def test_an_interrupt_at_the_question_keeps_what_there_is(asking, monkeypatch):
    def interrupt(_question):
        raise KeyboardInterrupt

    monkeypatch.setattr(builtins, "input", interrupt)
    ran = asking.run(f"%%azureml --tool $get_weather\n{QUESTION}")
    assert "after 1 tool call" in str(ran.error)
    assert "get_weather" in ran.payloads[-1]["text/plain"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("--tool get_weather", "--tool takes a variable, not 'get_weather' Write --tool $get_weather"),
        ("--tool $get_wether --auto", "get_wether"),
        ("--tool $QUESTION --auto", "A tool is a Python function or a LangChain tool, not str"),
        ("--tool $get_weather --tool $get_weather --auto", "two tools named get_weather"),
        ("--auto", "--auto goes with --tool"),
        ("--max-steps 3", "--max-steps goes with --tool"),
        ("--tool $get_weather --auto --max-steps 0", "max_steps must be a positive integer"),
        ("--tool $get_weather -n 2", "Functions cannot be approved while several responses arrive"),
        ("--tool $get_weather --auto --each $rows", "--each sends rows at the same time and takes no --tool"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(asking, endpoint, line, problem):
    asking.vars |= {"QUESTION": QUESTION, "rows": [{"a": 1}]}
    refusal = asking.refused(f"%%azureml main {line}\n{QUESTION}")
    assert problem.replace("' W", "'. W") in refusal
    assert not endpoint.requests


def test_several_responses_call_tools_side_by_side(asking, endpoint):
    asking.ok("%azureml save other --from main temperature=0")
    ran = asking.ok(f"%%azureml --compare main,other --tool $get_weather --auto -o both\n{QUESTION}")
    assert asking.vars["calls"] == ["Lisbon", "Lisbon"]
    assert [len(row.response.tool_runs) for row in asking.vars["both"]] == [1, 1]
    assert ran.data["text/html"].count("Called get_weather.") == 2
    assert len(endpoint.requests) == 4


def test_a_list_of_tools_is_one_option(asking):
    asking.vars["tools"] = [asking.vars["get_weather"]]
    assert "21 °C" in asking.ok(f"%%azureml --tool $tools --auto\n{QUESTION}").text


def test_missing_hints_are_said(asking):
    asking.ok("def find(city): return city")
    assert "find has no type hints for city" in asking.ok("%%azureml --tool $find --auto\nHi").stdout


def test_a_dry_run_shows_the_tools_and_asks_nothing(asking, endpoint):
    assert '"get_weather"' in asking.ok(f"%%azureml --tool $get_weather --dry-run\n{QUESTION}").text
    assert not endpoint.requests


def test_a_conversation_keeps_the_whole_exchange(asking, endpoint):
    asking.ok(f"%%azureml -c trip --tool $get_weather --auto\n{QUESTION}")
    asking.ok("%%azureml -c trip\nThank you.")
    roles = [message["role"] for message in endpoint.requests[-1].json()["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_claude_goes_on_without_the_tools(asking, endpoint):
    asking.ok(
        f"%azureml save claude --url {endpoint.url}/anthropic/v1/messages --model claude-sonnet-4-6 --key env:TEST_KEY"
    )
    asking.ok(f"%%azureml claude -c trip --tool $get_weather --auto\n{QUESTION}")
    asking.ok("%%azureml claude -c trip\nThank you.")  # the route refuses earlier calls in a request without tools
    body = endpoint.requests[-1].json()
    assert (body["tools"][0]["name"], body["tool_choice"]) == ("get_weather", {"type": "none"})


def test_the_history_has_the_exchange_and_counts_its_requests(asking):
    asking.ok(f"%%azureml --tool $get_weather --auto\n{QUESTION}")
    from azml_magics import session

    past = session.current().last
    assert past.response.tool_runs[0].name == "get_weather"
    assert past.config.model_kwargs["tools"][0]["function"]["name"] == "get_weather"
    assert sum(counts.requests for counts in session.current().usage.counts().values()) == 2


def test_a_schema_is_matched_by_the_final_response(asking):
    asking.vars["wanted"] = {"title": "w", "type": "object", "properties": {"city": {"type": "string"}}}
    ran = asking.ok(f"%%azureml --tool $get_weather --auto --schema $wanted\n{QUESTION}")
    assert isinstance(ran.result.parsed, dict)
    assert ran.result.tool_runs


def test_tools_work_without_a_stream_and_quietly(asking):
    ran = asking.ok(f"%%azureml --tool $get_weather --auto --no-stream -q -o out\n{QUESTION}")
    assert ran.result is None
    assert "21 °C" in asking.vars["out"].text


def test_the_saved_config_has_no_tools(asking):
    asking.ok(f"%%azureml --tool $get_weather --auto --save other\n{QUESTION}")
    from azml_magics import session

    assert "tools" not in session.current().get("other").model_kwargs


def test_the_code_of_such_a_cell_calls_the_function(asking):
    asking.ok(f"%%azureml --tool $get_weather --auto\n{QUESTION}")
    assert '"name":"get_weather"' in asking.ok("%azureml code --as curl").text.replace(" ", "")
    program = asking.ok("%azureml code --as python").text
    assert f"invoke(config, {QUESTION!r}, tools=[get_weather])" in program
    assert "model_kwargs" not in program
    asking.ok(program)  # where the function is defined it runs
    assert asking.vars["calls"] == ["Lisbon", "Lisbon"]


# ---- LangChain's models and tools


@pytest.fixture
def model(asking, endpoint):
    from langchain_core.callbacks import BaseCallbackHandler

    from azml_magics.langchain import AzureMLChatOnlineEndpoint
    from azml_magics.pytest_plugin import KEY

    # with callbacks it is called as a LangChain model, not as a config
    asking.vars["model"] = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        endpoint_api_key=KEY,
        endpoint_api_type="serverless",
        callbacks=[BaseCallbackHandler()],
    )
    return asking.vars["model"]


def test_a_langchain_model_calls_the_function(asking, model):
    ran = asking.ok(f"%%azureml $model --tool $get_weather --auto -p temperature=0\n{QUESTION}")
    assert asking.vars["calls"] == ["Lisbon"]
    assert "21 °C" in ran.text
    assert ran.result.usage.total_tokens > 0
    assert "<details" in ran.data["text/markdown"]


def test_a_langchain_tool_is_offered_like_a_function(asking):
    asking.ok("from langchain_core.tools import tool\nweather_tool = tool(get_weather)")
    assert "21 °C" in asking.ok(f"%%azureml main --tool $weather_tool --auto\n{QUESTION}").text


def test_a_langchain_conversation_keeps_the_exchange(asking, model, endpoint):
    asking.ok(f"%%azureml $model -c trip --tool $get_weather --auto\n{QUESTION}")
    asking.ok("%%azureml $model -c trip\nThank you.")
    roles = [message["role"] for message in endpoint.requests[-1].json()["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_a_model_without_tools_is_refused_in_one_line(asking):
    asking.ok(
        "from langchain_core.language_models.fake_chat_models import FakeListChatModel as F\nf = F(responses=['a'])"
    )
    assert "$f takes no tools" in asking.refused(f"%%azureml $f --tool $get_weather --auto\n{QUESTION}")


def test_a_chain_keeps_tools_of_its_own(asking, model):
    asking.ok("from langchain_core.output_parsers import StrOutputParser\nchain = model | StrOutputParser()")
    assert "--tool does not apply to a chain" in asking.refused(
        f"%%azureml $chain --tool $get_weather --auto\n{QUESTION}"
    )
