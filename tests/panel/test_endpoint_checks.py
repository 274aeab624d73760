"""The panel's looks at an endpoint, which are no exchanges: its test, and the detection of its dialect."""

from __future__ import annotations

import threading

import pytest

from azml_magics.azure import check, detect
from azml_magics.core.config import LLMConfig
from azml_magics.emulator import Fault

from .conftest import LONG

# ---- test


def test_check_of_a_working_endpoint(asking, settled, session, endpoint):
    asking.checks.test()
    assert settled(asking, "endpoint").startswith("It works: it answered '")
    assert asking.notes["endpoint"].mood == "good"
    assert len(endpoint.requests) == 1
    assert session.history == []  # a look is no exchange


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("key", "env:NOT_THERE", "key: No key: the environment variable NOT_THERE is not set"),
        ("endpoint_url", "http://127.0.0.1:9/v1/chat/completions", "reach: Cannot connect to 127.0.0.1"),
        ("formatter", "gpt2", "config: The formatter 'gpt2' works with dedicated endpoints"),
        ("endpoint_url", "", "There is no endpoint"),
    ],
)
def test_first_failing_step_is_reported(asking, settled, field, text, said):
    asking.set(field, text)
    asking.checks.test()
    note = settled(asking, "endpoint")
    assert said in note
    assert "--" not in note
    assert "%azureml" not in note
    assert " -f" not in note
    assert asking.notes["endpoint"].mood == "bad"


@pytest.mark.parametrize(("fault", "step"), [("401", "authenticate"), ("404", "answer"), ("dropped", "reach")])
def test_refused_request_fails_at_its_step(asking, endpoint, settled, fault, step):
    endpoint.script([Fault(fault)])
    asking.checks.test()
    note = settled(asking, "endpoint")
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
def test_check_that_cannot_start_is_reported(asking, endpoint, look, typed, said):
    asking.set(*typed)
    getattr(asking.checks, look)()
    assert said in asking.notes["endpoint"].text
    assert asking.notes["endpoint"].mood == "bad"
    assert len(endpoint.requests) == 0


class Held:
    """Stands in for a look at an endpoint: it goes on until it is let go."""

    def __init__(self, outcome):
        self.outcome, self.began, self.go = outcome, threading.Event(), threading.Event()

    def __call__(self, config, **_):
        self.began.set()
        assert self.go.wait(LONG)
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
    dialect = detect.Dialect("hf", "/score", "its swagger says so")
    held = Held(detect.Detected([dialect], dialect, "https://n.eastus.inference.ml.azure.com/score"))
    monkeypatch.setattr(detect, "detect", held)
    yield held
    held.go.set()


def test_stop_abandons_a_running_check(asking, held_test, settled):
    asking.checks.test()
    assert (asking.running, asking.notes["endpoint"].text) == ("Testing…", "Testing…")
    assert held_test.began.wait(LONG)
    left = asking.worker._task
    asking.stop()
    assert asking.notes["endpoint"].text == "Stopped."
    assert asking.running == ""
    asking.runs.run()
    assert settled(asking) == ""
    held_test.go.set()
    assert left.ended.wait(LONG)
    assert asking.notes["endpoint"].text == "Stopped."


def test_bug_in_a_check_is_reported_without_traceback(asking, held_test, settled):
    held_test.outcome = ZeroDivisionError("division by zero")
    held_test.go.set()
    asking.checks.test()
    assert settled(asking, "endpoint") == "ZeroDivisionError: division by zero"


# ---- detect


@pytest.mark.parametrize(("deployment", "route"), [("dolly", "/score"), ("tgi", "/generate")])
def test_detected_formatter_is_an_unsaved_change(model, endpoint, settled, deployment, route):
    model.session.save("main", LLMConfig(endpoint_url=f"{endpoint.url}/score", key="env:PANEL_KEY"))
    model.set("deployment_name", deployment)
    model.checks.detect()
    assert settled(model, "endpoint").startswith(f"Detected {deployment}: ")  # each is named for its dialect
    assert model.notes["endpoint"].mood == "good"
    assert (model.draft.texts["formatter"], model.draft.errors) == (deployment, {})
    assert model.draft.config.endpoint_url == f"{endpoint.url}{route}"
    assert model.session.get("main").formatter == ""


def test_probe_is_offered_if_swagger_does_not_tell(asking, settled):
    asking.set("formatter", "")
    asking.checks.detect()
    assert settled(asking, "endpoint").endswith("Probe sends a short prompt in every wire format.")
    asking.checks.detect(probe=True)
    assert settled(asking, "endpoint").startswith("Detected openai-chat: it answered ")
    assert asking.draft.texts["formatter"] == "openai-chat"
    assert asking.draft.errors == {}


def test_detection_changes_the_config_it_started_with(asking, session, held_detection, settled):
    session.save("other", session.get("main"))
    asking.checks.detect()
    assert held_detection.began.wait(LONG)
    asking.choose("other")
    held_detection.go.set()
    assert settled(asking, "endpoint") == "Detected hf: its swagger says so."
    assert not asking.draft.is_changed
    asking.choose("main")
    assert (asking.draft.texts["formatter"], asking.draft.config.endpoint_url) == (
        "hf",
        "https://n.eastus.inference.ml.azure.com/score",
    )


def test_detection_during_a_save_is_not_lost(asking, session, held_detection, settled):
    asking.set("system", "Be brief.")
    asking.checks.detect()
    assert held_detection.began.wait(LONG)
    asking.save()
    held_detection.go.set()
    settled(asking, "endpoint")
    assert (asking.draft.texts["formatter"], asking.draft.config.system) == ("hf", "Be brief.")
    assert session.get("main").formatter == ""


def test_failed_detection_is_reported(asking, endpoint, settled):
    endpoint.script([Fault("401")])
    asking.checks.detect()
    note = settled(asking, "endpoint")
    assert note.startswith("The endpoint did not accept the key")
    assert note.endswith("Check the key, and that it belongs to this endpoint.")
    assert asking.notes["endpoint"].mood == "bad"
