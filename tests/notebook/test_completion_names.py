"""What Tab offers for conversations, lists of configs, swept kwargs and the verbs that take them."""

from __future__ import annotations

import pytest

from azml_magics.notebook import completion


@pytest.fixture
def tab(asking, magics, endpoint):
    """The texts that Tab offers at the end of a line."""
    asking.ok(f"%azureml save text --url {endpoint.url}/v1/completions --key env:TEST_KEY")
    asking.ok("%%azureml -c ada\nHello")
    asking.ok("%%azureml -c 'long walk'\nHello")
    asking.vars.update(Recipe=dict, picture=b"")

    def press(line):
        found = completion.complete(magics.context, line, 0, line, len(line))
        assert found is not None
        fragment, candidates = found
        assert line.endswith(fragment)
        return [candidate.text for candidate in candidates]

    return press


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%%azureml -c ", ["ada", "'long walk'"]),
        ("%%azureml --conversation a", ["ada"]),
        ("%azureml conversations ", ["show", "clear", "export"]),
        ("%azureml conversations c", ["clear"]),
        ("%azureml conversations show ", ["ada", "'long walk'"]),
        ("%azureml conversations export a", ["ada"]),
        ("%azureml conversations export ada ", []),
        ("%%azureml --compare ", ["main", "text"]),
        ("%%azureml --compare main,", ["main,text"]),
        ("%%azureml --compare main,te", ["main,text"]),
        ("%%azureml text --sweep max_t", ["max_tokens="]),
        ("%%azureml --sweep temperature=0,", []),
        ("%%azureml --schema $Re", ["$Recipe"]),
        ("%%azureml -i $pic", ["$picture"]),
        ("%%azureml $Rec", ["$Recipe"]),
        ("%azureml $Recipe --no", ["--no-stream"]),
        ("%%azureml -n ", []),
        ("%azureml code ", ["last", "main", "text"]),
        ("%azureml code last --as ", ["langchain", "openai", "anthropic", "python", "curl"]),
        ("%azureml detect t", ["text"]),
        ("%azureml detect text --", ["--probe"]),
        ("%azureml replay ta", []),
        ("%azureml stop-recording ", []),
        ("%azureml repair ", []),
        ("%azureml re", ["rename", "repair", "record", "replay"]),
    ],
)
def test_tab_offers_names(tab, line, offered):
    assert tab(line) == offered


@pytest.mark.parametrize(
    "flag", ["--compare", "--sweep", "--repeat", "--schema", "--image", "--insert", "--conversation"]
)
def test_tab_offers_options(tab, flag):
    assert flag in tab(f"%%azureml {flag[:4]}")


def test_offered_conversation_can_be_typed(tab, asking):
    offered = tab("%azureml conversations show ")[1]
    assert asking.ok(f"%azureml conversations show {offered}").text.startswith("user: Hello")
