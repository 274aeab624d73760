"""Test and Detect: they change the controls and the notes, but not the history."""

from __future__ import annotations

import threading

import pytest

from azml_magics.azure import check, detect
from azml_magics.core.config import LLMConfig
from azml_magics.emulator import Fault

from .conftest import TIMEOUT

# ---- test


def test_check_of_a_working_endpoint(ready, wait_until_idle, session, endpoint):
    ready.checks.test()
    assert wait_until_idle(ready, "endpoint").startswith("It works: the response was '")
    assert ready.notes["endpoint"].mood == "good"
    assert len(endpoint.requests) == 2, "whole, and streamed"
    assert session.history == []  # a check is not in the history


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("key", "env:NOT_THERE", "key: No key: the environment variable NOT_THERE is not set"),
        ("endpoint_url", "http://127.0.0.1:9/v1/chat/completions", "reach: Cannot connect to 127.0.0.1"),
        ("formatter", "gpt2", "config: The formatter 'gpt2' works with dedicated endpoints"),
        ("endpoint_url", "", "There is no endpoint"),
    ],
)
def test_first_failing_step_is_reported(ready, wait_until_idle, field, text, said):
    ready.set(field, text)
    ready.checks.test()
    note = wait_until_idle(ready, "endpoint")
    assert said in note
    assert "--" not in note
    assert "%azureml" not in note
    assert " -f" not in note
    assert ready.notes["endpoint"].mood == "bad"


@pytest.mark.parametrize(("fault", "step"), [("401", "authenticate"), ("404", "answer"), ("dropped", "reach")])
def test_refused_request_fails_at_its_step(ready, endpoint, wait_until_idle, fault, step):
    endpoint.script([Fault(fault)])
    ready.checks.test()
    note = wait_until_idle(ready, "endpoint")
    assert note.startswith(f"{step}: ")
    assert "%azureml" not in note
    assert "\n" not in note


@pytest.mark.parametrize("look", ["test", "detect"])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("key", "s3cret-key"), "That is not a key reference"),
        (("endpoint_url", "n.example"), "https"),
        (("key", "ask"), "No key was typed for main in this session."),
    ],
)
def test_check_that_cannot_start_is_reported(ready, endpoint, look, typed, said):
    ready.set(*typed)
    getattr(ready.checks, look)()
    assert said in ready.notes["endpoint"].text
    assert ready.notes["endpoint"].mood == "bad"
    assert len(endpoint.requests) == 0


class Held:
    """A check that runs until it is released."""

    def __init__(self, outcome):
        self.outcome, self.began, self.go = outcome, threading.Event(), threading.Event()

    def __call__(self, config, **_):
        self.began.set()
        assert self.go.wait(TIMEOUT)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def held_test(monkeypatch):
    held = Held(dict.fromkeys(check.STEPS, (check.GOOD, "'late'")))
    monkeypatch.setattr(check, "check", held)
    yield held
    held.go.set()


@pytest.fixture
def held_detection(monkeypatch):
    dialect = detect.Candidate("hf", "/score", "its swagger says so")
    held = Held(detect.Detection([dialect], dialect, "https://n.eastus.inference.ml.azure.com/score"))
    monkeypatch.setattr(detect, "detect", held)
    yield held
    held.go.set()


def test_stop_abandons_a_running_check(ready, held_test, wait_until_idle):
    ready.checks.test()
    assert (ready.running, ready.notes["endpoint"].text) == ("Testing…", "Testing…")
    assert held_test.began.wait(TIMEOUT)
    left = ready.worker._task
    ready.stop()
    assert ready.notes["endpoint"].text == "Stopped."
    assert ready.running == ""
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    held_test.go.set()
    assert left.ended.wait(TIMEOUT)
    assert ready.notes["endpoint"].text == "Stopped."


def test_bug_in_a_check_is_reported_without_traceback(ready, held_test, wait_until_idle):
    held_test.outcome = ZeroDivisionError("division by zero")
    held_test.go.set()
    ready.checks.test()
    assert wait_until_idle(ready, "endpoint") == "ZeroDivisionError: division by zero"


# ---- detect


@pytest.mark.parametrize(("deployment", "route"), [("dolly", "/score"), ("tgi", "/generate")])
def test_detected_formatter_is_an_unsaved_change(model, endpoint, wait_until_idle, deployment, route):
    model.session.save("main", LLMConfig(endpoint_url=f"{endpoint.url}/score", key="env:PANEL_KEY"))
    model.set("deployment_name", deployment)
    model.checks.detect()
    assert wait_until_idle(model, "endpoint").startswith(
        f"Detected {deployment}: "
    )  # each deployment is named for its formatter
    assert model.notes["endpoint"].mood == "good"
    assert (model.draft.texts["formatter"], model.draft.errors) == (deployment, {})
    assert model.draft.config.endpoint_url == f"{endpoint.url}{route}"
    assert model.session.get("main").formatter == ""


def test_probe_is_offered_if_the_endpoint_does_not_tell(ready, endpoint, wait_until_idle):
    ready.set("formatter", "")
    endpoint.script([Fault("404")] * 3)
    ready.checks.detect()
    assert wait_until_idle(ready, "endpoint").endswith("Probe sends at most 12 short prompts.")
    ready.checks.detect(probe=True)
    assert wait_until_idle(ready, "endpoint").startswith("Detected openai-chat: it responded ")
    assert ready.draft.texts["formatter"] == "openai-chat"
    assert ready.draft.errors == {}


def test_detection_changes_the_config_it_started_with(ready, session, held_detection, wait_until_idle):
    session.save("other", session.get("main"))
    ready.checks.detect()
    assert held_detection.began.wait(TIMEOUT)
    ready.choose("other")
    held_detection.go.set()
    assert wait_until_idle(ready, "endpoint") == "Detected hf: its swagger says so."
    assert not ready.draft.is_changed
    ready.choose("main")
    assert (ready.draft.texts["formatter"], ready.draft.config.endpoint_url) == (
        "hf",
        "https://n.eastus.inference.ml.azure.com/score",
    )


def test_detection_during_a_save_is_not_lost(ready, session, held_detection, wait_until_idle):
    ready.set("system", "Be brief.")
    ready.checks.detect()
    assert held_detection.began.wait(TIMEOUT)
    ready.save()
    held_detection.go.set()
    wait_until_idle(ready, "endpoint")
    assert (ready.draft.texts["formatter"], ready.draft.config.system) == ("hf", "Be brief.")
    assert session.get("main").formatter == ""


def test_failed_detection_is_reported(ready, endpoint, wait_until_idle):
    endpoint.script([Fault("401")])
    ready.checks.detect()
    note = wait_until_idle(ready, "endpoint")
    assert note.startswith("The endpoint did not accept the key")
    assert note.endswith("Check the key, and that it belongs to this endpoint.")
    assert ready.notes["endpoint"].mood == "bad"
