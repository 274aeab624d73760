"""The verbs of %azureml that make, show and change configs."""

from __future__ import annotations

from importlib import metadata

import pytest

import azml_magics
from azml_magics.notebook.options import VERBS


@pytest.fixture
def rows(notebook):
    """The rows of a table that a line gives."""
    return lambda line: [tuple(row) for row in notebook.ok(line).result.rows]


def shown(rows):
    return {row[0]: row[1] for row in rows}


# ---- save ------------------------------------------------------------------------------------------------------


def test_the_first_config_saved_is_in_use(notebook):
    said = notebook.ok("%azureml save prod --url https://x.y/score -f gpt2 --key env:PROD_KEY").text
    assert said == "Saved prod: gpt2 at https://x.y/score, key env:PROD_KEY (not set)"
    notebook.ok("%azureml save other --url https://x.y/score -f gpt2")
    assert notebook.ok("%azureml list").result.rows[0][0] == "*"


def test_every_part_of_a_config_is_shown(notebook, rows):
    notebook.ok(
        "%azureml save prod --url https://x.y/score --type dedicated --deployment blue -f dolly --key env:PROD_KEY "
        "--timeout 30 --retries 1 -s 'Be brief.' --model m --api-version 2024-05-01 temperature=0.2 stop='[\"a\"]'"
    )
    assert shown(rows("%azureml show")) == {
        "config": "prod",
        "url": "https://x.y/score",
        "type": "dedicated",
        "deployment": "blue",
        "formatter": "dolly",
        "key": "env:PROD_KEY (not set)",
        "system": "Be brief.",
        "model": "m",
        "api-version": "2024-05-01",
        "timeout": "30 s",
        "retries": "1",
        "from": "session",
        "kwarg temperature": "0.2",
        "kwarg stop": "['a']",
    }


def test_saving_again_changes_what_is_given_and_keeps_the_rest(notebook, rows):
    notebook.ok("%azureml save prod --url https://x.y/score -f dolly temperature=0.2")
    notebook.ok("%azureml save prod --timeout 5 max_new_tokens=9")
    facts = shown(rows("%azureml show prod"))
    assert (facts["formatter"], facts["timeout"]) == ("dolly", "5 s")
    assert (facts["kwarg temperature"], facts["kwarg max_new_tokens"]) == ("0.2", "9")


def test_a_copy_is_a_config_of_its_own(notebook, rows):
    notebook.ok("%azureml save prod --url https://x.y/score -f dolly temperature=0.2")
    notebook.ok("%azureml save hot --from prod temperature=1.5")
    assert shown(rows("%azureml show hot"))["kwarg temperature"] == "1.5"
    assert shown(rows("%azureml show prod"))["kwarg temperature"] == "0.2"
    assert "Did you mean 'prod'?" in notebook.refused("%azureml save cold --from prd")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--deployment blue", "Give it a URL: %azureml save new --url URL"),
        ("--url https://x.y/score", "Before it works: No formatter: the wire format of /score differs"),
        ("--url https://x.y/v1 -f gpt2", "Before it works: The formatter 'gpt2' works with dedicated endpoints"),
    ],
)
def test_saving_says_what_is_still_missing(notebook, line, said):
    assert said in notebook.ok(f"%azureml save new {line}").text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("new https://x.y/score", "UsageError: A URL goes behind --url. Write %azureml save new --url URL."),
        ("new https://x.y/score?api-version=1", "UsageError: A URL goes behind --url."),
        ("new --url http://x.y/score", "ConfigError: http://x.y would carry the key in clear text"),
        ("new -f doly", "UnknownNameError: No formatter named 'doly'. Did you mean 'dolly'?"),
        ("new --type dedicted", "UsageError: --type takes dedicated, serverless. Did you mean 'dedicated'?"),
        ("new --key sk-1234", "KeyRefusedError: That is not a key reference"),
        ("new --key env:", "ConfigError: A key reference"),
        ("new --timeout 0", "ConfigError: timeout must be a positive number of seconds"),
        ("new --retries -1", "ConfigError: max_retries must be 0 or a positive integer"),
        ("new temperature", "UsageError: save NAME takes NAME=VALUE, not 'temperature'"),
        ("'my config'", "UsageError: 'my config' cannot name a config."),
        ("a/b", "UsageError: 'a/b' cannot name a config."),
        ("", "UsageError: %azureml save: it needs NAME."),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is(notebook, line, said):
    assert notebook.refused(f"%azureml save {line}").startswith(said)
    assert notebook.ok("%azureml list").text.startswith("No configs yet.")


def test_a_misspelt_kwarg_is_named_when_it_is_saved(notebook):
    ran = notebook.ok("%azureml save prod --url https://x.y/v1 temprature=0.2")
    assert ran.stderr == "azureml: the model kwarg 'temprature' is sent as it is. Did you mean 'temperature'?\n"


def test_the_environment_gives_what_the_line_leaves_out(notebook, rows, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", "https://x.y/score")
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "blue")
    notebook.ok("%azureml save prod -f gpt2")
    facts = shown(rows("%azureml show"))
    assert (facts["url"], facts["deployment"]) == ("https://x.y/score", "blue")


def test_a_server_on_this_machine_may_take_no_key(notebook, rows):
    said = notebook.ok("%azureml save local --url http://127.0.0.1:8080/v1/chat/completions --key none").text
    assert said.endswith("key none")
    assert shown(rows("%azureml show local"))["key"] == "none"
    assert "Authorization" not in notebook.ok("%%azureml local --dry-run\nHello").text


def test_a_formatter_object_can_be_saved_for_the_session(notebook, rows):
    notebook.ok(
        "class Mine:\n    def format_request_payload(self, p, k): return p\n"
        "    def format_response_payload(self, o): return 'x'\nmine = Mine()"
    )
    notebook.ok("%azureml save prod --url https://x.y/score -f $mine")
    assert shown(rows("%azureml show"))["formatter"] == "Mine"


# ---- use, list, show, rename, delete ---------------------------------------------------------------------------


@pytest.fixture
def two(notebook):
    notebook.ok("%azureml save prod --url https://x.y/score -f dolly --key env:PROD_KEY")
    notebook.ok("%azureml save dev --url https://z.y/v1/chat/completions --key ask")
    return notebook


def test_use_changes_the_one_that_answers(two):
    assert two.ok("%azureml use dev").text == (
        "In use: dev (openai-chat at https://z.y/v1/chat/completions, key ask (asked when needed))"
    )
    assert [row[0] for row in two.ok("%azureml list").result.rows] == ["", "*"]
    assert "Did you mean 'prod'?" in two.refused("%azureml use prd")


def test_the_list_says_for_each_whether_its_key_is_found(two, monkeypatch):
    monkeypatch.setenv("PROD_KEY", "s3cr3t")
    ran = two.ok("%azureml list")
    assert ran.result.rows == [
        ("*", "prod", "dedicated", "dolly", "https://x.y/score", "env:PROD_KEY (found)", "session"),
        (
            "",
            "dev",
            "serverless",
            "openai-chat",
            "https://z.y/v1/chat/completions",
            "ask (asked when needed)",
            "session",
        ),
    ]
    assert ran.text.splitlines()[0].split() == ["config", "type", "formatter", "endpoint", "key", "from"]
    assert "s3cr3t" not in str(ran.data)


def test_show_is_of_the_one_in_use_or_of_the_one_named(two):
    assert two.ok("%azureml show").text.splitlines()[0].split() == ["config", "prod"]
    assert two.ok("%azureml show dev").text.splitlines()[0].split() == ["config", "dev"]
    assert "Did you mean 'dev'?" in two.refused("%azureml show deb")


def test_a_long_system_message_stays_on_its_row(two):
    two.vars["rules"] = "Be brief.\nBe kind."
    two.ok("%azureml save prod -s $rules")
    ran = two.ok("%azureml show prod")
    assert "system     Be brief. Be kind." in ran.text.splitlines()


def test_rename_keeps_it_in_use(two):
    assert two.ok("%azureml rename prod live").text == "prod is now live."
    assert two.ok("%azureml list").result.rows[0][:2] == ("*", "live")
    assert two.refused("%azureml rename live dev").startswith("ConfigError: There is already a config named 'dev'.")
    assert "No config named 'prod'" in two.refused("%azureml rename prod x")
    assert "cannot name a config" in two.refused("%azureml rename live '$x'")


def test_the_one_in_use_is_deleted_only_by_force(two):
    assert two.refused("%azureml delete prod").startswith("UsageError: prod is the config in use.")
    assert two.ok("%azureml delete dev").text == "Deleted dev."
    assert two.ok("%azureml delete prod -f").text == "Deleted prod."
    assert two.ok("%azureml list").text.startswith("No configs yet.")
    assert "No config named 'prod'" in two.refused("%azureml delete prod")


# ---- the rest --------------------------------------------------------------------------------------------------


def test_the_versions_in_use(notebook):
    lines = notebook.ok("%azureml version").text.splitlines()
    assert lines[0] == f"azml-magics {azml_magics.__version__}"
    assert lines[1].startswith("Python 3.")
    for package in ("ipython", "ipykernel", "langchain-core"):
        assert f"{package} {metadata.version(package)}" in lines


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "ask"])
def test_every_verb_refuses_an_option_it_does_not_have(notebook, verb):
    assert notebook.refused(f"%azureml {verb} --xyzzy").startswith(f"UsageError: %azureml {verb} has no option --xyzzy")


def test_tables_are_escaped(notebook):
    notebook.vars["rules"] = "<script>alert(1)</script>"
    notebook.ok("%azureml save prod --url https://x.y/score -s $rules")
    ran = notebook.ok("%azureml show prod")
    assert "<script>" in ran.text
    assert "<script>" not in ran.data["text/html"]
    assert "&lt;script&gt;" in ran.data["text/html"]
