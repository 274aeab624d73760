"""Cells on the Responses API and on Anthropic's Messages API: streams, conversations, schemas, files, sampling."""

from __future__ import annotations

import json

import pytest

PATHS = {"responses": "/openai/v1/responses", "claude": "/anthropic/v1/messages"}
MODELS = {"responses": "gpt-5-mini", "claude": "claude-sonnet-4-6"}
THINKING = {"responses": "-p reasoning_effort=low", "claude": """-p 'thinking={"type": "adaptive"}'"""}


@pytest.fixture(params=list(PATHS))
def wire(request, asking, endpoint):
    """The name of a config on each of the two wires."""
    for name, path in PATHS.items():
        asking.ok(f"%azureml save {name} --url {endpoint.url}{path} --model {MODELS[name]} --key env:TEST_KEY")
    return request.param


def turns_of(body):
    return body.get("input") or body["messages"]


def test_cell_streams_its_response(asking, wire, last_body):
    ran = asking.ok(f"%%azureml {wire} -s 'Be brief.'\nSay hello.")
    assert ran.result.text
    assert ran.result.finish_reason == "stop"
    assert ran.result.usage.total_tokens > 0
    body = last_body()
    assert body["stream"] is True
    assert body.get("instructions", body.get("system")) == "Be brief."
    assert asking.ok(f"%%azureml {wire} --no-stream\nSay hello.").result.text


def test_thoughts_stay_out_of_the_text_and_go_back(asking, wire, last_body):
    first = asking.ok(f"%%azureml {wire} -c talk {THINKING[wire]}\nMy name is Ada.").result
    (kind,) = {item["type"] for item in first.items} - {"message", "text"}
    asking.ok(f"%%azureml {wire} -c talk {THINKING[wire]}\nWhat is my name?")
    sent = json.dumps(turns_of(last_body()))
    assert f'"type": "{kind}"' in sent
    assert sent.count('"My name is Ada."') == 1
    assert "Ada" in asking.ok(f"%%azureml {wire} -c talk {THINKING[wire]}\nWhat is my name?").text
    assert json.dumps(turns_of(last_body())).count(f'"type": "{kind}"') == 1  # those of the last turn alone


def test_thoughts_do_not_go_to_another_model(asking, wire, last_body):
    asking.ok(f"%%azureml {wire} -c talk {THINKING[wire]}\nMy name is Ada.")
    other = "claude" if wire == "responses" else "responses"
    asking.ok(f"%%azureml {other} -c talk\nWhat is my name?")
    turns = turns_of(last_body())
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert all(isinstance(turn["content"], str) for turn in turns)
    asking.ok("%%azureml -c talk\nAnd now?")
    assert all(turn.keys() == {"role", "content"} for turn in last_body()["messages"])


def test_conversation_is_exported_as_chat_messages(asking, wire, tmp_path):
    asking.ok(f"%%azureml {wire} -c talk {THINKING[wire]}\nHello")
    asking.ok(f"%azureml conversations export talk {tmp_path / 'talk.json'}")
    turns = json.loads((tmp_path / "talk.json").read_text())
    assert [turn.keys() for turn in turns] == [{"role", "content"}] * 2
    assert "Hello" in asking.ok("%azureml conversations show talk").text
    asking.ok(f"%%azureml {wire} -c talk\nAnd now?")
    asking.ok(f"%azureml history --json {tmp_path / 'history.jsonl'}")
    *_, last = (tmp_path / "history.jsonl").read_text().splitlines()
    assert all(turn.keys() == {"role", "content"} for turn in json.loads(last)["messages"])


def test_own_kwargs_of_the_route_are_not_taken_for_misspelled(asking, wire):
    kwargs = {"responses": """-p 'reasoning={"effort": "low"}' -p truncation=auto""", "claude": "-p service_tier=auto"}
    assert asking.ok(f"%%azureml {wire} {kwargs[wire]}\nHello").stderr == ""


def test_schema_gives_an_object(asking, wire, last_body):
    asking.vars["person"] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    ran = asking.ok(f"%%azureml {wire} --schema $person\nWho was Ada?")
    assert isinstance(ran.result.parsed["name"], str)
    body = last_body()
    assert (body.get("text") or body["output_config"])["format"]["type"] == "json_schema"


def test_image_and_pdf_are_sent_in_the_words_of_the_wire(asking, wire, last_body, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG1")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    asking.ok(f"%%azureml {wire} -i {tmp_path / 'a.png'} -i {tmp_path / 'a.pdf'}\nWhat is this?")
    (turn,) = turns_of(last_body())
    kinds = {"responses": ["input_text", "input_image", "input_file"], "claude": ["text", "image", "document"]}
    assert [part["type"] for part in turn["content"]] == kinds[wire]


def test_limit_of_the_chat_route_is_renamed(asking, wire, last_body):
    asking.ok(f"%%azureml {wire} -p max_completion_tokens=2000\nHello")
    assert last_body()[{"responses": "max_output_tokens", "claude": "max_tokens"}[wire]] == 2000


def test_rows_and_side_by_side_work(asking, wire):
    asking.vars["rows"] = ["a", "b"]
    assert len(asking.ok(f"%%azureml {wire} --each $rows\nSay {{text}}.").result) == 2
    assert len(asking.ok(f"%%azureml {wire} -n 2\nHello").result) == 2


def test_sampling_kwarg_reaches_claude(asking, wire, endpoint):
    if wire == "claude":
        asking.ok("%%azureml claude -p temperature=0.2\nHello")
        assert endpoint.requests[-1].headers["anthropic-version"] == "2023-06-01"
        asking.ok("%%azureml claude\nHello")
        assert endpoint.requests[-1].headers["anthropic-version"] == "2026-10-21"


def test_background_response_is_waited_for(asking, wire, endpoint):
    if wire == "responses":
        assert asking.ok("%%azureml responses --model o3-pro -p background=true\nProve it.").result.text
        assert [request.method for request in endpoint.requests][:2] == ["POST", "GET"]
