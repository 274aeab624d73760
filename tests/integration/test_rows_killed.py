"""Runs on one journal are killed (kill -9) again and again: nothing is lost, and hardly a row is sent twice.

The endpoint counts: it lives in a process of its own that outlives every kill.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter

import pytest

from azml_magics import LLMConfig
from azml_magics.rows.prompts import RowPrompt
from azml_magics.rows.table_rows import Record

KEY = "killed-5up3r-s3cr3t-key"
ROWS, CONCURRENCY, KILLS = 400, 8, 20
TIMEOUT = 120

ENDPOINT = """
import collections, json, sys, threading
from azml_magics.emulator import Emulator
sent, lock = collections.Counter(), threading.Lock()
endpoint = Emulator(key=sys.argv[1], latency=0.02)
requests = endpoint.requests
class Counting(type(requests)):
    def append(self, request):
        with lock:
            sent[request.json()["messages"][-1]["content"]] += 1
endpoint._app.requests = Counting()
endpoint.start()
print(endpoint.url, flush=True)
for _ in sys.stdin:
    with lock:
        print(json.dumps(sent), flush=True)
"""

RUN = """
import json, sys
from azml_magics import LLMConfig, map_rows
url, journal, out, count, concurrency = sys.argv[1:]
config = LLMConfig(endpoint_url=url + "/v1/chat/completions", key="env:TEST_KEY")
rows = [{"n": n, "word": f"word{n % 390}"} for n in range(int(count))]
print("begun", flush=True)
done = map_rows(config, "Write about {word}.", rows, journal=journal, concurrency=int(concurrency))
open(out, "w").write(json.dumps(done))
"""


@pytest.fixture
def counting():
    """Yield the URL of an endpoint in its own process, and a function that returns how often each prompt was sent."""
    server = subprocess.Popen(
        [sys.executable, "-c", ENDPOINT, KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    url = server.stdout.readline().strip()

    def counted():
        server.stdin.write("\n")
        server.stdin.flush()
        return Counter(json.loads(server.stdout.readline()))

    def sent():
        """The count, once nothing comes any more of those who are gone."""
        before = None
        while (now := counted()) != before:
            before = now
            time.sleep(0.1)
        return now

    yield url, sent
    server.stdin.close()
    server.wait(timeout=30)
    server.stdout.close()


WORDS = [f"word{n % 390}" for n in range(ROWS)]  # the last ten are equal to the first
HOW_OFTEN = Counter(f"Write about {word}." for word in WORDS)


def prompts_by_key(url):
    """Return the prompt for each key of the journal."""
    row_prompt = RowPrompt(
        LLMConfig(endpoint_url=url + "/v1/chat/completions", key="env:TEST_KEY"), "Write about {word}."
    )
    records = [Record(0, 0, {"word": word}) for word in WORDS]
    sent = [row_prompt.messages(record) for record in records]
    return {row_prompt.key(messages).hex(): messages[-1]["content"] for messages in sent}


def count_rows(kept, prompts):
    """Return how many rows of each prompt the journal has."""
    return Counter(prompts[row] for row, _ in kept)


def read_lines(path):
    """Return the whole lines of the journal, parsed."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[1:-1]]


def start_run(url, folder):
    arguments = [url, str(folder / "run.jsonl"), str(folder / "out.json"), str(ROWS), str(CONCURRENCY)]
    environment = {**os.environ, "TEST_KEY": KEY}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_lines(path, number, run):
    """Wait until the journal has that many more lines; return False if the run ended before."""
    limit = time.monotonic() + TIMEOUT
    while (path.stat().st_size if path.exists() else 0) < number and run.poll() is None:
        assert time.monotonic() < limit
        time.sleep(0.0005)
    return run.poll() is None


def test_kills_at_random_points_lose_no_journal_entry(counting, tmp_path):
    url, sent = counting
    seed = int(os.environ.get("AZML_KILL_SEED", time.time_ns() % 1_000_000))
    sys.stdout.write(f"AZML_KILL_SEED={seed}\n")
    dice, journal = random.Random(seed), tmp_path / "run.jsonl"
    prompts = prompts_by_key(url)
    settled = {}  # prompts whose rows were all in the journal at some kill -> how often they had been sent
    kills = 0
    while kills < KILLS:
        size = journal.stat().st_size if journal.exists() else 0
        run = start_run(url, tmp_path)
        assert run.stdout.readline() == b"begun\n"
        # anywhere: before its first line, in the midst of one, after some ten of them
        if not wait_for_lines(journal, size + dice.choice([0, 1, 200, dice.randrange(6000)]), run):
            break
        run.kill()
        run.communicate()
        kills += 1
        lines, times = read_lines(journal), sent()
        assert sum(times.values()) - len(lines) <= kills * CONCURRENCY, f"seed {seed}: more than was in flight is lost"
        for prompt, count in Counter(prompts[line["row"]] for line in lines).items():
            if count == HOW_OFTEN[prompt]:
                settled.setdefault(prompt, times[prompt])
    assert kills == KILLS, f"seed {seed}: the run was over after {kills} kills"

    last = start_run(url, tmp_path)
    _, said = last.communicate(timeout=TIMEOUT)
    assert last.returncode == 0, said.decode()

    rows = json.loads((tmp_path / "out.json").read_text())
    assert [row["n"] for row in rows] == list(range(ROWS)), "every row, once, in order"
    assert [row["error"] for row in rows] == [None] * ROWS
    kept = Counter((line["row"], line["n"]) for line in read_lines(journal))
    assert set(kept.values()) == {1}, f"seed {seed}: a row in the journal was sent again"
    assert set(count_rows(kept, prompts).items()) == set(HOW_OFTEN.items())
    assert len(kept) == ROWS
    times = sent()
    assert {prompt: times[prompt] for prompt in settled} == settled, f"seed {seed}: a row in the journal was sent again"
    assert settled
    extra = sum(times.values()) - ROWS
    assert 0 <= extra <= KILLS * CONCURRENCY, f"seed {seed}: only what was in flight at a kill is sent twice"
    assert KEY not in journal.read_text()
    sys.stdout.write(f"{KILLS} kills, {ROWS} rows, {sum(times.values())} requests: {extra} were in flight at a kill\n")


def test_torn_line_of_a_killed_run_is_repaired(counting, tmp_path):
    url, sent = counting
    run = start_run(url, tmp_path)
    journal = tmp_path / "run.jsonl"
    assert wait_for_lines(journal, 3000, run)
    run.kill()
    run.communicate()
    whole = journal.read_bytes()
    journal.write_bytes(whole[: whole.rindex(b'"response"')])  # half of the last line
    kept = len(read_lines(journal))
    before = sum(sent().values())
    last = start_run(url, tmp_path)
    _, said = last.communicate(timeout=TIMEOUT)
    assert last.returncode == 0, said.decode()
    assert len(json.loads((tmp_path / "out.json").read_text())) == ROWS
    extra = sum(sent().values()) - before - (ROWS - kept)
    assert 0 <= extra <= CONCURRENCY, "what was in flight at the kill may reach the endpoint after the first count"
    assert len(read_lines(journal)) == ROWS


def test_journal_in_use_by_another_process_is_refused(counting, tmp_path):
    url, _ = counting
    first = start_run(url, tmp_path)
    assert wait_for_lines(tmp_path / "run.jsonl", 1, first)
    second = start_run(url, tmp_path)
    _, said = second.communicate(timeout=TIMEOUT)
    assert second.returncode == 1
    assert re.search(r"JournalError: Another run has the journal 'run\.jsonl' open", said.decode())
    first.kill()
    first.communicate()


def test_endpoint_is_up(counting):
    """The endpoint counts what it receives."""
    url, sent = counting
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]}).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for _ in range(3):
        with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/chat/completions", body, headers)) as reply:
            reply.read()
    assert sent() == {"hi": 3}
