"""A response's text while it arrives: after what it waits for and the model's thoughts."""

from __future__ import annotations

import io
import json
import sys

import pytest

from azml_magics.core.http.waiting import Waiting
from azml_magics.core.response import Response, ToolRun
from azml_magics.display.live_text import NotebookText, TerminalText

# ---- NotebookText ----------------------------------------------------------------------------------------------


def test_notebook_text_shows_nothing_before_the_first_text(area):
    text = NotebookText(area)
    text.keep()
    text.finish(Response(""))
    assert area.shown == []


def test_notebook_text_starts_empty_grows_and_ends_empty(area, clock):
    text = NotebookText(area)
    for piece in ("Once", " upon", " a time"):
        text.add(piece)
        clock.now += 1
    text.finish(Response("Once upon a time"))
    assert area.shown == [
        (False, {"text/markdown": ""}),
        (True, {"text/plain": "Once", "text/markdown": "Once"}),
        (True, {"text/plain": "Once upon", "text/markdown": "Once upon"}),
        (True, {"text/plain": "Once upon a time", "text/markdown": "Once upon a time"}),
        (True, {"text/html": ""}),
        (True, {"text/markdown": ""}),
    ]


@pytest.mark.parametrize("tokens_a_second", [1, 15, 20, 80, 1_000, 20_000])
def test_notebook_text_updates_at_most_twenty_times_a_second(area, clock, tokens_a_second):
    text = NotebookText(area)
    seconds = 3
    for _ in range(tokens_a_second * seconds):
        text.add("x ")
        clock.now += 1 / tokens_a_second
    updates = sum(is_update for is_update, _ in area.shown)
    assert updates <= 20 * seconds + 1
    assert updates >= min(tokens_a_second, 5) * seconds * 0.5  # and it does move


def test_notebook_text_keeps_all_text_after_an_early_end(area, clock):
    text = NotebookText(area)
    text.add("Once")
    text.add(" upon")  # within the same interval: not drawn yet
    text.keep()
    # nbval and others know no updates: the live display is empty to them, and the text is an output of its own
    assert area.shown[-2:] == [
        (True, {"text/markdown": ""}),
        (False, {"text/plain": "Once upon", "text/markdown": "Once upon"}),
    ]


def test_notebook_text_escapes_html(area):
    NotebookText(area).add("<script>alert(1)</script>")
    assert area.shown[-1][1]["text/markdown"] == "&lt;script>alert(1)&lt;/script>"


def test_notebook_text_replaces_half_characters(area):
    NotebookText(area).add("caf\ud83d")
    json.dumps(area.shown[-1][1], ensure_ascii=False).encode()
    assert area.shown[-1][1]["text/plain"] == "caf\ufffd"


# ---- TerminalText ----------------------------------------------------------------------------------------------


def test_terminal_text_writes_each_piece_once_without_control_characters(capsys):
    finished = []
    text = TerminalText(finished.append)
    text.add("a\x1b]52;c;aGk=\x07b")
    text.add("\x9b31mc\td\ne")
    text.finish(Response("x"))
    assert capsys.readouterr().out == "a]52;c;aGk=b31mc\td\ne\n"
    assert finished == [Response("x")]


def test_terminal_text_writes_replaced_text_when_it_is_whole(capsys):
    text = TerminalText()
    text.replace("{")
    text.replace('{"a": 1}')
    assert capsys.readouterr().out == ""
    text.keep()
    assert capsys.readouterr().out == '{"a": 1}\n'


def test_terminal_text_keeps_nothing_if_nothing_came(capsys):
    TerminalText().keep()
    assert capsys.readouterr().out == ""


# ---- waiting and thoughts --------------------------------------------------------------------------------------

WAITING = Waiting("429", 12.0, 2, 3)


def test_notebook_text_shows_what_it_waits_for_and_ends_empty(area):
    text = NotebookText(area)
    text.wait(WAITING)
    assert area.shown[-1][1]["text/plain"] == "429: waiting 12 s, try 2 of 3"
    text.wait(None)
    assert area.shown[-1] == (True, {"text/markdown": ""})
    text.add("Once")
    text.wait(None)
    assert area.shown[-1][1]["text/plain"] == "Once"


def test_notebook_text_that_failed_after_waiting_is_empty(area):
    text = NotebookText(area)
    text.wait(WAITING)
    text.keep()
    assert area.shown[-1] == (True, {"text/markdown": ""})


def test_notebook_text_shows_growing_thoughts_and_folds_them(area, clock):
    text = NotebookText(area)
    text.add_reasoning("Hm")
    assert area.shown[-1][1]["text/markdown"].startswith("<details open")
    assert area.shown[-1][1]["text/plain"] == ""
    clock.now += 1
    text.add("Yes")
    shown = area.shown[-1][1]
    assert shown["text/plain"] == "Yes"
    assert shown["text/markdown"].startswith("<details style")
    assert shown["text/markdown"].endswith("</details>\n\nYes")


@pytest.mark.parametrize(("mode", "shows"), [("open", True), ("folded", True), ("hidden", False)])
def test_notebook_text_keeps_thoughts_unless_they_are_hidden(area, mode, shows):
    text = NotebookText(area, mode)
    text.add_reasoning("Hm")
    text.keep()
    assert any("Hm" in data.get("text/markdown", "") for _, data in area.shown) is shows


def test_text_before_a_late_end_of_thoughts_becomes_thoughts(area, clock, capsys):
    texts = NotebookText(area), TerminalText()
    for text in texts:
        text.add("Hm.")
        clock.now += 1
        text.retract()
        text.add("Yes.")
        text.finish(Response("Yes."))
    shown = next(data for _, data in reversed(area.shown) if data.get("text/plain") == "Yes.")
    assert shown["text/markdown"].startswith("<details style")
    assert "Hm." in shown["text/markdown"]
    assert capsys.readouterr().out == "Hm.\n\nYes.\n"


def test_terminal_text_writes_thoughts_only_if_open(capsys):
    for mode in ("folded", "hidden", "open"):
        text = TerminalText(show_reasoning=mode)
        text.add_reasoning("Hm.")
        text.add("Yes.")
        text.finish(Response("Yes."))
    assert capsys.readouterr().out == "Yes.\nYes.\nHm.\n\nYes.\n"


def test_terminal_removes_the_line_about_a_wait(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    text = TerminalText()
    text.wait(WAITING)
    assert stream.getvalue() == "\razureml: 429: waiting 12 s, try 2 of 3"
    text.wait(None)
    assert stream.getvalue().endswith("\r" + " " * 38 + "\r")


BEGUN = ToolRun("get_sales", '{"region": "North"}', id="a")
ENDED = ToolRun("get_sales", '{"region": "North"}', "1200", id="a")


def test_calls_of_tools_stand_above_the_text_that_follows(area):
    live = NotebookText(area)
    live.add("Let me look.")
    live.show_tool_run(BEGUN)
    assert area.shown[-1][1]["text/plain"] == 'Let me look.\nget_sales(region="North") …'
    live.show_tool_run(ENDED)
    live.add("They sold 1200.")
    live.keep()
    kept = area.shown[-1][1]
    assert kept["text/plain"] == 'Let me look.\nget_sales(region="North") → 1200\nThey sold 1200.'
    assert kept["text/markdown"].count("<details") == 1


def test_a_terminal_writes_a_line_for_a_call_and_one_for_its_result(capsys):
    live = TerminalText()
    live.add("Let me look.")
    live.show_tool_run(BEGUN)
    live.show_tool_run(ENDED)
    live.add("They sold 1200.")
    live.finish(Response("They sold 1200."))
    assert capsys.readouterr().out == 'Let me look.\nget_sales(region="North")\n  → 1200\nThey sold 1200.\n'
