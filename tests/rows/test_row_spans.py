"""A run over rows is one span, whose threads and workers send their calls below it."""

from __future__ import annotations

import os

import pytest

from azml_magics.compare.fan_out import invoke_many
from azml_magics.core.errors import AzmlError
from azml_magics.rows.api import map_rows
from azml_magics.rows.async_api import amap_rows

ROWS = [{"word": f"w{number}"} for number in range(40)]


def check_all_below(spans, parent, count):
    """All calls, whatever thread sent them, are in the trace of `parent` and below it."""
    calls = spans("chat")
    assert len(calls) == count
    assert {call.parent.span_id for call in calls} == {parent.context.span_id}
    assert {span.context.trace_id for span in spans()} == {parent.context.trace_id}
    calls_by_id = {call.context.span_id for call in calls}
    assert {attempt.parent.span_id for attempt in spans("POST")} <= calls_by_id


def test_rows_are_below_one_span_with_their_counts(echo, spans):
    map_rows(echo.config(), "{word}", [*ROWS, {"word": None}], concurrency=8)
    (parent,) = spans("map_rows")
    check_all_below(spans, parent, 40)
    facts = {name.removeprefix("azml_magics."): value for name, value in parent.attributes.items()}
    assert (facts["config"], facts["concurrency"]) == ("prod", 8)
    assert (facts["rows.total"], facts["rows.done"], facts["rows.failed"]) == (41, 41, 1)
    assert parent.status.is_ok


async def test_rows_on_an_event_loop_are_below_one_span(echo, spans):
    await amap_rows(echo.config(), "{word}", ROWS)
    (parent,) = spans("map_rows")
    check_all_below(spans, parent, 40)


def test_rows_of_an_iterator_are_below_one_span_that_ends_with_it(echo, spans):
    stream = map_rows(echo.config(), "{word}", iter(ROWS))
    next(stream)
    assert not spans("map_rows")
    assert len(list(stream)) == 39
    (parent,) = spans("map_rows")
    check_all_below(spans, parent, 40)


def test_run_is_below_the_users_span(echo, spans):
    from opentelemetry import trace

    with trace.get_tracer_provider().get_tracer("mine").start_as_current_span("my work") as mine:
        map_rows(echo.config(), "{word}", ROWS[:2])
        assert trace.get_current_span() is mine
    (parent,) = spans("map_rows")
    assert parent.parent.span_id == mine.get_span_context().span_id


def test_run_that_fails_has_a_span_that_fails(echo, spans):
    refusing = echo.config().merged(endpoint_url="http://127.0.0.1:1/v1/chat/completions")
    with pytest.raises(AzmlError):
        map_rows(refusing, "{word}", ROWS, rpm=6000)
    (parent,) = spans("map_rows")
    assert not parent.status.is_ok


def test_many_prompts_are_below_the_users_span(echo, spans):
    from opentelemetry import trace

    with trace.get_tracer_provider().get_tracer("mine").start_as_current_span("my work"):
        invoke_many(echo.config(), [row["word"] for row in ROWS], concurrency=8)
    (parent,) = spans("my work")
    check_all_below(spans, parent, 40)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # distributed closes late
def test_threads_of_a_dask_worker_continue_the_trace(azml_endpoint, spans):
    distributed = pytest.importorskip("distributed", reason="a cluster needs the dask extra")
    import dask

    from azml_magics.core.config import LLMConfig

    assert "AZML_TEST_KEY" in os.environ  # workers in this process read it, too
    config = LLMConfig(endpoint_url=f"{azml_endpoint.url}/v1/chat/completions", key="env:AZML_TEST_KEY", name="prod")
    settings = {"distributed.comm.timeouts.connect": "20s", "distributed.worker.profile.enabled": False}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            host="127.0.0.1",
            protocol="tcp",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        map_rows(config, "{word}", ROWS, dask_client=client)
    run = next(span for span in spans("map_rows") if span.parent is None)
    assert run.attributes["azml_magics.workers"] == 1
    (part,) = (span for span in spans("map_rows") if span.parent is not None)
    assert part.parent.span_id == run.context.span_id
    check_all_below(spans, part, 40)
