"""One %%azureml cell: what goes out, what is shown, what stays."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import Interrupted
from azml_magics.core.response import Response
from azml_magics.emulator import Fault

STREAM = "application/vnd.azml.response.v1+json"


class Says:
    """A formatter whose answer is given: for how answers are shown, whatever they say."""

    def __init__(self, answer):
        self.answer = answer

    def format_request_payload(self, prompt, model_kwargs):
        return {"input_data": [prompt]}

    def format_response_payload(self, output):
        return self.answer


@pytest.fixture
def saying(asking, endpoint):
    """Run a cell whose answer is `answer`."""

    def run(answer, line=""):
        asking.vars["says"] = Says(answer)
        return asking.ok(f"%%azureml -u {endpoint.url}/score -f $says {line}\nSay it.")

    return run


# ---- the answer ------------------------------------------------------------------------------------------------


def test_result_is_response_with_exact_plain_text(asking):
    ran = asking.ok("%%azureml\nWrite a haiku about sparkling water.")
    assert isinstance(ran.result, Response)
    assert "Small bubbles rising" in ran.text
    assert ran.data["text/plain"] == ran.result.text == str(ran.result)
    assert "Small bubbles rising,  \n" in ran.data["text/markdown"]  # the lines of a poem stay apart
    assert ran.result.config == "main"
    assert asking.vars["_"] is ran.result


def test_output_is_the_same_in_every_run(asking):
    first, second = (asking.ok("%%azureml -p seed=1\nHello") for _ in range(2))
    assert (first.data, first.metadata) == (second.data, second.metadata)
    assert set(first.metadata["azml"]) == {"request"}


def test_times_and_ids_are_saved_on_demand(asking):
    asking.ok("%config AzureMLMagics.save_details = True")
    first, second = (asking.ok("%%azureml -p seed=1\nHello") for _ in range(2))
    assert first.data == second.data
    assert first.data[STREAM]["usage"] == {"prompt_tokens": 8, "completion_tokens": 10, "total_tokens": 18}
    assert set(first.metadata["azml"]) == {"latency", "time_to_first_token", "request_id", "deployment", "request"}
    assert first.metadata["azml"]["request_id"] != second.metadata["azml"]["request_id"]


def test_stream_display_begins_and_ends_empty(asking, last_body):
    ran = asking.ok("%%azureml\nHello there")
    assert last_body()["stream"] is True
    assert ran.payloads[0] == ran.payloads[-1] == {"text/markdown": ""}
    shown = [payload["text/plain"] for payload in ran.payloads[1:-2]]
    assert shown
    assert all(ran.text.startswith(text) for text in shown)


@pytest.mark.parametrize("line", ["%%azureml --no-stream", "%config AzureMLMagics.stream = False\n%%azureml"])
def test_no_stream_waits_for_whole_response(asking, last_body, line):
    *before, line = line.split("\n")
    for setting in before:
        asking.ok(setting)
    ran = asking.ok(f"{line}\nHello")
    assert "stream" not in last_body()
    assert ran.payloads == []
    assert "Hello!" in ran.text


def test_formatter_without_streaming_shows_only_the_result(asking, endpoint):
    ran = asking.ok(f"%%azureml -u {endpoint.url}/score -f gpt2 --deployment gpt2-2023-06\nOnce")
    assert ran.payloads == []
    assert "not a language model" in ran.text


def test_server_that_ignores_stream_is_decoded(asking, endpoint):
    endpoint.script([Fault("big", size=100)])
    assert "This sentence is repeated" in asking.ok("%%azureml\nHello").text


@pytest.mark.parametrize("fault", ["no-done", "done-no-space", "crlf", "split", "buffered", "no-usage"])
def test_odd_streams_give_the_same_response(asking, endpoint, fault):
    plain = asking.ok("%%azureml\nHello").text
    endpoint.script([Fault(fault)])
    assert asking.ok("%%azureml\nHello").text == plain


def test_quiet_shows_nothing_and_stores_response(asking):
    ran = asking.ok("%%azureml -q\nHello")
    assert (ran.result, ran.payloads, ran.stdout, ran.stderr) == (None, [], "", "")
    assert "Hello!" in asking.ok("%azureml last").text


def test_output_stores_response(asking):
    ran = asking.ok("%%azureml -o answer\nHello")
    assert asking.vars["answer"] is ran.result
    asking.ok("%%azureml -q -o quiet\nHello")
    assert asking.vars["quiet"].text == ran.result.text


@pytest.mark.parametrize("name", ["my answer", "1st", "class", "a.b", "''"])
def test_output_refuses_what_is_not_a_variable_name(asking, endpoint, name):
    before = len(endpoint.requests)
    assert asking.refused(f"%%azureml -o '{name}'\nHello").startswith("UsageError: -o takes the name of a variable")
    assert len(endpoint.requests) == before


def test_failed_cell_leaves_output_variable_unchanged(asking, endpoint):
    asking.vars["answer"] = "before"
    endpoint.script([Fault("401")])
    asking.refused("%%azureml -o answer\nHello")
    assert asking.vars["answer"] == "before"


# ---- formats ---------------------------------------------------------------------------------------------------

FENCED = 'Here you are:\n\n```json\n{"a": [1, 2]}\n```\nAnything else?'


@pytest.mark.parametrize(
    "answer",
    ['{"a": [1, 2]}', FENCED, 'Sure! {"a": [1, 2]} is it.', '~~~\n{"a": [1, 2]}\n~~~', '```json\n{"a": [1, 2]}'],
)
def test_json_is_parsed_out_of_fences_and_prose(saying, answer):
    ran = saying(answer, "-F json")
    assert ran.result.parsed == {"a": [1, 2]}
    assert ran.text == answer
    assert ran.data["text/markdown"] == '```json\n{\n  "a": [\n    1,\n    2\n  ]\n}\n```'
    assert ran.stderr == ""


@pytest.mark.parametrize("answer", ["I would rather not.", '{"a": [1, 2', "{}-shaped", ""])
def test_failed_json_parse_keeps_text_and_warns(saying, answer):
    ran = saying(answer or "nothing", "-F json")
    assert ran.text == (answer or "nothing")
    assert ran.result.parsed is None
    assert ran.stderr == "azureml: The response contains no JSON; it is kept as text.\n"


def test_code_is_first_block_in_its_language(saying):
    ran = saying("Try this:\n\n```sql\nSELECT 1 < 2;\n```\n\nor\n\n```python\n1\n```\n", "-F code")
    assert ran.result.parsed == "SELECT 1 < 2;"
    assert ran.data["text/markdown"] == "```sql\nSELECT 1 < 2;\n```"


def test_code_without_fence_is_whole_text(saying):
    ran = saying("print(1)", "-F code")
    assert ran.result.parsed == "print(1)"
    assert ran.data["text/markdown"] == "```python\nprint(1)\n```"


def test_code_with_inner_fences_is_one_block(saying):
    inner = "print('```')\n```\n"
    ran = saying(f"````python\n{inner}````", "-F code")
    assert ran.result.parsed == inner.removesuffix("\n")
    assert ran.data["text/markdown"].startswith("````python\n")
    assert ran.data["text/markdown"].endswith("\n````")


def test_text_format_is_shown_unchanged(saying):
    ran = saying("*stars* and <b>", "-F text")
    assert ran.text == "*stars* and <b>"
    assert "text/markdown" not in ran.data


def test_default_format_is_a_setting(asking, saying):
    asking.ok("%config AzureMLMagics.format = 'json'")
    assert saying("[1]").result.parsed == [1]
    assert saying("[1]", "-F markdown").result.parsed is None


def test_last_shows_response_in_its_format(asking, saying):
    saying(FENCED, "-F json")
    ran = asking.ok("%azureml last")
    assert ran.result.parsed == {"a": [1, 2]}
    assert ran.data["text/markdown"].startswith("```json\n")


def test_html_in_response_stays_text(saying):
    ran = saying("Hi <script>alert(1)</script>")
    assert ran.text == "Hi <script>alert(1)</script>"
    assert ran.data["text/markdown"] == "Hi &lt;script>alert(1)&lt;/script>"


def test_surrogate_in_response_is_replaced(saying):
    ran = saying("caf\ud83d\u00e9")
    assert ran.result.text == "caf\ud83d\u00e9"
    for text in (ran.text, ran.data["text/markdown"], ran.data[STREAM]["text"]):
        assert text == "caf\ufffd\u00e9"


def test_tool_calls_are_shown_without_text(asking, last_body):
    asking.vars["kwargs"] = {
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
    }
    ran = asking.ok("%%azureml -k $kwargs\nWhat is the weather in Oslo?")
    assert last_body()["tools"][0]["function"]["name"] == "weather"
    assert "The model asks for:" in ran.data["text/markdown"]
    assert "`weather(" in ran.data["text/markdown"]
    assert ran.data[STREAM]["tool_calls"][0]["function"]["name"] == "weather"


# ---- dry run and save ------------------------------------------------------------------------------------------


def test_dry_run_shows_masked_request_and_sends_nothing(asking, endpoint):
    ran = asking.ok("%%azureml --dry-run -p temperature=0.5 -s 'Be brief.'\nHello")
    assert len(endpoint.requests) == 0
    assert ran.text.startswith(f"POST {endpoint.url}/v1/chat/completions\n")
    assert "Authorization: Bearer **********  (env:TEST_KEY)" in ran.text
    assert '"temperature": 0.5' in ran.text
    assert '"content": "Be brief."' in ran.text


def test_dry_run_does_not_need_the_key(asking):
    assert "env:NOT_THERE" in asking.ok("%%azureml --dry-run --key env:NOT_THERE\nHello").text


def test_dry_run_is_not_in_history(asking):
    asking.ok("%%azureml --dry-run\nHello")
    assert asking.ok("%azureml history").text == "No prompt has been sent yet."


def test_save_stores_working_config(asking, last_body):
    asking.ok("%%azureml -p temperature=0.7 -s 'Be brief.' --save brief\nHello")
    asking.ok("%%azureml brief\nHello again")
    assert last_body()["temperature"] == 0.7
    assert last_body()["messages"][0] == {"role": "system", "content": "Be brief."}


def test_save_skips_failed_config(asking, endpoint):
    endpoint.script([Fault("400")] * 2)
    asking.refused("%%azureml --save broken\nHello")
    assert "broken" not in asking.ok("%azureml list").text


def test_invalid_save_name_is_refused_before_sending(asking, endpoint):
    assert "'my config' cannot name a config" in asking.refused("%%azureml --save 'my config'\nHello")
    assert len(endpoint.requests) == 0


def test_options_apply_to_one_call_only(asking, last_body):
    asking.ok("%%azureml -p temperature=0.9 -s 'Be brief.'\nHello")
    asking.ok("%%azureml\nHello")
    assert "temperature" not in last_body()
    assert [turn["role"] for turn in last_body()["messages"]] == ["user"]


# ---- what goes wrong -------------------------------------------------------------------------------------------


def test_error_before_first_token_leaves_no_output(asking, endpoint):
    endpoint.script([Fault("401")])
    assert asking.run("%%azureml\nHello").payloads == []


def test_cut_stream_leaves_partial_text_on_screen_and_in_last(asking, endpoint):
    endpoint.script([Fault("cut", after=8)])
    ran = asking.run("%%azureml\nTell me about rivers")
    assert type(ran.error).__name__ == "StreamInterruptedError"
    kept = ran.error.response.text
    assert kept
    assert ran.payloads[0] == {"text/markdown": ""}
    assert ran.payloads[-1]["text/plain"] == kept
    assert asking.ok("%azureml last").text == kept


def test_interrupt_while_drawing_keeps_text_so_far(asking, monkeypatch):
    from azml_magics.display.live_text import NotebookText

    pieces = []

    def interrupted(self, text):
        self._text += text
        pieces.append(text)
        if len(pieces) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(NotebookText, "add", interrupted)
    ran = asking.run("%%azureml\nTell me about rivers")
    assert type(ran.error) is Interrupted
    assert ran.error.response.finish_reason == "interrupted"
    assert ran.payloads[-1]["text/plain"] == ran.error.response.text != ""
    assert asking.ok("%azureml last").text == ran.error.response.text
    assert "Interrupted" in asking.ok("%azureml history").text


def test_interrupt_at_key_prompt_is_interrupted(asking, monkeypatch):
    def interrupted(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupted)
    line = asking.refused("%%azureml --key ask\nHello")
    assert line == "Interrupted: Stopped before the first token; nothing had arrived."
    assert asking.ok("%azureml last").text.startswith("No response: Stopped")


def test_error_names_its_config(asking, endpoint):
    asking.ok(f"%azureml save lost --url {endpoint.url}/score --key env:TEST_KEY")
    assert "(config 'lost')" in asking.refused("%%azureml lost\nHello")
    asking.ok("%azureml save bare -f gpt2")
    assert asking.refused("%%azureml bare\nHello").startswith("ConfigError: No endpoint URL (config 'bare').")


# ---- at a terminal ---------------------------------------------------------------------------------------------


@pytest.fixture
def typing(terminal, endpoint):
    terminal.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    return terminal


def test_terminal_streams_to_stdout_with_one_line_result(typing):
    ran = typing.ok("%%azureml\nHello there")
    tokens, _, rest = ran.stdout.partition("\n")
    assert tokens == ran.result.text
    assert rest.startswith("Out[")
    assert rest.count("\n") == 1
    assert "[main · azml-magics-demo · " in rest
    assert ran.payloads == []


@pytest.mark.parametrize("line", ["-F json", "-F code", "-F text"])
def test_terminal_shows_no_format_twice(typing, line):
    ran = typing.ok(f"%%azureml {line}\nGive me a JSON object with name and age")
    assert ran.stdout.count("not a language model") == 1


def test_terminal_shows_text_of_variable_in_later_cell(typing):
    typing.ok("answer = get_ipython().run_cell_magic('azureml', '', 'Hello there')")
    ran = typing.ok("answer")
    assert ran.result.text in ran.stdout
    assert "· stop ·" not in ran.stdout


def test_terminal_shows_unstreamed_response_as_result(typing):
    ran = typing.ok("%%azureml --no-stream\nHello there")
    assert ran.stdout.count(ran.result.text) == 1
    assert "Out[" in ran.stdout


def test_terminal_removes_control_characters(typing, endpoint, capsys):
    from azml_magics.notebook.publishing import live_text

    live = live_text(typing.shell)
    live.add("a\x1b]52;c;aGk=\x07b\x9b31mc\td\ne")
    live.finish(Response("x"))
    assert capsys.readouterr().out == "a]52;c;aGk=b31mc\td\ne\n"


def test_terminal_keeps_text_before_a_cut(typing, endpoint):
    endpoint.script([Fault("cut", after=8)])
    ran = typing.run("%%azureml\nTell me about rivers")
    kept = ran.error.response.text
    assert kept
    assert ran.stdout.startswith(f"{kept}\n")
    assert "StreamInterruptedError: " in ran.stdout


# ---- the line --------------------------------------------------------------------------------------------------


def test_backslash_continues_the_line(asking, last_body):
    asking.ok("%%azureml main \\\n  -p temperature=0.5 \\\n  -p max_tokens=7\nHello")
    assert (last_body()["temperature"], last_body()["max_tokens"]) == (0.5, 7)
    assert last_body()["messages"][-1]["content"] == "Hello"


def test_comment_ends_the_line(asking, last_body):
    asking.ok("%%azureml main -s 'no # comment' -p stop=# # the small one, for now\nHello")
    assert last_body()["messages"][0]["content"] == "no # comment"
    assert last_body()["stop"] == "#"
    assert "main" in asking.ok("%azureml list  # all of them").text
