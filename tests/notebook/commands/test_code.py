"""%azureml code: the last call, or one with a config, as a program."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "starts"), [("", "import os"), ("--as langchain", "import os"), ("--as python", "from azml_magics import")]
)
def test_code_of_last_call_is_python(asking, line, starts):
    asking.ok("%%azureml -p temperature=0.5 -s 'Be brief.'\nHello there")
    ran = asking.ok(f"%azureml code {line}")
    assert ran.text.startswith(starts)
    assert "Hello there" in ran.text
    assert "Be brief." in ran.text
    assert "'temperature': 0.5" in ran.text
    assert "TEST_KEY" in ran.text
    assert ran.data["text/markdown"].startswith("```python\n")
    compile(ran.text, "code", "exec")


def test_code_as_curl_is_bash(asking):
    asking.ok("%%azureml\nHello there")
    ran = asking.ok("%azureml code last --as curl")
    assert ran.text.startswith("curl ")
    assert "Bearer $TEST_KEY" in ran.text
    assert ran.data["text/markdown"].startswith("```bash\n")


def test_code_of_config_sends_nothing(asking, endpoint):
    assert "'Hello'" in asking.ok("%azureml code main").text
    assert len(endpoint.requests) == 0


def test_code_runs_as_printed(asking, capsys):
    from ..conftest import KEY

    asking.ok("%%azureml\nHello there")
    for language in ("langchain", "python"):
        code = asking.ok(f"%azureml code --as {language}").text
        assert KEY not in code
        asking.vars["code"] = code
        assert "not a language model" in asking.ok("exec(code)").stdout


def test_code_after_a_chain_is_refused(asking):
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
        ("code main --as perl", "UsageError: --as takes langchain, openai, anthropic, python, curl"),
    ],
)
def test_unsupported_code_is_one_line(asking, line, error):
    assert asking.refused(f"%azureml {line}").startswith(error)
