"""batch and abatch: as many at a time as asked for, in order, each with its own fate."""

from __future__ import annotations

import contextvars

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from azml_magics import errors
from azml_magics.emulator import Fault

@pytest.fixture
def model(request):
    return request.getfixturevalue(request.param)


def text(answer):
    return getattr(answer, "content", answer)


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
@pytest.mark.parametrize("given", [{"max_concurrency": 5}, {}], ids=["as asked", "16 by default"])
async def test_the_bound_is_reached_and_kept(model, endpoint, given):
    endpoint.latency = 0.1
    prompts = [f"Name {n} rivers." for n in range(40)]
    bound = given.get("max_concurrency", 16)
    answers = model.batch(prompts, config=given)
    assert len(answers) == 40
    assert bound * 0.6 < endpoint.in_flight_peak <= bound
    endpoint.in_flight_peak = 0
    again = await model.abatch(prompts, config=given)
    assert bound * 0.6 < endpoint.in_flight_peak <= bound
    assert [text(answer) for answer in answers] == [text(answer) for answer in again]
    endpoint.latency = 0.0
    assert text(answers[7]) == text(model.invoke(prompts[7]))


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_nobody_waits_for_a_slow_one(model, endpoint):
    endpoint.script([Fault("slow", seconds=1.0)])
    endpoint.latency = 0.02
    model.batch([str(n) for n in range(13)], config={"max_concurrency": 2})
    # In slices of two, the second request after the slow one would have waited for it; here twelve are done meanwhile.
    assert len(endpoint.requests) == 13


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_each_input_has_its_own_error(model, endpoint):
    endpoint.script([None, Fault("413"), None])
    answers = model.batch(["a", "b", "c"], config={"max_concurrency": 1}, return_exceptions=True)
    assert [isinstance(answer, errors.RequestRejected) for answer in answers] == [False, True, False]
    endpoint.script([None, Fault("413"), None])
    answers = await model.abatch(["a", "b", "c"], config={"max_concurrency": 1}, return_exceptions=True)
    assert [isinstance(answer, errors.RequestRejected) for answer in answers] == [False, True, False]
    endpoint.script([Fault("413")])
    assert isinstance(model.batch(["a"], return_exceptions=True)[0], errors.RequestRejected)


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_the_first_error_is_raised_otherwise(model, endpoint):
    endpoint.script([Fault("413")])
    with pytest.raises(errors.RequestRejected):
        model.batch(["a", "b"])
    endpoint.script([Fault("413")])
    with pytest.raises(errors.RequestRejected):
        await model.abatch(["a", "b"])


@pytest.mark.parametrize("model", ["llm", "chat"], indirect=True)
async def test_nothing_in_nothing_out(model):
    assert model.batch([]) == []
    assert await model.abatch([]) == []


def test_every_input_may_have_its_own_config(llm):
    class Tags(BaseCallbackHandler):
        def __init__(self):
            self.seen = []

        def on_llm_start(self, serialized, prompts, *, tags=None, **kwargs):
            self.seen.append((prompts[0], tags))

    seen = Tags()
    llm.batch(["a", "b"], config=[{"tags": ["first"], "callbacks": [seen]}, {"tags": ["second"], "callbacks": [seen]}])
    assert sorted(seen.seen) == [("a", ["first"]), ("b", ["second"])]


def test_per_call_kwargs_go_to_every_input(llm, endpoint):
    llm.batch(["a", "b"], seed=5, stop=["."])
    assert [request.json()["parameters"]["seed"] for request in endpoint.requests] == [5, 5]


def test_the_callers_context_holds_in_the_batch(llm):
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
