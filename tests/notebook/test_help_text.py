"""The help names everything there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from azml_magics.core import wire
from azml_magics.notebook import args, help_text, verbs
from azml_magics.notebook.options import CELL_OPTIONS
from azml_magics.notebook.verbs import VERB_GROUPS, VERBS, options_of

FLAGS = [flag for flags, _ in CELL_OPTIONS for flag in flags if flag.startswith("-")]


@pytest.mark.parametrize("flag", FLAGS)
def test_cell_help_lists_every_option(flag):
    options = help_text.cell_help().partition("%%azureml [CONFIG] [options]")[2].splitlines()
    shown = [line for line in options if flag in line.split("   ")[0].replace(",", " ").split()]
    assert len(shown) == 1
    assert len(shown[0].split(flag, 1)[1].strip()) > 5  # and says what it does


@pytest.mark.parametrize("verb", list(VERBS))
def test_cell_help_lists_every_verb(verb):
    assert any(line.strip().startswith(VERBS[verb].usage) for line in help_text.cell_help().splitlines())


@pytest.mark.parametrize("verb", list(VERBS))
def test_verb_help_shows_usage_and_options(verb):
    shown = help_text.verb_help(verb)
    assert shown.startswith(f"%azureml {VERBS[verb].usage}\n\n")
    for flags, keywords in options_of(verb):
        assert all(flag in shown for flag in flags if flag.startswith("-"))
        assert keywords.get("help", "") in shown


def test_help_explains_braces():
    assert "{{name}} is a literal {name}" in help_text.cell_help()


def test_help_lines_fit_into_a_notebook():
    assert max(map(len, help_text.cell_help().splitlines())) <= 120


def test_formatters_are_listed_with_descriptions():
    shown = help_text.verb_help("formatters")
    for name in wire.names():
        assert f"  {name} " in shown
        assert wire.get(name).description in shown


def test_unknown_topic_suggests_closest():
    with pytest.raises(ValueError, match="Did you mean 'export'"):
        help_text.verb_help("exprt")


def test_help_begins_with_examples_and_verbs():
    shown = help_text.cell_help()
    assert shown.startswith("A local endpoint to try everything")
    places = [
        shown.index(text) for text in ("%azureml demo\n", "Write a haiku about {city}", "-c trip", "%azureml VERB")
    ]
    places += [shown.index(f"\n{group}\n") for group in VERB_GROUPS]
    places.append(shown.index("%%azureml [CONFIG] [options]"))
    assert places == sorted(places)


def test_every_verb_is_in_one_group():
    grouped = [name for names in VERB_GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(verbs._VERBS) <= set(grouped)
    assert list(VERBS) == [name for name in grouped if name in VERBS]


@pytest.mark.parametrize(
    ("verb", "line"), [(v, line) for v, found in help_text._VERB_EXAMPLES.items() for line, _ in found]
)
def test_examples_of_verbs_can_be_typed(verb, line):
    name, rest = args.split_verb(line)
    assert name == verb
    assert f"  %azureml {line}  " in help_text.verb_help(verb)
    if verb != "ask":
        args.parser_of(verb).parse(args.split_words(rest))


def test_help_without_topic_is_cell_help(notebook):
    assert notebook.ok("%azureml help").text == help_text.cell_help()
    assert notebook.ok("%azureml --help").text == help_text.cell_help()
    assert notebook.ok("%%azureml --help\n\n").text == help_text.cell_help()


def test_question_mark_shows_help(notebook):
    found = notebook.shell.object_inspect("%%azureml")
    assert found["docstring"] == help_text.cell_help()


def test_tables_of_the_documentation_are_up_to_date():
    pages = [path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "docs").rglob("*.md")]
    for page in pages:
        assert help_text.refresh_tables(page) == page, "run: python -m azml_magics.notebook.help_text"
    for name, table in help_text.markdown_tables().items():
        assert any(table in page for page in pages), f"the markers of {name} are gone"


def test_refresh_pages_returns_the_stale_ones(tmp_path):
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "stale.md").write_text("<!-- formatters: x -->\n| old |\n<!-- /formatters -->\n")
    (tmp_path / "plain.md").write_text("# No table\n")
    assert help_text.refresh_pages(tmp_path) == [tmp_path / "guides" / "stale.md"]
    assert help_text.refresh_pages(tmp_path) == []


def test_refresh_replaces_stale_table():
    stale = "# x\n<!-- formatters: generated -->\n| old |\n<!-- /formatters -->\nend\n"
    fresh = help_text.refresh_tables(stale)
    assert "| old |" not in fresh
    assert "| `gpt2` |" in fresh
    assert fresh.endswith("<!-- /formatters -->\nend\n")
