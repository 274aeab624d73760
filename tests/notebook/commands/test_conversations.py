"""-c NAME and %azureml conversations: turns that are kept and sent along, only where asked for."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.errors import Interrupted
from azml_magics.emulator import Fault


@pytest.fixture
def roles(last_body):
    """The roles of the messages that the endpoint received last."""
    return lambda: [turn["role"] for turn in last_body()["messages"]]


# ---- -c --------------------------------------------------------------------------------------------------------


def test_conversation_sends_earlier_turns(asking, roles):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    assert "Your name is Ada" in asking.ok("%%azureml -c ada\nWhat is my name?").text
    assert roles() == ["user", "assistant", "user"]


def test_cells_are_independent_by_default(asking, roles):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    asking.ok("%%azureml\nWhat is my name?")
    assert roles() == ["user"]
    asking.ok("%azureml ask What is my name?")
    assert roles() == ["user"]
    assert len(asking.ok("%azureml conversations").result.rows) == 1


def test_conversations_do_not_mix(asking, last_body):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    asking.ok("%%azureml -c bob\nMy name is Bob.")
    assert "Your name is Ada" in asking.ok("%%azureml -c ada\nWhat is my name?").text
    assert "Bob" not in json.dumps(last_body())


def test_system_message_stays_first_and_may_change(asking, last_body):
    asking.ok("%%azureml -c ada -s 'Be brief.'\nMy name is Ada.")
    asking.ok("%%azureml -c ada -s 'Be kind.'\nWhat is my name?")
    turns = last_body()["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[0]["content"] == "Be kind."
    asking.ok("%%azureml -c ada\nAnd now?")
    assert [turn["role"] for turn in last_body()["messages"]] == ["user", "assistant"] * 2 + ["user"]


def test_formatter_without_roles_gets_turns_as_text(asking, endpoint, last_body):
    asking.ok(f"%azureml save dolly --url {endpoint.url}/score --deployment dolly -f dolly --key env:TEST_KEY")
    first = asking.ok("%%azureml dolly -c ada\nMy name is Ada.").text
    asking.ok("%%azureml dolly -c ada -s 'Be brief.'\nWhat is my name?")
    assert last_body()["input_data"]["input_string"] == [
        f"Be brief.\n\nUser: My name is Ada.\n\nAssistant: {first}\n\nUser: What is my name?\n\nAssistant:"
    ]


def test_conversation_continues_with_another_config(asking, endpoint, last_body):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    asking.ok(f"%%azureml -c ada -u {endpoint.url}/v1/completions\nWhat is my name?")
    assert last_body()["prompt"].startswith("User: My name is Ada.\n\nAssistant: ")


def test_images_stay_in_the_conversation(asking, last_body):
    asking.vars["picture"] = b"\x89PNG\r\n\x1a\n"
    asking.ok("%%azureml -c look -i $picture\nWhat is this?")
    asking.ok("%%azureml -c look\nAnd its colour?")
    assert last_body()["messages"][0]["content"][1]["type"] == "image_url"
    assert "user: What is this? [image_url]" in asking.ok("%azureml conversations show look").text


def test_template_joins_the_conversation(asking, last_body):
    asking.ok("from langchain_core.prompts import ChatPromptTemplate")
    asking.ok("t = ChatPromptTemplate.from_messages([('system', 'Be {mood}.'), ('user', 'About {topic}')])")
    asking.ok("%%azureml -c tea\nHello")
    asking.ok("%%azureml -c tea -t $t -v mood=kind\ntea")
    assert [turn["content"] for turn in last_body()["messages"] if turn["role"] != "assistant"] == [
        "Be kind.",
        "Hello",
        "About tea",
    ]


def test_tool_calls_do_not_block_the_next_turn(asking, last_body):
    asking.vars["kwargs"] = {
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
    }
    asking.ok("%%azureml -c sky -k $kwargs\nWhat is the weather in Oslo?")
    asking.ok("%%azureml -c sky\nAnd tomorrow?")
    said = last_body()["messages"][1]
    assert set(said) == {"role", "content"}
    assert said["content"].startswith("[called weather(")


@pytest.mark.parametrize("fault", [Fault("401"), Fault("cut", after=6)])
def test_failed_turn_is_not_stored(asking, endpoint, roles, fault):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    endpoint.script([fault])
    assert asking.run("%%azureml -c ada\nTell me about rivers").error is not None
    asking.ok("%%azureml -c ada\nWhat is my name?")
    assert roles() == ["user", "assistant", "user"]


def test_interrupted_turn_is_not_stored(asking, monkeypatch, roles):
    from azml_magics.display.live_text import NotebookText

    with monkeypatch.context() as patch:
        patch.setattr(NotebookText, "add", lambda self, text: (_ for _ in ()).throw(KeyboardInterrupt))
        assert type(asking.run("%%azureml -c ada\nTell me about rivers").error) is Interrupted
    assert asking.ok("%azureml conversations").text.startswith("No conversations.")
    asking.ok("%%azureml -c ada\nHello")
    assert roles() == ["user"]


def test_dry_run_shows_turns_and_stores_none(asking):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    assert "My name is Ada." in asking.ok("%%azureml -c ada --dry-run\nWhat is my name?").text
    assert asking.ok("%azureml conversations").result.rows[0][1] == "1"


# ---- %azureml conversations ------------------------------------------------------------------------------------


@pytest.fixture
def talking(asking):
    asking.ok("%%azureml -c ada\nMy name is Ada.")
    asking.ok("%%azureml -c ada\nWhat is my name?")
    asking.ok("%%azureml -c 'long walk'\nHello")
    return asking


def test_list_shows_prompts_and_last_response(talking):
    rows = talking.ok("%azureml conversations").result.rows
    assert [row[:2] for row in rows] == [("ada", "2"), ("long walk", "1")]
    assert all(row[2] for row in rows)
    assert talking.ok("%azureml conversations list").result.rows == rows


def test_empty_list_says_how_to_start_one(asking):
    assert asking.ok("%azureml conversations").text == ("No conversations. A cell with -c NAME starts one.")


def test_show_prints_every_turn(talking):
    turns = talking.ok("%azureml conversations show ada").text.split("\n\n")
    assert turns[0] == "user: My name is Ada."
    assert turns[1].startswith("assistant: ")
    assert turns[2] == "user: What is my name?"
    assert "Your name is Ada" in turns[3]
    assert talking.ok("%azureml conversations show 'long walk'").text.startswith("user: Hello")


def test_clear_removes_one_or_all(talking, roles):
    assert talking.ok("%azureml conversations clear ada").text == "Cleared ada."
    talking.ok("%%azureml -c ada\nWhat is my name?")
    assert roles() == ["user"]
    assert talking.ok("%azureml conversations clear").text == "Cleared 2 conversations."
    assert talking.ok("%azureml conversations clear").text == "Cleared 0 conversations."
    talking.ok("%%azureml -c ada\nHello")
    assert talking.ok("%azureml conversations clear").text == "Cleared 1 conversation."


def test_export_writes_chat_messages(talking, tmp_path, last_body):
    assert talking.ok("%azureml conversations export ada ada.json").text == "Wrote 4 messages of ada to ada.json."
    turns = json.loads((tmp_path / "ada.json").read_text(encoding="utf-8"))
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 2
    talking.ok("%%azureml -c ada\nGoodbye")
    assert last_body()["messages"][:4] == turns


def test_export_escapes_surrogates(asking, tmp_path):
    asking.vars["half"] = "caf\ud83d"
    asking.ok("%%azureml -c odd\n{half}")
    asking.ok("%azureml conversations export odd odd.json")
    assert json.loads((tmp_path / "odd.json").read_text(encoding="utf-8"))[0]["content"] == "caf\ud83d"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("shwo ada", "No action of %azureml conversations named 'shwo'. Did you mean 'show'?"),
        ("show", "%azureml conversations show takes NAME"),
        ("show adda", "No conversation named 'adda'. Did you mean 'ada'?"),
        ("clear ada 'long walk'", "%azureml conversations clear takes NAME"),
        ("export ada", "%azureml conversations export takes NAME and FILE"),
        ("export ada no/such/folder.json", "no/such/folder.json cannot be written: No such file or directory"),
    ],
)
def test_invalid_actions_are_one_line(talking, line, why):
    assert why in talking.refused(f"%azureml conversations {line}")


def test_unloading_forgets_conversations(talking):
    talking.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    assert talking.ok("%azureml conversations").text.startswith("No conversations.")
