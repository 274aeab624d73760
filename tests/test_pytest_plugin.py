"""The pytest plugin, as users' tests meet it."""

from __future__ import annotations

import os
import subprocess
import sys

from azml_magics import LLMConfig, invoke
from azml_magics.pytest_plugin import KEY, KEY_VARIABLE

FIRST_AND_SECOND = """
from azml_magics import LLMConfig, invoke

def ask(url):
    return invoke(LLMConfig(endpoint_url=f"{url}/v1/chat/completions", key="env:AZML_TEST_KEY"), "Hello").text

def test_first(azml_endpoint):
    assert ask(azml_endpoint.url).startswith("Hello!")
    assert len(azml_endpoint.requests) == 1

def test_second(azml_endpoint):
    assert azml_endpoint.requests == []
"""


def run_pytest(folder, *options):
    """Run pytest on a folder of a user's, with the plugin and no others."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_fixture_gives_each_test_a_fresh_endpoint(tmp_path):
    (tmp_path / "test_mine.py").write_text(FIRST_AND_SECOND)
    done = run_pytest(tmp_path, "-p", "azml_magics.pytest_plugin", "-W", "error")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_plugin_imports_no_server_before_a_test_asks(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "import sys\n\ndef test_mine():\n"
        "    assert 'azml_magics.pytest_plugin' in sys.modules\n"
        "    assert not {'uvicorn', 'httpx', 'pydantic', 'IPython', 'azml_magics.emulator'} & set(sys.modules)\n"
    )
    done = run_pytest(tmp_path, "-p", "azml_magics.pytest_plugin")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_key_is_in_the_environment_during_a_test(azml_endpoint):
    assert os.environ[KEY_VARIABLE] == KEY == azml_endpoint.key
    assert invoke(
        LLMConfig(endpoint_url=f"{azml_endpoint.url}/score", key=f"env:{KEY_VARIABLE}", formatter="hf"), "Hi"
    ).text


def test_reset_forgets_requests_script_rate_and_latency(azml_endpoint):
    azml_endpoint.rate, azml_endpoint.latency = 5.0, 1.0
    azml_endpoint.script([None])
    azml_endpoint.reset()
    assert (azml_endpoint.rate, azml_endpoint.latency, azml_endpoint.requests) == (0.0, 0.0, [])


EVALUATED = """
from azml_magics import LLMConfig

LETTERS = [
    {"letter": "Great service, thank you!", "label": "glad"},
    {"letter": "It came late and broken.", "label": "cross"},
    {"letter": "I love it, the best one.", "label": "cross"},
]

def config(endpoint):
    return LLMConfig(name="demo", endpoint_url=f"{endpoint.url}/v1/chat/completions", key="env:AZML_TEST_KEY")

def test_good_enough(azml_endpoint, azml_evaluate):
    evaluation = azml_evaluate(
        config(azml_endpoint), "Glad or cross? {letter}", LETTERS, expect="label", require="accuracy>=0.6"
    )
    assert evaluation.summary()[0].accuracy.n == 3

def test_not_good_enough(azml_endpoint, azml_evaluate):
    azml_evaluate(config(azml_endpoint), "Glad or cross? {letter}", LETTERS, expect="label", require="accuracy>=0.9")
"""


def test_failing_prompt_test_shows_figures_and_wrong_rows(tmp_path):
    (tmp_path / "test_mine.py").write_text(EVALUATED)
    done = run_pytest(tmp_path, "-p", "azml_magics.pytest_plugin", "-W", "error")
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "The evaluation does not meet a requirement: accuracy>=0.9: demo has 0.6667 (2 of 3)" in done.stdout
    assert "expected 'cross', got 'glad'" in done.stdout.casefold()
    assert "I love it, the best one." in done.stdout
    assert "Traceback" not in done.stdout
    assert "pytest_plugin.py" not in done.stdout
