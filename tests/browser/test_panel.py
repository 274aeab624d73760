"""The panel in JupyterLab, used without any magics."""

from __future__ import annotations

import ast
import itertools
import json
import re

import pytest

from .panel_page import SHOW, PanelPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

from .panel_walks import find_violations, use_only_the_keyboard
from .shared_panel import (  # noqa: F401 - fixtures are found by their names
    new_panel,
    new_session,
    shared_errors,
    shared_page,
    shared_window,
)


def test_choose_change_run_and_stream(page, shown, panel):
    shown.run("faulty.rate = 15")  # tokens a second
    panel.field("Config").select_option("demo-llama2")
    panel.says_in_cell("%%azureml demo-llama2")
    panel.field("Config").select_option("faulty")
    panel.field("Prompt").fill("Write 120 words about tea.")
    panel.says_in_cell("%%azureml faulty\nWrite 120 words about tea.")

    panel.slider("temperature").focus()
    page.keyboard.press("ArrowLeft")
    expect(panel.row("temperature").get_by_role("textbox")).to_have_value("0.95")
    panel.says_in_cell("-p temperature=0.95")
    panel.says("unsaved changes")
    panel.type("max_tokens", "200")
    panel.says_in_cell("-p max_tokens=200")

    panel.button("Run").click()
    expect(panel.button("Stop")).to_be_enabled()
    expect(panel.result).to_contain_text("Tea is made")
    begun = panel.result.inner_text()
    expect(panel.button("Run")).to_be_disabled()  # text has arrived and the run continues
    panel.ends()
    assert len(panel.result.inner_text()) > len(begun)
    assert panel.result.inner_text().startswith(begun.strip()[:20])


@pytest.mark.parametrize("width", [1200, 700, 360, 280])
def test_endpoint_formatter_and_kwargs_are_in_sight_when_it_opens(panel, width):
    panel.root.evaluate("(panel, width) => { panel.style.maxWidth = `${width}px`; }", width)
    top = panel.root.bounding_box()["y"]
    endpoint = panel.root.get_by_role("button", name=re.compile("Endpoint: "))
    kwargs = [panel.row(name) for name in ("temperature", "top_p", "max_tokens")]
    for each in (endpoint, panel.field("Formatter"), *kwargs, panel.button("Run")):
        box = each.bounding_box()
        assert box["y"] + box["height"] - top < 480  # pixels: half of a small screen
    assert panel.root.evaluate("panel => panel.scrollWidth <= panel.clientWidth")


OFF_GRID = {
    "temperature": 0.17,
    "top_p": 0.013,
    "max_tokens": 7,
    "presence_penalty": 0.033,
    "frequency_penalty": -1.999,
}


def test_drawing_waiting_and_redrawing_leave_values_as_they_are(page, shown, panel):
    kwargs = " ".join(f"{name}={value}" for name, value in OFF_GRID.items())
    shown.run(f"run('save exact --from demo-chat {kwargs} stop=[\\'END\\'] seed=12345678901')")
    panel.field("Config").select_option("exact")
    panel.says_in_cell("%%azureml exact")
    page.wait_for_timeout(1500)  # for what the controls echo
    panel.field("Config").select_option("demo-llama2")
    panel.says_in_cell("%%azureml demo-llama2")
    panel.field("Config").select_option("exact")
    panel.says_in_cell("%%azureml exact")
    page.wait_for_timeout(1500)
    panel.run_prompt("Write a haiku about sparkling water.")
    assert "-p" not in panel.cell.input_value()
    sent = shown.run("from azml_magics import session; dict(session.current().last.config.model_kwargs)").inner_text()
    for name, value in {**OFF_GRID, "seed": 12345678901}.items():
        assert f"'{name}': {value}" in sent


TYPED = {  # as typed -> as sent
    "temperature": ("0.17", 0.17),
    "top_p": ("1e-7", 1e-07),
    "max_tokens": ("123457", 123457),
    "frequency_penalty": ("-3", -3),
    "presence_penalty": ("1", 1),
    "seed": ("-1", -1),
    "tool_choice": ('{"a": {b}}', '{"a": {b}}'),
    "max_completion_tokens": ("7", 7),
    "reasoning_effort": ("{topic} {{x}}", "{topic} {{x}}"),
    "verbosity": ("0.10", "0.10"),
}


def test_request_holds_exactly_what_was_typed(page, shown, panel):
    panel.open("Other model kwargs")
    for name, (typed, _) in TYPED.items():
        panel.row(name).get_by_role("textbox").fill(typed)
        page.keyboard.press("Tab")
    panel.says("below the documented minimum of -2; it is sent")
    panel.settles()
    page.wait_for_timeout(1000)  # for what the controls echo
    panel.field("Config").select_option("demo-llama2")
    panel.says_in_cell("%%azureml demo-llama2")
    panel.field("Config").select_option("demo")
    panel.says_in_cell("%%azureml demo ")
    for name, (typed, _) in TYPED.items():
        expect(panel.row(name).get_by_role("textbox")).to_have_value("1e-07" if typed == "1e-7" else typed)
    panel.run_prompt("Write a haiku about sparkling water.")
    sent = "from azml_magics import session; dict(session.current().last.config.model_kwargs)"
    assert ast.literal_eval(shown.run(sent).inner_text()) == {name: value for name, (_, value) in TYPED.items()}


def test_whole_loop_by_keyboard(page, shown, panel):
    use_only_the_keyboard(page, shown, panel)


# A page whose thread in the kernel is not there yet sends some messages through another one: they overtake each other.
DELAY_TYPED = """() => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const send = kernel._sendMessage.bind(kernel);
  kernel._sendMessage = (message, queue) =>
    message.content?.data?.state?.value?.startsWith?.('Say') ? setTimeout(send, 700, message, queue) : send(message, queue);
}"""


def test_run_waits_for_text_that_was_overtaken(page, shown, panel):
    page.evaluate(DELAY_TYPED)
    panel.field("Prompt").focus()
    page.keyboard.type("Say 'typed fast'", delay=0)
    page.keyboard.press("Control+Enter")
    expect(panel.result).to_contain_text("typed fast")


def test_focus_returns_to_the_button_that_was_disabled_meanwhile(page, panel):
    panel.field("Prompt").fill("Say 'tea'")
    panel.button("Run").focus()
    page.keyboard.press("Enter")
    expect(panel.result).to_contain_text("tea")
    panel.ends()
    expect(panel.button("Run")).to_be_focused()


def test_missing_key_leads_to_its_field(page, panel):
    panel.open("Endpoint")
    panel.root.get_by_role("textbox", name="Key", exact=True).fill("env:NOT_THERE")
    page.keyboard.press("Enter")
    panel.root.get_by_role("button", name=re.compile("Endpoint: ")).click()
    panel.field("Prompt").fill("Hello")
    page.keyboard.press("Control+Enter")
    panel.says("NOT_THERE is not set")
    panel.button("Type the key").focus()
    page.keyboard.press("Enter")
    expect(panel.root.get_by_label("API key", exact=True).locator("visible=true")).to_be_focused()


def test_wrong_kwarg_is_reported_beside_it_and_not_sent(page, panel):
    panel.type("max_tokens", "many")
    panel.says("'many' is not a whole number")
    panel.field("Prompt").fill("Hello")
    panel.button("Run").click()
    panel.says("max_tokens: 'many' is not a whole number.")
    panel.row("max_tokens").get_by_title("Do not send max_tokens").click()
    expect(panel.field("max_tokens")).to_have_value("")
    expect(panel.lines.filter(has_text=re.compile("^'many' is not"))).to_have_count(0)

    panel.open("Other model kwargs")
    rest = panel.field("Others, JSON")
    rest.fill('{"logprobs": tru')
    panel.field("Prompt").click()
    panel.says("not JSON at column 14")
    expect(rest).to_have_value('{"logprobs": tru')
    rest.fill('{"logprobs": true}')
    panel.field("Prompt").click()
    panel.says_in_cell("-p logprobs=true")

    panel.row("temperature").get_by_role("textbox").fill("9")
    page.keyboard.press("Tab")
    panel.says("above the documented maximum of 2; it is sent")


def test_stop_sequences_are_tags(page, panel):
    panel.open("Other model kwargs")
    stop = panel.field("stop")
    stop.click()
    for tag in ("END", "\\n\\n"):
        page.keyboard.type(tag)
        page.keyboard.press("Enter")
        expect(stop).to_have_value("")
    panel.says_in_cell("""-p 'stop=["END", "\\n\\n"]'""")
    expect(stop).to_be_focused()  # else the next keys would be the notebook's shortcuts
    page.keyboard.type("left")
    panel.field("seed").click()
    panel.says_in_cell("""-p 'stop=["END", "\\n\\n", "left"]'""")
    expect(panel.field("seed")).to_be_focused()
    panel.row("stop").locator(".jupyter-widget-tag-close").first.click()
    panel.says_in_cell("""-p 'stop=["\\n\\n", "left"]'""")
    panel.row("stop").get_by_title("Do not send stop").click()
    expect(panel.row("stop").locator(".jupyter-widget-tag-close")).to_have_count(0)


def test_variables_come_from_the_notebook_or_the_panel(shown, panel):
    panel.field("Prompt").fill("Say '{topic} and {other}'")
    expect(panel.field("{topic}")).to_have_attribute("placeholder", "notebook: sparkling water")
    expect(panel.field("{other}")).to_have_attribute("placeholder", "not in the notebook: type a value")
    panel.button("Run").click()
    panel.says("other")
    expect(panel.result).not_to_contain_text("sparkling")

    shown.run("topic = 'lemonade'")
    expect(panel.field("{topic}")).to_have_attribute("placeholder", "notebook: lemonade")
    panel.type("{other}", "tea")
    panel.says_in_cell("-v other=tea")
    panel.button("Run").click()
    panel.ends()
    expect(panel.result).to_contain_text("lemonade and tea")


def test_stop_before_and_during_the_response(shown, panel):
    shown.run("faulty.script([Fault('slow', seconds=600), Fault('stalled', after=12)])")
    panel.field("Config").select_option("faulty")
    panel.field("Prompt").fill("Write 100 words about tea.")
    panel.says_in_cell("%%azureml faulty\nWrite 100 words about tea.")
    panel.button("Run").click()
    expect(panel.button("Stop")).to_be_enabled()
    panel.button("Stop").click()
    panel.says("Stopped before any text arrived.")
    panel.ends()

    panel.button("Run").click()
    expect(panel.result).to_contain_text("Tea is made")
    expect(shown.run("6 * 7")).to_have_text("42")  # a cell runs meanwhile
    expect(panel.button("Stop")).to_be_enabled()
    panel.button("Stop").click()
    panel.says("Stopped. The text received so far is kept.")
    panel.ends()
    expect(panel.result).to_contain_text("Tea is made")


def test_configs_and_values_are_compared_in_columns(page, shown, panel):
    shown.run("run('save second --from demo-chat'), run('save third --from demo-chat')")
    panel.field("Config").select_option("demo-chat")
    panel.field("Prompt").fill("Tell me about balance on a bicycle.")
    panel.says_in_cell("balance")
    panel.open("Compare")
    panel.field("With configs").select_option(["second", "third"])
    panel.field("Parameters").fill("temperature=0, 1")
    panel.says("3 configs x 2 values of temperature = 6 requests, prompts of about")
    expect(panel.field("Compare cell")).to_have_value(
        "%%azureml --compare demo-chat,second,third --sweep temperature=0,1\nTell me about balance on a bicycle."
    )
    panel.button("Compare").click()
    panel.says("6 responses")
    panel.ends()
    columns = panel.root.locator(".azml-column:visible")
    expect(columns).to_have_count(6)
    boxes = [columns.nth(index).bounding_box() for index in range(6)]
    assert len({round(box["y"]) for box in boxes}) == 1  # beside each other
    assert all(left["x"] + left["width"] <= right["x"] + 1 for left, right in itertools.pairwise(boxes))
    assert min(box["width"] for box in boxes) > 200
    heads = columns.locator(".azml-column-head")
    heads.first.evaluate("head => { head.textContent = 'a longer name '.repeat(9); }")
    heights = {round(heads.nth(index).bounding_box()["height"]) for index in range(6)}
    assert len(heights) == 1  # so that the responses begin at the same height
    assert heights.pop() > 40
    scrolled = panel.root.locator(".azml-compared")
    scrolled.evaluate("box => { box.style.maxHeight = '140px'; box.scrollTop = 60; }")
    assert abs(heads.first.bounding_box()["y"] - scrolled.bounding_box()["y"]) <= 2  # it stays in sight
    scrolled.evaluate("box => { box.style.maxHeight = ''; }")
    expect(columns.nth(3).locator(".azml-facts")).to_contain_text("tokens")

    panel.button("Differences").click()
    expect(columns.nth(1).locator(":is(ins, del)").first).to_be_visible()
    expect(columns.nth(0).locator("ins, del")).to_have_count(0)
    panel.field("from").select_option(index=1)
    expect(columns.nth(0).locator(":is(ins, del)").first).to_be_visible()

    columns.nth(3).locator(".azml-column-head").click()
    expect(columns.nth(3).locator(".azml-column-head")).to_have_attribute("aria-pressed", "true")
    expect(panel.field("Response of").locator("option:checked")).to_have_text("config=second, temperature=1")
    expect(panel.tab("Request")).to_contain_text('"temperature": 1')
    panel.tab("Response")
    columns.nth(3).get_by_role("button", name="Rate this response good").click()
    columns.nth(3).get_by_role("button", name="Use this").click()
    panel.says("config=second, temperature=1 is in the controls now")
    expect(panel.field("Config")).to_have_value("second")
    expect(panel.row("temperature").get_by_role("textbox")).to_have_value("1")
    panel.tab("Versions")
    expect(panel.button("Good")).to_have_attribute("aria-pressed", "true")


def test_result_tabs_show_the_last_call(panel):
    panel.run_prompt("Say 'first'")
    panel.type("max_tokens", "50")
    panel.run_prompt("Say 'second'")
    request = panel.tab("Request")
    expect(request).to_contain_text("Authorization: Bearer **********")
    expect(request).to_contain_text('"max_tokens": 50')
    expect(panel.tab("JSON")).to_contain_text('"finish_reason": "stop"')
    expect(panel.tab("Usage")).to_contain_text("completion tokens")
    code = panel.tab("Code")
    expect(code).to_contain_text("AzureMLChatOnlineEndpoint")
    panel.field("Language").select_option("curl")
    expect(code).to_contain_text("curl ")


def test_versions_are_named_rated_restored_and_undone(page, panel):
    panel.run_prompt("Say 'first'")
    panel.type("max_tokens", "50")
    panel.run_prompt("Say 'second'")
    tab = panel.tab("Versions")
    versions = panel.field("Versions")
    expect(versions.locator("option")).to_have_count(2)
    versions.focus()
    page.keyboard.press("ArrowDown")
    expect(tab.locator("del")).to_contain_text(["- Say 'first'", "first"])
    expect(tab.locator("ins")).to_contain_text(["+ Say 'second'", "+ 50", "second"])
    panel.type("Version name", "short")
    panel.button("Good").focus()
    page.keyboard.press("Enter")
    expect(versions.locator("option").nth(1)).to_contain_text("short · good")
    expect(panel.button("Good")).to_have_attribute("aria-pressed", "true")
    panel.button("Restore").click()
    expect(panel.field("Prompt")).to_have_value("Say 'first'")
    expect(panel.field("max_tokens")).to_have_value("")
    panel.says("short is shown.")
    expect(tab).to_contain_text("Nothing differs from the controls.")
    panel.button("Undo").click()
    expect(panel.field("Prompt")).to_have_value("Say 'second'")
    expect(panel.field("max_tokens")).to_have_value("50")
    expect(panel.button("Undo")).to_be_disabled()


def test_save_revert_export_delete_and_import(panel, lab):
    panel.type("max_tokens", "77")
    panel.says("unsaved changes")
    panel.button("Save as").click()
    panel.type("Save as", "mine")
    panel.says("Saved mine for this session.")
    expect(panel.field("Config")).to_have_value("mine")
    expect(panel.button("Save")).to_be_disabled()

    panel.open("Other model kwargs")
    panel.type("seed", "5")
    expect(panel.button("Save")).to_be_enabled()
    panel.button("Revert").click()
    panel.says("Unsaved changes discarded.")
    expect(panel.field("seed")).to_have_value("")
    expect(panel.field("max_tokens")).to_have_value("77")

    panel.button("Export").click()
    expect(panel.field("File")).to_have_value("mine.json")
    panel.type("File", "kept.json")
    panel.says("Exported to kept.json, without the key.")
    written = json.loads((lab.root / "kept.json").read_text())
    assert written["model_kwargs"] == {"max_tokens": 77}
    assert "AZML_DEMO_KEY" not in json.dumps(written.get("endpoint_api_key", ""))

    panel.button("More").click()
    panel.button("Delete").click()
    panel.says("Delete mine from this session?")
    panel.button("Delete").click()
    panel.says("Deleted mine.")
    expect(panel.field("Config")).not_to_have_value("mine")

    panel.button("Import").click()
    panel.type("File", "nowhere.json")
    panel.says("nowhere.json")
    panel.type("File", "kept.json")
    panel.says("Imported kept.")
    expect(panel.field("max_tokens")).to_have_value("77")


def test_typed_key_is_not_written_to_any_file(shown, panel):
    outputs = shown.run("closed = Emulator(key='sk-' + 'very-secret').start(); print(closed.url)")
    url = outputs.inner_text().strip()
    panel.button("New").click()
    panel.says("New config")
    panel.open("Endpoint")
    panel.type("URL", f"{url}/v1/chat/completions")
    panel.type("Key", "env:NO_SUCH_KEY")
    panel.says("✗ NO_SUCH_KEY is not set")
    panel.button("Test").click()
    panel.says("key: No key: the environment variable NO_SUCH_KEY is not set. Set it before starting Jupyter, or type")
    panel.type("API key", "sk-very-secret")
    expect(panel.field("API key")).to_have_value("")
    panel.says("✓ typed, for this session")
    expect(panel.field("Key")).to_have_value("ask")
    panel.button("Detect").click()
    panel.says("Detected openai-chat: its /info says")
    panel.button("Probe").click()
    panel.says("Detected openai-chat")
    panel.button("Test").click()
    panel.says("It works")
    expect(panel.run_prompt("Say 'found'")).to_contain_text("found")
    expect(panel.tab("Request")).to_contain_text("Authorization: Bearer **********")
    panel.button("Save").click()
    panel.type("Save as", "typed")
    panel.says("Saved typed for this session.")

    saved = shown.save()
    assert "application/vnd.jupyter.widget-state+json" in saved
    assert "env:NO_SUCH_KEY" in saved or "API key" in saved  # the state of the panel's own widgets
    assert "sk-very-secret" not in saved
    assert "azml-magics panel (" in saved  # shown if widgets are not available


def test_unreachable_endpoint_is_reported_in_place(panel):
    panel.open("Endpoint")
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.button("Test").click()
    panel.says("reach: ")
    panel.field("Prompt").fill("Hello")
    panel.says_in_cell("Hello")
    panel.button("Run").click()
    panel.says("Cannot connect to 127.0.0.1:9")
    panel.ends()


@pytest.mark.parametrize("width", [1100, 360, 280])
def test_found_deployments_show_state_and_key_without_scrolling(page, shown, panel, shot, width):
    shown.run("run('demo --azure')")
    panel.button("More").click()
    panel.button("Connect").click()
    panel.button("Find").click()
    table = panel.root.locator(".azml-found table")
    expect(table.locator("th").nth(2)).to_have_text("key")
    panel.root.evaluate("(panel, width) => { panel.style.maxWidth = `${width}px`; }", width)
    shot(f"found-{width}")
    sizes = table.evaluate("""table => {
        const text = cell => { const range = document.createRange(); range.selectNodeContents(cell);
            return range.getBoundingClientRect(); };
        const page = table.closest('.azml-found').getBoundingClientRect();
        return {
            beyond: Math.max(...[...table.querySelectorAll('td:nth-child(-n+3)')].map(cell => text(cell).right - page.right)),
            spare: Math.max(...[...table.rows].map(row =>
                row.getBoundingClientRect().height - Math.max(...[...row.cells].map(cell => text(cell).height)))),
        };
    }""")
    assert sizes["beyond"] <= 0
    assert sizes["spare"] <= 8  # the padding
    panel.button("Cancel").click()
    shown.run("run('demo')")


def test_cell_can_be_copied_or_inserted(page, panel):

    def clipboard():
        return page.evaluate("navigator.clipboard.readText()")

    panel.field("Prompt").fill("Say 'copied'")
    panel.says_in_cell("copied")
    panel.button("Copy").click()
    panel.says("Copied")
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('copied'))")
    assert clipboard() == "%%azureml demo\nSay 'copied'"

    # a handler inserts the cell: the clipboard stays unchanged
    page.evaluate("""
        window.inserted = [];
        window.listener = event => { inserted.push(event.detail.text); event.preventDefault(); event.stopPropagation(); };
        window.addEventListener("azml-magics:insert-cell", listener, true);
    """)
    panel.field("Prompt").fill("Say 'inserted'")
    panel.says_in_cell("inserted")
    panel.button("Insert cell").click()
    page.wait_for_function("inserted.length")
    assert page.evaluate("inserted") == ["%%azureml demo\nSay 'inserted'"]
    assert clipboard() == "%%azureml demo\nSay 'copied'"

    # no handler
    page.evaluate("""
        window.removeEventListener("azml-magics:insert-cell", listener, true);
        window.addEventListener("azml-magics:insert-cell", event => event.stopPropagation(), true);
    """)
    panel.button("Insert cell").click()
    panel.says("Inserted. Without the JupyterLab extension it is in the clipboard")
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('inserted'))")

    panel.tab("Code")
    panel.root.locator(".jupyter-widget-TabPanel-tabContents").get_by_role("button", name="Copy").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('AzureMLChatOnlineEndpoint'))")


def test_cells_and_second_view_share_the_panel(page, shown, panel):
    shown.run("%azureml use demo-chat")
    expect(panel.field("Config")).to_have_value("demo-chat")
    shown.run("%azureml save quick --from demo temperature=0.1")
    shown.run("%azureml use quick")
    expect(panel.field("Config")).to_have_value("quick")
    expect(panel.row("temperature").get_by_role("textbox")).to_have_value("0.1")
    shown.run("%%azureml\nSay 'in a cell'")
    expect(panel.tab("Versions").locator("option").first).to_have_text(re.compile("in.a.cell"))

    shown.run(SHOW, 3)
    second = PanelPage(page, 1)
    expect(second.field("Config")).to_have_value("quick")
    second.field("Prompt").fill("Say 'twice'")
    expect(panel.field("Prompt")).to_have_value("Say 'twice'")
    second.button("Run").click()
    second.ends()
    expect(panel.tab("Response")).to_contain_text("twice")
    expect(second.result).to_contain_text("twice")
    shown.run("None", 3)
    expect(page.locator(".azml-panel")).to_have_count(1)


def test_panel_survives_clearing_and_page_reload(page, shown, panel):
    panel.field("Prompt").fill("Write 200 words about tea.")
    panel.says_in_cell("200 words")
    panel.button("Run").click()
    expect(panel.result).to_contain_text("Tea is made")
    shown.notebook.select(1)
    shown.notebook.command("notebook:clear-cell-output")  # while the response streams
    expect(page.locator(".azml-panel")).to_have_count(0)
    shown.notebook.run(1)
    expect(panel.field("Prompt")).to_have_value("Write 200 words about tea.")
    expect(panel.result).to_contain_text("Tea is made")
    panel.ends()

    shown.save()
    shown.notebook.reload()
    expect(panel.field("Prompt")).to_have_value("Write 200 words about tea.", timeout=30_000)
    expect(panel.result).to_contain_text("Tea is made")
    expect(panel.run_prompt("Say 'back'")).to_contain_text("back")


def test_panel_works_after_kernel_restart(shown, panel):
    panel.run_prompt("Say 'before'")
    shown.notebook.restart_kernel()
    shown.notebook.wait_for_kernel()
    shown.restart_session()
    expect(panel.run_prompt("Say 'after'")).to_contain_text("after")


def test_kernel_restart_during_a_run_is_said_and_loses_no_prompt(page, shown, panel):
    history = "%config AzureMLMagics.history_file = 'history.jsonl'"
    shown.run(f"{history}\nfaulty.script([Fault('stalled', after=12)]); run('use faulty')")
    panel.field("Prompt").fill("Write 100 words about {drink}.")
    panel.type("{drink}", "tea")
    panel.says_in_cell("-v drink=tea")
    panel.button("Run").click()
    expect(panel.result).to_contain_text("Tea is made")
    shown.notebook.restart_kernel()
    expect(panel.root.get_by_role("alert")).to_contain_text("Run %azureml panel for a new one.")
    expect(panel.field("Prompt")).to_have_value("Write 100 words about {drink}.")

    shown.notebook.wait_for_kernel()
    shown.run(f"%load_ext azml_magics\n{history}")
    shown.notebook.run(1)
    # the endpoint ends with the kernel: if it is quicker, the text so far is recorded
    panel.says(
        re.compile("The kernel was restarted during this run: its answer is lost|last run before the kernel was")
    )
    expect(panel.field("Prompt")).to_have_value("Write 100 words about {drink}.")
    expect(panel.root.get_by_role("alert")).to_have_count(0)
    shown.run("%config AzureMLMagics.history_file = ''")


def test_html_in_a_response_does_nothing(page, panel):
    hostile = "<img src=x onerror=top.p=1><script>top.p=1</script>"  # short enough to be repeated by the demo endpoint
    response = panel.run_prompt(hostile)
    expect(response).to_contain_text(hostile)
    expect(response.locator("img, script")).to_have_count(0)
    panel.open("Compare")
    panel.type("Times", "3")
    panel.says("3 requests")
    panel.button("Compare").click()
    panel.says("3 responses")
    columns = panel.root.locator(".azml-column:visible")
    expect(columns.filter(has_text="onerror=top.p")).to_have_count(3)
    expect(columns.locator("img, script")).to_have_count(0)
    for tab in ("Request", "JSON", "Code", "Usage", "Versions"):
        expect(panel.tab(tab)).to_be_visible()
    assert page.evaluate("top.p") is None


def test_page_stays_usable_after_two_megabyte_response(shown, panel):
    shown.run("faulty.script([Fault('big', size=2_000_000)])")
    panel.field("Config").select_option("faulty")
    response = panel.run_prompt("Write a lot.")
    expect(response).to_contain_text("more characters. %azureml last shows all of it.")
    panel.field("Prompt").fill("Say 'still here'")
    panel.says_in_cell("still here")
    expect(panel.tab("JSON")).to_be_visible()
    expect(panel.run_prompt("Say 'still here'")).to_contain_text("still here")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_in_the_panel(page, shown, panel, dark):
    shown.notebook.use_theme(dark=dark)
    found = find_violations(page, panel)
    shown.notebook.use_theme(dark=False)
    assert found == []


def test_schema_and_test_cases(page, shown, panel):
    shown.run(
        "from typing import ClassVar\n"
        "from pydantic import BaseModel, model_validator\n"
        "class Walk(BaseModel):\n    place: str\n    minutes: int\n    refuses: ClassVar[bool] = False\n"
        "    @model_validator(mode='after')\n    def check(self):\n"
        "        if self.refuses: raise ValueError('too long')\n        return self\n"
        'topics = [{"topic": topic} for topic in ("tea", "rain", "<b>snow</b>")]',
    )
    panel.open("Schema and tools")
    panel.field("Classes in the notebook").select_option("Walk")
    panel.says("Walk: place, minutes")
    panel.field("Prompt").fill("A walk near {topic}")
    panel.says_in_cell("--schema $Walk")
    panel.button("Run").click()
    panel.ends()
    expect(panel.result.get_by_role("rowheader", name="minutes")).to_be_visible()
    expect(panel.result.get_by_text("JSON", exact=True)).to_be_visible()
    shown.run("Walk.refuses = True")
    panel.button("Run").click()
    panel.says("too long. Press Repair to ask again, saying what is wrong with it.")
    panel.ends()
    shown.run("Walk.refuses = False")
    panel.button("Repair").click()
    expect(panel.result.get_by_role("rowheader", name="minutes")).to_be_visible()
    panel.ends()
    expect(panel.root.get_by_role("button", name="Repair")).to_be_hidden()
    expect(panel.tab("Request")).to_contain_text("That does not fit: The response does not match Walk")
    panel.tab("Response")
    panel.field("Schema").fill('{"type":\n')
    panel.says("The schema is not JSON at line 2, column 1")
    panel.field("Schema").fill("")

    panel.open("Test cases")
    panel.field("Import").fill("topics")
    panel.field("Import").press("Enter")
    panel.button("Import cases").click()
    panel.says("Imported 3 cases from topics.")
    panel.button("Run all").click()
    panel.says("3 of 3 rows")
    rows = panel.root.locator(".azml-cases tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("<b>snow</b>")
    rows.nth(1).click()
    panel.says("Answer to case 2")
    expect(rows.nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("Tab")  # to the number of the third case
    page.keyboard.press("Enter")
    panel.says("Answer to case 3")
    expect(panel.field("topic")).to_have_value("<b>snow</b>")
    expect(rows.nth(2).get_by_role("button")).to_be_focused()
    panel.button("Make a cell").click()
    panel.says("cases has 3 cases.")
    cell = panel.field("Cases cell").input_value()
    assert cell == "%%azureml demo --each $cases\nA walk near {topic}"
    expect(shown.run(cell).filter(has_text="3 rows")).not_to_have_count(0)
