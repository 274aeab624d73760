"""--compare, --sweep and -n: one prompt, several answers side by side."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser

import pytest

from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import Interrupted
from azml_magics.notebook import compare, publishing

MIME = "application/vnd.azml.response.v1+json"


@pytest.fixture
def two(asking, endpoint):
    """A notebook with the configs `main` (chat) and `text` (a completion route)."""
    asking.ok(f"%azureml save text --url {endpoint.url}/v1/completions --key env:TEST_KEY")
    return asking


@pytest.fixture
def failing(asking, endpoint):
    """Save a config that meets a fault with every request."""

    def save(name, fault):
        url = f"{endpoint.url}/v1/chat/completions?emulator-fault={fault}"
        asking.ok(f"%azureml save {name} --url {url} --key env:TEST_KEY --retries 0")

    return save


def paths(endpoint):
    return sorted(request.path for request in endpoint.requests)


# ---- what is asked ---------------------------------------------------------------------------------------------


def test_compare_sends_same_prompt_to_several_configs(two, endpoint):
    batch = two.ok("%%azureml --compare main,text\nWrite about rivers.").result
    assert isinstance(batch, Batch)
    assert paths(endpoint) == ["/v1/chat/completions", "/v1/completions"]
    assert [row.label for row in batch] == ["main", "text"]
    assert all("rivers" in text for text in batch.texts)
    assert [row.response.config for row in batch] == ["main", "text"]


def test_compare_one_failure_does_not_stop_the_others(two, failing):
    failing("broken", "401")
    failing("slow", "504")
    ran = two.ok("%%azureml --compare broken,main,slow,text\nHello")
    assert [type(error).__name__ for error in ran.result.errors] == [
        "AuthenticationError",
        "NoneType",
        "APITimeoutError",
        "NoneType",
    ]
    assert "Hello!" in ran.result[1].text
    assert "AuthenticationError: " in ran.text
    assert "(config 'broken'" in ran.text
    assert [row["error"] is None for row in ran.data[MIME]["rows"]] == [False, True, False, True]


def test_compare_config_without_key_or_formatter_fails_alone(two, endpoint):
    two.ok(f"%azureml save keyless --url {endpoint.url}/v1/completions --key env:NOT_THERE")
    two.ok(f"%azureml save speechless --url {endpoint.url}/score --key env:TEST_KEY")
    batch = two.ok("%%azureml --compare keyless,speechless,main\nHello").result
    assert [type(error).__name__ for error in batch.errors] == ["KeyNotFoundError", "ConfigError", "NoneType"]


def test_compare_keeps_partial_text_of_failed_row(two, failing):
    failing("cut", "cut;after=8")
    row = two.ok("%%azureml --compare cut,main\nTell me about rivers").result[0]
    assert type(row.error).__name__ == "StreamInterruptedError"
    assert row.text != ""


def test_compare_mistyped_config_stops_before_sending(two, endpoint):
    assert "No config named 'txet'. Did you mean 'text'?" in two.refused("%%azureml --compare main,txet\nHello")
    assert len(endpoint.requests) == 0


def test_compare_takes_config_objects(two):
    two.ok("from azml_magics.session import current")
    two.ok("mine = current().get('main')")
    batch = two.ok("%%azureml --compare $mine,text\nHello").result
    assert [row.label for row in batch] == ["$mine", "text"]


def test_sweep_is_cartesian_product_in_order(asking, endpoint):
    ran = asking.ok("%%azureml --sweep temperature=0,0.5 --sweep max_tokens=5,10,15\nHello")
    assert [dict(row.setting) for row in ran.result] == [
        {"temperature": t, "max_tokens": m} for t in (0, 0.5) for m in (5, 10, 15)
    ]
    sent = sorted((r.json()["temperature"], r.json()["max_tokens"]) for r in endpoint.requests)
    assert sent == [(0, 5), (0, 10), (0, 15), (0.5, 5), (0.5, 10), (0.5, 15)]
    assert ran.text.startswith("[temperature=0, max_tokens=5 · length · 5 tokens]\n")


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("stop=a,b", ["a", "b"]),
        ("stop=a", ["a"]),
        ('stop=["a","b"],["c"]', [["a", "b"], ["c"]]),
        ("stop=[1,2]", [1, 2]),
        ("user=true,null,x", [True, None, "x"]),
        ("user=NaN,1", ["NaN", 1]),
        ("user=a=b, c", ["a=b", "c"]),
        ('user=["1","2"]', ["1", "2"]),
        ("temperature=.5,True", [0.5, True]),
        ("user=" + "[" * 100_000, ["[" * 100_000]),
    ],
)
def test_sweep_values_are_json_or_text(magics, typed, values):
    assert compare.parse_sweeps(magics.context, [typed]) == {typed.partition("=")[0]: values}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--sweep temperature", "--sweep takes NAME=VALUE, not 'temperature'"),
        ("--sweep temperature=", "A sweep needs at least one value"),
        ("--sweep temperature=0 --sweep temperature=1", "--sweep names temperature twice"),
        ("--compare ,", "--compare names no config"),
        ("main --compare main,text", "leave out main"),
        ("-n 0", "-n takes a number of at least 1, not 0"),
        ("-n two", "--repeat takes a whole number, not 'two'"),
    ],
)
def test_invalid_options_are_refused_before_sending(two, endpoint, line, why):
    assert why in two.refused(f"%%azureml {line}\nHello")
    assert len(endpoint.requests) == 0


@pytest.mark.parametrize("many", ["--compare main,text", "--sweep temperature=0,1", "-n 2"])
@pytest.mark.parametrize("one", ["--schema $dict", "-c talk", "--save good", "--insert -F code"])
def test_single_response_options_are_refused_side_by_side(two, endpoint, many, one):
    line = two.refused(f"%%azureml {many} {one}\nHello")
    assert f"{many.split()[0]} gives several responses, and {one.split()[0]} takes one" in line
    assert len(endpoint.requests) == 0


def test_langchain_object_is_refused_by_name(two):
    two.ok("from langchain_core.runnables import RunnableLambda\nchain = RunnableLambda(str)")
    line = two.refused("%%azureml $chain -n 2\nHello")
    assert line == "UsageError: --compare, --sweep and -n take configs, and $chain is a LangChain object"


def test_repeat_gives_n_responses(asking, endpoint):
    batch = asking.ok("%%azureml -n 3\nHello").result
    assert len(endpoint.requests) == 3
    assert [row.label for row in batch] == ["1", "2", "3"]


def test_repeat_one_is_a_batch_of_one(asking):
    assert [row.label for row in asking.ok("%%azureml -n 1\nHello").result] == ["1"]


def test_compare_sweep_and_repeat_combine(two, endpoint):
    batch = two.ok("%%azureml --compare main,text --sweep temperature=0,1 -n 2\nHello").result
    assert len(endpoint.requests) == len(batch) == 8
    assert dict(batch[0].setting) == {"config": "main", "temperature": 0, "repeat": 1}
    assert dict(batch[7].setting) == {"config": "text", "temperature": 1, "repeat": 2}


def test_other_options_apply_to_each_request(two, endpoint):
    two.vars["topic"] = "rivers"
    two.ok("%%azureml --compare main,text -s 'Be brief.' -p max_tokens=9 -v place=Oslo\nAbout {topic} in {place}")
    chat, text = sorted((r.json() for r in endpoint.requests), key=lambda body: "prompt" in body)
    assert [turn["content"] for turn in chat["messages"]] == ["Be brief.", "About rivers in Oslo"]
    assert text["prompt"] == "Be brief.\n\nAbout rivers in Oslo"
    assert chat["max_tokens"] == text["max_tokens"] == 9


def test_swept_kwargs_do_not_stick(asking, last_body):
    asking.ok("%%azureml --sweep temperature=0,1\nHello")
    asking.ok("%%azureml\nHello")
    assert "temperature" not in last_body()


# ---- before and while they go ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [("--sweep temperature=0,1 --sweep max_tokens=5,6", "Sending 4 requests.\n"), ("-n 1", "Sending 1 request.\n")],
)
def test_number_of_requests_is_printed_before_sending(asking, endpoint, monkeypatch, line, said):
    went_before = []

    def say(message):
        went_before.append(len(endpoint.requests))
        said_before(message)

    said_before = publishing.print_line
    monkeypatch.setattr(publishing, "print_line", say)
    assert asking.ok(f"%%azureml {line}\nHello").stdout.startswith(said)
    assert went_before == [0]


def test_concurrency_limits_parallel_requests(asking, endpoint):
    endpoint.in_flight_peak = 0
    endpoint.rate = 200
    asking.ok("%config AzureMLMagics.concurrency = 2")
    asking.ok("%%azureml -n 6\nHello")
    assert endpoint.in_flight_peak == 2


def test_table_fills_while_streaming_and_display_ends_empty(asking, endpoint):
    endpoint.rate = 100
    ran = asking.ok("%%azureml -n 2\nTell me about rivers")
    assert ran.payloads[0] == ran.payloads[-1] == {"text/markdown": ""}
    frames = ran.payloads[1:-1]
    assert frames
    assert all("<table class=" in frame["text/html"] for frame in frames)
    assert any(ran.result[0].text[:60] in frame["text/plain"] for frame in frames)
    assert frames[0]["text/plain"] != frames[-1]["text/plain"]


def test_result_is_text_and_html_table_without_times(asking):
    assert asking.ok("%%azureml -n 2\nHello").metadata == {}
    asking.ok("%config AzureMLMagics.save_details = True")
    first, second = (asking.ok("%%azureml -n 2\nHello") for _ in range(2))
    assert first.data == second.data
    assert set(first.data) == {"text/plain", "text/html", MIME}
    assert first.data["text/html"].count("<tr>") == 3
    assert [row["usage"]["total_tokens"] for row in first.data[MIME]["rows"]] == [17, 17]
    assert len(first.metadata["azml"]["latencies"]) == 2
    assert asking.vars["_"] is second.result


def test_html_in_response_is_escaped_in_table(asking, endpoint):
    class Says:
        def format_request_payload(self, prompt, model_kwargs):
            return {"input_data": [prompt]}

        def format_response_payload(self, output):
            return "<script>alert(1)</script><img src=x onerror=alert(2)>"

    asking.vars["says"] = Says()
    ran = asking.ok(f"%%azureml -u {endpoint.url}/score -f $says -n 2\nHello")
    seen = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: seen.append(tag)
    parser.feed(ran.data["text/html"])
    assert set(seen) == {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert ran.result[0].text in ran.text


def test_no_stream_waits_for_whole_responses(two, endpoint):
    for line in ("--no-stream", ""):
        ran = two.ok(f"%%azureml {line} --compare main,text\nHello")
        assert ran.payloads == []
        assert all("stream" not in request.json() for request in endpoint.requests)
        assert all(ran.result.texts)
        two.ok("%config AzureMLMagics.stream = False")


def test_quiet_shows_nothing_and_stores_batch(asking):
    ran = asking.ok("%%azureml -q -n 2 -o batch\nHello")
    assert (ran.result, ran.payloads, ran.stdout, ran.stderr) == (None, [], "", "")
    assert len(asking.vars["batch"]) == 2
    assert asking.ok("%azureml last").result is not None


def test_json_is_parsed_in_each_row(asking):
    ran = asking.ok(
        "%%azureml -n 2 -F json\nGive me JSON with the keys 'title', 'price' and 'tags' for a label on a loaf of rye bread."
    )
    assert [list(response.parsed) for response in ran.result.responses] == [["title", "price", "tags"]] * 2
    ran = asking.ok("%%azureml -n 2 -F json\nHello")
    assert [response.parsed for response in ran.result.responses] == [None, None]
    assert "it is kept as text" in ran.stderr


def test_misspelled_kwarg_is_reported_once(asking, endpoint):
    ran = asking.ok("%%azureml --sweep temprature=0,0.5,1\nHello")
    assert ran.stderr.count("Did you mean 'temperature'?") == 1
    assert endpoint.requests[0].json()["temprature"] in (0, 0.5, 1)


def test_typed_key_is_prompted_for_once_in_main_thread(asking, endpoint, monkeypatch):
    import threading

    from .conftest import KEY

    asked = []

    def typed(prompt):
        asked.append((prompt, threading.current_thread() is threading.main_thread()))
        return KEY

    monkeypatch.setattr("getpass.getpass", typed)
    ran = asking.ok("%%azureml --key ask -n 3\nHello")
    assert all(ran.result.texts)
    assert asked == [(f"Key for {endpoint.url}: ", True)]


def test_dry_run_shows_every_request_and_sends_none(two, endpoint):
    ran = two.ok("%%azureml --compare main,text --dry-run\nHello")
    assert ran.text.startswith("Would send 2 requests.\n\nPOST ")
    assert ran.text.count("POST http") == 2
    assert ran.text.count("Bearer **********") == 2
    assert '"stream": true' in ran.text
    assert '"stream"' not in two.ok("%%azureml --compare main,text --dry-run --no-stream\nHello").text
    assert len(endpoint.requests) == 0


# ---- afterwards ------------------------------------------------------------------------------------------------


def test_last_shows_batch_and_history_each_response(two):
    batch = two.ok("%%azureml --compare main,text\nHello").result
    assert two.ok("%azureml last").result is batch
    assert len(two.ok("%azureml history").result.rows) == 2
    single = two.ok("%%azureml\nHello").result
    assert two.ok("%azureml last").result is single


def test_only_different_and_to_dicts(asking, endpoint):
    batch = asking.ok("%%azureml --sweep max_tokens=10,10,14 -o batch\nTell me about rivers").result
    assert [row.setting["max_tokens"] for row in asking.ok("batch.only_different()").result] == [10, 14]
    dicts = batch.to_dicts()
    assert json.dumps(dicts)
    assert dicts[2].keys() >= {"max_tokens", "text", "finish_reason", "completion_tokens", "latency", "error"}


def test_words_that_differ_from_first_response_are_marked(asking):
    ran = asking.ok("%%azureml --sweep max_tokens=12,20\nTell me about rivers")
    assert "<mark>" in ran.data["text/html"]


def test_code_shows_the_last_call(asking):
    asking.ok("%%azureml --sweep temperature=0,0.5\nHello there")
    assert "'temperature': 0.5" in asking.ok("%azureml code last").text


@pytest.fixture
def interrupted(asking, endpoint, monkeypatch):
    """Run a cell whose table is interrupted once `enough` of it has arrived."""

    def run(source, enough):
        def show(self, batch):
            if enough(batch):
                raise KeyboardInterrupt

        monkeypatch.setattr(compare.LiveTable, "show", show)
        return asking.run(source)

    return run


def test_interrupt_keeps_partial_responses(interrupted, asking, failing, endpoint):
    failing("stalled", "stalled;after=8")
    ran = interrupted(
        "%%azureml --compare main,stalled\nTell me about rivers",
        lambda batch: batch[0].response and batch[0].response.finish_reason and batch[1].text,
    )
    assert type(ran.error) is Interrupted
    assert str(ran.error).startswith("Stopped; 1 of 2 responses were complete.")
    batch = asking.ok("%azureml last").result
    assert batch[0].response.finish_reason == "stop"
    assert batch[1].text
    assert type(batch[1].error) is Interrupted
    assert html.escape(batch[1].text) in ran.payloads[-1]["text/html"]  # it stays on the screen


def test_interrupt_cancels_waiting_requests(interrupted, asking, failing, endpoint):
    failing("stalled", "stalled;after=8")
    asking.ok("%config AzureMLMagics.concurrency = 1")
    interrupted("%%azureml --compare stalled,main\nHello", lambda batch: batch[0].text)
    asking.ok("%%azureml\nHello again")
    assert [request.json()["messages"][0]["content"] for request in endpoint.requests] == ["Hello", "Hello again"]


def test_interrupt_before_first_byte_leaves_table_in_last(interrupted, asking, failing):
    failing("slow", "slow;seconds=30")
    asking.ok("%config AzureMLMagics.concurrency = 1")
    ran = interrupted("%%azureml --compare slow,main\nHello", lambda batch: True)
    assert str(ran.error).startswith("Stopped; 0 of 2")
    assert len(asking.ok("%azureml last").result) == 2


# ---- at a terminal ---------------------------------------------------------------------------------------------


def test_terminal_shows_table_as_text(terminal, endpoint):
    terminal.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    ran = terminal.ok("%%azureml -n 2\nHello")
    assert ran.payloads == []
    assert ran.stdout.startswith("Sending 2 requests.\n")
    assert "[1 · stop · 9 tokens]" in ran.stdout
