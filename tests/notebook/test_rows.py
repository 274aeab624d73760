"""--each: one request for every row, as a user sees it in a notebook and a terminal."""

from __future__ import annotations

import re

import pytest

from azml_magics.core.errors import RowsError
from azml_magics.core.http import permit
from azml_magics.emulator import Fault
from azml_magics.rows import journal_summary
from azml_magics.rows.results import Results

MIME = "application/vnd.azml.response.v1+json"


@pytest.fixture
def rows(asking):
    """A notebook with a config and the list `places` of three dicts."""
    permit.reset()
    asking.vars["places"] = [{"place": name} for name in ("rivers", "lakes", "seas")]
    yield asking
    permit.reset()


def prompts(endpoint):
    return sorted(request.json()["messages"][-1]["content"] for request in endpoint.requests)


def test_every_row_is_sent_and_the_table_returned(rows, endpoint):
    ran = rows.ok("%%azureml --each $places -o out\nWrite about {place}.")
    assert prompts(endpoint) == ["Write about lakes.", "Write about rivers.", "Write about seas."]
    assert isinstance(ran.result, Results)
    assert [row["place"] for row in rows.vars["out"]] == ["rivers", "lakes", "seas"]
    assert all(place["place"] in place["text"] for place in rows.vars["out"])
    assert ran.stdout.startswith("Sending 3 rows to main, up to 16 at a time.\n")


def test_saved_output_is_a_summary_and_the_first_rows(rows):
    rows.vars["places"] = [{"place": f"river {n}"} for n in range(20)]
    one, two = (rows.ok("%%azureml --each $places\nWrite about {place}.") for _ in range(2))
    assert one.data == two.data
    assert one.text.startswith("20 rows\n\n[0: river 0]\n")
    assert one.text.endswith("… and 15 more")
    assert [row["index"] for row in one.data[MIME]["rows"]] == ["0", "1", "2", "3", "4"]
    assert (one.data[MIME]["summary"], one.data[MIME]["rest"]) == ("20 rows", "… and 15 more")
    assert [row["setting"] for row in one.data[MIME]["rows"]] == [{"place": f"river {n}"} for n in range(5)]
    assert one.metadata == {}
    assert "<td" in one.data["text/html"]


def test_counts_and_times_of_a_run_are_saved_on_demand(rows):
    rows.ok("%config AzureMLMagics.save_details = True")
    saved = rows.ok("%%azureml --each $places\nWrite about {place}.").metadata["azml"]
    assert saved["done"] == 3
    assert saved["seconds"] > 0


def test_long_values_are_shortened_and_surrogates_replaced(rows, endpoint):
    long = "a river\n" * 100
    rows.vars["places"] = [{"place": long}, {"place": "half \ud800"}]
    whole, half = rows.ok("%%azureml --each $places\nWrite about {place}.").data[MIME]["rows"]
    assert len(whole["setting"]["place"]) <= 200
    assert whole["setting"]["place"].startswith("a river a river")
    assert half["setting"] == {"place": "half \ufffd"}
    assert f"Write about {long}." in prompts(endpoint), "it is sent as it is"


def test_progress_display_moves_and_ends_empty(rows, endpoint):
    endpoint.latency = 0.15
    try:
        ran = rows.ok("%%azureml --each $places --concurrency 1\nWrite about {place}.")
    finally:
        endpoint.latency = 0.0
    assert ran.payloads[0] == ran.payloads[-1] == {"text/markdown": ""}
    drawn = [payload["text/plain"] for payload in ran.payloads[1:-1]]
    assert any("of 3 rows" in text and "░" in text for text in drawn)


def test_dask_client_that_is_none_sends_from_this_process(rows, endpoint):
    rows.vars["client"] = None
    rows.ok("%%azureml --each $places --dask-client $client -o out\n{place}")
    assert prompts(endpoint) == ["lakes", "rivers", "seas"]


def test_quiet_stores_and_shows_nothing(rows):
    ran = rows.ok("%%azureml --each $places -q -o out\nWrite about {place}.")
    assert (ran.result, ran.stdout, ran.payloads) == (None, "", [])
    assert len(rows.vars["out"]) == 3


def test_columns_have_precedence_over_variables(rows, endpoint):
    rows.ok("place, tongue = 'nowhere', 'French'")
    rows.ok("%%azureml --each $places --limit 1 -v mood=gay\nA {mood} line about {place} in {tongue}.")
    assert prompts(endpoint) == ["A gay line about rivers in French."]


def test_texts_and_files_are_tables(rows, endpoint, tmp_path):
    rows.vars["words"] = ["eau", "pain"]
    rows.ok("%%azureml --each $words -o out\nTranslate {word}.")
    assert [row["word"] for row in rows.vars["out"]] == ["eau", "pain"]
    (tmp_path / "rows.csv").write_text("word\nvin\n", encoding="utf-8")
    rows.ok("%%azureml --each rows.csv -o out\nTranslate {word}.")
    assert [row["word"] for row in rows.vars["out"]] == ["vin"]
    assert "Translate vin." in prompts(endpoint)


def test_frame_gives_a_frame(rows):
    pd = pytest.importorskip("pandas", reason="pandas is optional")
    rows.vars["df"] = pd.DataFrame({"place": ["rivers", None]}, index=["a", "b"])
    ran = rows.ok("%%azureml --each $df -o out\nWrite about {place}.")
    assert list(rows.vars["out"].index) == ["a", "b"]
    assert rows.vars["out"]["error"].iloc[1].startswith("PromptError: Row 'b' has no value in the column 'place'.")
    assert ran.text.startswith("2 rows, 1 failed\n")
    assert "Row &#x27;b&#x27; has no value" in ran.data["text/html"]


@pytest.mark.parametrize("empty", ["None", "float('nan')", "pd.NaT", "pd.NA"])
def test_missing_value_is_displayed_as_empty(rows, empty):
    pytest.importorskip("pandas", reason="pandas is optional")
    rows.ok(f"import pandas as pd\ndf = pd.DataFrame({{'place': ['rivers', {empty}], 'tongue': ['French', {empty}]}})")
    ran = rows.ok("%%azureml --each $df\nWrite about {place}.")
    assert "\n[1]\nPromptError: Row 1 has no value" in ran.text
    assert re.search(r"<tr><td[^>]*>1</td><td[^>]*></td><td[^>]*><div[^>]*>PromptError: ", ran.data["text/html"])
    assert [row["setting"] for row in ran.data[MIME]["rows"]] == [{"place": "rivers"}, {"place": ""}]
    assert not any(word in ran.data["text/html"] for word in ("nan", "NaT", "NA&gt;", "None"))


# ---- before anything is sent


def test_dry_run_shows_three_requests_and_the_count(rows, endpoint):
    rows.vars["places"] = [*rows.vars["places"][:2], {"place": None}, {"place": "hills"}]
    text = rows.ok("%%azureml --each $places --dry-run\nWrite about {place}.").text
    assert text.startswith("Would send 4 requests. The first:\n\nPOST http")
    assert text.count("POST ") == 2
    assert "Write about lakes." in text
    assert "PromptError: Row 2 has no value in the column 'place'" in text
    assert "hills" not in text
    assert "nbtest-5up3r-s3cr3t-key" not in text
    assert len(endpoint.requests) == 0


def test_limit_of_a_stream_is_announced_as_at_most(rows, endpoint, tmp_path):
    (tmp_path / "rows.csv").write_text("place\nrivers\nlakes\nseas\n", encoding="utf-8")
    ask = "%%azureml --each rows.csv {}\nWrite about {{place}}."
    assert rows.ok(ask.format("--limit 1")).stdout.startswith("Sending at most 1 row to main, up to 16 at a time.\n")
    assert rows.ok(ask.format("--sample 2")).stdout.startswith("Sending at most 2 rows to main, up to 16 at a time.\n")
    assert rows.ok(ask.format("")).stdout.startswith("Sending the rows one by one to main, up to 16 at a time.\n")
    assert len(endpoint.requests) == 6


def test_limit_of_a_dask_frame_is_announced_as_at_most(rows, endpoint):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    pd = pytest.importorskip("pandas", reason="pandas is optional")
    rows.vars["far"] = dd.from_pandas(pd.DataFrame({"place": ["rivers", "lakes", "seas", "hills"]}), npartitions=2)
    ask = "%%azureml --each $far --dry-run {}\nWrite about {{place}}."
    limited = rows.ok(ask.format("--limit 2")).text
    assert limited.startswith("Would send at most 2 requests. The first:\n\nPOST http")
    assert limited.count("POST ") == 2
    assert rows.ok(ask.format("--sample 9")).text.startswith("Would send at most 9 requests. The first:\n")
    assert rows.ok(ask.format("")).text.startswith("Would send a request for every row. The first:\n")
    assert len(endpoint.requests) == 0


def test_lazy_frame_says_how_many_rows_are_collected(rows, endpoint):
    pl = pytest.importorskip("polars", reason="polars is optional")
    rows.vars["lazy"] = pl.LazyFrame({"place": ["rivers", "lakes", "seas", "hills"]})
    ran = rows.ok("%%azureml --each $lazy -o out\nWrite about {place}.")
    assert ran.stdout.startswith("Sending 4 rows to main, up to 16 at a time.")
    assert isinstance(rows.vars["out"], pl.DataFrame)
    dry = rows.ok("%%azureml --each $lazy --dry-run\nWrite about {place}.")
    assert dry.text.startswith("Would send a request for every row. The first:\n")


def test_frame_that_is_elsewhere_says_that_it_is_collected(rows, endpoint):
    pytest.importorskip("pyarrow", reason="pyarrow is optional")
    rows.ok("import pyarrow as pa, pyarrow.dataset as ds")
    rows.ok("files = ds.dataset(pa.table({'place': ['rivers', 'lakes', 'seas', 'hills']}))")
    ran = rows.ok("%%azureml --each $files -o out\nWrite about {place}.")
    assert ran.stdout.startswith(
        "Sending 4 rows to main, up to 16 at a time. The pyarrow InMemoryDataset is collected first.\n"
    )
    assert list(rows.vars["out"]["place"]) == ["rivers", "lakes", "seas", "hills"]


def test_table_that_comes_back_into_its_variable_keeps_its_columns(rows):
    pd = pytest.importorskip("pandas", reason="pandas is optional")
    rows.vars["df"] = pd.DataFrame({"place": ["rivers"]})
    for _ in range(3):
        rows.ok("%%azureml --each $df -o df\nWrite about {place}.")
    assert [name for name in rows.vars["df"].columns if "text" in name] == ["text", "answer_text", "answer_text_2"]


def test_dry_run_and_refusal_lose_no_row_of_an_iterator(rows, endpoint):
    rows.vars["stream"] = ({"place": name} for name in ("rivers", "lakes", "seas", "hills"))
    assert rows.ok("%%azureml --each $stream --dry-run\nAbout {place}").text.count("POST ") == 3
    rows.refused("%%azureml --each $stream\nAbout {plaec}")
    rows.ok("%%azureml --each $stream\nAbout {place}")
    assert prompts(endpoint) == ["About hills", "About lakes", "About rivers", "About seas"]


def test_variable_that_is_no_column_is_announced(rows, endpoint):
    rows.vars["city"] = "Lisbon"
    said = rows.ok("%%azureml --each $places\n{place} in {city}").stdout
    assert "up to 16 at a time. {city} is the notebook's 'Lisbon' in every row.\n" in said


def test_system_message_takes_columns(rows, endpoint):
    rows.vars.update(tone="dry", rules="Never {place}.")
    rows.ok('%%azureml --each $places --limit 1 -s "Be {tone} about {place}"\nName {place}')
    rows.ok("%%azureml --each $places --limit 1 -s $rules\nName {place}")
    sent = [request.json()["messages"] for request in endpoint.requests]
    assert [messages[0]["content"] for messages in sent] == ["Be dry about rivers", "Never {place}."]
    assert {messages[1]["content"] for messages in sent} == {"Name rivers"}


def test_empty_table_sends_nothing_and_gives_its_columns(rows, endpoint):
    pd = pytest.importorskip("pandas", reason="pandas is optional")
    rows.vars.update(empty=pd.DataFrame({"place": []}), nothing=[])
    rows.ok("%%azureml --each $empty -o out\n{place}")
    assert list(rows.vars["out"].columns)[:2] == ["place", "text"]
    assert "Sending 0 rows" in rows.ok("%%azureml --each $nothing -o out\n{place}").stdout
    assert rows.vars["out"] == []
    assert len(endpoint.requests) == 0


@pytest.mark.parametrize(
    ("line", "body", "why"),
    [
        ("--each $palces", "{place}", "There is no variable 'palces' for $palces. Did you mean 'places'"),
        ("--each places", "{place}", "--each takes $NAME or a file, not 'places'. Write --each $places"),
        (
            "--each $places",
            "{plaec}",
            "UndefinedVariableError: The prompt uses {plaec}, and there is no column or variable 'plaec'. Did you mean 'place'? "
            "Name a column, define it (a cell takes --var plaec=…, map_rows variables), or write {{plaec}} for literal "
            "braces.",
        ),
        ("--each $places", "Hello", "The prompt uses no column of the table: every row would send the same request"),
        ("--each $places", " ", "There is no prompt"),
        ("--each $number", "{place}", "An object of type int is not a table"),
        ("--each missing.csv", "{place}", "There is no file 'missing.csv'"),
        ("--each $places --limit 0", "{place}", "limit takes a number of at least 1"),
        ("--each $places --concurrency 0", "{place}", "concurrency takes a whole number of at least 1"),
        ("--each $places --limit x", "{place}", "--limit takes a whole number, not 'x'"),
        ("--each $places --retry-failed", "{place}", "Failed rows can be sent again only with the journal"),
        ("--each $places --dask-client $number", "{place}", "$number is not a dask client"),
        (
            "--each $places --dask-client number",
            "{place}",
            "--dask-client takes a variable, not 'number'. Write $number",
        ),
        ("--each $places -t none", "{place}", "--each and -t do not go together"),
        ("--each $places --schema $number", "{place}", "A schema is a pydantic model class"),
        ("--each $places -F json", "{place}", "--each and -F do not go together"),
        ("--each $places -c talk", "{place}", "--each gives several responses, and -c takes one"),
        ("--each $places --journal nowhere/run.jsonl", "{place}", "The journal 'nowhere/run.jsonl' cannot be opened"),
        ("--journal run.jsonl", "{place}", "--journal goes with --each"),
        ("--max-tokens-total 5", "{place}", "--max-tokens-total goes with --each"),
    ],
)
def test_wrong_cells_are_refused_before_sending(rows, endpoint, line, body, why):
    rows.vars.update(empty=[], number=7)
    assert why in rows.refused(f"%%azureml {line}\n{body}")
    assert len(endpoint.requests) == 0


# ---- objects


def test_schema_validates_responses_and_adds_columns(rows, endpoint):
    rows.ok("from pydantic import BaseModel\nclass Water(BaseModel):\n    name: str\n    depth: int")
    cell = "%%azureml --each $places --schema $Water -o out"
    ran = rows.ok(f"{cell}\nJSON with the 'name' and the 'depth' of {{place}}.")
    assert [list(row)[:4] for row in rows.vars["out"]] == [["place", "name", "depth", "text"]] * 3
    assert [type(row["depth"]) for row in rows.vars["out"]] == [int] * 3
    assert isinstance(ran.result[0].response.parsed, rows.vars["Water"])
    assert "response_format" in endpoint.requests[0].json()


def test_dry_run_shows_the_schema_in_the_request(rows, endpoint):
    rows.vars["form"] = {"type": "object", "properties": {"depth": {"type": "integer"}}}
    assert (
        '"response_format"' in rows.ok("%%azureml --each $places --schema $form --dry-run\nHow deep are {place}?").text
    )
    assert len(endpoint.requests) == 0


def test_invalid_response_is_displayed_with_its_error(rows, endpoint):
    never = {"type": "string", "pattern": "^never$"}
    rows.vars["form"] = {"type": "object", "properties": {"depth": never}, "required": ["depth"]}
    ran = rows.ok("%%azureml --each $places --schema $form -o out\nJSON with the 'depth' of {place}.")
    assert ran.text.startswith("3 rows, 3 failed\n3 rows failed: SchemaError: ")
    for form in ("text/plain", "text/html"):
        assert ran.data[form].count("The response does not match") == 4, "of each row and of all"
    assert all("does not match '^never$'" in row["error"] for row in rows.vars["out"])
    assert all(row["text"].startswith('{"depth": ') and row["depth"] is None for row in rows.vars["out"])


@pytest.mark.parametrize("again", [False, True], ids=["first run", "read from the journal"])
def test_row_errors_have_the_notebooks_remedy(rows, endpoint, again):
    rows.vars["form"] = {"type": "object", "properties": {"depth": {"pattern": "^never$"}}, "required": ["depth"]}
    cell = "%%azureml --each $places --schema $form --journal run.jsonl -o out\nJSON with the 'depth' of {place}."
    ran = [rows.ok(cell) for _ in range(1 + again)][-1]
    assert all("--retry-failed sends the failed rows" in row["error"] for row in rows.vars["out"])
    assert "retry_failed" not in ran.text
    assert len(endpoint.requests) == 3


# ---- nothing lost


def test_second_run_continues_from_the_journal(rows, endpoint):
    cell = "%%azureml --each $places --journal run.jsonl -o out\nWrite about {place}."
    rows.ok("%config AzureMLMagics.save_details = True")
    first = rows.ok(cell)
    assert first.stdout.startswith("Sending 3 rows to main, up to 16 at a time, with the journal run.jsonl.\n")
    rows.vars["places"].append({"place": "hills"})
    again = rows.ok(cell)
    assert again.stdout.startswith("Sending 1 of 4 rows to main, up to 16 at a time: the journal run.jsonl has 3.\n")
    assert len(endpoint.requests) == 4
    assert rows.vars["out"][0]["text"] == first.result[0].text
    assert again.metadata["azml"]["reused"] == 3
    assert "is the journal of another run: prompt was" in rows.refused(cell + "!")


def test_announcement_counts_rows_missing_from_the_journal(rows, endpoint):
    """Equal rows are counted each; a row that cannot be sent is neither found nor missing."""
    cell = "%%azureml --each $places --journal run.jsonl\nWrite about {place}."
    rows.vars["places"] = [{"place": "rivers"}, {"place": None}, {"place": "rivers"}]
    rows.ok("%%azureml --each $places --limit 1 --journal run.jsonl\nWrite about {place}.")
    assert rows.ok(cell).stdout.startswith(
        "Sending 1 of 3 rows to main, up to 16 at a time: the journal run.jsonl has 1."
    )
    assert rows.ok(cell).stdout.startswith("Sending nothing to main: the journal run.jsonl has 2 of 3 rows.\n")
    rows.vars["places"] = [{"place": "rivers"}] * 2
    assert rows.ok(cell).stdout.startswith("Sending nothing to main: the journal run.jsonl has all 2 rows.\n")
    rows.vars["places"] = [{"place": "rivers"}]
    assert rows.ok(cell).stdout.startswith("Sending nothing to main: the journal run.jsonl has the row.\n")
    rows.vars["places"] = [{"place": "seas"}]
    assert rows.ok(cell).stdout.startswith("Sending 1 row to main, up to 16 at a time, with the journal run.jsonl.\n")
    assert len(endpoint.requests) == 3


def test_announcement_of_a_large_table_counts_journal_entries_only(rows, monkeypatch):
    cell = "%%azureml --each $places --journal run.jsonl\nWrite about {place}."
    rows.ok(cell)
    monkeypatch.setattr(journal_summary, "MAX_COUNTED", 2)
    said = rows.ok(cell).stdout
    assert said.startswith(
        "Sending what the journal run.jsonl lacks of 3 rows to main, up to 16 at a time: it has 3 responses and errors.\n"
    )


def test_retry_failed_sends_failed_rows_again(rows, endpoint):
    cell = "%%azureml --each $places --journal run.jsonl --concurrency 1 -o out"
    endpoint.script([None, Fault("400")])
    assert rows.ok(f"{cell}\nWrite about {{place}}.").text.startswith("3 rows, 1 failed")
    again = rows.ok(f"{cell}\nWrite about {{place}}.")
    assert again.stdout.startswith("Sending nothing to main: the journal run.jsonl has all 3 rows.\n")
    assert again.text.startswith("3 rows, 1 failed")
    assert len(endpoint.requests) == 3
    once_more = rows.ok(f"{cell} --retry-failed\nWrite about {{place}}.")
    assert once_more.stdout.startswith("Sending 1 of 3 rows to main, up to 1 at a time: the journal run.jsonl has 2.\n")
    assert once_more.text.startswith("3 rows\n")
    assert len(endpoint.requests) == 4


def test_run_that_ends_early_stores_the_responses(rows, endpoint):
    rows.vars["places"] = [{"place": f"river {n}"} for n in range(30)]
    endpoint.script([None] * 4 + [Fault("401")] * 30)
    line = rows.refused("%%azureml --each $places --concurrency 1 -o out\nWrite about {place}.")
    assert line.startswith("RowsError: The run ended after 4 of 30 rows: AuthenticationError: ")
    assert [row["error"] for row in rows.vars["out"]] == [None] * 4 + ["not sent"] * 26
    last = rows.ok("%azureml last").result
    assert sum(row.response is not None for row in last) == 4
    assert issubclass(RowsError, Exception)


def test_max_tokens_total_stops_starting_rows(rows, endpoint):
    ran = rows.ok("%%azureml --each $places --concurrency 1 --max-tokens-total 1\nWrite about {place}.")
    assert ran.text.startswith("3 rows, 2 not sent. Stopped starting rows at the limit of 1 tokens\n")
    assert len(endpoint.requests) == 1


def test_configured_concurrency_is_the_default(rows, endpoint):
    rows.ok("%config AzureMLMagics.concurrency = 2")
    assert "up to 2 at a time" in rows.ok("%%azureml --each $places\nWrite about {place}.").stdout
    assert "up to 5 at a time" in rows.ok("%%azureml --each $places --concurrency 5\nWrite about {place}.").stdout


def test_terminal_shows_one_summary(terminal, endpoint, capsys):
    permit.reset()
    terminal.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    terminal.vars["words"] = ["eau", "pain"]
    ran = terminal.ok("%%azureml --each $words\nTranslate {word}.")
    assert ran.stdout.startswith("Sending 2 rows to main")
    assert ran.text.startswith("2 rows\n\n[0: eau]\n")


def test_unloading_removes_the_display_of_results(rows):
    rows.ok("%%azureml --each $places\nWrite about {place}.")
    formatter = rows.shell.display_formatter.mimebundle_formatter
    assert Results in formatter.type_printers
    rows.ok("%unload_ext azml_magics")
    assert Results not in formatter.type_printers
    rows.ok("%load_ext azml_magics")


def test_run_over_a_file_says_how_many_rows_were_read(rows, tmp_path):
    (tmp_path / "rows.csv").write_text("place\nrivers\nlakes\n", encoding="utf-8")
    assert rows.ok("%%azureml --each rows.csv\nWrite about {place}.").text.startswith("2 rows read\n")
    assert rows.ok("%%azureml --each rows.csv --limit 1\nWrite about {place}.").text.startswith("1 row read\n")


def test_preview_shows_the_columns_of_a_schema(rows, endpoint):
    rows.vars["form"] = {"type": "object", "properties": {"depth": {"type": "integer"}, "place": {"type": "string"}}}
    rows.vars["form"]["required"] = ["depth", "place"]
    ran = rows.ok("%%azureml --each $places --schema $form -o out\nJSON with the 'depth' and 'place' of {place}.")
    first = rows.vars["out"][0]
    assert f"}}\ndepth: {first['depth']}, answer_place: {first['answer_place']}\n" in ran.text
    for heading in ("depth", "answer_place"):
        assert f">{heading}</th>" in ran.data["text/html"]
    assert f">{first['depth']}</td>" in ran.data["text/html"]
    fields = {"depth": first["depth"], "answer_place": first["answer_place"]}
    assert ran.data[MIME]["rows"][0]["fields"] == fields  # the depth is a number


def test_run_that_ends_early_gives_rows_back_to_its_iterator(rows, endpoint):
    rows.vars["stream"] = ({"place": f"river {n}"} for n in range(30))
    endpoint.script([None] * 4 + [Fault("401")] * 30)
    rows.refused("%%azureml --each $stream --concurrency 1 -o out\nWrite about {place}.")
    endpoint.script([])
    first = [row["place"] for row in rows.vars["out"]]
    rows.ok("%%azureml --each $stream -o out\nWrite about {place}.")
    assert first + [row["place"] for row in rows.vars["out"]] == [f"river {n}" for n in range(30)]


# ---- failures


def test_failures_are_grouped_with_the_line_that_retries_them(rows):
    rows.vars["places"] = [{"place": None}, {"place": "seas"}, {"place": None}]
    ran = rows.ok("%%azureml --each $places -o out\nWrite about {place}.")
    group = (
        "2 rows failed: PromptError: Row … has no value in the column 'place' (rows 0, 2).\n"
        "To send them again: failed = [row for row in out if row['error']], then --each $failed."
    )
    assert ran.text.startswith(f"3 rows, 2 failed\n{group}\n\n[0]")
    assert ">2 rows failed: PromptError: Row …" in ran.data["text/html"]
    assert ran.data[MIME]["summary"] == f"3 rows, 2 failed. {group}".replace("\n", " ")


def test_failures_of_a_run_with_a_journal_name_retry_failed(rows):
    rows.vars["places"] = [{"place": None}, {"place": None}, {"place": "seas"}]
    ran = rows.ok("%%azureml --each $places --journal run.jsonl\nWrite about {place}.")
    assert "\nThe same cell with --retry-failed sends them again.\n" in ran.text


def test_failed_rows_without_a_variable_are_selected_from_the_output(rows):
    rows.vars["places"] = [{"place": None}, {"place": None}, {"place": "seas"}]
    ran = rows.ok("%%azureml --each $places\nWrite about {place}.")
    assert "out = _.to_table(); failed = [row for row in out if row['error']]; then --each $failed." in ran.text
