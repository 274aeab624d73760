"""How a response looks while it arrives, and what stays."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.response import Response
from azml_magics.display import live
from azml_magics.display.live import LiveDisplay, NotebookText, TerminalText


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved on."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(live.time, "monotonic", lambda: Clock.now)
    return Clock


class Area:
    """An output area that notes what is shown: (whether it is an update, data), in order."""

    def __init__(self):
        self.shown = []

    def open_display(self):
        self.shown.append((False, {"text/plain": ""}))
        return self

    def update(self, data, raw):
        assert raw
        self.shown.append((True, data))

    def publish(self, data):
        self.shown.append((False, dict(data)))


@pytest.fixture
def area():
    return Area()


# ---- LiveDisplay -----------------------------------------------------------------------------------------------


def test_live_display_appears_with_the_first_update(area):
    display = LiveDisplay(area)
    display.clear()
    assert area.shown == []
    display.update(lambda: {"text/plain": "1"})
    assert area.shown == [(False, {"text/plain": ""}), (True, {"text/plain": "1"})]


def test_live_display_does_not_render_between_two_updates(area, clock):
    display = LiveDisplay(area, min_interval=0.1)
    for number in range(10):
        display.update(lambda: {"text/plain": str(number)})  # noqa: B023 - called at once
        clock.now += 0.03
    assert [data["text/plain"] for is_update, data in area.shown if is_update] == ["0", "4", "8"]


def test_live_display_sends_unchanged_data_once(area, clock):
    display = LiveDisplay(area)
    for _ in range(3):
        display.update(lambda: {"text/plain": "same"})
        clock.now += 1
    assert sum(is_update for is_update, _ in area.shown) == 1


def test_live_display_updates_a_long_output_less_often(area, clock):
    display = LiveDisplay(area)
    for number in range(100):
        display.update(lambda: {"text/plain": f"{number}" * 400_000})  # noqa: B023 - called at once
        clock.now += 0.05
    assert sum(is_update for is_update, _ in area.shown) < 10


def test_live_display_keeps_data_in_an_output_of_its_own(area):
    display = LiveDisplay(area)
    display.update(lambda: {"text/plain": "so far"})
    display.keep({"text/plain": "the end"})
    assert area.shown[-2:] == [(True, {"text/plain": ""}), (False, {"text/plain": "the end"})]


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
        (False, {"text/plain": ""}),
        (True, {"text/plain": "Once", "text/markdown": "Once"}),
        (True, {"text/plain": "Once upon", "text/markdown": "Once upon"}),
        (True, {"text/plain": "Once upon a time", "text/markdown": "Once upon a time"}),
        (True, {"text/plain": ""}),
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
        (True, {"text/plain": ""}),
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
