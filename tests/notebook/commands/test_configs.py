"""The verbs of %azureml that make, show and change configs."""

from __future__ import annotations

import pytest


@pytest.fixture
def rows(notebook):
    """The rows of a table that a line gives."""
    return lambda line: [tuple(row) for row in notebook.ok(line).result.rows]


def shown(rows):
    return {row[0]: row[1] for row in rows}


# ---- save ------------------------------------------------------------------------------------------------------


def test_first_saved_config_is_active(notebook):
    said = notebook.ok("%azureml save prod --url https://x.y/score -f gpt2 --key env:PROD_KEY").text
    assert said == "Saved prod for this session: gpt2 at https://x.y/score, key env:PROD_KEY (not set)"
    notebook.ok("%azureml save other --url https://x.y/score -f gpt2")
    assert notebook.ok("%azureml list").result.rows[0][0] == "*"


def test_json_without_single_quotes_is_not_saved(notebook):
    said = notebook.refused(
        '%azureml save c --url https://x.services.ai.azure.com/anthropic thinking={"type":"adaptive"}'
    )
    assert "thinking takes JSON, not the text '{type:adaptive}'" in said
    assert """Put it into single quotes, 'thinking={"key": 1}'""" in said


def test_show_lists_every_part_of_config(notebook, rows):
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


def test_show_lists_how_an_endpoint_is_reached(notebook, rows):
    notebook.ok(
        "%azureml save prod --url https://x.y/score -f dolly --header X-Team=nlp --header Apim=env:APIM_KEY "
        "--key-header X-Api-Key --verify ~/company.pem --proxy proxy:3128 --allow-http --total-timeout 60"
    )
    notebook.ok("%azureml save prod --header x-team=qa")
    facts = shown(rows("%azureml show"))
    assert {name: facts[name] for name in facts if name.startswith("header")} == {
        "header x-team": "qa",
        "header Apim": "env:APIM_KEY (not set)",
    }
    assert facts["key-header"] == "X-Api-Key"
    assert facts["verify"] == "~/company.pem"
    assert facts["proxy"] == "proxy:3128"
    assert facts["allow-http"] == "yes: the key may be sent over plain http"
    assert facts["total-timeout"] == "60 s"
    notebook.ok("%azureml save prod --verify off --header Apim=none")
    facts = shown(rows("%azureml show"))
    assert facts["verify"] == "off: certificates are not checked"
    assert "header Apim" not in facts


def test_price_is_kept_shown_and_removed(notebook, rows):
    notebook.ok("%azureml save prod --url https://x.y/score -f dolly --price 0.15,0.60,0.075")
    assert shown(rows("%azureml show"))["price"] == "0.15 input, 0.6 output, 0.075 cached input per million tokens"
    notebook.ok("%azureml save prod max_new_tokens=9")
    assert "price" in shown(rows("%azureml show"))
    notebook.ok("rates = (1, 2)")
    notebook.ok("%azureml save prod --price $rates")
    assert shown(rows("%azureml show"))["price"] == "1 input, 2 output per million tokens"
    notebook.ok("%azureml save prod --price none")
    assert "price" not in shown(rows("%azureml show"))


def test_wrong_price_is_refused_with_an_example(notebook):
    said = notebook.refused("%azureml save prod --url https://x.y/score -f dolly --price 3")
    assert said.startswith("ConfigError: price takes two or three numbers per million tokens")
    assert "0.15,0.60,0.075" in said


def test_saving_again_changes_only_given_parts(notebook, rows):
    notebook.ok("%azureml save prod --url https://x.y/score -f dolly temperature=0.2")
    notebook.ok("%azureml save prod --timeout 5 max_new_tokens=9")
    facts = shown(rows("%azureml show prod"))
    assert (facts["formatter"], facts["timeout"]) == ("dolly", "5 s")
    assert (facts["kwarg temperature"], facts["kwarg max_new_tokens"]) == ("0.2", "9")


def test_copy_is_independent(notebook, rows):
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
        (
            "--url http://x.y/v1",
            "Before it works: http://x.y would carry the key in clear text to another machine. Use ",
        ),
    ],
)
def test_save_says_what_is_missing(notebook, line, said):
    assert said in notebook.ok(f"%azureml save new {line}").text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("new https://x.y/score", "UsageError: A URL goes behind --url. Write %azureml save new --url URL."),
        ("new https://x.y/score?api-version=1", "UsageError: A URL goes behind --url."),
        ("new -f doly", "UnknownNameError: No formatter named 'doly'. Did you mean 'dolly'?"),
        ("new --type dedicted", "UsageError: --type takes dedicated, serverless. Did you mean 'dedicated'?"),
        ("new --key sk-1234", "KeyRefusedError: That is not a key reference"),
        ("new --key env:", "ConfigError: A key reference"),
        ("new --header X-Team", "UsageError: --header takes NAME=VALUE."),
        ("new --header api-key=sk-1234", "KeyRefusedError: The value of the header api-key looks like a key"),
        ("new --header 'X Team=nlp'", "ConfigError: headers has the name 'X Team', which is not the name"),
        ("new --key-header 'X Key'", "ConfigError: key_header has the name 'X Key'"),
        ("new --proxy http://ann:s3cret@p:1", "ConfigError: The proxy's URL holds a user name or password"),
        ("new --total-timeout -1", "ConfigError: total_timeout must be a positive number of seconds"),
        ("new --timeout 0", "ConfigError: timeout must be a positive number of seconds"),
        ("new --retries -1", "ConfigError: max_retries must be 0 or a positive integer"),
        ("new temperature", "UsageError: save NAME takes NAME=VALUE, not 'temperature'"),
        ("'my config'", "UsageError: 'my config' cannot name a config."),
        ("a/b", "UsageError: 'a/b' cannot name a config."),
        ("", "UsageError: %azureml save: it needs NAME."),
    ],
)
def test_invalid_save_is_refused_and_saves_nothing(notebook, line, said):
    assert notebook.refused(f"%azureml save {line}").startswith(said)
    assert notebook.ok("%azureml list").text.startswith("No configs yet.")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://r.services.ai.azure.com/x", "/x is not a known path of a Foundry or Azure OpenAI resource"),
        ("https://models.inference.ai.azure.com", "GitHub Models left models.inference.ai.azure.com"),
    ],
)
def test_save_says_that_a_path_is_unknown(notebook, url, said):
    assert notebook.ok(f"%azureml save prod --url {url} -f openai-chat").text.splitlines()[1].startswith(said)


@pytest.mark.parametrize(
    ("path", "line", "said"),
    [
        ("/anthropic/v1/messages", "", ["max_tokens is not set: 4096 is sent, because the route requires a limit."]),
        ("/anthropic/v1/messages", "max_tokens=9 stop=x", ["stop is sent as stop_sequences."]),
        ("/openai/v1/responses", "max_tokens=9", ["max_tokens is sent as max_output_tokens."]),
        (
            "/openai/v1/responses",
            "max_tokens=9 max_output_tokens=8",
            ["max_tokens is not sent: max_output_tokens is set."],
        ),
        ("/openai/v1/responses", "max_output_tokens=8", []),
    ],
)
def test_save_says_what_is_sent_otherwise(notebook, path, line, said):
    ran = notebook.ok(f"%azureml save prod --url https://r.services.ai.azure.com{path} {line}")
    assert [line for line in ran.text.splitlines() if " sent" in line] == said


def test_save_warns_of_misspelled_kwarg(notebook):
    ran = notebook.ok("%azureml save prod --url https://x.y/v1 temprature=0.2")
    assert ran.stderr == "azureml: the model kwarg 'temprature' is sent as it is. Did you mean 'temperature'?\n"


def test_save_fills_in_environment_variables(notebook, rows, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", "https://x.y/score")
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "blue")
    notebook.ok("%azureml save prod -f gpt2")
    facts = shown(rows("%azureml show"))
    assert (facts["url"], facts["deployment"]) == ("https://x.y/score", "blue")


def test_loopback_config_may_have_no_key(notebook, rows):
    said = notebook.ok("%azureml save local --url http://127.0.0.1:8080/v1/chat/completions --key none").text
    assert said.endswith("key none")
    assert shown(rows("%azureml show local"))["key"] == "none"
    assert "Authorization" not in notebook.ok("%%azureml local --dry-run\nHello").text


def test_formatter_object_can_be_saved(notebook, rows):
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


def test_use_changes_the_active_config(two):
    assert two.ok("%azureml use dev").text == (
        "In use: dev (openai-chat at https://z.y/v1/chat/completions, key ask (asked when needed))"
    )
    assert [row[0] for row in two.ok("%azureml list").result.rows] == ["", "*"]
    assert "Did you mean 'prod'?" in two.refused("%azureml use prd")


def test_list_says_whether_keys_are_found(two, monkeypatch):
    monkeypatch.setenv("PROD_KEY", "s3cr3t")
    ran = two.ok("%azureml list")
    assert ran.result.rows == [
        ("*", "prod", "dedicated", "dolly", "https://x.y/score", "env:PROD_KEY (set)", "session"),
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


def test_show_takes_name_or_active_config(two):
    assert two.ok("%azureml show").text.splitlines()[0].split() == ["config", "prod"]
    assert two.ok("%azureml show dev").text.splitlines()[0].split() == ["config", "dev"]
    assert "Did you mean 'dev'?" in two.refused("%azureml show deb")


def test_long_system_message_stays_on_its_row(two):
    two.vars["rules"] = "Be brief.\nBe kind."
    two.ok("%azureml save prod -s $rules")
    ran = two.ok("%azureml show prod")
    assert "system     Be brief. Be kind." in ran.text.splitlines()


def test_rename_keeps_config_active(two):
    assert two.ok("%azureml rename prod live").text == "prod is now live."
    assert two.ok("%azureml list").result.rows[0][:2] == ("*", "live")
    assert two.refused("%azureml rename live dev").startswith("ConfigError: There is already a config named 'dev'.")
    assert "No config named 'prod'" in two.refused("%azureml rename prod x")
    assert "cannot name a config" in two.refused("%azureml rename live x=1")


def test_active_config_is_deleted_only_with_force(two):
    assert two.refused("%azureml delete prod").startswith("UsageError: prod is the config in use.")
    assert two.ok("%azureml delete dev").text == "Deleted dev."
    assert two.ok("%azureml delete prod -f").text == "Deleted prod."
    assert two.ok("%azureml list").text.startswith("No configs yet.")
    assert "No config named 'prod'" in two.refused("%azureml delete prod")


def test_tables_are_escaped(notebook):
    notebook.vars["rules"] = "<script>alert(1)</script>"
    notebook.ok("%azureml save prod --url https://x.y/score -s $rules")
    ran = notebook.ok("%azureml show prod")
    assert "<script>" in ran.text
    assert "<script>" not in ran.data["text/html"]
    assert "&lt;script&gt;" in ran.data["text/html"]
