"""The panel's conversation and its attachments in JupyterLab."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

from .shared_panel import (  # noqa: F401 - fixtures are found by their names
    new_panel,
    new_session,
    shared_errors,
    shared_page,
    shared_window,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DROP = """(panel, files) => {
  const transfer = new DataTransfer();
  for (const [name, size, head] of files) {
    const data = new Uint8Array(size);
    data.set(Uint8Array.from(atob(head), char => char.charCodeAt(0)));
    transfer.items.add(new File([data], name));
  }
  const say = type => panel.dispatchEvent(
    new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  say('dragover');
  say('drop');
}"""
PASTE = """(field, head) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(head), char => char.charCodeAt(0))], 'pasted.png'));
  field.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: transfer }));
}"""
HEAD = base64.b64encode(PNG).decode()


def turn(panel, number) -> Locator:
    """A turn of the conversation, counted from 1."""
    return panel.root.get_by_role("article").nth(number - 1)


def turns_are(panel, count):
    expect(panel.root.get_by_role("article")).to_have_count(count)


def say(panel, text):
    panel.field("Prompt").fill(text)
    panel.button("Run").click()
    panel.ends()


def test_conversation_from_first_question_to_last_branch(page, shown, panel, shot):
    panel.open("Conversation")
    panel.button("Begin").click()
    expect(panel.field("Send as")).to_have_value("chat-1")
    panel.says_in_cell("%%azureml demo -c chat-1")
    say(panel, "My name is Ada.")
    turns_are(panel, 2)
    expect(panel.field("Prompt")).to_have_value("")
    say(panel, "What is my name?")
    turns_are(panel, 4)
    expect(turn(panel, 4)).to_contain_text("Ada")
    assert re.match(r"4 · Answer · ", turn(panel, 4).get_attribute("aria-label"))
    shot("conversation")

    turn(panel, 1).get_by_role("button", name="Edit").click()  # the rest by keyboard alone
    area = panel.field("Text of the turn")
    expect(area).to_be_focused()
    area.fill("My name is Bob.")
    shot("conversation-edit")
    page.keyboard.press("Tab")
    expect(turn(panel, 1).get_by_role("button", name="Save", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(turn(panel, 1)).to_contain_text("My name is Bob.")
    turns_are(panel, 4)

    turn(panel, 3).get_by_role("button", name="Retry").press("Enter")
    panel.ends()
    expect(turn(panel, 4)).to_contain_text("Bob")
    expect(turn(panel, 4)).to_contain_text("2 of 2")
    turn(panel, 4).get_by_role("button", name="Show the branch before").press("Enter")
    expect(turn(panel, 4)).to_contain_text("Ada")
    turn(panel, 4).get_by_role("button", name="Show the next branch").press("Enter")
    expect(turn(panel, 4)).to_contain_text("Bob")

    turn(panel, 2).get_by_role("button", name="Branch").press("Enter")
    turns_are(panel, 2)
    say(panel, "Write a haiku about tea.")
    turns_are(panel, 4)
    expect(turn(panel, 3)).to_contain_text("2 of 2")
    shot("conversation-branch")
    turn(panel, 3).get_by_role("button", name="Show the branch before").click()
    expect(turn(panel, 3)).to_contain_text("What is my name?")

    turn(panel, 4).get_by_role("button", name="Delete").press("Enter")
    expect(turn(panel, 4)).to_contain_text("Ada")  # the former answer stands there again
    panel.button("Undo delete").click()
    expect(turn(panel, 4)).to_contain_text("Bob")

    cell = shown.run("%%azureml demo -c chat-1 -q\nAnd now?")
    expect(cell).to_have_count(0)
    turns_are(panel, 6)
    expect(turn(panel, 5)).to_contain_text("And now?")
    panel.button("Clear").click()
    turns_are(panel, 0)
    expect(shown.run("%azureml conversations")).to_contain_text("No conversations.")


def test_ctrl_enter_in_a_turn_saves_and_retries(page, panel):
    panel.open("Conversation")
    panel.button("Begin").click()
    panel.says_in_cell("-c chat-1")
    say(panel, "Write a haiku about tea.")
    turn(panel, 1).get_by_role("button", name="Edit").click()
    panel.field("Text of the turn").fill("Write a haiku about coffee.")
    page.keyboard.press("Control+Enter")
    expect(turn(panel, 2)).to_contain_text("2 of 2")
    panel.ends()
    expect(turn(panel, 1)).to_contain_text("coffee")
    turn(panel, 1).get_by_role("button", name="Edit").click()
    panel.field("Text of the turn").fill("Something else")
    page.keyboard.press("Escape")
    expect(panel.field("Text of the turn")).to_be_hidden()
    expect(turn(panel, 1)).to_contain_text("coffee")


def test_narrow_conversation_fits(page, panel, shot):
    panel.open("Conversation")
    panel.button("Begin").click()
    panel.says_in_cell("-c chat-1")
    say(panel, "Write 60 words about rivers, with a list of three points.")
    panel.root.evaluate("node => node.style.width = '360px'")
    shot("conversation-360")
    assert panel.root.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    boxes = panel.root.locator(".azml-turn").all()
    assert [box.evaluate("node => node.scrollWidth - node.clientWidth") for box in boxes] == [0, 0]


def files_of(panel):
    return panel.root.locator(".azml-attachment:visible")


def test_dropped_pasted_and_picked_files_are_sent(page, shown, panel, shot, tmp_path):
    panel.root.evaluate(DROP, [["cat.png", len(PNG), HEAD], ["dog.png", len(PNG), HEAD]])
    expect(files_of(panel)).to_have_text(["cat.png · PNG · 70 B", "dog.png · PNG · 70 B"])
    panel.field("Prompt").evaluate(PASTE, HEAD)
    expect(files_of(panel)).to_have_count(3)
    (tmp_path / "bird.png").write_bytes(PNG)
    with page.expect_file_chooser() as chooser:
        panel.button("Choose files (0)").click()
    chooser.value.set_files(tmp_path / "bird.png")
    expect(files_of(panel)).to_have_count(4)
    panel.field("File").fill("no-such.png")
    panel.button("Attach").click()
    panel.says("The file no-such.png cannot be read")
    shot("attachments")
    panel.root.get_by_role("button", name="Remove").nth(1).click()
    expect(files_of(panel)).to_have_text(["cat.png · PNG · 70 B", "pasted.png · PNG · 70 B", "bird.png · PNG · 70 B"])
    panel.says_in_cell("-i cat.png -i pasted.png -i bird.png")
    panel.run_prompt("What is on these pictures?")
    sent = "from azml_magics import session; [p['type'] for p in session.current().last.messages[-1]['content']]"
    expect(shown.run(sent)).to_contain_text("['text', 'image_url', 'image_url', 'image_url']")


def test_picture_of_20_mb_is_refused_in_a_line(panel, shown):
    panel.root.evaluate(DROP, [["photo.png", 20_100_000, HEAD]])
    panel.says("photo.png has 20.1 MB, and the browser can send 8.0 MB at once.")
    panel.root.evaluate(DROP, [["large.png", 7_900_000, HEAD]])
    expect(files_of(panel)).to_have_text(["large.png · PNG · 7.9 MB"])
    assert "AAAAAAAAAAAAAAAAAAAAAAAA" not in shown.save()
