"""Rows for any LangChain Runnable: what it gets, what its outputs become, its pace, journal, errors and interrupts."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from azml_magics.core.errors import (
    AuthenticationError,
    Interrupted,
    JournalError,
    PromptError,
    RowsError,
    RunnableError,
    SchemaError,
    UndefinedVariableError,
    UsageError,
)
from azml_magics.core.http import permit
from azml_magics.emulator import Fault
from azml_magics.langchain import AzureMLChatOnlineEndpoint, CustomOpenAIChatContentFormatter
from azml_magics.pytest_plugin import KEY
from azml_magics.rows.api import map_rows
from azml_magics.rows.async_api import amap_rows
from azml_magics.runnables import event_loop

pd = pytest.importorskip("pandas", reason="pandas is optional")

ROWS = [{"letter": "Dear all", "n": 1}, {"letter": "Go away", "n": 2}]
TEMPLATE = ChatPromptTemplate.from_messages([("user", "Mood of {letter}?")])


class Mood(BaseModel):
    mood: str
    stars: int


class Echo(GenericFakeChatModel):
    """A chat model that repeats its last message."""

    messages: object = None

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
        self.messages = iter([AIMessage(str(messages[-1].content), usage_metadata=usage)])
        return super()._generate(messages, stop, run_manager)


def saying(text):
    return FakeListChatModel(responses=[text])


def seen():
    """A Runnable that remembers what it gets, and that list."""
    got: list = []

    def remember(given):
        got.append(given)
        return "seen"

    return RunnableLambda(remember), got


@pytest.fixture
def chat_openai():
    """ChatOpenAI with connections that are closed after the test: it leaves its own to the garbage collector."""
    clients = []

    def make(**fields):
        clients.append(httpx.AsyncClient())
        return ChatOpenAI(model="m", http_async_client=clients[-1], **fields)

    yield make
    for client in clients:
        asyncio.run_coroutine_threadsafe(client.aclose(), event_loop.start_loop()).result(30)


@pytest.fixture(params=["map_rows", "amap_rows"])
def run(request):
    """map_rows or amap_rows."""
    if request.param == "map_rows":
        return map_rows

    def run(*args, **options):
        return asyncio.run(amap_rows(*args, **options))

    return run


# ---- what it gets


def test_chain_gets_the_row_as_a_dict(run):
    rows = run(TEMPLATE | Echo() | StrOutputParser(), None, ROWS)
    assert [row["text"] for row in rows] == ["Mood of Dear all?", "Mood of Go away?"]
    assert list(rows[0]) == [
        *("letter", "n", "text", "error", "finish_reason", "prompt_tokens", "completion_tokens", "latency")
    ]


def test_model_gets_the_prompt_filled_in(run):
    assert [row["text"] for row in run(Echo(), "About {letter}", ROWS)] == ["About Dear all", "About Go away"]
    messages = [{"role": "system", "content": "Brief."}, {"role": "user", "content": "{letter}"}]
    assert [row["text"] for row in run(Echo(), messages, ROWS)] == ["Dear all", "Go away"]
    assert run(FakeListLLM(responses=["x"]), "About {letter}", ROWS)[0]["text"] == "x"


def test_function_without_types_gets_the_whole_row():
    runnable, got = seen()
    map_rows(runnable, None, ROWS, concurrency=1)
    assert got == ROWS


def test_function_prompt_returns_the_input_itself():
    runnable, got = seen()
    map_rows(runnable, lambda row: ("tuple", row["n"]), ROWS, concurrency=1)
    assert got == [("tuple", 1), ("tuple", 2)]


def test_numbers_of_numpy_become_pythons():
    runnable, got = seen()
    map_rows(runnable, None, pd.DataFrame(ROWS), concurrency=1)
    assert [type(row["n"]) for row in got] == [int, int]


def test_prompt_fills_the_only_open_variable():
    chain = PromptTemplate.from_template("{n}: {question}") | Echo()
    rows = map_rows(chain, "Is {letter} glad?", ROWS)
    assert [row["text"] for row in rows] == ["1: Is Dear all glad?", "2: Is Go away glad?"]


def test_chain_that_takes_a_text_gets_the_prompt():
    chain = {"letter": RunnablePassthrough()} | TEMPLATE | Echo()
    assert map_rows(chain, "no. {n}", ROWS)[1]["text"] == "Mood of no. 2?"


def test_variables_are_values_of_what_is_no_column():
    chain = PromptTemplate.from_template("{tone}: {letter}") | Echo()
    assert map_rows(chain, None, ROWS, variables={"tone": "Stern"})[0]["text"] == "Stern: Dear all"


def test_plain_texts_are_the_chains_only_variable():
    row = map_rows(TEMPLATE | Echo(), None, ["Hello"])[0]
    assert (row["letter"], row["text"]) == ("Hello", "Mood of Hello?")


def test_our_own_class_is_its_config(echo):
    llm = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{echo.url}/v1/chat/completions",
        endpoint_api_key="k" * 20,
        content_formatter=CustomOpenAIChatContentFormatter(),
    )
    assert map_rows(llm, "say {n}", ROWS)[0]["text"] == "SAY 1"


@pytest.mark.parametrize(
    ("chain", "prompt", "kind", "said"),
    [
        (Echo(), None, UsageError, "Echo takes a text or messages, and there is no prompt"),
        (PromptTemplate.from_template("{leter}") | Echo(), None, UndefinedVariableError, "Did you mean 'letter'?"),
        (PromptTemplate.from_template("{a} {b}") | Echo(), "{n}", PromptError, "it lacks a, b"),
        (3, "{n}", UsageError, "Rows are sent to an LLMConfig or a LangChain Runnable, not int"),
        (Echo, "{n}", UsageError, "a LangChain Runnable, not"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(chain, prompt, kind, said):
    with pytest.raises(kind) as caught:
        map_rows(chain, prompt, ROWS)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_row_without_a_value_fails_alone():
    rows = map_rows(TEMPLATE | Echo(), None, [{"letter": "a"}, {"letter": None}])
    assert (rows[0]["error"], rows[1]["error"][:38]) == (None, "PromptError: Row 1 has no value in the")


def test_dry_run_shows_inputs_and_calls_nothing():
    runnable, got = seen()
    shown = map_rows(runnable, None, ROWS, dry_run=True)
    assert got == []
    assert shown.count == "2 requests"
    assert '"letter": "Dear all"' in shown.requests[0]
    assert "Mood of Dear all" not in str(shown)
    assert "About Go away" in str(map_rows(Echo(), "About {letter}", ROWS, dry_run=True))


# ---- what its outputs become


def test_object_of_a_model_class_is_columns(run):
    chain = TEMPLATE | saying('{"mood": "glad", "stars": 3}') | PydanticOutputParser(pydantic_object=Mood)
    frame = run(chain, None, pd.DataFrame(ROWS))
    assert list(frame["mood"]) == ["glad", "glad"]
    assert str(frame["stars"].dtype) == "Int64"


def test_object_of_any_kind_is_one_column():
    rows = map_rows(TEMPLATE | saying('{"a": [1]}') | JsonOutputParser(), None, ROWS)
    assert (rows[0]["parsed"], json.loads(rows[0]["text"])) == ({"a": [1]}, {"a": [1]})
    assert map_rows(RunnableLambda(lambda row: 7), None, ROWS)[0]["text"] == "7"


def test_branches_are_columns_of_their_texts_and_their_tokens_add_up():
    chain = RunnableParallel(one=TEMPLATE | Echo(), two=TEMPLATE | Echo() | StrOutputParser())
    row = map_rows(chain, None, ROWS)[0]
    assert row["one"] == row["two"] == "Mood of Dear all?"
    assert row["prompt_tokens"] == 3


def test_schema_checks_outputs():
    rows = map_rows(TEMPLATE | saying('{"mood": "glad"}'), None, ROWS, schema=Mood)
    assert rows[0]["error"].startswith("SchemaError: The response does not match Mood: stars")
    assert map_rows(TEMPLATE | saying('{"mood": "a", "stars": 1}'), None, ROWS, schema=Mood)[0]["stars"] == 1


def test_structured_output_with_its_raw_message_has_usage(azml_endpoint, chat_openai):
    model = chat_openai(base_url=f"{azml_endpoint.url}/openai/v1", api_key=KEY)
    azml_endpoint.script([])
    rows = map_rows(model.with_structured_output(Mood, include_raw=True), "Mood of {letter}", ROWS)
    assert rows[0]["error"] is None, rows[0]
    assert isinstance(rows[0]["mood"], str)
    assert rows[0]["prompt_tokens"] > 0


def test_parsing_error_of_structured_output_is_the_rows():
    failed = {"raw": AIMessage("no json"), "parsed": None, "parsing_error": ValueError("no object")}
    row = map_rows(RunnableLambda(lambda row: failed), None, ROWS)[0]
    assert row["text"] == "no json"
    assert row["error"].startswith("SchemaError: The response has no such object: no object")


def test_usage_and_finish_reason_of_messages_are_columns(azml_endpoint, chat_openai):
    model = chat_openai(base_url=f"{azml_endpoint.url}/v1", api_key=KEY)
    row = map_rows(model, "Say {letter}", ROWS)[0]
    assert row["finish_reason"] == "stop"
    assert row["completion_tokens"] > 0


# ---- async, callbacks, concurrency


def test_runnable_that_is_async_only_runs():
    async def double(row):
        await asyncio.sleep(0)
        return row["n"] * 2

    assert [row["text"] for row in map_rows(RunnableLambda(double), None, ROWS)] == ["2", "4"]


def test_blocking_functions_run_side_by_side():
    barrier = threading.Barrier(12)
    rows = map_rows(RunnableLambda(lambda row: barrier.wait(30)), None, range(12), concurrency=12)
    assert [row["error"] for row in rows] == [None] * 12


def test_concurrency_bounds_calls_at_a_time():
    now, most, lock = 0, 0, threading.Lock()

    def work(row):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1
        return ""

    map_rows(RunnableLambda(work), None, range(30), concurrency=3)
    assert most == 3


def test_own_callbacks_and_config_are_kept():
    class Count(BaseCallbackHandler):
        starts = 0
        tags: tuple = ()

        def on_chat_model_start(self, *_, tags=(), **__):
            Count.starts += 1
            Count.tags = tuple(tags)

    chain = (TEMPLATE | Echo()).with_config(callbacks=[Count()], tags=["mine"])
    map_rows(chain, None, ROWS)
    assert Count.starts == 2
    assert "mine" in Count.tags


def test_rpm_spaces_the_calls():
    starts = []
    map_rows(RunnableLambda(lambda row: starts.append(time.monotonic())), None, range(2), rpm=60)
    assert max(starts) - min(starts) >= 0.9


# ---- failures


def test_failures_are_the_rows_own_and_grouped_by_cause():
    def fail(row):
        if row["n"] == 1:
            raise ValueError("no such mood")
        return "glad"

    rows = map_rows(RunnableLambda(fail), None, ROWS)
    assert rows[0]["error"].startswith("RunnableError: ValueError: no such mood")
    assert rows[1]["text"] == "glad"


def test_refused_key_of_another_provider_ends_the_run(azml_endpoint, chat_openai):
    model = chat_openai(base_url=f"{azml_endpoint.url}/v1", api_key="wrong-key-123456", max_retries=0)
    with pytest.raises((RowsError, RunnableError, AuthenticationError)) as caught:
        map_rows(model, "{text}", [str(n) for n in range(300)], concurrency=2)
    assert "AuthenticationError" in str(caught.value)
    assert len(azml_endpoint.requests) < 20


def test_overload_of_another_provider_slows_the_run_down(azml_endpoint, chat_openai):
    azml_endpoint.script([Fault(429, retry_after=1)])
    model = chat_openai(base_url=f"{azml_endpoint.url}/v1", api_key=KEY, max_retries=0)
    began = time.monotonic()
    rows = map_rows(model, "{text}", ["a", "b", "c"], concurrency=1)
    assert time.monotonic() - began >= 1.0  # Retry-After
    assert [row["error"] is None for row in rows] == [False, True, True]
    assert "RateLimitError: Error code: 429" in rows[0]["error"]


def test_own_class_within_a_chain_is_retried_by_its_limiter(azml_endpoint):
    permit.reset()
    azml_endpoint.script([Fault(429), Fault(429)])
    llm = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{azml_endpoint.url}/v1/chat/completions",
        endpoint_api_key=KEY,
        content_formatter=CustomOpenAIChatContentFormatter(),
        max_retries=0,
    )
    rows = map_rows(TEMPLATE | llm, None, ROWS)
    assert [row["error"] for row in rows] == [None, None]
    permit.reset()


# ---- interrupts


@pytest.fixture
def stop():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_interrupt_cancels_calls(stop):
    cancelled = threading.Event()

    async def work(row):
        if row["n"] == 2:
            stop()
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                cancelled.set()
                raise
        return "done"

    with pytest.raises(Interrupted) as caught:
        map_rows(RunnableLambda(work), None, ROWS, concurrency=1)
    assert cancelled.wait(30)
    assert caught.value.batch.texts == ["done", ""]
    assert map_rows(RunnableLambda(lambda row: "next"), None, ROWS)[0]["text"] == "next"


def test_interrupt_does_not_wait_for_blocking_calls(stop):
    release = threading.Event()

    def work(row):
        stop()
        release.wait(600)

    began = time.monotonic()
    with pytest.raises(Interrupted):
        map_rows(RunnableLambda(work), None, ROWS[:1])
    assert time.monotonic() - began < 60
    release.set()


# ---- journal


def test_journal_answers_for_the_same_chain(tmp_path, run, azml_endpoint, chat_openai):
    azml_endpoint.script([])

    def chain():
        model = chat_openai(base_url=f"{azml_endpoint.url}/v1", api_key=KEY)
        return TEMPLATE | model | RunnableLambda(lambda message: {"said": message.content.upper()})

    journal = tmp_path / "moods.jsonl"
    first = run(chain(), None, ROWS, journal=journal)
    before = len(azml_endpoint.requests)
    again = run(chain(), None, [*ROWS, {"letter": "More"}], journal=journal)
    assert len(azml_endpoint.requests) == before + 1
    assert [row["parsed"] for row in again][:2] == [row["parsed"] for row in first]
    assert again[0]["parsed"]["said"]


def test_journal_of_another_chain_is_refused(tmp_path):
    journal = tmp_path / "moods.jsonl"
    map_rows(TEMPLATE | saying("a") | StrOutputParser(), None, ROWS, journal=journal)
    with pytest.raises(JournalError, match="chain step 2 was 'FakeListChatModel") as caught:
        map_rows(TEMPLATE | saying("b") | StrOutputParser(), None, ROWS, journal=journal)
    assert "another run" in str(caught.value)


def test_chain_that_tells_nothing_of_itself_needs_a_name_for_a_journal(tmp_path):
    state = object()
    chain = RunnableLambda(lambda row: f"{row['n']} {state}")
    journal = tmp_path / "j.jsonl"
    with pytest.raises(JournalError) as caught:
        map_rows(chain, None, ROWS, journal=journal)
    assert "cannot tell this chain from another one: it has object" in str(caught.value)
    assert not journal.exists()
    named = chain.with_config(run_name="letters-1")
    first = map_rows(named, None, ROWS, journal=journal)
    assert map_rows(named, None, ROWS, journal=journal) == first
    with pytest.raises(JournalError, match="letters-2"):
        map_rows(chain.with_config(run_name="letters-2"), None, ROWS, journal=journal)


def test_journal_masks_the_keys_of_a_chain(tmp_path, chat_openai):
    model = chat_openai(api_key="sk-KEEP-OUT-0123456789", base_url="http://127.0.0.1:9/v1")

    def leak(_):
        raise ValueError("key sk-KEEP-OUT-0123456789 was refused")

    journal = tmp_path / "j.jsonl"
    chain = RunnableLambda(leak) | model
    map_rows(chain, None, ROWS, journal=journal)
    assert "KEEP-OUT" not in journal.read_text()


def test_failed_rows_of_a_chain_are_sent_again(tmp_path):
    journal = tmp_path / "j.jsonl"
    flag = tmp_path / "mended"

    def work(row):
        if not flag.exists():
            raise ValueError("not yet")
        return "ok"

    named = RunnableLambda(work).with_config(run_name="a")
    assert map_rows(named, None, ROWS, journal=journal)[0]["error"]
    flag.touch()
    assert map_rows(named, None, ROWS, journal=journal)[0]["error"]
    assert map_rows(named, None, ROWS, journal=journal, retry_failed=True)[0]["text"] == "ok"


def test_schema_error_keeps_the_text():
    row = map_rows(saying("no json"), "{letter}", ROWS, schema=Mood)[0]
    assert row["text"] == "no json"
    assert row["error"].startswith(SchemaError.__name__)
