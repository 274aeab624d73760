"""How things look while they stream, and what stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.response import Response, Usage
from azml_magics.notebook import display
from azml_magics.notebook.display import Live, Note, Table


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved on."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(display.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def screen(notebook):
    """Every payload that was published, in order."""

    class Publisher:
        def __init__(self):
            self.payloads = []

        def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **_):
            self.payloads.append((update, data))

    before, publisher = notebook.shell.display_pub, Publisher()
    notebook.shell.display_pub = publisher
    yield publisher
    notebook.shell.display_pub = before


# ---- while it streams ------------------------------------------------------------------------------------------


def test_nothing_is_shown_before_the_first_text(notebook, screen):
    live = Live(notebook.shell)
    live.keep()
    live.done(Response(""))
    assert screen.payloads == []


def test_it_begins_empty_grows_and_ends_empty(notebook, screen, clock):
    live = Live(notebook.shell)
    for text in ("Once", " upon", " a time"):
        live.add(text)
        clock.now += 1
    live.done(Response("Once upon a time"))
    assert screen.payloads == [
        (False, {"text/plain": ""}),
        (True, {"text/plain": "Once", "text/markdown": "Once"}),
        (True, {"text/plain": "Once upon", "text/markdown": "Once upon"}),
        (True, {"text/plain": "Once upon a time", "text/markdown": "Once upon a time"}),
        (True, {"text/plain": ""}),
    ]


@pytest.mark.parametrize("tokens_a_second", [1, 15, 20, 80, 1_000, 20_000])
def test_at_most_twenty_updates_a_second_however_fast_tokens_come(notebook, screen, clock, tokens_a_second):
    live = Live(notebook.shell)
    seconds = 3
    for _ in range(tokens_a_second * seconds):
        live.add("x ")
        clock.now += 1 / tokens_a_second
    updates = sum(update for update, _ in screen.payloads)
    assert updates <= 20 * seconds + 1
    assert updates >= min(tokens_a_second, 5) * seconds * 0.5  # and it does move


def test_an_early_end_leaves_all_that_came(notebook, screen, clock):
    live = Live(notebook.shell)
    live.add("Once")
    live.add(" upon")  # within the same frame: not drawn yet
    live.keep()
    # nbval and others know no updates: the transient output is empty to them, and what is kept is one of its own
    assert screen.payloads[-2:] == [
        (True, {"text/plain": ""}),
        (False, {"text/plain": "Once upon", "text/markdown": "Once upon"}),
    ]


def test_html_is_dead_while_it_streams(notebook, screen):
    Live(notebook.shell).add("<script>alert(1)</script>")
    assert screen.payloads[-1][1]["text/markdown"] == "&lt;script>alert(1)&lt;/script>"


def test_half_a_character_does_not_stop_the_stream(notebook, screen):
    Live(notebook.shell).add("caf\ud83d")
    json.dumps(screen.payloads[-1][1], ensure_ascii=False).encode()
    assert screen.payloads[-1][1]["text/plain"] == "caf\ufffd"


# ---- responses -------------------------------------------------------------------------------------------------


@given(
    st.text(st.characters(), max_size=60),
    st.sampled_from(["markdown", "text", "json", "code"]),
    st.none() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s), max_leaves=5),
)
def test_any_response_has_a_bundle_that_can_be_sent(text, shown_as, parsed):
    data, metadata = display.response_bundle(Response(text, parsed=parsed, format=shown_as, usage=Usage(1, 2, 3)))
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    json.dumps(metadata).encode()
    if text.isascii():
        assert data["text/plain"] == text


def test_an_answer_without_text_says_so():
    assert display.response_bundle(Response(""))[0]["text/markdown"] == "*(no text)*"


def test_the_summary_is_one_short_line():
    response = Response("x", config="prod", finish_reason="stop", usage=Usage(3, 42, 45), latency=1.26)
    assert display.summary(response) == "[prod · stop · 42 tokens · 1.3 s]"
    assert display.summary(Response("x")) == "[0.0 s]"


def test_a_fence_is_longer_than_any_inside():
    assert display.fenced("a\n````\nb", "md") == "`````md\na\n````\nb\n`````"


def test_code_for_a_diagram_is_not_run_as_html():
    answer = "```mermaid\n<img src=x onerror=alert(1)>\n```"
    shown = display.markdown_of(Response(answer, parsed="<img src=x onerror=alert(1)>", format="code"))
    assert shown == "```mermaid\n&lt;img src=x onerror=alert(1)>\n```"


def test_a_response_in_a_list_shows_no_more_than_its_fields():
    assert "Secret" not in repr([Response("x")])


# ---- notes and tables ------------------------------------------------------------------------------------------


def test_a_note_is_its_text(notebook):
    notebook.vars["note"] = Note("a\nb")
    assert notebook.ok("note").data == {"text/plain": "a\nb"}


def test_a_table_is_aligned_text_and_escaped_html(notebook):
    table = Table(("#", "name"), [("1", "a <b>"), ("22", "two\nlines")], note="That is <all>.")
    notebook.vars["table"] = table
    data = notebook.ok("table").data
    assert data["text/plain"] == "#   name\n1   a <b>\n22  two lines\nThat is <all>."
    assert "<b>" not in data["text/html"]
    assert data["text/html"].count("<tr>") == 3
    assert "<p>That is &lt;all&gt;.</p>" in data["text/html"]


def test_a_table_without_headings_or_rows():
    assert repr(Table(("", ""), [("a", "b")])) == "a  b"
    assert repr(Table(("x", "y"), [])) == "x  y"


def test_a_warning_is_one_line_on_stderr(capsys):
    display.warn("look here")
    assert capsys.readouterr() == ("", "azureml: look here\n")
