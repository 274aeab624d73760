"""How many clicks, keys and texts the daily work in the panel takes: the table in docs/how-to/panel.md, counted in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

from .panel_page import SHOW
from .shared_panel import (  # noqa: F401 - fixtures are found by their names
    new_panel,
    new_session,
    shared_errors,
    shared_page,
    shared_window,
)

DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "panel.md"

# A text is one gesture, however long it is. Lists of the browser's own are chosen from without events of the page.
COUNT = """() => {
    window.gestures = [];
    const add = name => { if (name !== 'type' || gestures.at(-1) !== 'type') gestures.push(name); };
    const onClick = event => event.isTrusted && add('click');
    const onKey = event => {
        const isModifier = ['Control', 'Shift', 'Alt', 'Meta'].includes(event.key);
        if (event.isTrusted && !isModifier) {
            const isText = event.key.length === 1 && !event.ctrlKey;
            add(isText ? 'type' : (event.ctrlKey ? 'Ctrl+' : '') + event.key);
        }
    };
    addEventListener('pointerdown', onClick, true);
    addEventListener('keydown', onKey, true);
    window.stopCounting = () => {
        removeEventListener('pointerdown', onClick, true);
        removeEventListener('keydown', onKey, true);
        return gestures.join(', ');
    };
}"""


# How far from the left edge of a field a text ends.
PLACE = """(field, text) => {
    const style = getComputedStyle(field);
    const canvas = document.createElement('canvas').getContext('2d');
    canvas.font = style.font;
    return parseFloat(style.borderLeftWidth) + parseFloat(style.paddingLeft) + canvas.measureText(text).width;
}"""


class Hands:
    """Does what a user does with mouse and keyboard."""

    def __init__(self, page, panel):
        self.page, self.panel = page, panel
        page.evaluate(COUNT)

    def click(self, target):
        target.click()

    def type(self, text):
        self.page.keyboard.type(text)

    def press(self, key):
        self.page.keyboard.press(key)

    def choose(self, field, option):
        self.page.evaluate("gestures.push('choose')")
        field.select_option(option)

    def run(self):
        self.page.evaluate("gestures.push('Ctrl+Enter')")  # the panel's own listener lets no other one hear it
        self.press("Control+Enter")
        self.panel.ends()

    @property
    def gestures(self):
        return self.page.evaluate("stopCounting()")


@pytest.fixture
def hands(page, panel):
    """Hands on a panel that has run two prompts."""
    panel.run_prompt("Say 'first'")
    panel.run_prompt("Say 'secnd'")
    return Hands(page, panel)


def documented(beginning):
    """The gestures that the documentation names for something."""
    (line,) = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {beginning}")]
    return line.strip("| ").split(" | ")[1]


def test_change_a_kwarg_and_see_the_next_answer(hands, panel):
    hands.click(panel.row("temperature").get_by_role("textbox"))
    hands.type("0.2")
    hands.run()
    panel.says_in_cell("temperature=0.2")
    expect(panel.lines.filter(has_text="settings changed")).to_have_count(0)
    assert hands.gestures == documented("Change the temperature")


def test_fix_a_typo_and_run_again(hands, panel):
    at = panel.field("Prompt").evaluate(PLACE, "Say 'sec")
    panel.field("Prompt").click(position={"x": at, "y": 12})
    hands.type("o")
    hands.run()
    expect(panel.result).to_contain_text("second")
    assert hands.gestures == documented("Fix a typo")


def test_go_back_to_the_version_before(hands, panel):
    hands.click(panel.root.get_by_role("tab", name="Versions", exact=True))
    hands.click(panel.field("Versions").locator("option").nth(1))
    hands.click(panel.button("Restore"))
    expect(panel.field("Prompt")).to_have_value("Say 'first'")
    assert hands.gestures == documented("Go back")


def test_compare_with_another_config(hands, panel):
    hands.click(panel.root.get_by_role("button", name="Compare").first)
    hands.click(panel.field("With configs").locator("option").first)
    hands.click(panel.button("Compare"))
    panel.ends()
    panel.says("2 responses")
    assert hands.gestures == documented("Compare with another")


def test_from_a_url_to_an_exported_config(page, shown, panel):
    started = "walk = Emulator(key='walked', rate=500).start(); walk.url + '/v1/chat/completions'"
    url = shown.run(started).inner_text().strip("'")
    shown.run("%unload_ext azml_magics\n%load_ext azml_magics")
    shown.run(SHOW)
    hands = Hands(page, panel)
    hands.click(panel.button("Connect my endpoint"))
    expect(panel.field("Endpoint URL")).to_be_focused()
    hands.type(url)
    hands.press("Tab")
    hands.press("Tab")
    hands.type("walked")
    hands.press("Tab")
    hands.press("Enter")
    panel.says("Saved as local for this session.")
    hands.click(panel.field("Prompt"))
    hands.type("Write a haiku about tea.")
    hands.run()
    for temperature in ("0.2", "0.4", "0.6"):
        hands.click(panel.row("temperature").get_by_role("textbox"))
        hands.press("Control+a")
        hands.type(temperature)
        hands.run()
    hands.click(panel.button("More"))
    hands.click(panel.root.get_by_role("button", name="Keep"))
    panel.says("Kept local beyond this kernel")
    hands.click(panel.button("More"))
    hands.click(panel.root.get_by_role("button", name="Export").first)
    expect(panel.field("File")).to_be_focused()
    hands.press("Enter")
    panel.says("Exported to local.json, without the key.")
    shown.run("from azml_magics import kept_configs; kept_configs.forget('local')")
    assert f"{len(hands.gestures.split(', '))} in all" == documented("Paste a URL")
