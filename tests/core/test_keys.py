"""Keys: nothing prints them, and references say where they are."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sys
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core import key_sources
from azml_magics.core.errors import AzmlError, ConfigError, KeyNotFoundError, KeyRefusedError
from azml_magics.core.keys import DEFAULT_KEY, KeyRef
from azml_magics.core.redaction import MASK
from azml_magics.core.secret import Secret

from .judge import only_our_errors

KEY = "k3y-0123456789abcdef-KEEP-OUT"


# ---- Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        format,
        lambda s: f"{s}",
        lambda s: f"{s!r}",
        lambda s: f"{s!a}",
        lambda s: f"{s:>40}",
        lambda s: "{}".format(s),  # noqa: UP032 - this way, too
        lambda s: "%s" % s,  # noqa: UP031 - this way, too
        lambda s: repr([s, {"key": s}]),
        lambda s: json.dumps(s, default=str),
        lambda s: ascii(s),
        lambda s: str(dir(s)),
    ],
)
def test_no_way_of_printing_shows_it(shown):
    text = shown(Secret(KEY))
    assert KEY not in text
    assert KEY[:8] not in text


def test_a_secret_has_no_vars():
    with pytest.raises(TypeError):
        vars(Secret(KEY))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_never_pickled(protocol):
    with pytest.raises(TypeError, match="never pickled") as caught:
        pickle.dumps({"key": Secret(KEY)}, protocol)
    assert KEY not in str(caught.value)


def test_it_cannot_be_written_as_json():
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": Secret(KEY)})
    assert KEY not in str(caught.value)


def test_a_copy_is_the_same_one():
    key = Secret(KEY)
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key


def test_a_log_does_not_show_it(caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("azml").warning("key is %s and %r", Secret(KEY), Secret(KEY))
    assert KEY not in caplog.text
    assert MASK in caplog.text


def test_a_traceback_with_locals_does_not_show_it():
    def failing(key: Secret) -> None:
        found = key
        raise ValueError(f"not good: {found}")

    try:
        failing(Secret(KEY))
    except ValueError:
        shown = "".join(traceback.TracebackException(*sys.exc_info(), capture_locals=True).format())
    assert "found = " in shown
    assert KEY not in shown


@pytest.mark.parametrize("pasted", [KEY, f"Bearer {KEY}", f"bearer   {KEY}\n", f"\n\t BEARER\t{KEY} "])
def test_a_pasted_bearer_and_white_space_are_stripped(pasted):
    assert Secret(pasted).reveal() == KEY


def test_a_key_that_only_begins_like_bearer_is_left_alone():
    assert Secret("bearerXYZ").reveal() == "bearerXYZ"


@pytest.mark.parametrize("empty", ["", "  ", "Bearer ", "Bearer", "bearer \n"])
def test_nothing_is_no_key(empty):
    assert not Secret(empty)


def test_secrets_compare_by_value_and_hash_alike():
    assert Secret("a") == Secret("Bearer a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))


@given(st.text())
def test_any_text_may_be_a_secret(text):
    key = Secret(text)
    assert key == Secret(text)
    assert isinstance(hash(key), int)


# ---- KeyRef


@pytest.mark.parametrize(
    ("text", "scheme", "name", "is_token"),
    [
        ("env:MY_KEY", "env", "MY_KEY", False),
        (" env:_x1 ", "env", "_x1", False),
        ("keyring:azml/hr-bot", "keyring", "azml/hr-bot", False),
        ("keyring:azml/a/b:c d", "keyring", "azml/a/b:c d", False),
        ("entra", "entra", "", True),
        ("aml-token", "aml-token", "", True),
        ("ask", "ask", "", False),
    ],
)
def test_the_grammar_of_references(text, scheme, name, is_token):
    ref = KeyRef.parse(text)
    assert (ref.scheme, ref.name, ref.is_token) == (scheme, name, is_token)
    assert str(ref) == text.strip()
    assert KeyRef.parse(str(ref)) == ref
    assert pickle.loads(pickle.dumps(ref)) == ref


@pytest.mark.parametrize(
    "text",
    [
        "env:",
        "env:1X",
        "env:A-B",
        "env:A B",
        "keyring:",
        "keyring:azml",
        "keyring:/x",
        "keyring:a/",
        "entra:x",
        "ask:x",
    ],
)
def test_an_incomplete_reference_shows_the_forms(text):
    with pytest.raises(ConfigError, match="incomplete or has a wrong name") as caught:
        KeyRef.parse(text)
    assert "env:NAME, keyring:SERVICE/NAME, entra, ask or none" in str(caught.value)


@pytest.mark.parametrize(
    "literal", [KEY, f"Bearer {KEY}", "sk-abc:def", "eyJ0eXAi.eyJhdWQi.sig", "", "ENV:X", "environ"]
)
def test_a_literal_key_is_refused_with_the_reason_and_not_repeated(literal):
    with pytest.raises(KeyRefusedError, match="would stay in the notebook and its history") as caught:
        KeyRef.parse(literal)
    if literal:
        assert literal not in str(caught.value)
        assert literal not in repr(caught.value)


@given(st.text())
def test_any_text_is_a_reference_or_one_of_our_errors(text):
    with only_our_errors(ConfigError):
        assert KeyRef.parse(str(KeyRef.parse(text))) == KeyRef.parse(text)


def test_a_scheme_that_does_not_exist_cannot_be_made():
    with pytest.raises(ConfigError):
        KeyRef("vault", "x")


def test_a_key_in_the_environment(monkeypatch):
    monkeypatch.setenv("MY_KEY", f" Bearer {KEY}\n")
    assert KeyRef.parse("env:MY_KEY").is_found() is True
    assert KeyRef.parse("env:MY_KEY").resolve() == Secret(KEY)


@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_key_that_is_not_in_the_environment_says_how_to_set_it(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("MY_KEY", value)
    assert KeyRef.parse("env:MY_KEY").is_found() is False
    with pytest.raises(KeyNotFoundError, match="the environment variable MY_KEY is not set") as caught:
        KeyRef.parse("env:MY_KEY").resolve()
    assert "os.environ['MY_KEY'] = getpass.getpass()" in str(caught.value)
    assert "another key source: ask, keyring:SERVICE/NAME or entra" in str(caught.value)


def test_the_default_reference_is_langchains_variable(monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    assert KeyRef.parse(DEFAULT_KEY).resolve() == Secret(KEY)


@pytest.mark.parametrize("text", ["entra", "keyring:a/b", "ask", "aml-token"])
def test_only_a_try_tells_whether_other_keys_are_there(text):
    assert KeyRef.parse(text).is_found() is None


# ---- ask


@pytest.fixture
def typed(monkeypatch):
    """What a person types at each prompt, and the prompts that were shown."""
    answers: list[str] = []
    prompts: list[str] = []

    def getpass(prompt):
        prompts.append(prompt)
        return answers.pop(0)

    monkeypatch.setattr("getpass.getpass", getpass)
    return answers, prompts


def test_ask_asks_once_for_each_endpoint(typed):
    answers, prompts = typed
    answers += ["one", "two", "three"]
    ask = KeyRef.parse("ask")
    assert ask.resolve("https://a.example.com/score") == Secret("one")
    assert ask.resolve("https://a.example.com/other") == Secret("one")
    assert ask.resolve("https://A.example.com:443/score") == Secret("one"), "the same origin"
    assert ask.resolve("https://b.example.com/score") == Secret("two")
    assert prompts == ["Key for https://a.example.com: ", "Key for https://b.example.com: "]
    key_sources.forget_typed_keys()
    assert ask.resolve("https://a.example.com/score") == Secret("three")


def test_nothing_typed_is_an_error_and_is_not_kept(typed):
    answers, _ = typed
    answers += ["  ", "one"]
    with pytest.raises(KeyNotFoundError, match="No key was typed"):
        KeyRef.parse("ask").resolve("https://a.example.com")
    assert KeyRef.parse("ask").resolve("https://a.example.com") == Secret("one")


@pytest.mark.parametrize("error", [EOFError("no stdin"), NotImplementedError("StdinNotImplementedError")])
def test_ask_where_nobody_can_be_asked(monkeypatch, error):
    def getpass(prompt):
        raise error

    monkeypatch.setattr("getpass.getpass", getpass)
    with pytest.raises(KeyNotFoundError, match="The key cannot be typed here") as caught:
        KeyRef.parse("ask").resolve("https://a.example.com")
    assert "env:NAME" in str(caught.value)


def test_a_person_may_break_off_the_question(monkeypatch):
    def getpass(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", getpass)
    with pytest.raises(KeyboardInterrupt):
        KeyRef.parse("ask").resolve("https://a.example.com")


def test_an_aml_token_says_what_to_use_in_its_place():
    with pytest.raises(KeyNotFoundError, match="Azure ML token") as caught:
        KeyRef.parse("aml-token").resolve("https://a.example.com")
    assert "entra" in str(caught.value)
    assert isinstance(caught.value, AzmlError)


def test_a_resolver_can_be_registered(monkeypatch):
    monkeypatch.setattr(key_sources, "_RESOLVERS", dict(key_sources._RESOLVERS))
    key_sources.register_resolver("aml-token", lambda name, url, refresh: Secret(f"{url}-{refresh}"))
    assert KeyRef.parse("aml-token").resolve("u", refresh=True) == Secret("u-True")
