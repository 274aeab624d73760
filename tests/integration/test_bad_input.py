"""Common mistakes in a real kernel: one line that says what to do, and nothing lost that had arrived."""

from __future__ import annotations

import pytest

from azml_magics.emulator import Fault

CUSTOM = """
class Mine:
    def format_request_payload(self, prompt, model_kwargs):
        {encode}
    def format_response_payload(self, output):
        {decode}
mine = Mine()
"""


# ---- what is typed ---------------------------------------------------------------------------------------------


def test_mistyped_option(kernel):
    line = kernel.refused("%%azureml --formater gpt2\nHello", "UsageError")
    assert line == (
        "UsageError: %%azureml has no option --formater. Did you mean '--formatter'? `%azureml help` lists the options."
    )


def test_model_kwarg_typed_as_option(kernel):
    assert "-p temperature=…" in kernel.refused("%%azureml --temperature 0.2\nHello", "UsageError")


def test_mistyped_verb(kernel):
    assert "no verb 'exprt'. Did you mean 'export'?" in kernel.refused("%azureml exprt main x.json", "UsageError")


def test_mistyped_config(kernel):
    assert "No config named 'mian'. Did you mean 'main'?" in kernel.refused("%%azureml mian\nHello", "UnknownNameError")


def test_mistyped_formatter(kernel, endpoint):
    line = kernel.refused(f"%%azureml -u {endpoint.url}/score -f doly\nHello", "UnknownNameError")
    assert "Did you mean 'dolly'?" in line


def test_mistyped_choice(kernel):
    line = kernel.refused("%%azureml -F markdwon\nHello", "UsageError")
    assert line == "UsageError: --format takes markdown, text, json, code. Did you mean 'markdown'?"


def test_misspelled_kwarg_is_sent_with_a_warning(kernel, endpoint):
    cell = kernel.ok("%%azureml -p temprature=0.2\nHello")
    assert cell.stream("stderr") == (
        "azureml: the model kwarg 'temprature' is sent as it is. Did you mean 'temperature'?\n"
    )
    assert endpoint.requests[-1].json()["temprature"] == 0.2


def test_mistyped_variable_reference(kernel):
    kernel.ok("formatter = 1")
    line = kernel.refused("%%azureml -f $formater\nHello", "UsageError")
    assert line == "UsageError: There is no variable 'formater' for $formater. Did you mean 'formatter'?"


@pytest.mark.parametrize("line", ['-s "be brief', "-s 'be brief", "main it's"])
def test_unclosed_quote(kernel, line):
    assert "a quote is not closed" in kernel.refused(f"%%azureml {line}\nHello", "UsageError")


def test_undefined_variable(kernel, endpoint):
    kernel.ok("topic = 'rivers'")
    line = kernel.refused("%%azureml\nTell me about {topci}", "UndefinedVariableError")
    for way_out in ("Did you mean 'topic'?", "--var topci=", "{{topci}}", "-t none"):
        assert way_out in line
    assert len(endpoint.requests) == 0


@pytest.mark.parametrize(
    "prompt",
    [
        '{"name": {"first": "x"}, "list": [{}, {"a": []}]}',
        r"Explain \frac{a}{b}, \sqrt{2} and \begin{align} x_{1}^{2} \end{align}",
        "{}",
        "f'{value:>8} {value!r} {a.b} {c[0]} {1 + 1}'",
        "{% if user %}{{ user.name }}{% endif %} {# note #}",
        "function f() { return {}; } body { color: red }",
        "{{literal}}",
    ],
)
def test_prompt_full_of_braces(kernel, endpoint, prompt):
    kernel.ok(f"%%azureml -q\n{prompt}")
    sent = endpoint.requests[-1].json()["messages"][0]["content"]
    assert sent == prompt.replace("{{literal}}", "{literal}")


# ---- what is missing -------------------------------------------------------------------------------------------


def test_no_config(bare):
    line = bare.refused("%%azureml\nHello", "ConfigError")
    assert "%azureml demo" in line
    assert "%azureml save NAME --url URL" in line


def test_no_url(bare):
    bare.ok("%azureml save half -f gpt2")
    line = bare.refused("%%azureml\nHello", "ConfigError")
    assert line.startswith("ConfigError: No endpoint URL (config 'half'). Give one with --url")


def test_no_formatter(kernel, endpoint):
    line = kernel.refused(f"%%azureml -u {endpoint.url}/score\nHello", "ConfigError")
    assert "Choose one with -f: openai, openai-chat," in line


def test_no_key(kernel):
    line = kernel.refused("%%azureml --key env:NOT_THERE\nHello", "KeyNotFoundError")
    for way_out in ("NOT_THERE", "getpass", "--key ask", "--key keyring:SERVICE/NAME", "--key entra"):
        assert way_out in line


def test_no_prompt(kernel):
    assert "There is no prompt" in kernel.refused("%%azureml\n \n", "PromptError")


# ---- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["--key sk-lit3ral", "--key=sk-lit3ral", "--key 'Bearer sk-lit3ral'"])
def test_literal_key_on_the_line(kernel, endpoint, line):
    cell = kernel.run(f"%%azureml {line}\nHello")
    assert cell.error["ename"] == "KeyRefusedError"
    assert "a key itself would stay in the notebook and its history" in cell.error["evalue"]
    assert "lit3ral" not in str([m["content"] for m in cell.messages if m["msg_type"] != "execute_input"])
    assert len(endpoint.requests) == 0


def test_http_to_another_machine(kernel):
    line = kernel.refused("%%azureml -u http://example.com/v1/chat/completions --key env:KEY\nHello", "ConfigError")
    assert line.startswith(
        "ConfigError: http://example.com would carry the key in clear text to another machine (config "
    )


def test_formatter_of_another_endpoint_type(kernel):
    line = kernel.refused("%%azureml -f gpt2\nHello", "ConfigError")
    assert line.startswith(
        "ConfigError: The formatter 'gpt2' works with dedicated endpoints, and this one is serverless"
    )


def test_formatter_of_another_route(kernel, endpoint):
    line = kernel.refused(f"%%azureml -u {endpoint.url}/generate -f dolly\nHello", "ConfigError")
    assert line.startswith("ConfigError: The formatter 'dolly' cannot be used on /generate")


# ---- files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{\n    "deployment_name": "blue",\n    "model_', "is not complete JSON"),
        ("", "is not complete JSON"),
        ('{"cells": [], "nbformat": 4}', "is not a saved config: it has no _type"),
        ("[1]", "is not a saved config: it is a list"),
        ('{"_type": "openai"}', "its _type is 'openai'"),
    ],
)
def test_truncated_or_foreign_file(kernel, home, content, said):
    (home / "work" / "there.json").write_text(content)
    line = kernel.refused("%azureml import there.json", "DocumentError")
    assert line.startswith("DocumentError: there.json ")
    assert said in line
    assert [
        row[1] for row in kernel.value("[tuple(r) for r in get_ipython().run_line_magic('azureml', 'list').rows]")
    ] == ["main"]


# ---- replies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["", "--no-stream"])
@pytest.mark.parametrize(
    "case",
    [
        ("html-200", "ResponseFormatError", "HTML page"),
        ("html-error", "ServiceUnavailableError", "an HTML page, 'Internal Server Error'"),
        ("empty", "ResponseFormatError", "empty body"),
        ("empty-object", "ModelError", "returned status 200 with {}"),
        ("null-output", "ModelError", "max_tokens is too large"),
        ("error-string", "ModelError", "CUDA out of memory"),
        ("other-format", "ResponseFormatError", "NEUTRAL"),
        ("nan", "ResponseFormatError", ""),
        ("401", "AuthenticationError", "did not accept the key (401)"),
        ("404", "NotFoundError", "no deployment with traffic"),
        ("408", "APITimeoutError", "request_timeout_ms"),
        ("413", "BadRequestError", "too large"),
        ("422", "BadRequestError", "parameters"),
        ("424", "ModelError", "scoring script"),
        ("429;retry_after=0", "RateLimitError", "Too many requests"),
        ("503;retry_after=0", "ServiceUnavailableError", ""),
        ("content-filter", "ContentFilterError", "Rephrase"),
        ("redirect", "NotFoundError", "redirects elsewhere"),
        ("dropped", "APIConnectionError", "127.0.0.1"),
    ],
)
def test_body_without_response(kernel, endpoint, case, line):
    fault, ename, said = case
    url = f"'{endpoint.url}/v1/chat/completions?emulator-fault={fault}'"
    shown = kernel.refused(f"%%azureml --retries 0 -u {url} {line}\nHello", ename)
    assert said in shown
    assert "(config 'main'" in shown


def test_body_of_another_wire_format(kernel, endpoint):
    line = kernel.refused(
        f"%%azureml -u {endpoint.url}/score?emulator-fault=other-format -f dolly\nHello", "ResponseFormatError"
    )
    assert "Choose the formatter of this deployment with -f" in line


@pytest.mark.parametrize("fault", ["cut;after=8", "error-event;after=8", "error-data;after=8"])
def test_cut_stream_keeps_partial_text(kernel, endpoint, fault):
    url = f"'{endpoint.url}/v1/chat/completions?emulator-fault={fault}'"
    cell = kernel.run(f"%%azureml -u {url}\nTell me about rivers")
    assert cell.error["ename"] in {"StreamInterruptedError", "ModelError"}
    assert len(cell.error["traceback"]) == 1
    assert cell.begun[0] == cell.updates[-1] == {"text/markdown": ""}
    kept = cell.begun[1]["text/plain"]
    assert kept.startswith("A model would")
    assert kernel.ok("%azureml last").text == kept


def test_stream_that_ends_without_its_marker_is_a_response(kernel, endpoint):
    url = f"'{endpoint.url}/v1/chat/completions?emulator-fault=short;after=8'"
    cell = kernel.ok(f"%%azureml -u {url}\nTell me about rivers")
    assert cell.text.startswith("A model would")
    assert kernel.value("_.finish_reason") is None


def test_broken_stream_keeps_partial_text(kernel, endpoint):
    url = f"'{endpoint.url}/v1/chat/completions?emulator-fault=bad-json;after=8'"
    cell = kernel.run(f"%%azureml -u {url}\nTell me about rivers")
    assert cell.error["ename"] == "ResponseFormatError"
    assert kernel.ok("%azureml last").text == cell.begun[-1]["text/plain"] != ""


def test_cut_body_without_streaming(kernel, endpoint):
    for fault in ("truncated", "cut"):
        endpoint.script([Fault(fault)])
        cell = kernel.run(f"%%azureml -u {endpoint.url}/score -f dolly\nHello")
        assert cell.error["ename"] in {"ResponseFormatError", "APIConnectionError"}
        assert len(cell.error["traceback"]) == 1


def test_unreachable_endpoint(kernel):
    line = kernel.refused(
        "%%azureml --retries 0 -u http://127.0.0.1:9/v1/chat/completions\nHello", "APIConnectionError"
    )
    assert "127.0.0.1:9" in line


# ---- custom formatters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encode", "decode", "said"),
    [
        ("raise KeyError('inputs')", "return 'x'", "Mine.format_request_payload raised KeyError: 'inputs'"),
        (
            "return {'input_data': [prompt]}",
            "return output['answer']",
            "Mine.format_response_payload raised TypeError: ",
        ),
        (
            "return {'input_data': [prompt]}",
            "return 1 / 0",
            "Mine.format_response_payload raised ZeroDivisionError: division by zero",
        ),
        ("return 3", "return 'x'", "Mine.format_request_payload returned int"),
        ("return {'input_data': [prompt]}", "return 3", "Mine.format_response_payload returned int"),
        ("return {'input_data': [prompt]}", "return None", "Mine.format_response_payload returned NoneType"),
    ],
)
def test_custom_formatter_that_raises_or_returns_nonsense(kernel, endpoint, encode, decode, said):
    kernel.ok(CUSTOM.format(encode=encode, decode=decode))
    line = kernel.refused(f"%%azureml -u {endpoint.url}/score -f $mine\nHello", "FormatterError")
    assert line.startswith(f"FormatterError: {said}")


def test_last_shows_traceback_of_custom_formatter(kernel, endpoint):
    kernel.ok(CUSTOM.format(encode="return {'input_data': [prompt]}", decode="return output['answer']"))
    kernel.run(f"%%azureml -u {endpoint.url}/score -f $mine\nHello")
    assert "return output['answer']" in kernel.ok("%azureml last --traceback").text
