"""Tables as text and as HTML."""

from __future__ import annotations

from azml_magics.display.sortable_table import SortableTable
from azml_magics.display.table import Cell, TableOutput, html_table
from azml_magics.display.text_output import CodeOutput, TextOutput


def test_table_output_is_aligned_text_and_escaped_html():
    table = TableOutput(("#", "name"), [("1", "a <b>"), ("22", "two\nlines")], note="That is <all>.")
    data = table._repr_mimebundle_()
    assert data["text/plain"] == "#   name\n1   a <b>\n22  two lines\nThat is <all>."
    assert "<b>" not in data["text/html"]
    assert data["text/html"].count("<tr>") == 3
    assert "<p>That is &lt;all&gt;.</p>" in data["text/html"]


def test_table_output_without_headings_or_rows():
    table = TableOutput(("", ""), [("a", "b")])
    assert repr(table) == "a  b"
    assert table._repr_mimebundle_()["text/html"].count("<tr>") == 1
    assert repr(TableOutput(("x", "y"), [])) == "x  y"


def test_sortable_table_is_text_where_nothing_sorts_it():
    table = SortableTable.of(("config", "requests"), [("demo", 4), ("mine", None)])
    assert repr(table) == table._repr_mimebundle_()["text/plain"] == "config  requests\ndemo    4\nmine"


def test_html_table_escapes_headings_cells_and_errors():
    made = html_table(["<h>"], [["<a>"], [Cell([("<b>", "mark"), ("<c>", "")], error="<e>")]])
    assert not any(tag in made for tag in ("<h>", "<a>", "<b>", "<c>", "<e>"))
    assert "<mark>&lt;b&gt;</mark>&lt;c&gt;" in made


def test_text_and_code_outputs_are_their_text():
    assert repr(TextOutput("a\nb")) == str(TextOutput("a\nb")) == "a\nb"
    assert CodeOutput("x = 1\n")._repr_mimebundle_() == {
        "text/plain": "x = 1\n",
        "text/markdown": "```python\nx = 1\n```",
    }
