"""%azureml last and history: nothing that arrived is lost, and no key is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from azml_magics.emulator import Fault

from ..conftest import KEY


def test_before_any_prompt(notebook):
    assert notebook.ok("%azureml last --traceback").text.startswith("There has been no error")
    assert notebook.refused("%azureml last").startswith("ConfigError: No prompt has been sent yet.")
    assert notebook.ok("%azureml history").text == "No prompt has been sent yet."


def test_last_is_the_same_response(asking):
    answer = asking.ok("%%azureml\nHello").result
    assert asking.ok("%azureml last").result is answer


def test_last_after_error_without_response_shows_error(asking, endpoint):
    endpoint.script([Fault("401")])
    asking.refused("%%azureml\nHello")
    assert asking.ok("%azureml last").text.startswith("No response: The endpoint did not accept the key (401)")


def test_last_shows_undecodable_body(asking, endpoint):
    asking.ok(
        "class Hasty:\n"
        "    def format_request_payload(self, prompt, kwargs):\n"
        "        return {'messages': [{'role': 'user', 'content': prompt}]}\n"
        "    def format_response_payload(self, output):\n"
        "        return output['text']\n"
        "hasty = Hasty()"
    )
    assert "%azureml last shows what the endpoint sent" in asking.refused("%%azureml -f $hasty\nHello")
    said = asking.ok("%azureml last").text
    assert said.startswith("No response: Hasty.format_response_payload raised TypeError")
    assert '\n\nThe endpoint sent:\n{"id":' in said
    endpoint.script([Fault("extra-parameters", name="n")])
    asking.refused("%%azureml\nHello")
    assert asking.ok("%azureml last").text.endswith("Set extra-parameters to 'pass-through' to pass to the model.\"}")
    endpoint.script([Fault("html-200")])
    asking.refused("%%azureml\nHello")
    assert "<!doctype html>" in asking.ok("%azureml last").text.partition("The endpoint sent:\n")[2]


def test_very_long_body_is_shortened(asking, endpoint):
    endpoint.script([Fault("400", message="x" * 60_000)] * 2)
    asking.refused("%%azureml\nHello")
    assert len(asking.ok("%azureml last").text) < 10_000


def test_last_after_a_cut_is_partial_response(asking, endpoint):
    endpoint.script([Fault("cut", after=8)])
    asking.refused("%%azureml\nTell me about rivers")
    assert asking.ok("%azureml last").text.startswith("A model would")


def test_cut_before_first_token_is_an_error(asking, endpoint):
    endpoint.script([Fault("cut", after=1)])
    asking.refused("%%azureml\nTell me about rivers")
    assert asking.ok("%azureml last").text.startswith("No response: The stream broke off")


def test_traceback_is_of_the_last_error(asking, endpoint):
    endpoint.script([Fault("401")])
    asking.refused("%%azureml\nHello")
    asking.refused("%azureml last --tracebak")  # a slip does not hide it
    assert "AuthenticationError: " in asking.ok("%azureml last --traceback").text
    asking.ok("class Bad:\n    def __str__(self): raise RuntimeError('no text')\nbad = Bad()")
    asking.refused("%%azureml\n{bad}")
    shown = asking.ok("%azureml last --traceback").text
    assert shown.startswith("Traceback (most recent call last):")
    assert "RuntimeError: no text" in shown
    assert "PromptError: " in shown


def test_history_is_a_table_newest_last(asking):
    for word in ("rivers", "lakes", "seas"):
        asking.ok(f"%%azureml -q\nTell me about\n{word}")
    ran = asking.ok("%azureml history")
    assert [row[:3] for row in ran.result.rows] == [
        ("1", "main", "Tell me about rivers"),
        ("2", "main", "Tell me about lakes"),
        ("3", "main", "Tell me about seas"),
    ]
    assert all(len(line) < 160 for line in ran.text.splitlines())
    assert [row[0] for row in asking.ok("%azureml history -n 1").result.rows] == ["3"]
    assert [row[0] for row in asking.ok("%azureml history -n 0").result.rows] == ["3"]


def test_search_finds_prompts_and_responses(asking):
    for word in ("rivers", "lakes"):
        asking.ok(f"%%azureml -q\nTell me about {word}")
    assert [row[0] for row in asking.ok("%azureml history --search LAKES").result.rows] == ["2"]
    assert len(asking.ok("%azureml history --search 'not a language model'").result.rows) == 2
    assert asking.ok("%azureml history --search oceans").text == "Nothing matches."


def test_history_has_errors_with_partial_text(asking, endpoint):
    endpoint.script([Fault("cut", after=8)])
    asking.refused("%%azureml\nTell me about rivers")
    answer = asking.ok("%azureml history --search rivers").result.rows[0][3]
    assert answer.startswith("StreamInterruptedError: ")
    asking.ok("%azureml history --json h.jsonl")
    kept = json.loads(Path("h.jsonl").read_text())
    assert kept["text"].startswith("A model would")
    assert kept["error"].startswith("StreamInterruptedError: ")


def test_json_file_has_every_match(asking):
    asking.ok("%%azureml -q -s 'Be brief.' -p temperature=0.2\nGrüße {x}".replace("{x}", "rivers"))
    asking.ok("%%azureml -q\nlakes")
    assert asking.ok("%azureml history -n 1 --json h.jsonl").text == "Wrote 2 exchanges to h.jsonl."
    first, second = (json.loads(line) for line in Path("h.jsonl").read_text(encoding="utf-8").splitlines())
    assert first["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Grüße rivers"},
    ]
    assert first["model_kwargs"] == {"temperature": 0.2}
    assert (first["number"], first["config"], first["finish_reason"], first["error"]) == (1, "main", "stop", None)
    assert first["usage"]["total_tokens"] > 0
    assert second["text"].startswith("A model would")


def test_json_file_escapes_surrogates(asking, endpoint):
    asking.vars["odd"] = "caf\ud83d"
    asking.ok("%%azureml -q\n{odd}")
    asking.ok("%azureml history --json h.jsonl")
    assert json.loads(Path("h.jsonl").read_text(encoding="utf-8"))["messages"][0]["content"] == "caf\ud83d"


def test_unwritable_file_is_one_line(asking):
    asking.ok("%%azureml -q\nHello")
    assert asking.refused("%azureml history --json /proc/nowhere/h.jsonl").startswith(
        "DocumentError: /proc/nowhere/h.jsonl cannot be written:"
    )


def test_history_size_limits_the_history(asking):
    asking.ok("%config AzureMLMagics.history_size = 2")
    for word in ("rivers", "lakes", "seas"):
        asking.ok(f"%%azureml -q\n{word}")
    assert [row[0] for row in asking.ok("%azureml history").result.rows] == ["2", "3"]


@pytest.mark.parametrize("fault", [None, "401", "html-200", "424"])
def test_history_has_no_key(asking, endpoint, fault):
    endpoint.script([Fault(fault)] if fault else [])
    asking.run("%%azureml\nHello")
    asking.ok("%azureml history --json h.jsonl")
    lines = ["%azureml last", "%azureml last --traceback", "%azureml history"]
    shown = [str(asking.ok(line).data) for line in lines]
    assert KEY not in "".join([*shown, Path("h.jsonl").read_text()])


# ---- %config AzureMLMagics.history_file ------------------------------------------------------------------------


def restart(notebook):
    """As after a restart of the kernel: the session is gone, IPython's configuration stays."""
    notebook.ok("%unload_ext azml_magics")
    return notebook.ok("%load_ext azml_magics")


def test_history_file_outlives_the_kernel(asking, endpoint):
    asking.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    asking.ok("%%azureml -q\nTell me about rivers")
    assert restart(asking).stderr == ""
    (row,) = asking.ok("%azureml history").result.rows
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[0])
    assert row[2] == "Tell me about rivers"
    assert "demo" in asking.ok("%azureml last").text
    asking.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    asking.ok("%%azureml -q\nTell me about lakes")
    assert [row[0] for row in asking.ok("%azureml history --search lakes").result.rows] == ["1"]
    assert [row[2] for row in asking.ok("%azureml history --search about").result.rows] == [
        "Tell me about rivers",
        "Tell me about lakes",
    ]
    assert KEY not in Path("history.jsonl").read_text()
    restart(asking)
    assert len(asking.ok("%azureml history").result.rows) == 2


def test_search_reads_the_whole_history_file(asking):
    asking.ok("%config AzureMLMagics.history_size = 1")
    asking.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    for word in ("rivers", "lakes"):
        asking.ok(f"%%azureml -q\n{word}")
    assert [row[2] for row in asking.ok("%azureml history").result.rows] == ["lakes"]
    assert [row[2] for row in asking.ok("%azureml history --search rivers").result.rows] == ["rivers"]
    assert asking.ok("%azureml history --json all.jsonl").text == "Wrote 2 exchanges to all.jsonl."


def test_history_file_set_later_says_what_it_has(asking):
    asking.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    asking.ok("%%azureml -q\nrivers")
    asking.ok("%config AzureMLMagics.history_file = ''")
    asking.ok("%%azureml -q\nlakes")
    ran = asking.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    assert ran.stdout == ""  # the session has it
    Path("other.jsonl").write_bytes(Path("history.jsonl").read_bytes())
    asking.ok("%unload_ext azml_magics")
    asking.shell.config.pop("AzureMLMagics", None)
    asking.ok("%load_ext azml_magics")
    ran = asking.ok("%config AzureMLMagics.history_file = 'other.jsonl'")
    assert ran.stdout == "1 earlier exchange: %azureml history\n"
    assert [row[2] for row in asking.ok("%azureml history").result.rows] == ["rivers"]


def test_file_of_another_kind_is_not_written_to(asking):
    Path("notes.txt").write_text("mine\n")
    ran = asking.ok("%config AzureMLMagics.history_file = 'notes.txt'")
    assert ran.stderr == (
        f"azureml: {Path('notes.txt').absolute()} is not a history file, and it is not changed. "
        "Choose another path for the history.\n"
    )
    asking.ok("%%azureml -q\nrivers")
    assert Path("notes.txt").read_text() == "mine\n"
    assert "is not a history file" in restart(asking).stderr


def test_damaged_history_file_loads_what_it_can(asking):
    asking.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    asking.ok("%%azureml -q\nrivers")
    with Path("history.jsonl").open("a") as file:
        file.write("{\n")
    assert "line 2 cannot be read and is skipped" in restart(asking).stderr
    assert len(asking.ok("%azureml history").result.rows) == 1


def test_unwritable_history_file_loses_no_answer(asking, monkeypatch):
    Path("folder").touch()
    asking.ok("%config AzureMLMagics.history_file = 'folder/history.jsonl'")
    ran = asking.ok("%%azureml\nrivers")
    assert ran.result.text
    ran = asking.ok("%%azureml\nlakes")
    assert len(asking.ok("%azureml history").result.rows) == 2


def test_names_and_ratings_of_versions_are_shown_and_written(asking, tmp_path):
    asking.ok("%%azureml\nName a river.")
    asking.ok(
        "import azml_magics.session as s; _ = s.current().annotate(s.current().last.id, name='short', rating='good')"
    )
    assert "short · good" in asking.ok("%azureml history").text
    asking.ok("%azureml history --json h.jsonl")
    assert '"notes": {"name": "short", "rating": "good"}' in (tmp_path / "h.jsonl").read_text(encoding="utf-8")
