"""The seam to IPython's display system."""

from __future__ import annotations

import pytest

from azml_magics.core.response import Response
from azml_magics.display.table import TableOutput
from azml_magics.display.text_output import TextOutput
from azml_magics.notebook import publishing


@pytest.fixture
def payloads(notebook):
    """Everything that is published, in order: (whether it is an update, data)."""

    class Publisher:
        def __init__(self):
            self.payloads = []

        def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **_):
            self.payloads.append((update, data))

    before, publisher = notebook.shell.display_pub, Publisher()
    notebook.shell.display_pub = publisher
    yield publisher.payloads
    notebook.shell.display_pub = before


def test_live_text_in_a_notebook_updates_one_display(notebook, payloads):
    text = publishing.live_text(notebook.shell)
    text.add("Once")
    text.finish(Response("Once"))
    assert payloads == [
        (False, {"text/markdown": ""}),
        (True, {"text/plain": "Once", "text/markdown": "Once"}),
        (True, {"text/html": ""}),
        (True, {"text/markdown": ""}),
    ]


def test_text_and_table_outputs_are_shown_by_their_bundles(notebook):
    notebook.vars["note"] = TextOutput("a\nb")
    assert notebook.ok("note").data == {"text/plain": "a\nb"}
    notebook.vars["table"] = TableOutput(("#",), [("1",)])
    assert set(notebook.ok("table").data) == {"text/plain", "text/html"}


def test_print_warning_writes_one_line_on_stderr(capsys):
    publishing.print_warning("look here")
    assert capsys.readouterr() == ("", "azureml: look here\n")


def test_result_at_a_terminal_has_no_control_characters(terminal):
    terminal.vars["response"] = Response("a\x1b]52;c;aGk=\x07b\td\ne")
    assert terminal.ok("response").data["text/plain"] == "a]52;c;aGk=b\td\ne"


def test_result_in_a_notebook_has_no_terminal_escapes(notebook):
    notebook.vars["response"] = Response("a\x1b[1mb")
    assert notebook.ok("response").data["text/plain"] == "a[1mb"
    assert notebook.ok("str(response)").result == "a\x1b[1mb"
