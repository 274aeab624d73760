"""map_rows and amap_rows: every row is sent once and returned in order, whatever fails."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import signal
import sys
import threading

import pandas as pd
import polars as pl
import pytest

import azml_magics
from azml_magics.core.client import default_client
from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    Interrupted,
    JournalError,
    KeyNotFoundError,
    RateLimitError,
    RowsError,
    UndefinedVariableError,
    UsageError,
)
from azml_magics.core.http import permit, rate_limiter
from azml_magics.core.http.clock import Clock
from azml_magics.core.secret import Secret
from azml_magics.rows import journal as journals
from azml_magics.rows.api import map_rows
from azml_magics.rows.async_api import amap_rows
from azml_magics.rows.mapper import RowMapper
from azml_magics.rows.progress import Bar, Progress
from azml_magics.rows.run_options import RunOptions

from ..core.server import reply
from .conftest import KEY

WORDS = [f"w{number}" for number in range(40)]


def texts(rows):
    return [row["text"] for row in rows]


@pytest.fixture(params=["sync", "async"])
def run(request):
    """map_rows or amap_rows: every test that uses it runs both ways, and gets a list."""
    if request.param == "sync":
        return lambda *args, **options: list(map_rows(*args, **options))

    async def collect(*args, **options):
        rows = await amap_rows(*args, **options)
        return [row async for row in rows] if hasattr(rows, "__aiter__") else rows

    return lambda *args, **options: asyncio.run(collect(*args, **options))


@pytest.fixture(params=["sync", "async"])
def dry(request):
    """map_rows or amap_rows with dry_run=True."""
    if request.param == "sync":
        return lambda *args, **options: map_rows(*args, dry_run=True, **options)
    return lambda *args, **options: asyncio.run(amap_rows(*args, dry_run=True, **options))


# ---- dry runs


def test_dry_run_shows_the_first_requests_and_sends_nothing(echo, dry, tmp_path):
    config = echo.config(key=Secret(KEY))
    journal = tmp_path / "run.jsonl"
    shown = dry(config, "say {word}", [{"word": "a"}, {"word": None}, {"word": "c"}, {"word": "d"}], journal=journal)
    assert shown.count == "4 requests"
    assert str(shown).startswith("Would send 4 requests. The first:\n\nPOST http")
    assert "PromptError: Row 1 has no value in the column 'word'" in str(shown)
    assert ["say a" in str(shown), "say c" in str(shown), "say d" in str(shown)] == [True, True, False]
    assert KEY not in str(shown)
    assert not echo.sent
    assert not journal.exists()


def test_dry_run_takes_no_row_of_an_iterator(echo, config, dry, run):
    words = iter(WORDS[:5])
    assert dry(config, "say {word}", words).count == "a request for every row"
    assert dry(config, "say {word}", words, limit=2).count == "at most 2 requests"
    assert len(run(config, "say {word}", words)) == 5


def test_dry_run_shows_the_headers_of_its_client(config):
    with azml_magics.Client(default_headers={"x-team": "maps"}) as client:
        assert "x-team: maps" in str(map_rows(config, "say {word}", ["a"], client=client, dry_run=True))


def test_dry_run_shows_the_error_of_a_prompt_function(config, dry):
    shown = dry(config, lambda row: row["missing"], [{"word": "a"}])
    assert "KeyError: 'missing'" in str(shown)


def test_lookup_in_a_prompt_is_a_warning(echo, config, run):
    with pytest.warns(UserWarning, match=r"\{w.title\}"):
        run(config, "say {w} {w.title}", [{"w": "a"}])
    assert list(echo.sent) == ["say a {w.title}"]


def test_warning_of_a_prompt_names_the_callers_line(echo, config):
    with pytest.warns(UserWarning, match="title") as caught:
        map_rows(config, "say {w} {w.title}", [{"w": "a"}])
    assert caught[0].filename == __file__


def test_dry_run_of_no_rows_says_so(config, dry):
    assert str(dry(config, "say {word}", [])) == "Would send nothing: there are no rows."


# ---- rows and responses


@pytest.mark.parametrize("make", [list, iter], ids=["list", "iterator"])
def test_rows_are_sent_once_and_keep_their_order(echo, config, run, make):
    turn = threading.Semaphore(1)

    def first(prompt, times):
        with turn:  # one after another, while others are under way
            return

    echo.first = first
    rows = run(config, "say {w}", make(WORDS), concurrency=8)
    assert texts(rows) == [f"SAY {word.upper()}" for word in WORDS]
    assert [row["w"] for row in rows] == WORDS
    assert set(echo.sent.values()) == {1}
    assert echo.most <= 8


def test_map_rows_and_amap_rows_are_public():
    assert azml_magics.map_rows is map_rows
    assert azml_magics.amap_rows is amap_rows


def test_file_is_read_row_by_row(echo, config, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("w,n\na,1\nb,2\n", encoding="utf-8")
    rows = list(map_rows(config, "say {w}", str(path)))
    assert [(row["n"], row["text"]) for row in rows] == [("1", "SAY A"), ("2", "SAY B")]


def test_endless_iterator_is_read_no_further_than_needed(echo, config, monkeypatch):
    monkeypatch.setattr("azml_magics.rows.mapper.LOOK_AHEAD", 30)
    read = []
    endless = (read.append(number) or f"w{number}" for number in itertools.count())
    rows = map_rows(config, "say {w}", endless, concurrency=2)
    assert texts(itertools.islice(rows, 5)) == [f"SAY W{n}" for n in range(5)]
    rows.close()
    assert len(read) <= 5 + 30 + 30


def test_variables_fill_names_that_are_not_columns(echo, config):
    rows = map_rows(config, "say {w} in {lang}", [{"w": "a"}], variables={"lang": "French", "w": "no"})
    assert texts(rows) == ["SAY A IN FRENCH"]


def test_limit_and_sample_send_some_rows(echo, config, run):
    assert len(run(config, "say {w}", WORDS, limit=3)) == 3
    assert len(run(config, "say {w}", iter(WORDS), sample=4)) == 4
    assert sum(echo.sent.values()) == 7


# ---- rows that fail


def test_failure_belongs_to_its_row(echo, config, run):
    echo.first = lambda prompt, times: reply({"detail": "no"}, 400) if prompt in {"say w3", "say w7"} else None
    rows = run(config, "say {w}", [*WORDS[:5], None, {"w": 1}, *WORDS[7:10]])
    errors = {number: row["error"] for number, row in enumerate(rows) if row["error"]}
    assert list(errors) == [3, 5, 6, 7]
    assert errors[3].startswith("BadRequestError: The endpoint rejected the request (400): no")
    assert (
        errors[5]
        == "PromptError: Row 5 has no value in the column 'w'. Fill it in or drop the row, such as with fillna or dropna."
    )
    assert errors[6] == "PromptError: Row 6 cannot be sent: it is of type dict, and the first row is of another type"
    assert texts(rows)[8] == "SAY W8"


def test_failing_prompt_function_is_an_error_of_its_row(echo, config):
    rows = map_rows(config, lambda row: f"say {1 / row['n']}", [{"n": 1}, {"n": 0}])
    assert texts(rows) == ["SAY 1.0", None]
    assert rows[1]["error"] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("prompt", "rows", "options"),
    [
        ("hello", ["a"], {}),
        ("{a}{b}", [{"a": 1}], {}),
        ("{w}", ["a"], {"concurrency": 0}),
        ("{w}", ["a"], {"rpm": 0}),
        ("{w}", ["a"], {"max_tokens_total": 0}),
        ("{w}", ["a"], {"limit": 0}),
        ("{w}", ["a"], {"retry_failed": True}),
        ("{w}", 7, {}),
    ],
)
def test_wrong_arguments_are_refused_before_sending(echo, run, prompt, rows, options):
    with pytest.raises((UsageError, UndefinedVariableError)):
        run(echo.config(), prompt, rows, **options)
    assert not echo.sent


def test_missing_key_is_reported_before_sending(echo, run):
    with pytest.raises(KeyNotFoundError):
        run(echo.config(key="env:NOT_THERE"), "{w}", WORDS)
    assert not echo.sent


def test_wrong_key_ends_the_run_at_once(echo, config, run):
    echo.first = lambda prompt, times: reply({"error": {"code": "401", "message": "no"}}, 401)
    with pytest.raises(AuthenticationError, match="config 'prod'"):
        run(config, "say {w}", [f"w{n}" for n in range(1000)], concurrency=4)
    assert sum(echo.sent.values()) <= 4


def test_run_ends_if_every_row_is_rejected(echo, config):
    echo.first = lambda prompt, times: reply({"detail": "not this formatter"}, 422)
    with pytest.raises(RowsError, match=r"ended after 19 of 500 rows: BadRequestError: .*not this formatter") as caught:
        map_rows(config, "say {w}", [f"w{n}" for n in range(500)], concurrency=1)
    assert isinstance(caught.value.__cause__, BadRequestError)
    assert sum(row.was_sent for row in caught.value.batch) == 19


def test_unreadable_rows_end_the_run_and_keep_responses(echo, config, run):
    def rows():
        yield from ("a", "b")
        raise OSError("the disk is gone")

    with pytest.raises(RowsError, match="ended after 2 rows: OSError: the disk is gone"):
        run(config, "say {w}", rows(), concurrency=1)


# ---- endpoint failures


def test_endpoint_that_goes_down_ends_the_run_and_keeps_responses(echo, config, tmp_path, monkeypatch):
    monkeypatch.setattr(rate_limiter, "_GIVE_UP_LOST", 0.5)
    journal = tmp_path / "run.jsonl"

    def first(prompt, times):
        if len(echo.sent) > 20:
            gone.set()
            return False
        return None

    gone, echo.first = threading.Event(), first
    threading.Thread(target=lambda: gone.wait(30) and echo.server.stop()).start()
    with pytest.raises(RowsError, match=r"of 40 rows: APIConnectionError: .*run\.jsonl has them") as caught:
        map_rows(config, "say {w}", WORDS, concurrency=2, journal=journal)
    batch = caught.value.batch
    answered = [row.text for row in batch if row.response]
    assert len(batch) == 40
    assert 15 <= len(answered) <= 20
    assert len(journal.read_text().splitlines()) == 1 + len(answered), (
        "what died with the endpoint is not the rows' fault"
    )
    table = batch.to_table()
    assert [row["text"] for row in table if row["text"]] == answered
    assert {row["error"] for row in table if not row["text"]} == {"not sent"}


def test_stretch_of_rows_that_the_script_fails_on_is_passed(echo, config, run):
    failed = reply("list index out of range", 500, x_ms_run_function_failed="true")
    bad = {f"say {word}" for word in WORDS[:25]}
    echo.first = lambda prompt, times: failed if prompt in bad else None
    rows = run(config.merged(max_retries=2), "say {w}", WORDS, concurrency=4)
    assert [row["text"] or "" for row in rows] == [""] * 25 + [f"SAY {word.upper()}" for word in WORDS[25:]]
    assert "The scoring script failed on this input (500): list index out of range" in rows[0]["error"]
    assert set(echo.sent.values()) == {1}, "a failure on an input is not retried"


def test_unreachable_endpoint_raises_connection_error(echo, config, monkeypatch):
    monkeypatch.setattr(rate_limiter, "_GIVE_UP_UNKNOWN", 0.3)
    echo.server.stop()
    with pytest.raises(APIConnectionError, match="Cannot connect"):
        map_rows(config, "say {w}", WORDS)


def test_occasional_broken_connection_is_an_error_of_its_row(echo, config, tmp_path):
    echo.first = lambda prompt, times: False if prompt == "say w5" else None
    journal = tmp_path / "run.jsonl"
    rows = map_rows(config, "say {w}", WORDS[:10], concurrency=1, journal=journal)
    assert [row["error"] is None for row in rows] == [n != 5 for n in range(10)]
    assert rows[5]["error"].startswith("APIConnectionError: ")
    assert '"error":{"kind":"APIConnectionError"' in journal.read_text()


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {"retry_after_ms": "20"}),
        (503, {"retry_after_ms": "20"}),
        (424, {"ms_azureml_model_error_reason": "too_many_pending_request", "retry_after_ms": "20"}),
    ],
)
def test_overloaded_endpoint_is_retried_until_it_accepts(echo, config, run, status, headers):
    lock, inside, refused = threading.Lock(), [0], []

    def first(prompt, times):
        with lock:
            inside[0] += 1
            crowded = inside[0] > 2
        try:
            if crowded:
                refused.append(prompt)
                return reply(b"", status, **headers)
            threading.Event().wait(0.005)
        finally:
            with lock:
                inside[0] -= 1

    echo.first = first
    rows = run(config, "say {w}", WORDS, concurrency=16)
    assert [row["error"] for row in rows] == [None] * 40
    assert refused, "sixteen were too many"
    assert permit.rate_limiter_for(config).window.size < 16


def test_overloaded_endpoint_ends_the_run_after_give_up_after(echo, config, monkeypatch):
    echo.first = lambda prompt, times: reply(b"", 429, retry_after_ms="10") if len(echo.sent) > 3 else None
    options = RunOptions(give_up_after=0.2, concurrency=2)
    monkeypatch.setattr("azml_magics.rows.api.RunOptions", lambda *given: options)
    with pytest.raises(RowsError, match=r"RateLimitError: Too many requests"):
        map_rows(config, "say {w}", WORDS)


def test_row_beyond_the_quota_fails_alone(echo, config, monkeypatch):
    monkeypatch.setattr(permit, "_MAX_OVERLOADS", 4)
    echo.first = lambda prompt, times: reply(b"", 429, retry_after_ms="1") if prompt == "say w3" else None
    rows = map_rows(config, "say {w}", WORDS[:8], concurrency=2)
    assert [number for number, row in enumerate(rows) if row["error"]] == [3]
    assert echo.sent["say w3"] == 4


def test_runs_on_one_endpoint_share_a_rate_limiter(echo, config):
    map_rows(config, "say {w}", WORDS[:3])
    assert permit.rate_limiter_for(config) is permit.rate_limiter_for(
        config.merged(name="other", model_kwargs={"temperature": 1})
    )
    assert permit.rate_limiter_for(config) is not permit.rate_limiter_for(config.merged(deployment_name="blue"))
    assert permit.rate_limiter_for(config).window.in_flight == 0


# ---- limits


def test_no_row_starts_beyond_max_tokens_total(echo, config, tmp_path):
    journal = tmp_path / "run.jsonl"
    rows = map_rows(config, "say {w}", WORDS, max_tokens_total=35, concurrency=1, journal=journal)
    assert [row["error"] for row in rows] == [None] * 5 + ["not sent"] * 35
    rows = map_rows(config, "say {w}", WORDS, concurrency=1, journal=journal)
    assert [row["error"] for row in rows] == [None] * 40
    assert sum(echo.sent.values()) == 40


def test_failed_rows_use_no_tokens_of_the_limit(echo, config):
    rejected = {f"say {word}" for word in WORDS[:10]}
    echo.first = lambda prompt, times: reply({"detail": "no"}, 400) if prompt in rejected else None
    rows = map_rows(config, "say {w}", WORDS, max_tokens_total=35, concurrency=1)
    assert [row["text"] is not None for row in rows] == [False] * 10 + [True] * 5 + [False] * 25


def test_rpm_spaces_requests(echo, config):
    class MovedClock(Clock):
        time = 0.0

        def now(self):
            return self.time

        def wait(self, future, seconds):
            MovedClock.time += seconds

    permit.rate_limiter_for(config)._clock = MovedClock()
    map_rows(config, "say {w}", WORDS[:7], rpm=60, concurrency=1)
    assert MovedClock.time == pytest.approx(6.0)


# ---- the journal


def test_second_run_sends_only_rows_missing_from_the_journal(echo, config, run, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(config, "say {w}", WORDS[:10], journal=journal)
    rows = run(config, "say {w}", ["new", *reversed(WORDS[:12])], journal=journal)
    assert texts(rows) == ["SAY NEW", *[f"SAY {word.upper()}" for word in reversed(WORDS[:12])]]
    assert set(echo.sent.values()) == {1}


def test_equal_rows_have_separate_journal_entries(echo, config, tmp_path):
    journal = tmp_path / "run.jsonl"
    map_rows(config, "say {w}", ["a", "b", "a"], journal=journal)
    assert echo.sent == {"say a": 2, "say b": 1}
    assert texts(map_rows(config, "say {w}", ["a", "a", "a", "b"], journal=journal)) == ["SAY A"] * 3 + ["SAY B"]
    assert echo.sent == {"say a": 3, "say b": 1}


def test_retry_failed_sends_failed_rows_again(echo, config, run, tmp_path):
    journal = tmp_path / "run.jsonl"
    echo.first = lambda prompt, times: reply({"detail": "no"}, 400) if prompt == "say w1" and times == 1 else None
    options = {"journal": journal, "concurrency": 1}
    assert run(config, "say {w}", WORDS[:3], **options)[1]["error"].startswith("BadRequestError")
    again = run(config, "say {w}", WORDS[:3], **options)
    assert again[1]["error"].startswith("BadRequestError")
    assert sum(echo.sent.values()) == 3
    mended = run(config, "say {w}", WORDS[:3], retry_failed=True, **options)
    assert texts(mended) == ["SAY W0", "SAY W1", "SAY W2"]
    assert echo.sent == {"say w0": 1, "say w1": 2, "say w2": 1}
    assert texts(run(config, "say {w}", WORDS[:3], **options)) == texts(mended)


def test_journal_of_another_run_is_refused_before_sending(echo, config, run, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(config, "say {w}", WORDS[:3], journal=journal)
    with pytest.raises(JournalError, match=r"prompt was 'say \{w\}' and is 'Say \{w\}'"):
        run(config, "Say {w}", WORDS[:3], journal=journal)
    with pytest.raises(JournalError, match=r"there is model kwarg temperature '0\.5'"):
        run(config.merged(model_kwargs={"temperature": 0.5}), "say {w}", WORDS[:3], journal=journal)
    run(config, "say {w} {lang}", ["a"], variables={"lang": "French"}, journal=tmp_path / "other.jsonl")
    with pytest.raises(JournalError, match="variable lang was 'French' and is 'German'"):
        run(config, "say {w} {lang}", ["a"], variables={"lang": "German"}, journal=tmp_path / "other.jsonl")
    assert sum(echo.sent.values()) == 4


def test_key_repeated_by_the_endpoint_is_masked_in_the_journal(echo, config, tmp_path):
    journal = tmp_path / "run.jsonl"
    said = {"choices": [{"message": {"content": f"your key is {KEY}"}, "finish_reason": "stop"}]}
    echo.first = lambda prompt, times: reply({"detail": f"bad {KEY}"}, 400) if prompt == "say b" else reply(said)
    map_rows(config, "say {w}", ["a", "b"], journal=journal)
    assert len(journal.read_text().splitlines()) == 3
    assert KEY not in journal.read_text()


def test_full_disk_ends_the_run_and_keeps_responses(echo, config, tmp_path, monkeypatch):
    write = os.write

    def full(file, data):
        if b"W5" in bytes(data):
            raise OSError(28, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    journal = tmp_path / "run.jsonl"
    with pytest.raises(RowsError, match=r"JournalError: .*No space left on device\. Free some space") as caught:
        map_rows(config, "say {w}", WORDS, concurrency=1, journal=journal)
    assert [row.text for row in caught.value.batch if row.response] == [f"SAY W{n}" for n in range(6)]
    assert len(journal.read_text().splitlines()) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
@pytest.mark.filterwarnings("ignore:The journal")
def test_deleted_journal_ends_the_run_and_keeps_responses(echo, config, tmp_path, monkeypatch):
    monkeypatch.setattr(journals, "_SYNC_SECONDS", 0.0)
    journal = tmp_path / "run.jsonl"

    def delete(prompt, _):
        if prompt == "say w5":
            journal.unlink()

    echo.first = delete
    with pytest.raises(RowsError, match=r"JournalError: The journal 'run\.jsonl' was deleted or replaced") as caught:
        map_rows(config, "say {w}", WORDS, concurrency=1, journal=journal)
    assert [row.text for row in caught.value.batch if row.response] == [f"SAY W{n}" for n in range(6)]
    assert "running again continues" not in str(caught.value)


def test_bar_says_how_many_rows_of_a_stream_were_read(config, capsys):
    assert len(list(map_rows(config, "say {w}", iter(WORDS[:3]), progress=True))) == 3
    assert capsys.readouterr().err.startswith("3 rows read, 21 tokens, ")


def test_closed_stream_gives_rows_back_to_its_iterator(config, run):
    words = iter(WORDS)
    stream = map_rows(config, "say {w}", words)
    assert texts(itertools.islice(stream, 5)) == [f"SAY W{n}" for n in range(5)]
    stream.close()
    rest = run(config, "say {w}", words)
    assert texts(rest) == [f"SAY W{n}" for n in range(5, 40)]
    assert rest[0]["w"] == "w5"


def test_closed_async_stream_gives_rows_back_to_its_iterator(config):
    words = iter(WORDS)

    async def take_two():
        stream = await amap_rows(config, "say {w}", words)
        found = [(await anext(stream))["text"] for _ in range(2)]
        await stream.aclose()
        return found

    assert asyncio.run(take_two()) == ["SAY W0", "SAY W1"]
    assert texts(map_rows(config, "say {w}", words)) == [f"SAY W{n}" for n in range(2, 40)]


def test_run_that_gives_up_gives_rows_back_to_its_iterator(echo, config, run):
    words = iter(WORDS)
    echo.first = lambda prompt, times: reply({"detail": "no"}, 401) if times == 1 else None
    with pytest.raises(AuthenticationError):
        run(config, "say {w}", words)
    echo.first = lambda prompt, times: None
    assert texts(run(config, "say {w}", words)) == [f"SAY W{n}" for n in range(40)]


def test_interrupted_run_gives_only_rows_without_a_response_back(config):
    words = iter(WORDS)

    def interrupt(progress):
        if progress.done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        RowMapper(config, "say {w}", words).results(RunOptions(), interrupt)
    done = [row.setting["w"] for row in caught.value.batch]
    rest = [row["w"] for row in map_rows(config, "say {w}", words)]
    assert len(done) >= 3
    assert sorted(done + rest) == sorted(WORDS)


def test_limit_leaves_the_other_rows_in_the_iterator(config, run):
    words = iter(WORDS[:4])
    assert texts(run(config, "say {w}", words, limit=1)) == ["SAY W0"]
    assert texts(run(config, "say {w}", words)) == ["SAY W1", "SAY W2", "SAY W3"]


def test_rows_read_and_not_done_are_told_apart():
    assert str(Progress(None, 3, seconds=1.0, is_over=True, read=5)) == "5 rows read, 3 done, 1.0 s"


# ---- interrupts


def test_interrupt_keeps_every_response(echo, config, tmp_path):
    journal, stall = tmp_path / "run.jsonl", threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def first(prompt, times):
        if prompt == "say w10" and times == 1:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            stall.wait(20)

    echo.first = first
    try:
        with pytest.raises(Interrupted, match=r"Stopped; \d+ of 40 responses were complete") as caught:
            map_rows(config, "say {w}", WORDS, concurrency=1, journal=journal)
    finally:
        signal.signal(signal.SIGINT, before)
        stall.set()
    batch = caught.value.batch
    assert [row.text for row in batch if row.response] == [f"SAY W{n}" for n in range(10)]
    rows = map_rows(config, "say {w}", WORDS, concurrency=1, journal=journal)
    assert texts(rows) == [f"SAY {word.upper()}" for word in WORDS]
    assert {prompt: times for prompt, times in echo.sent.items() if times > 1} == {"say w10": 2}


def test_second_interrupt_frees_the_journal_and_the_limits(config, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    journal = tmp_path / "run.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr(threading.Condition, "wait_for", interrupt)  # while the run waits for its last responses
        with pytest.raises(KeyboardInterrupt) as caught:
            map_rows(config, "say {w}", WORDS[:3], journal=journal, rpm=6000)
    assert caught.value is not None  # its traceback keeps the run alive, as a notebook's does
    assert not default_client().limiters.get(config)._runs, "the stopped run's rpm would slow the next one down"
    assert texts(map_rows(config, "say {w}", WORDS[:3], journal=journal)) == ["SAY W0", "SAY W1", "SAY W2"]


async def test_cancelled_task_ends_its_run(echo, config, tmp_path):
    journal, stall, begun = tmp_path / "run.jsonl", threading.Event(), threading.Event()
    echo.first = lambda prompt, times: begun.set() or (stall.wait(20) and None)
    task = asyncio.create_task(amap_rows(config, "say {w}", WORDS, concurrency=2, journal=journal))
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stall.set()
    rows = await amap_rows(config, "say {w}", WORDS[:2], journal=journal)
    assert texts(rows) == ["SAY W0", "SAY W1"]


def test_closed_iterator_ends_its_run_and_closes_the_journal(echo, config, tmp_path):
    journal = tmp_path / "run.jsonl"
    rows = map_rows(config, "say {w}", iter(WORDS), journal=journal, concurrency=2)
    next(rows)
    rows.close()
    assert len(list(map_rows(config, "say {w}", iter(WORDS), journal=journal))) == 40


# ---- progress


def test_progress_is_reported_to_the_end(echo, config, tmp_path):
    echo.first = lambda prompt, times: reply({"detail": "no"}, 400) if prompt == "say w3" else None
    told: list[Progress] = []
    map_rows(config, "say {w}", WORDS, progress=told.append, journal=tmp_path / "run.jsonl")
    last = told[-1]
    assert (last.total, last.done, last.failed, last.reused, last.tokens) == (40, 40, 1, 0, 39 * 7)
    map_rows(config, "say {w}", WORDS, progress=told.append, journal=tmp_path / "run.jsonl")
    assert (told[-1].done, told[-1].reused, told[-1].failed, told[-1].tokens) == (40, 40, 1, 0)


def test_progress_says_what_all_requests_wait_for(echo, config):
    echo.first = lambda prompt, times: reply(b"", 429, retry_after="2") if prompt == "say w3" and times == 1 else None
    told: list[Progress] = []
    map_rows(config, "say {w}", WORDS, progress=told.append)
    assert any(str(progress).endswith("429: waiting 2 s") for progress in told)
    assert told[-1].waiting == ""


def test_retry_after_beyond_give_up_ends_the_run_and_says_when(echo, config):
    echo.first = lambda prompt, times: reply(b"", 429, retry_after="3600")
    with pytest.raises(RateLimitError, match="It accepts requests again in 1 h 0 min, at"):
        map_rows(config, "say {w}", WORDS, concurrency=4)
    assert len(echo.sent) <= 4


def test_bar_without_terminal_is_one_line(echo, config, capsys):
    map_rows(config, "say {w}", WORDS, progress=True)
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert written.startswith("40 of 40 rows, 280 tokens, ")


def test_bar_in_terminal_moves_and_leaves_one_line():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with Bar(stream) as bar:
        bar(Progress(40, 10, 1, 0, 70, 4, 2.0, rate=5.0))
        bar(Progress(40, 40, 1, 0, 280, 0, 8.0, is_over=True))
    first, second, last = stream.getvalue().split("\r")[1:]
    assert first == "█████░░░░░░░░░░░░░░░ 10 of 40 rows, 1 failed, 70 tokens, 5.0 rows/s, 6.0 s left"
    assert second.startswith("████████████████████ 40 of 40 rows")
    assert last.rstrip() == "40 of 40 rows, 1 failed, 280 tokens, 8.0 s"
    assert last.endswith("\n")


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_seconds_are_written_in_readable_units(seconds, text):
    assert str(Progress(None, 3, seconds=seconds, is_over=True)) == f"3 rows, {text}"


def test_list_of_results_is_json(echo, config):
    assert json.loads(json.dumps(map_rows(config, "say {w}", ["a"])))[0]["text"] == "SAY A"


@pytest.mark.parametrize("frame", [pd.DataFrame({"w": []}), pl.DataFrame({"w": []})], ids=["pandas", "polars"])
def test_empty_frame_gets_the_columns(echo, config, frame):
    out = map_rows(config, "{w}", frame)
    assert list(out.columns)[:3] == ["w", "text", "error"]
    assert len(out) == len(echo.sent) == 0


def test_no_rows_give_no_rows(echo, run, config, tmp_path):
    (tmp_path / "rows.csv").write_text("w\n")
    assert run(config, "{w}", []) == []
    assert list(map_rows(config, "{w}", iter([]))) == []
    assert list(map_rows(config, "{w}", tmp_path / "rows.csv")) == []


def test_refused_prompt_loses_no_row_of_an_iterator(echo, config):
    rows = ({"w": word} for word in "abc")
    with pytest.raises(UndefinedVariableError):
        map_rows(config, "say {wrong}", rows)
    assert texts(map_rows(config, "say {w}", rows)) == ["SAY A", "SAY B", "SAY C"]


def test_limit_takes_no_row_more_than_it_sends(echo, config):
    rows = iter("abcde")
    assert texts(map_rows(config, "say {w}", rows, limit=2)) == ["SAY A", "SAY B"]
    assert texts(map_rows(config, "say {w}", rows)) == ["SAY C", "SAY D", "SAY E"]


def test_values_of_a_row_go_out_as_json(echo, config):
    rows = [{"w": {"b": [1, "ü"], "c": None}}]
    assert texts(map_rows(config, "say {w}", rows)) == ['SAY {"B": [1, "Ü"], "C": NULL}']


@pytest.mark.parametrize(("column", "name"), [("city", "City"), ("unit price", "unit_price"), (" city", "city")])
def test_name_that_nearly_is_a_column_is_refused(echo, config, column, name):
    with pytest.raises(UndefinedVariableError) as caught:
        map_rows(config, f"say {{{name}}}", [{column: "a"}], variables={name: "b"})
    assert str(caught.value) == (
        f"The prompt uses {{{name}}}, and the table has the column {column!r}. Write {{{column}}}."
    )
    assert not echo.sent


def test_column_is_named_exactly_whatever_it_looks_like(echo, config):
    rows = [{"Customer Review": "bad", "from": "ann", "a.b": 1}]
    assert texts(map_rows(config, "say {Customer Review} {from} {a.b}", rows)) == ["SAY BAD ANN 1"]
