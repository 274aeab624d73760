"""%azureml usage, and the costs in %azureml history."""

from __future__ import annotations

import json
from pathlib import Path

from azml_magics.display.mime import RESPONSE_MIME
from azml_magics.emulator import Fault


def shown(ran):
    """The lines of a table as dicts of its values."""
    table = ran.result
    return [dict(zip(table.headings, row, strict=True)) for row in table.values]


def test_before_any_prompt(notebook):
    assert notebook.ok("%azureml usage").text == "No prompt has been sent yet."


def test_usage_counts_requests_and_tokens_of_each_config(asking):
    asking.ok("%azureml save dear --from main --price 1000000,2000000")
    asking.ok("%%azureml -q\nHello")
    answer = asking.ok("%%azureml dear -o answer\nHello").result
    asking.ok("%%azureml dear -q -n 2\nHello")
    main, dear, total = shown(asking.ok("%azureml usage"))
    assert (main["config"], main["requests"], main["cost"]) == ("main", 1, None)
    assert (dear["config"], dear["requests"], dear["failed"]) == ("dear", 3, 0)
    assert dear["tokens in"] == 3 * answer.usage.prompt_tokens
    assert dear["cost"] >= dear["tokens in"] + 2 * answer.usage.completion_tokens
    assert total["requests"] == 4
    assert total["tokens out"] == main["tokens out"] + dear["tokens out"]
    assert "1 response is not in the cost" in asking.ok("%azureml usage").text


def test_usage_without_prices_has_no_cost_column(asking):
    asking.ok("%%azureml -q\nHello")
    ran = asking.ok("%azureml usage")
    assert "cost" not in ran.result.headings
    assert "cost" not in ran.text
    assert RESPONSE_MIME in ran.result._repr_mimebundle_()


def test_usage_counts_failures(asking, endpoint):
    endpoint.script([Fault("401")])
    asking.refused("%%azureml\nHello")
    (line,) = shown(asking.ok("%azureml usage"))
    assert (line["requests"], line["failed"], line["tokens in"]) == (1, 1, 0)


def test_usage_counts_rows_but_not_those_of_the_journal(asking):
    asking.ok("words = ['a', 'b']")
    asking.ok("%%azureml -q --each $words --journal run.jsonl\nHello {text}")
    asking.ok("%%azureml -q --each $words --journal run.jsonl\nHello {text}")
    (line,) = shown(asking.ok("%azureml usage"))
    assert line["requests"] == 2


def test_usage_by_day_has_the_day(asking):
    asking.ok("%%azureml -q\nHello")
    (line,) = shown(asking.ok("%azureml usage --by day"))
    assert len(line["day"]) == len("2026-01-31")


def test_all_adds_the_other_sessions_of_the_history_file(asking, magics):
    asking.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    asking.ok("%%azureml -q\nHello")
    line = Path("history.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    earlier = {**json.loads(line), "id": "0123456789abcdef", "recorded_at": "2026-01-01T12:00:00+00:00"}
    with Path("history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(earlier) + "\n")
    assert shown(asking.ok("%azureml usage"))[0]["requests"] == 1
    assert shown(asking.ok("%azureml usage --all"))[0]["requests"] == 2
    days = shown(asking.ok("%azureml usage --all --by day"))
    assert (days[0]["day"], days[0]["requests"], days[-1]["requests"]) == ("2026-01-01", 1, 2)
    asking.ok("%config AzureMLMagics.history_file = ''")


def test_history_has_a_cost_column_once_a_price_is_known(asking):
    asking.ok("%%azureml -q\nHello")
    assert "cost" not in asking.ok("%azureml history").result.headings
    asking.ok("%%azureml -q --price 1000000,0\nHello")
    ran = asking.ok("%azureml history")
    assert ran.result.headings == ("#", "config", "prompt", "response", "cost")
    assert ran.result.rows[0][-1] == ""
    assert float(ran.result.rows[1][-1]) > 0
    asking.ok("%azureml history --json all.jsonl")
    first, second = map(json.loads, Path("all.jsonl").read_text(encoding="utf-8").splitlines())
    assert "cost" not in first
    assert second["cost"] == second["usage"]["prompt_tokens"]
