"""Rows on a dask cluster of processes on this machine: keys by reference, lost workers, journals in parts."""

from __future__ import annotations

import json
import os
import pickle
import threading

import pytest

from azml_magics.core.errors import (
    AuthenticationError,
    ConfigError,
    Interrupted,
    JournalError,
    RowsError,
    UsageError,
)
from azml_magics.emulator import Fault
from azml_magics.pytest_plugin import KEY
from azml_magics.rows import dask
from azml_magics.rows.api import map_rows
from azml_magics.rows.run_options import RunOptions

pytest.importorskip("distributed", reason='dask is optional: pip install "azml-magics[dask]"')
pd = pytest.importorskip("pandas", reason="pandas is optional")

# distributed leaves a loop or a socket to the garbage collector when a worker is lost or its cluster closes
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def endpoint(azml_endpoint):
    return azml_endpoint


@pytest.fixture(scope="module")
def client():
    """A client of two workers, each a process with two threads; the key is in their environment."""
    import dask
    from distributed import Client, LocalCluster

    os.environ["DASK_TEST_KEY"] = KEY
    quiet = {
        "distributed.worker.daemon": False,
        "distributed.comm.timeouts.connect": "20s",
        "distributed.worker.profile.enabled": False,  # it can freeze a worker in which threads begin: docs/how-to/rows.md
    }
    try:
        with (
            dask.config.set(quiet),
            LocalCluster(
                n_workers=2,
                threads_per_worker=2,
                processes=True,
                host="127.0.0.1",
                dashboard_address=":0",  # a free port: None takes 8787
                silence_logs=50,
            ) as made,
            Client(made) as connected,
        ):
            yield connected
    finally:
        del os.environ["DASK_TEST_KEY"]


@pytest.fixture
def config(endpoint):
    from azml_magics.core.config import LLMConfig

    endpoint.script([])
    endpoint.requests.clear()
    endpoint.latency = 0.0
    return LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key="env:DASK_TEST_KEY", name="prod")


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    """The home of a test is empty, and its variables are; the workers' are what they were."""
    monkeypatch.setenv("DASK_TEST_KEY", KEY)


def frame(count):
    return pd.DataFrame({"word": [f"word{n}" for n in range(count)]}, index=range(1000, 1000 + count))


def sent_prompts(endpoint):
    return [request.json()["messages"][-1]["content"] for request in endpoint.requests]


def test_frame_is_sent_by_the_workers_in_order(endpoint, client, config):
    told = []
    out = map_rows(config, "Write about {word}.", frame(300), dask_client=client, progress=told.append)
    assert list(out.index) == list(range(1000, 1300))
    assert list(out["word"]) == [f"word{n}" for n in range(300)]
    assert all(word in text for word, text in zip(out["word"], out["text"], strict=True))
    assert sorted(sent_prompts(endpoint)) == sorted(f"Write about word{n}." for n in range(300))
    assert (told[-1].done, told[-1].total, told[-1].is_over) == (300, 300, True)
    assert told[-1].tokens == out["prompt_tokens"].sum() + out["completion_tokens"].sum()


def test_list_gives_a_list_with_errors(client, config):
    rows = map_rows(config, "Write about {word}.", [{"word": "a"}, {"word": None}, 7], dask_client=client)
    assert [row["error"] for row in rows[1:]] == [
        "PromptError: Row 1 has no value in the column 'word'. Fill it in or drop the row, such as with fillna or dropna.",
        "PromptError: Row 2 cannot be sent: it is of type int, and the first row is of another type",
    ]
    assert "a" in rows[0]["text"]


def test_dask_frame_gives_a_dask_frame_sent_once(endpoint, client, config):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    rows = dd.from_pandas(frame(90), npartitions=3)
    out = map_rows(config, "Write about {word}.", rows, dask_client=client)
    assert isinstance(out, dd.DataFrame)
    assert (out.npartitions, out.divisions) == (3, rows.divisions)
    for _ in range(2):
        computed = out.compute()
        assert list(computed.index) == list(range(1000, 1090))
        assert all(word in text for word, text in zip(computed["word"], computed["text"], strict=True))
        assert computed.dtypes.to_dict() == out.dtypes.to_dict()
    assert len(endpoint.requests) == 90


def test_limit_reads_only_the_first_partitions(endpoint, client, config):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    rows = dd.from_pandas(frame(90), npartitions=9)
    rows = rows[rows["word"] >= "word2"]  # of the first partitions few or no rows are left
    told = []
    out = map_rows(config, "Write about {word}.", rows, dask_client=client, limit=12, progress=told.append)
    assert list(out.compute()["word"]) == list(rows.compute()["word"][:12])
    assert len(endpoint.requests) == 12
    assert (told[-1].done, told[-1].total) == (12, 12)
    assert out.npartitions < 9
    assert out.divisions == rows.divisions[: out.npartitions + 1]
    assert len(map_rows(config, "Write about {word}.", rows, dask_client=client, limit=900).compute()) == len(rows)


def test_sample_equals_that_of_the_whole_frame(endpoint, client, config):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    rows = dd.from_pandas(frame(90), npartitions=30)
    outs = [map_rows(config, "Write about {word}.", rows, dask_client=client, sample=7) for _ in range(2)]
    assert len(endpoint.requests) == 14
    whole = map_rows(config, "Write about {word}.", frame(90), sample=7)
    for out in outs:
        computed = out.compute()
        assert list(computed.index) == list(whole.index)
        assert all(word in text for word, text in zip(whole["word"], computed["text"], strict=True))
        assert computed.dtypes.to_dict() == out.dtypes.to_dict(), "also of the partitions that are left with no row"
    assert len(map_rows(config, "Write about {word}.", rows, dask_client=client, sample=91).compute()) == 90


@pytest.mark.parametrize("part", [{"limit": 15}, {"sample": 15}])
def test_full_run_reuses_the_journal_of_a_partial_run(endpoint, client, config, tmp_path, part):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    rows = dd.from_pandas(frame(40), npartitions=4)
    map_rows(config, "Write about {word}.", rows, dask_client=client, journal=tmp_path / "run", **part)
    assert len(endpoint.requests) == 15
    out = map_rows(config, "Write about {word}.", rows, dask_client=client, journal=tmp_path / "run")
    assert len(endpoint.requests) == 40
    assert len(set(sent_prompts(endpoint))) == 40
    assert out.compute()["error"].isna().all()


def story(*, most=1_000_000):
    """A model that the workers cannot import, as those of notebooks; it takes stories of at most so many pages."""
    from pydantic import BaseModel, field_validator

    class Story(BaseModel):
        title: str
        pages: int

        @field_validator("pages")
        @classmethod
        def _short_enough(cls, pages):
            if pages > most:
                raise ValueError("too long")
            return pages

    return Story


def test_schema_is_validated_on_the_workers(client, config):
    prompt = "Write JSON with 'title' and 'pages' about {word}."
    rows = map_rows(config, prompt, [{"word": "a"}, {"word": "b"}], dask_client=client, schema=story())
    assert [type(row["pages"]) for row in rows] == [int, int]
    assert [row["error"] for row in rows] == [None, None]
    rows = map_rows(config, prompt, [{"word": "a"}, {"word": "b"}], dask_client=client, schema=story(most=0))
    assert all("pages: Value error, too long" in row["error"] for row in rows)
    assert all(row["pages"] is None and '"pages"' in row["text"] for row in rows)


def test_dask_frame_has_schema_columns_without_valid_responses(client, config):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    rows = dd.from_pandas(frame(4), npartitions=2)
    for most, fits in ((1_000_000, True), (0, False)):
        prompt = "JSON with 'title' and 'pages' about {word}."
        out = map_rows(config, prompt, rows, dask_client=client, schema=story(most=most))
        computed = out.compute()
        assert list(out.columns[:3]) == ["word", "title", "pages"]
        assert computed["pages"].notna().tolist() == [fits] * 4
        assert computed["error"].isna().tolist() == [fits] * 4
        assert computed.dtypes.to_dict() == out.dtypes.to_dict()


def test_lists_and_objects_become_json_in_a_dask_frame(client, config):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    form = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "minItems": 1}}}
    rows = dd.from_pandas(frame(2), npartitions=2)
    out = map_rows(
        config, "JSON with 'tags' about {word}.", rows, dask_client=client, schema={**form, "required": ["tags"]}
    )
    tags = [json.loads(text) for text in out.compute()["tags"]]
    assert [type(each) for each in tags] == [list, list]
    assert all(tags)


def test_client_in_use_is_the_default(client, config):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    out = map_rows(config, "Write about {word}.", dd.from_pandas(frame(4), npartitions=1))
    assert len(out.compute()) == 4


def test_literal_keys_are_never_sent_to_workers(client, config, monkeypatch):
    from azml_magics.core.secret import Secret

    sent = []
    submit = client.submit

    def watched(function, *given, **options):
        sent.append(pickle.dumps([given[1:], options]))
        return submit(function, *given, **options)

    monkeypatch.setattr(client, "submit", watched)
    map_rows(config, "Write about {word}.", frame(2), dask_client=client)
    assert sent
    assert not any(KEY.encode() in graph for graph in sent)
    assert any(b"DASK_TEST_KEY" in graph for graph in sent)
    for key in (Secret(KEY), "ask"):
        with pytest.raises(ConfigError, match="is in this process only and cannot be sent to the workers"):
            map_rows(config.merged(key=key), "Write about {word}.", frame(2), dask_client=client)


def test_key_missing_on_the_workers_ends_the_run(client, config):
    with pytest.raises(RowsError, match="KeyNotFoundError: No key: the environment variable NOT_THERE is not set"):
        map_rows(config.merged(key="env:NOT_THERE"), "Write about {word}.", frame(2), dask_client=client)


def test_killed_worker_loses_only_rows_in_flight(endpoint, client, config, tmp_path):
    journal, count = tmp_path / "run", 600
    endpoint.latency = 0.05
    pids = list(client.run(os.getpid).values())
    done = threading.Event()

    def kill_one():
        while not done.is_set():
            if len(endpoint.requests) > 150:
                os.kill(pids[0], 9)
                return
            done.wait(0.01)

    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        out = map_rows(config, "Write about {word}.", frame(count), dask_client=client, journal=journal, concurrency=8)
    finally:
        done.set()
        killer.join()
    assert pids[0] not in client.run(os.getpid).values()
    assert out["error"].isna().all()
    assert list(out["word"]) == [f"word{n}" for n in range(count)]
    times = sent_prompts(endpoint)
    assert len(set(times)) == count
    assert len(times) - count <= 8, "one engine of eight was under way"
    assert sorted(path.name for path in journal.iterdir()) == [f"part-0000{n}.jsonl" for n in range(5)]

    endpoint.requests.clear()
    again = map_rows(config, "Write about {word}.", frame(count), dask_client=client, journal=journal)
    assert list(again["text"]) == list(out["text"])
    assert len(endpoint.requests) == 0
    client.wait_for_workers(2, timeout=60)


def test_error_of_every_row_ends_the_run_and_keeps_responses(endpoint, client, config, monkeypatch, tmp_path):
    monkeypatch.setattr(dask, "PART_ROWS", 10)
    endpoint.script([None] * 25 + [Fault("401")] * 400)
    with pytest.raises(RowsError, match=r"The run ended after \d+ rows: AuthenticationError") as caught:
        map_rows(config, "Write about {word}.", frame(60), dask_client=client, journal=tmp_path / "run", concurrency=2)
    assert isinstance(caught.value.__cause__, AuthenticationError)
    batch = caught.value.batch
    assert len(batch) == 60
    assert sum(row.response is not None for row in batch) == 25


def test_interrupt_stops_the_workers(endpoint, client, config, monkeypatch):
    monkeypatch.setattr(dask, "PART_ROWS", 50)
    endpoint.latency = 0.2

    def interrupt(progress):
        if len(endpoint.requests) > 10:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        map_rows(config, "Write about {word}.", frame(400), dask_client=client, concurrency=2, progress=interrupt)
    assert len(caught.value.batch) == 400
    # the next run begins once the workers have let go of the last
    endpoint.latency = 0.0
    map_rows(config, "Write about {word}.", frame(4), dask_client=client)
    assert len(endpoint.requests) < 200


def test_unsuitable_rows_are_refused(client, config, tmp_path):
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    with pytest.raises(UsageError, match="An iterator or a file cannot be sent to a cluster"):
        map_rows(config, "{w}", iter(["a"]), dask_client=client)
    with pytest.raises(UsageError, match="uses no column"):
        map_rows(config, "hello", dd.from_pandas(frame(2), npartitions=1), dask_client=client)
    for options in ({"limit": 0}, {"sample": 0}, {"limit": 1, "sample": 1}):
        with pytest.raises(UsageError, match="limit" if "limit" in options else "sample"):
            map_rows(config, "{word}", dd.from_pandas(frame(2), npartitions=1), dask_client=client, **options)
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be a folder"):
        map_rows(config, "{word}", frame(2), dask_client=client, journal=tmp_path / "file")


def test_workers_share_the_limits_per_minute():
    share = RunOptions(rpm=60, max_tokens_total=500).share_among(2)
    assert (share.rpm, share.tpm, share.max_tokens_total) == (30, None, 500)


def test_config_of_a_file_is_checked_here_and_sent_by_the_workers(endpoint, client, config, tmp_path):
    from azml_magics import trust
    from azml_magics.core.errors import KeyRefusedError

    foreign = config.merged(name="prod", file=str(tmp_path / "pyproject.toml"))
    with pytest.raises(KeyRefusedError):
        map_rows(foreign, "Hello {n}", [{"n": 1}], dask_client=client)
    assert not endpoint.requests
    trust(foreign)
    assert len(map_rows(foreign, "Hello {n}", [{"n": 1}], dask_client=client)) == 1


def test_surprises_of_a_prompt_are_told_for_a_cluster_too(client, config):
    with pytest.warns(UserWarning, match=r"\{word.title\}") as caught:
        map_rows(config, "{word} {word.title}", [{"word": "a"}], dask_client=client)
    assert caught[0].filename == __file__


def test_langchain_object_is_not_sent_to_a_cluster(client):
    from langchain_core.runnables import RunnableLambda

    with pytest.raises(UsageError, match="A LangChain object has its keys and connections in this process"):
        map_rows(RunnableLambda(str), None, [{"word": "a"}], dask_client=client)
