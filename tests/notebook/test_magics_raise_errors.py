"""%config AzureMLMagics.raise_errors = False: an error of ours is an output, and what comes after it runs."""

from __future__ import annotations

import html
import re

import pytest
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from azml_magics.core.errors import Interrupted
from azml_magics.display.live import EMPTY
from azml_magics.display.live_text import NotebookText
from azml_magics.emulator import Fault
from azml_magics.langchain import from_config
from azml_magics.notebook import cell_config
from azml_magics.session import current

from .conftest import KEY

SHOW = "%config AzureMLMagics.raise_errors = False"


class Loaves(BaseModel):
    loaves: int


@pytest.fixture
def showing(asking):
    """A notebook with the config `main` that shows errors."""
    asking.ok(SHOW)
    return asking


def shown_by(notebook, source):
    """The error that a cell shows as the last of its outputs: nothing is raised, returned or written beside it."""
    kept = dict(notebook.vars["_oh"])
    ran = notebook.ok(source)
    assert ran.result is None
    assert notebook.vars["_oh"] == kept
    assert ran.stderr == ""
    assert set(ran.payloads[-1]) == {"text/plain", "text/html"}
    line = ran.payloads[-1]["text/plain"]
    assert html.unescape(re.sub(r"<[^>]*>", "", ran.payloads[-1]["text/html"])) == line
    return line


@pytest.mark.parametrize(
    "source",
    [
        "%%azureml --frobnicate\nHello",
        "%%azureml nowhere\nHello",
        "%%azureml --key env:NOT_THERE\nHello",
        "%%azureml --key 0123456789\nHello",
        "%%azureml\nHello {nobody}",
        "%%azureml\n\n",
        "%%azureml -n 0\nHello",
        "%%azureml --compare main,nowhere\nHello",
        "%%azureml --each $places\nHello",
        "%azureml ask Hello {nobody}",
        "%azureml sve main",
        "%azureml use nowhere;",
        "%azureml last",
        "%azureml repair",
    ],
)
def test_error_is_shown_as_its_one_line(asking, source):
    line = asking.refused(source)
    asking.ok(SHOW)
    assert shown_by(asking, source) == line
    asking.ok("%config AzureMLMagics.raise_errors = True")
    assert asking.refused(source) == line


def test_rest_of_cell_and_next_cell_run(showing):
    showing.ok("%azureml use nowhere\nwent_on = True")
    assert showing.ok("went_on").result is True
    assert "Hello" in showing.ok("%%azureml\nHello").text


def test_markup_in_error_is_escaped(showing):
    ran = showing.ok("%%azureml <script>alert(1)</script>&\nHello")
    assert "<script>alert(1)</script>&" in ran.payloads[-1]["text/plain"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in ran.payloads[-1]["text/html"]
    assert re.findall(r"<[^>]*>", ran.payloads[-1]["text/html"])[1:] == ["</pre>"]


def test_partial_text_stays_above_the_error(showing, endpoint):
    endpoint.script([Fault("cut", after=8)])
    ran = showing.ok("%%azureml\nTell me about rivers")
    kept = showing.ok("%azureml last").text
    assert ran.payloads[0] == EMPTY
    assert ran.payloads[-2]["text/plain"] == kept != ""
    assert ran.payloads[-1]["text/plain"].startswith("StreamInterruptedError: The stream broke off")


def test_output_variable_is_unchanged(showing, endpoint):
    showing.vars["answer"] = "mine"
    endpoint.script([Fault("401")])
    assert shown_by(showing, "%%azureml -o answer\nHello").startswith("AuthenticationError: ")
    assert showing.vars["answer"] == "mine"


def test_last_and_history_have_the_error(showing, endpoint):
    endpoint.script([Fault("401")])
    shown_by(showing, "%%azureml\nHello")
    shown_by(showing, "%azureml last --tracebak")  # a slip does not hide it
    traced = showing.ok("%azureml last --traceback").text
    assert traced.startswith("Traceback (most recent call last):")
    assert "AuthenticationError: " in traced
    assert showing.ok("%azureml last").text.startswith("No response: The endpoint did not accept the key (401)")
    assert "AuthenticationError: " in showing.ok("%azureml history").text


def test_response_that_does_not_match_can_be_repaired(showing, endpoint):
    answers = ['{"loaves": "many"}', '{"loaves": 3}']

    class Says:
        def format_request_payload(self, prompt, model_kwargs):
            return {"input_data": [prompt]}

        def format_response_payload(self, output):
            return answers.pop(0)

    showing.vars.update(says=Says(), Loaves=Loaves)
    cell = f"%%azureml -u {endpoint.url}/score -f $says --key env:TEST_KEY --schema $Loaves -o order\nHow many?"
    assert shown_by(showing, cell).startswith("SchemaError: ")
    assert "order" not in showing.vars
    assert showing.ok("%azureml repair").result.parsed == Loaves(loaves=3)
    assert showing.vars["order"].parsed == Loaves(loaves=3)


def test_rows_that_end_early_keep_results(showing, endpoint):
    showing.vars["places"] = [{"place": f"river {n}"} for n in range(30)]
    endpoint.script([None] * 4 + [Fault("401")] * 30)
    line = shown_by(showing, "%%azureml --each $places --concurrency 1 -o out\nWrite about {place}.")
    assert line.startswith("RowsError: The run ended after 4 of 30 rows: AuthenticationError: ")
    assert [row["error"] for row in showing.vars["out"]] == [None] * 4 + ["not sent"] * 26


def test_side_by_side_errors_are_in_their_rows(showing, endpoint):
    endpoint.script([Fault("401"), None])
    batch = showing.ok("%%azureml -n 2\nHello").result
    assert sum(row.error is not None for row in batch) == 1


def test_key_echoed_by_endpoint_is_masked(showing, endpoint):
    endpoint.script([Fault("400", message=f"bad key {KEY}")] * 2)
    ran = showing.ok("%%azureml\nHello")
    assert "bad key **" in ran.payloads[-1]["text/plain"]
    assert KEY not in str(ran.payloads)


def test_terminal_shows_the_line(terminal, endpoint, capsys):
    terminal.ok(SHOW)
    terminal.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY;")
    terminal.shell.run_cell("%%azureml\nHello {nobody}")
    said = capsys.readouterr()
    assert said.out.startswith("UndefinedVariableError: The prompt uses {nobody}")
    assert (said.out.count("\n"), said.err) == (1, "")


# ---- what is raised all the same -------------------------------------------------------------------------------


def test_interrupt_is_raised(showing, monkeypatch):
    def interrupted(self, text):
        self._text += text
        raise KeyboardInterrupt

    monkeypatch.setattr(NotebookText, "add", interrupted)
    ran = showing.run("%%azureml\nTell me about rivers")
    assert type(ran.error) is Interrupted
    assert ran.payloads[-1]["text/plain"] == ran.error.response.text != ""


def test_interrupt_between_steps_is_raised(showing, monkeypatch):
    def interrupted(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(cell_config, "resolve_config", interrupted)
    assert showing.refused("%%azureml\nHello").startswith("Interrupted: ")


def test_error_of_users_chain_is_shown(showing):
    showing.vars["broken"] = RunnableLambda(lambda text: 1 / 0)
    assert "ZeroDivisionError" in shown_by(showing, "%%azureml $broken\nHello")


def test_endpoint_error_in_chain_is_shown(showing, endpoint):
    showing.vars["chain"] = RunnableLambda(str.strip) | from_config(current().get("main"))
    endpoint.script([Fault("401")])
    assert shown_by(showing, "%%azureml $chain\nHello").startswith("AuthenticationError: ")


def test_foreign_error_is_raised(showing, monkeypatch):
    def failing(*_given):
        return 1 / 0

    monkeypatch.setattr(cell_config, "resolve_config", failing)
    assert type(showing.run("%%azureml\nHello").error) is ZeroDivisionError
