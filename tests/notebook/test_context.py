"""The context of cells and commands, without IPython."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from azml_magics.core.errors import UsageError
from azml_magics.notebook.context import NotebookContext, Settings


@pytest.fixture
def context():
    """A context of a notebook with two variables of the user's and one of IPython's."""
    shell = SimpleNamespace(user_ns={"city": "Lisbon", "exit": "quit", "_3": "third"}, user_ns_hidden={"exit": "quit"})
    return NotebookContext(shell)


def test_variable_returns_the_notebooks_value(context):
    assert context.variable("$city") == "Lisbon"


def test_variable_prefers_the_callers_locals(context):
    assert context.with_locals({"city": "Oslo"}).variable("$city") == "Oslo"


def test_unknown_variable_suggests_the_closest_name(context):
    with pytest.raises(UsageError, match=r"There is no variable 'cty' for .cty. .*city"):
        context.variable("$cty")


def test_prompt_variables_leave_out_what_ipython_defines(context):
    assert context.prompt_variables == {"city": "Lisbon", "_3": "third"}


def test_prompt_variables_keep_a_local_named_like_a_hidden_one(context):
    assert context.with_locals({"exit": "door"}).prompt_variables["exit"] == "door"


def test_store_assigns_in_the_notebook_not_in_locals(context):
    inside = context.with_locals({"answer": 1})
    inside.store("answer", 2)
    assert context.shell.user_ns["answer"] == 2


def test_namespace_of_the_notebook_counts_as_no_locals(context):
    assert context.with_locals(context.shell.user_ns).local_variables == {}


def test_exit_callbacks_run_once_each_latest_first(context):
    ran = []
    first, second = (lambda: ran.append("first")), (lambda: ran.append("second"))
    for callback in (first, second, first):
        context.with_locals({}).on_exit(callback)
    context.close()
    context.close()
    assert ran == ["second", "first"]


def test_settings_are_read_anew():
    values = iter([Settings(stream=True), Settings(stream=False)])
    context = NotebookContext(SimpleNamespace(user_ns={}, user_ns_hidden={}), lambda: next(values))
    assert (context.settings.stream, context.settings.stream) == (True, False)
