"""batch and abatch: as many at a time as asked for, in order, each with its own fate."""

from __future__ import annotations

import contextvars
import sys
import time
import warnings

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.language_models.llms import BaseLLM
from langchain_core.prompt_values import StringPromptValue
from langchain_core.tracers.context import collect_runs

from azml_magics import errors
from azml_magics.emulator import Fault
from azml_magics.langchain import AzureMLOnlineEndpoint, DollyContentFormatter


@pytest.fixture
def model(request):
    return request.getfixturevalue(request.param)


class Ends(BaseCallbackHandler):
    """Keeps the order in which prompts are answered."""

    run_inline = True

    def __init__(self):
        self.prompts, self.ended = {}, []

    def on_llm_start(self, serialized, prompts, *, run_id, **kwargs):
        self.prompts[run_id] = prompts[0]

    def on_chat_model_start(self, serialized, messages, *, run_id, **kwargs):
        self.prompts[run_id] = messages[0][0].content

    def on_llm_end(self, response, *, run_id, **kwargs):
        self.ended.append(self.prompts[run_id])


def text(answer):
    return getattr(answer, "content", answer)


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
@pytest.mark.parametrize("given", [{"max_concurrency": 5}, {}], ids=["as asked", "16 by default"])
async def test_max_concurrency_is_reached_and_not_exceeded(model, endpoint, given):
    endpoint.latency = 0.25
    bound = given.get("max_concurrency", 16)
    prompts = [f"Name {n} rivers." for n in range(3 * bound)]
    answers = model.batch(prompts, config=given)
    assert len(answers) == 3 * bound
    assert bound / 2 < endpoint.in_flight_peak <= bound
    endpoint.in_flight_peak = 0
    again = await model.abatch(prompts, config=given)
    assert bound / 2 < endpoint.in_flight_peak <= bound
    assert [text(answer) for answer in answers] == [text(answer) for answer in again]
    endpoint.latency = 0.0
    assert text(answers[7]) == text(model.invoke(prompts[7]))


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_slow_input_does_not_delay_others(model, endpoint):
    endpoint.script([Fault("slow", seconds=1.0)])
    order = Ends()
    model.batch([str(n) for n in range(12)], config={"max_concurrency": 2, "callbacks": [order]})
    # One of the first two is slow. In slices of two all others would wait for it; here they are done before.
    assert len(order.ended) == 12
    assert order.ended[-1] in {"0", "1"}


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_each_input_has_its_own_exception(model, endpoint):
    endpoint.script([None, Fault("413"), None])
    answers = model.batch(["a", "b", "c"], config={"max_concurrency": 1}, return_exceptions=True)
    assert [isinstance(answer, errors.BadRequestError) for answer in answers] == [False, True, False]
    endpoint.script([None, Fault("413"), None])
    answers = await model.abatch(["a", "b", "c"], config={"max_concurrency": 1}, return_exceptions=True)
    assert [isinstance(answer, errors.BadRequestError) for answer in answers] == [False, True, False]
    endpoint.script([Fault("413")])
    assert isinstance(model.batch(["a"], return_exceptions=True)[0], errors.BadRequestError)


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_first_error_is_raised_without_return_exceptions(model, endpoint):
    endpoint.script([Fault("413")])
    with pytest.raises(errors.BadRequestError):
        model.batch(["a", "b"], config={"max_concurrency": 1})
    endpoint.script([Fault("413")])
    with pytest.raises(errors.BadRequestError):
        await model.abatch(["a", "b"], config={"max_concurrency": 1})
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_empty_batch_returns_empty_list(model):
    assert model.batch([]) == []
    assert await model.abatch([]) == []


def test_each_input_can_have_its_own_config(llm):
    class Tags(BaseCallbackHandler):
        def __init__(self):
            self.seen = []

        def on_llm_start(self, serialized, prompts, *, tags=None, **kwargs):
            self.seen.append((prompts[0], tags))

    seen = Tags()
    llm.batch(["a", "b"], config=[{"tags": ["first"], "callbacks": [seen]}, {"tags": ["second"], "callbacks": [seen]}])
    assert sorted(seen.seen) == [("a", ["first"]), ("b", ["second"])]


def test_call_kwargs_apply_to_every_input(llm, endpoint):
    llm.batch(["a", "b"], seed=5, stop=["."])
    assert [request.json()["parameters"]["seed"] for request in endpoint.requests] == [5, 5]


def test_context_variables_reach_the_batch(llm):
    note = contextvars.ContextVar("note", default="lost")

    class Reads(BaseCallbackHandler):
        run_inline = True

        def __init__(self):
            self.read = []

        def on_llm_start(self, *args, **kwargs):
            self.read.append(note.get())

    reads = Reads()
    note.set("kept")
    llm.batch(["a", "b"], config={"callbacks": [reads]})
    assert reads.read == ["kept", "kept"]


def test_batch_as_completed_gives_every_index(llm):
    done = dict(llm.batch_as_completed(["a", "b", "c"]))
    assert sorted(done) == [0, 1, 2]


# ---- those who listen


async def test_cache_serves_the_batch(llm, endpoint):
    cached = llm.model_copy(update={"cache": InMemoryCache()})
    assert cached.batch(["a", "b"]) == cached.batch(["a", "b"]) == await cached.abatch(["a", "b"])
    assert len(endpoint.requests) == 2


def test_global_cache_serves_the_batch_unless_disabled(llm, endpoint):
    set_llm_cache(InMemoryCache())
    try:
        assert llm.batch(["a", "b"]) == llm.batch(["a", "b"])
        assert len(endpoint.requests) == 2
        llm.model_copy(update={"cache": False}).batch(["a", "b"])
        assert len(endpoint.requests) == 4
    finally:
        set_llm_cache(None)


@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_tracer_sees_every_run_of_a_batch(llm, way):
    with collect_runs() as seen:
        _ = llm.batch(["a", "b"]) if way == "batch" else await llm.abatch(["a", "b"])
    assert sorted(run.inputs["prompts"][0] for run in seen.traced_runs) == ["a", "b"]


async def test_model_callbacks_run_in_a_batch(llm):
    ends = Ends()
    listening = llm.model_copy(update={"callbacks": [ends]})
    listening.batch(["a", "b"])
    await listening.abatch(["c", "d"])
    assert sorted(ends.ended) == ["a", "b", "c", "d"]


@pytest.mark.skipif(not hasattr(BaseLLM, "_dict_for_compat"), reason="this langchain-core does so elsewhere, too")
def test_batch_keeps_warning_filters():
    """LangChain changes them for a moment at each call, and threads would change them back in the wrong order."""

    class Client:
        def call(self, body, run_manager=None):
            time.sleep(0.001)
            return b'["Bubbles rise in glass"]'

    llm = AzureMLOnlineEndpoint(http_client=Client(), content_formatter=DollyContentFormatter())
    before, interval = list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        llm.batch(["Name a river."] * 1000, config={"max_concurrency": 64})
    finally:
        sys.setswitchinterval(interval)
    assert list(warnings.filters) == before


def test_overridden_dict_keeps_cache_entries_apart(llm, endpoint):
    class Own(AzureMLOnlineEndpoint):
        flavour: str = "plain"

        def dict(self, **kwargs):
            return {"flavour": self.flavour}

    plain = Own(
        **{name: getattr(llm, name) for name in type(llm).model_fields if name != "cache"}, cache=InMemoryCache()
    )
    other = plain.model_copy(update={"flavour": "other"})
    for model in (plain, plain, other):
        model.invoke("a")
    assert len(endpoint.requests) == 2


async def test_batch_equals_invoke(llm, endpoint):
    prompts = ["Name a river.", StringPromptValue(text="Name a lake.")]
    alone = [llm.invoke(prompt, stop=["."], seed=3) for prompt in prompts]
    assert llm.batch(prompts, stop=["."], seed=3) == alone == await llm.abatch(prompts, stop=["."], seed=3)
    bodies = [request.json() for request in endpoint.requests]
    assert {str(body) for body in bodies[:2]} == {str(body) for body in bodies[2:4]} == {str(b) for b in bodies[4:]}
