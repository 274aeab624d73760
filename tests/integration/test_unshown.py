"""Responses stay on the screen wherever a magic is called: in loops, functions, assignments and other code."""

from __future__ import annotations

import pytest

VENDOR = "application/vnd.azml.response.v1+json"


def responses(cell):
    """The texts of the responses that stay, in order, whether displays or the result."""
    return [data["text/plain"] for data in (*cell.begun, cell.result) if VENDOR in data]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("for q in ('one', 'two'):\n    %azureml ask About {q}", 2),
        (
            "for q in ('one', 'two'):\n    print(q)\n    get_ipython().run_cell_magic('azureml', '--no-stream', 'On {q}')",
            2,
        ),
        ("x = %azureml ask About one", 1),
        ("def f(q):\n    %azureml ask About {q}\nf('one'); f('two')", 2),
        ("def f(q):\n    return get_ipython().run_cell_magic('azureml', '', 'On {q}')\nf('one')\nf('two')", 2),
        ("texts = [get_ipython().run_cell_magic('azureml', '', 'On {q}').text for q in ('one', 'two')]", 2),
        ("%azureml ask About one", 1),
        ("%%time\n%azureml ask About one", 1),
        ("%azureml ask About one\n1 + 1", 1),
        ("if True:\n    %azureml ask About one", 1),
        ("%%azureml -q\nAbout one", 0),
        ("for q in ('one',):\n    get_ipython().run_cell_magic('azureml', '-q', 'On {q}')", 0),
        ("for q in ('one',):\n    get_ipython().run_cell_magic('azureml', '-n 2', 'On {q}')", 1),
    ],
)
def test_response_stays_once(kernel, source, count):
    cell = kernel.ok(source)
    assert len(responses(cell)) == count
    assert all(update == {"text/markdown": ""} for update in cell.updates[-1:])


def test_response_in_a_loop_stands_between_what_is_printed(kernel):
    cell = kernel.ok("for q in ('one', 'two'):\n    print('before', q)\n    %azureml ask About {q}")
    kinds = [
        message["msg_type"]
        for message in cell.messages
        if message["msg_type"] == "stream" or VENDOR in message["content"].get("data", {})
    ]
    assert kinds == ["stream", "display_data"] * 2


def test_table_in_a_loop_stays(kernel):
    cell = kernel.ok("for n in (2, 2):\n    get_ipython().run_cell_magic('azureml', '-n $n', 'Hi')")
    assert len([data for data in cell.begun if "<table" in data.get("text/html", "")]) == 2


def test_responses_of_a_cell_that_fails_stay(kernel):
    cell = kernel.run("x = [get_ipython().run_line_magic('azureml', 'ask About one')]\n1 / 0")
    assert cell.error["ename"] == "ZeroDivisionError"
    assert len(responses(cell)) == 1


def test_run_script_leaves_its_responses(kernel, tmp_path):
    (tmp_path / "script.ipy").write_text("for q in ('one', 'two'):\n    %azureml ask About {q}\n")
    assert len(responses(kernel.ok(f"%run {tmp_path / 'script.ipy'}"))) == 2
