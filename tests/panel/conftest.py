"""Fixtures for the panel's model, with its own session and a running endpoint, without widgets or a kernel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

# The shell in which test_cell_source.py runs the panel's cells.
from tests.notebook.conftest import _shell, magics, notebook, shell  # noqa: F401 - fixtures are found by their names

TIMEOUT = 60  # seconds after which a deadlock fails the test


@pytest.fixture
def endpoint(azml_endpoint, monkeypatch):
    """The running endpoint; its key is in PANEL_KEY."""
    monkeypatch.setenv("PANEL_KEY", KEY)
    return azml_endpoint


@pytest.fixture
def chat(endpoint):
    """A config for the endpoint's chat route, which streams."""
    return LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key=KeyRef("env", "PANEL_KEY"), max_retries=0)


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def variables():
    """The notebook's variables; tests add their own."""
    return {}


@pytest.fixture
def model(session, variables):
    """A panel over an empty session."""
    made = PanelModel(session, lambda: variables)
    yield made
    made.close()


@pytest.fixture
def ready(model, session, chat):
    """A panel with the config `main` chosen, and a prompt."""
    session.save("main", chat)
    model.set_prompt("Tell me about rivers")
    return model


@pytest.fixture
def wait_until_idle():
    """A function that waits until a model is idle and returns the note at "run" or another place."""

    def wait(model, place="run"):
        assert model.worker.wait(TIMEOUT), "it still runs"
        return model.notes[place].text if place in model.notes else ""

    return wait


class Changes:
    """Records the notifications of a model; `until` waits for a condition and checks it after every change."""

    def __init__(self, model):
        self._told = threading.Condition()
        self.parts: list[frozenset[str]] = []
        model.subscribe(self._hear)

    def _hear(self, parts):
        with self._told:
            self.parts.append(parts)
            self._told.notify_all()

    def until(self, true):
        with self._told:
            assert self._told.wait_for(true, TIMEOUT), "it never came"


@pytest.fixture
def watch():
    """`watch(model)` records its notifications."""
    return Changes


@pytest.fixture(autouse=True)
def logged():
    """The test's log at the DEBUG level; a test fails if a record has a traceback."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = records.append
    logger, level = logging.getLogger("azml_magics"), logging.getLogger("azml_magics").level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield records
    logger.removeHandler(handler)
    logger.setLevel(level)
    assert not [record.getMessage() for record in records if record.exc_info]


@pytest.fixture(autouse=True)
def _no_vocabulary_is_downloaded(monkeypatch):
    """tiktoken would download one for every model that it knows."""
    monkeypatch.setattr("azml_magics.core.tokens._vocabulary_for", lambda _model, _wait: None)


@pytest.fixture(autouse=True)
def _nothing_goes_on():
    """The panel's threads must end with the test."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("azml-magics"):
            thread.join(TIMEOUT)
            assert not thread.is_alive(), thread.name


def texts_in(thing: Any, _seen: set[int] | None = None) -> list[str]:
    """Every text that can be reached from an object through attributes, dicts and lists; a Secret is not opened."""
    seen = set() if _seen is None else _seen
    if id(thing) in seen or isinstance(thing, Secret | threading.Thread):
        return []
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        return [thing if isinstance(thing, str) else thing.decode(errors="replace")]
    found: list[str] = []
    if isinstance(thing, Mapping):
        inside: list[Any] = [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inside = list(thing)
    elif isinstance(thing, BaseException) or type(thing).__module__.startswith("azml_magics"):
        found += [repr(thing), str(thing)]
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        inside = [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]
        if isinstance(thing, BaseException):
            inside += [thing.args, thing.__cause__, thing.__context__]
    else:
        inside = []
    return found + [text for each in inside for text in texts_in(each, seen)]


@pytest.fixture
def contains_text():
    """A function: whether an object's repr or anything in it contains a text."""

    def look(thing, text):
        return any(text in each for each in texts_in(thing))

    return look
