"""The controls of every formatter: what is typed is what goes out, to the last digit."""

from __future__ import annotations

import ast

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.panel.model.draft import Draft

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

from .shared_panel import (  # noqa: F401 - fixtures are found by their names
    new_panel,
    new_session,
    shared_errors,
    shared_page,
    shared_window,
)

ROUTES = {
    "openai": "/v1/completions",
    "openai-responses": "/openai/v1/responses",
    "anthropic-messages": "/anthropic/v1/messages",
    "mistral-chat": "/v1/chat/completions",
    "gpt2": "/score",
    "dolly": "/score",
    "hf": "/score",
    "hf-plain": "/score",
    "mlflow": "/score",
    "tgi": "/generate",
}
NUMBERS = ("0.0137", "1e-7", "0.333333333333", "2.17", "0.1", "0.29", "1.999")  # off every slider's grid
NAMES = {"background", "previous_response_id", "store"}  # they change what a route does: the endpoint may refuse them


def typed_into(kwarg, at):
    """(a value that is typed, as it is sent) for a control."""
    if kwarg.type == "number":
        return NUMBERS[at % len(NUMBERS)], float(NUMBERS[at % len(NUMBERS)])
    if kwarg.type == "integer":
        return str(1237 + at), 1237 + at
    return ("false", False) if kwarg.type == "boolean" else ("0.10", "0.10")


def values_within(data):
    """Every number and text in JSON data."""
    if isinstance(data, dict):
        return [each for inner in data.values() for each in values_within(inner)]
    return [each for inner in data for each in values_within(inner)] if isinstance(data, list) else [data]


@pytest.mark.parametrize("formatter", ROUTES)
def test_request_holds_exactly_what_was_typed(page, shown, panel, formatter):
    route = ROUTES[formatter]
    kwargs = Draft(LLMConfig(endpoint_url=f"http://127.0.0.1:9{route}", formatter=formatter, key=None)).controls
    chosen = [kwarg for kwarg in kwargs if kwarg.type != "strings" and kwarg.name not in NAMES]
    shown.run(
        f"run(f'save exact --url {{faulty.url}}{route} -f {formatter} --key env:AZML_DEMO_KEY --model m'); run('use exact')"
    )
    expect(panel.field("Config")).to_have_value("exact")
    panel.open("Other model kwargs")
    wanted = {}
    for at, kwarg in enumerate(chosen):
        typed, wanted[kwarg.name] = typed_into(kwarg, at)
        row = panel.row(kwarg.name)
        if kwarg.type == "boolean":
            row.get_by_role("combobox").select_option(typed)
        else:
            row.get_by_role("textbox").fill(typed)
            page.keyboard.press("Tab")
    panel.settles()
    page.wait_for_timeout(500)  # for what the controls echo
    panel.field("Config").select_option("demo")
    panel.says_in_cell("%%azureml demo")
    panel.field("Config").select_option("exact")
    panel.says_in_cell("%%azureml exact")
    panel.field("Prompt").fill("Write a haiku about sparkling water.")
    panel.button("Run").click()
    panel.ends()
    sent = shown.run("from azml_magics import session; dict(session.current().last.config.model_kwargs)").inner_text()
    assert ast.literal_eval(sent) == wanted
    body = ast.literal_eval(shown.run("faulty.requests[-1].json()").inner_text())
    assert [value for value in wanted.values() if value not in values_within(body)] == []
