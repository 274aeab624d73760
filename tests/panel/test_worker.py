"""The worker: one task at a time, stopped or abandoned, and its finish callback."""

from __future__ import annotations

import threading

import pytest

from azml_magics.panel.model.worker import Worker

TIMEOUT = 60


@pytest.fixture
def failures():
    """The failures that were reported."""
    return []


@pytest.fixture
def work(failures):
    made = Worker(failures.append)
    yield made
    made.abandon()


class Held:
    """A task that runs until it is released; its finish callback sets `finished`."""

    def __init__(self):
        self.began, self.go, self.finished = threading.Event(), threading.Event(), threading.Event()
        self.job = None

    def __call__(self, job):
        self.job = job
        self.began.set()
        assert self.go.wait(TIMEOUT)
        return self.finished.set


@pytest.fixture
def held():
    made = Held()
    yield made
    made.go.set()


def test_worker_names_its_task_until_it_ends(work, held):
    assert work.running == ""
    assert work.wait(0)
    assert work.start("Running…", held)
    assert work.running == "Running…"
    assert not work.wait(0)
    held.go.set()
    assert work.wait(TIMEOUT)
    assert work.running == ""
    assert held.finished.is_set()


def test_worker_runs_one_task_at_a_time(work, held):
    assert work.start("first", held)
    assert not work.start("second", held)
    assert work.running == "first"
    held.go.set()
    assert work.wait(TIMEOUT)
    assert work.start("second", lambda job: None)
    assert work.wait(TIMEOUT)


def test_one_of_many_concurrent_starts_succeeds(work, held):
    together, began = threading.Barrier(16, timeout=TIMEOUT), []

    def click():
        together.wait()
        began.append(work.start("x", held))

    threads = [threading.Thread(target=click) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert sorted(began) == [False] * 15 + [True]


def test_task_runs_in_its_own_thread(work):
    seen = []
    assert work.start("x", lambda job: lambda: seen.append(threading.current_thread()))
    assert work.wait(TIMEOUT)
    assert seen[0] is not threading.current_thread()
    assert (seen[0].name, seen[0].daemon) == ("azml-magics-panel", True)


def test_stopped_task_still_finishes(work, held):
    work.start("x", held)
    assert held.began.wait(TIMEOUT)
    work.stop()
    assert held.job.stopping.is_set()
    assert work.running == "x"
    held.go.set()
    assert work.wait(TIMEOUT)
    assert held.finished.is_set()


def test_abandoned_task_does_not_finish(work, held):
    work.start("x", held)
    assert held.began.wait(TIMEOUT)
    work.abandon()
    assert held.job.stopping.is_set()
    assert work.running == ""
    ended = threading.Event()
    assert work.start("y", lambda job: ended.set)
    assert ended.wait(TIMEOUT)
    held.go.set()
    assert held.job.ended.wait(TIMEOUT)
    assert not held.finished.is_set()


def test_worker_is_free_in_the_finish_callback(work):
    seen = []
    work.start("x", lambda job: lambda: seen.append((work.running, work.start("y", lambda job: None))))
    assert work.wait(TIMEOUT)
    assert seen == [("", True)]


def test_failure_is_reported_and_next_task_starts(work, failures):
    broken = ValueError("a fault of ours")

    def task(job):
        raise broken

    work.start("x", task)
    assert work.wait(TIMEOUT)
    assert failures == [broken]
    assert work.start("y", lambda job: None)
    assert work.wait(TIMEOUT)


def test_failing_finish_callback_is_reported(work, failures):
    work.start("x", lambda job: lambda: {}["missing"])
    assert work.wait(TIMEOUT)
    assert [type(error) for error in failures] == [KeyError]


def test_failure_of_abandoned_task_is_ignored(work, failures, held):
    def task(job):
        held(job)
        raise ValueError

    work.start("x", task)
    assert held.began.wait(TIMEOUT)
    work.abandon()
    held.go.set()
    assert held.job.ended.wait(TIMEOUT)
    assert failures == []


def test_stop_while_idle_does_nothing(work):
    work.stop()
    work.abandon()
    assert work.wait(0)
