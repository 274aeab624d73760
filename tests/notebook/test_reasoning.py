"""A reasoning model in a cell: its thoughts are beside its answer, never in it; and what a cell waits for."""

from __future__ import annotations

import json

import pytest

from azml_magics.display.mime import ANSWER_MARK, RESPONSE_MIME
from azml_magics.emulator import Fault
from azml_magics.pytest_plugin import KEY

THOUGHTS = "So I say that"


@pytest.fixture
def thinking(asking, endpoint):
    """A notebook whose active config speaks to a reasoning model."""
    url = f"{endpoint.url}/openai/v1/chat/completions"
    asking.ok(f"%azureml save think --url {url} -f openai-chat --model demo-reasoning --key env:TEST_KEY")
    asking.ok("%azureml use think")
    return asking


@pytest.mark.parametrize("line", ["", "--no-stream"])
def test_thoughts_are_folded_above_the_answer(thinking, line):
    ran = thinking.ok(f"%%azureml {line}\nHello there")
    assert THOUGHTS in ran.result.reasoning
    assert ran.text == ran.result.text
    assert THOUGHTS not in ran.text
    above, answer, below = ran.data["text/markdown"].split(ANSWER_MARK)
    assert above.startswith("<details style")
    assert THOUGHTS in above
    assert answer.strip() == ran.result.text
    assert "reasoning)" in below
    assert THOUGHTS in ran.data[RESPONSE_MIME]["reasoning"]


def test_thoughts_are_shown_before_the_answer_arrives(thinking):
    shown = [
        data["text/markdown"] for data in thinking.ok("%%azureml\nHello there").payloads if data.get("text/markdown")
    ]
    assert shown[0].startswith("<details open")


@pytest.mark.parametrize(
    ("setting", "line", "opening"),
    [
        ("folded", "", "<details style"),
        ("folded", "--show-reasoning", "<details open"),
        ("open", "", "<details open"),
        ("hidden", "", None),
        ("open", "--hide-reasoning", None),
    ],
)
def test_setting_and_options_say_how_thoughts_are_shown(thinking, setting, line, opening):
    thinking.ok(f"%config AzureMLMagics.show_reasoning = {setting!r}")
    ran = thinking.ok(f"%%azureml {line}\nHello there")
    assert THOUGHTS in ran.result.reasoning
    if opening is None:
        assert THOUGHTS not in json.dumps(ran.data) + json.dumps(ran.payloads)
    else:
        assert ran.data["text/markdown"].startswith(opening)
    table = thinking.ok(f"%%azureml -n 2 {line}\nHello there").data["text/html"]
    assert ("<details" in table) is (opening is not None)


def test_thoughts_of_rows_are_in_a_fold(thinking):
    thinking.ok("words = ['a', 'b']")
    ran = thinking.ok("%%azureml --each $words\nHello {text}")
    assert ran.data["text/html"].count("<summary>Reasoning") == 2
    assert THOUGHTS not in ran.text
    assert THOUGHTS not in "".join(ran.result.texts)


@pytest.mark.parametrize("line", ["", "--no-stream"])
def test_cell_shows_what_it_waits_for_until_the_response_comes(asking, endpoint, line):
    endpoint.script([Fault("429", retry_after=1)])
    asking.ok("%config AzureMLMagics.save_details = True")
    ran = asking.ok(f"%%azureml {line}\nHello there")
    texts = [data.get("text/plain", "") for data in ran.payloads]
    assert "429: waiting 1 s, try 2 of 3" in texts
    assert texts[-1] == ""
    assert ran.result.attempts == 2
    assert ran.metadata["azml"]["attempts"] == 2


def test_cell_with_a_chain_shows_what_its_model_waits_for(asking, endpoint, monkeypatch):
    from langchain_core.output_parsers import StrOutputParser

    from azml_magics.langchain import AzureMLChatOnlineEndpoint, CustomOpenAIChatContentFormatter

    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    url = f"{endpoint.url}/v1/chat/completions"
    asking.vars["chain"] = (
        AzureMLChatOnlineEndpoint(endpoint_url=url, content_formatter=CustomOpenAIChatContentFormatter())
        | StrOutputParser()
    )
    endpoint.script([Fault("429", retry_after=1)])
    ran = asking.ok("%%azureml $chain\nHello there")
    assert "429: waiting 1 s, try 2 of 3" in [data.get("text/plain") for data in ran.payloads]


def test_side_by_side_cell_shows_what_a_row_waits_for(asking, endpoint):
    endpoint.script([Fault("429", retry_after=1)])
    ran = asking.ok("%%azureml -n 2\nHello there")
    assert any("429: waiting 1 s, try 2 of 3" in data.get("text/html", "") for data in ran.payloads)
    assert "waiting" not in ran.data["text/html"]


def test_terminal_says_what_it_waits_for(terminal, endpoint):
    terminal.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    endpoint.script([Fault("429", retry_after=1)])
    assert "azureml: 429: waiting 1 s, try 2 of 3\n" in terminal.ok("%%azureml\nHello there").stderr
