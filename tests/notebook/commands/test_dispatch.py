"""Every verb of %azureml has a command that checks its line."""

from __future__ import annotations

import pytest

from azml_magics.notebook.commands import dispatch
from azml_magics.notebook.verbs import VERBS


def test_every_verb_has_a_command():
    commands = {*dispatch._COMMANDS, *dispatch._COMMANDS_WITHOUT_OPTIONS, "ask"}
    assert commands == set(VERBS)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "ask"])
def test_every_verb_refuses_unknown_options(notebook, verb):
    assert notebook.refused(f"%azureml {verb} --xyzzy").startswith(f"UsageError: %azureml {verb} has no option --xyzzy")
