"""The help names everything there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from azml_magics.core import wire
from azml_magics.notebook import help_text
from azml_magics.notebook.options import CELL_OPTIONS, VERBS, options_of

FLAGS = [flag for flags, _ in CELL_OPTIONS for flag in flags if flag.startswith("-")]


@pytest.mark.parametrize("flag", FLAGS)
def test_the_cells_help_names_every_option(flag):
    shown = [
        line for line in help_text.cell_help().splitlines() if flag in line.split("   ")[0].replace(",", " ").split()
    ]
    assert len(shown) == 1
    assert len(shown[0].split(flag, 1)[1].strip()) > 5  # and says what it does


@pytest.mark.parametrize("verb", list(VERBS))
def test_the_cells_help_names_every_verb(verb):
    assert any(line.strip().startswith(VERBS[verb].usage) for line in help_text.cell_help().splitlines())


@pytest.mark.parametrize("verb", list(VERBS))
def test_a_verbs_help_shows_how_it_is_written_and_its_options(verb):
    shown = help_text.verb_help(verb)
    assert shown.startswith(f"%azureml {VERBS[verb].usage}\n\n")
    for flags, keywords in options_of(verb):
        assert all(flag in shown for flag in flags if flag.startswith("-"))
        assert keywords.get("help", "") in shown


def test_braces_are_explained():
    assert "{{name}} is a literal {name}" in help_text.cell_help()


def test_lines_fit_into_a_notebook():
    assert max(map(len, help_text.cell_help().splitlines())) <= 120


def test_the_formatters_are_listed_with_what_they_speak():
    shown = help_text.verb_help("formatters")
    for name in wire.names():
        assert f"  {name} " in shown
        assert wire.get(name).description in shown


def test_an_unknown_topic_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'export'"):
        help_text.verb_help("exprt")


def test_the_help_of_everything_is_the_cells(notebook):
    assert notebook.ok("%azureml help").text == notebook.ok("%azureml").text == help_text.cell_help()
    assert notebook.ok("%azureml --help").text == help_text.cell_help()
    assert notebook.ok("%%azureml --help\n\n").text == help_text.cell_help()


def test_the_question_mark_shows_the_help(notebook):
    found = notebook.shell.object_inspect("%%azureml")
    assert found["docstring"] == help_text.cell_help()


def test_the_readmes_tables_are_fresh():
    readme = Path(__file__).parents[2] / "README.md"
    document = readme.read_text(encoding="utf-8")
    assert document.count("<!-- /") >= len(help_text.markdown_tables())
    assert help_text.refresh_tables(document) == document, "run python -m azml_magics.notebook.help_text README.md"


def test_a_stale_table_is_made_anew():
    stale = "# x\n<!-- formatters: generated -->\n| old |\n<!-- /formatters -->\nend\n"
    fresh = help_text.refresh_tables(stale)
    assert "| old |" not in fresh
    assert "| `gpt2` |" in fresh
    assert fresh.endswith("<!-- /formatters -->\nend\n")
