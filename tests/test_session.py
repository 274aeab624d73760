"""The session: named configs, the active one and the history, from any thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from azml_magics import session as sessions
from azml_magics.changes import Change
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, RateLimitError, UnknownNameError, UsageError
from azml_magics.core.response import Response
from azml_magics.session import Session

PROD = LLMConfig(endpoint_url="https://n.eastus.inference.ml.azure.com/score", formatter="gpt2")


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def told(session):
    """The changes that were announced."""
    changes: list[Change] = []
    session.subscribe(changes.append)
    return changes


# ---- configs


def test_empty_session_names_the_first_step(session):
    with pytest.raises(ConfigError, match="There is no config yet") as caught:
        session.get()
    assert "session.current().save(" in str(caught.value)
    assert session.active == ""
    assert session.names() == []


def test_first_saved_config_becomes_active(session, told):
    assert session.save("prod", PROD).name == "prod"
    session.save("test", PROD)
    assert (session.active, session.names()) == ("prod", ["prod", "test"])
    assert session.get().name == "prod"
    assert session.get("test").name == "test"
    assert told == [Change("saved", "prod"), Change("saved", "test")]


def test_save_again_replaces_config_in_its_place(session):
    session.save("a", PROD)
    session.save("b", PROD)
    session.save("a", PROD.merged(timeout=5), source="a.json")
    assert session.names() == ["a", "b"]
    assert session.get_saved("a").source == "a.json"
    assert session.get("a").timeout == 5


def test_unknown_name_suggests_the_closest(session):
    session.save("prod", PROD)
    with pytest.raises(UnknownNameError, match=r"No config named 'prd'. Did you mean 'prod'\?"):
        session.get("prd")


def test_use_activates_a_config(session, told):
    session.save("a", PROD)
    session.save("b", PROD)
    assert session.use("b").name == "b"
    assert session.active == "b"
    assert told[-1] == Change("used", "b")
    with pytest.raises(UnknownNameError):
        session.use("c")
    assert session.active == "b"


def test_rename_keeps_place_source_and_active(session, told):
    session.save("a", PROD, source="a.json")
    session.save("b", PROD)
    session.rename("a", "c")
    assert (session.names(), session.active) == (["c", "b"], "c")
    assert session.get("c").name == "c"
    assert session.get_saved("c").source == "a.json"
    assert told[-1] == Change("renamed", "c", former="a")


def test_rename_of_another_config_keeps_the_active_one(session):
    session.save("a", PROD)
    session.save("b", PROD)
    session.rename("b", "c")
    assert session.active == "a"


def test_rename_refuses_taken_and_unknown_names(session):
    session.save("a", PROD)
    session.save("b", PROD)
    with pytest.raises(ConfigError, match="There is already a config named 'b'"):
        session.rename("a", "b")
    with pytest.raises(UnknownNameError):
        session.rename("x", "y")
    session.rename("a", "a")
    assert session.names() == ["a", "b"]


def test_no_name_means_the_active_config(session):
    session.save("a", PROD)
    session.save("b", PROD)
    session.rename("", "c")
    assert (session.names(), session.active) == (["c", "b"], "c")
    assert session.use("").name == "c"
    assert session.active == "c"
    session.delete("")
    assert (session.names(), session.active) == (["b"], "")


def test_delete_of_the_active_config_leaves_none_active(session, told):
    session.save("a", PROD)
    session.save("b", PROD)
    session.delete("a")
    assert (session.names(), session.active) == (["b"], "")
    assert told[-1] == Change("deleted", "a")
    with pytest.raises(UnknownNameError):
        session.delete("a")
    with pytest.raises(ConfigError):
        session.get()
    session.save("c", PROD)
    assert session.active == "c"


@pytest.mark.parametrize("name", ["prod", "hr-bot", "gpt2.v1", "Straße", "a_b", "1", "v1:blue"])
def test_check_name_accepts_names_for_a_line(session, name):
    assert session.save(name, PROD).name == name


@pytest.mark.parametrize(
    "name", ["", "-x", "$x", "%x", "a b", "a\nb", 'a"b', "a'b", "a=b", "a,b", "a/b", "a\\b", "{a}", "a\x00b", "\x1b[0m"]
)
def test_check_name_refuses_names_not_for_a_line(session, name):
    with pytest.raises(UsageError, match="cannot name a config"):
        session.save(name, PROD)
    assert session.names() == []


# ---- history


def test_history_is_numbered_and_bounded():
    session = Session(history_size=3)
    assert session.last is None
    for number in range(5):
        session.record(PROD, [{"role": "user", "content": f"q{number}"}], Response(f"a{number}"))
    assert [exchange.number for exchange in session.history] == [3, 4, 5]
    assert session.last.prompt == "q4"
    session.resize_history(2)
    assert [exchange.prompt for exchange in session.history] == ["q3", "q4"]
    session.resize_history(0)
    assert session.last is None


def test_exchange_has_a_response_an_error_or_both(session, told):
    error = RateLimitError("busy")
    exchange = session.record(session.save("prod", PROD), [], Response("half"), error)
    assert (exchange.response.text, exchange.error) == ("half", error)
    assert exchange.recorded_at.tzinfo is not None
    assert told[-1] == Change("recorded", "prod")


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        ([{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}], "Q"),
        (
            [
                {"role": "user", "content": "Q1"},
                {"role": "assistant", "content": "A"},
                {"role": "user", "content": "Q2"},
            ],
            "Q2",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "image_url"}]}],
            "What is [image_url]",
        ),
        ([{"role": "system", "content": "S"}], ""),
        ([{"role": "user"}], ""),
        ([], ""),
    ],
)
def test_prompt_of_an_exchange_is_the_last_user_message(session, messages, prompt):
    assert session.record(PROD, messages).prompt == prompt


def test_growing_conversation_does_not_change_the_history(session):
    turns = [{"role": "user", "content": "one"}]
    session.record(PROD, turns)
    turns.append({"role": "user", "content": "two"})
    assert session.last.prompt == "one"


# ---- listeners


def test_listener_may_call_the_session_and_unsubscribe(session):
    seen = []
    end = session.subscribe(lambda change: seen.append((change.name, session.names())))
    session.save("a", PROD)
    end()
    end()
    session.save("b", PROD)
    assert seen == [("a", ["a"])]


def test_failing_listener_stops_no_other_and_no_change(session, caplog):
    seen = []

    def broken(change):
        raise RuntimeError("panel gone")

    session.subscribe(broken)
    session.subscribe(seen.append)
    session.save("a", PROD)
    assert seen == [Change("saved", "a")]
    assert session.names() == ["a"]
    assert "panel gone" in caplog.text


def test_listener_in_another_thread_may_change_the_session(session):
    """No lock is held while listeners run: one that waits for another thread does not hang."""
    done = threading.Event()

    def listener(change):
        if change.name == "a":
            thread = threading.Thread(target=lambda: (session.save("b", PROD), done.set()))
            thread.start()
            assert done.wait(20)

    session.subscribe(listener)
    session.save("a", PROD)
    assert session.names() == ["a", "b"]


# ---- threads


def test_many_threads_lose_nothing():
    session = Session(history_size=10_000)
    heard = []
    session.subscribe(heard.append)

    def work(worker):
        for number in range(50):
            name = f"c{worker}-{number}"
            session.save(name, PROD)
            session.rename(name, name + "x")
            session.record(PROD, [])
            session.use(name + "x")
            if number % 2:
                session.delete(name + "x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(session.names()) == len(set(session.names())) == 8 * 25
    assert [exchange.number for exchange in session.history] == list(range(1, 401))
    assert len(heard) == 8 * (50 * 4 + 25)
    assert session.active in ("", *session.names())


class Sessions(RuleBasedStateMachine):
    """Whatever is done in whatever order: the active config is one of the saved ones, or none."""

    def __init__(self):
        super().__init__()
        self.session = Session(history_size=4)
        self.model: dict[str, float] = {}

    names = st.sampled_from(["a", "b", "c", "d"])

    @rule(name=names, timeout=st.integers(1, 9))
    def save(self, name, timeout):
        self.session.save(name, PROD.merged(timeout=timeout))
        self.model[name] = timeout

    @rule(name=names)
    def use(self, name):
        if name in self.model:
            self.session.use(name)
            assert self.session.active == name
        else:
            with pytest.raises(UnknownNameError):
                self.session.use(name)

    @rule(name=names)
    def delete(self, name):
        if name in self.model:
            self.session.delete(name)
            del self.model[name]
        else:
            with pytest.raises(UnknownNameError):
                self.session.delete(name)

    @rule(old=names, new=names)
    def rename(self, old, new):
        if old not in self.model or (new in self.model and new != old):
            with pytest.raises(ConfigError):
                self.session.rename(old, new)
        else:
            self.session.rename(old, new)
            self.model = {(new if name == old else name): value for name, value in self.model.items()}

    @rule()
    def ask(self):
        self.session.record(PROD, [])

    @invariant()
    def it_holds_together(self):
        assert self.session.names() == list(self.model)
        assert self.session.active in ("", *self.model)
        for name, timeout in self.model.items():
            config = self.session.get(name)
            assert (config.name, config.timeout) == (name, timeout)
        assert len(self.session.history) <= 4


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=40, stateful_step_count=20, deadline=None, database=None)


# ---- the one of this process


def test_there_is_one_session_until_it_is_reset():
    first = sessions.current()
    first.save("prod", PROD)
    assert sessions.current() is first
    assert sessions.reset() is not first
    assert sessions.current().names() == []
