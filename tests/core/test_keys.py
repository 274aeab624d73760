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
from azml_magics.core.errors import ConfigError, KeyNotFoundError, KeyRefusedError
from azml_magics.core.key_sources import registry
from azml_magics.core.keys import DEFAULT_KEY, KeyRef, key_source
from azml_magics.core.redaction import MASK
from azml_magics.core.secret import Secret

from .judge import only_our_errors

KEY = "k3y-0123456789abcdef-KEEP-OUT"
_PROVIDERS = "/subscriptions/s/resourceGroups/r/providers"
ENDPOINT = f"{_PROVIDERS}/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/e"
ACCOUNT = f"{_PROVIDERS}/Microsoft.CognitiveServices/accounts/a"


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
def test_no_way_of_printing_shows_the_key(shown):
    text = shown(Secret(KEY))
    assert KEY not in text
    assert KEY[:8] not in text


def test_secret_has_no_vars():
    with pytest.raises(TypeError):
        vars(Secret(KEY))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_is_never_pickled(protocol):
    with pytest.raises(TypeError, match="never pickled") as caught:
        pickle.dumps({"key": Secret(KEY)}, protocol)
    assert KEY not in str(caught.value)


def test_secret_is_not_json():
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": Secret(KEY)})
    assert KEY not in str(caught.value)


def test_copy_of_a_secret_is_the_same_object():
    key = Secret(KEY)
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key


def test_log_does_not_show_the_key(caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("azml").warning("key is %s and %r", Secret(KEY), Secret(KEY))
    assert KEY not in caplog.text
    assert MASK in caplog.text


def test_traceback_with_locals_does_not_show_the_key():
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
def test_pasted_bearer_and_white_space_are_stripped(pasted):
    assert Secret(pasted).reveal() == KEY


def test_key_beginning_with_bearer_is_unchanged():
    assert Secret("bearerXYZ").reveal() == "bearerXYZ"


@pytest.mark.parametrize("empty", ["", "  ", "Bearer ", "Bearer", "bearer \n"])
def test_blank_key_is_false(empty):
    assert not Secret(empty)


def test_secrets_compare_by_value_and_hash_alike():
    assert Secret("a") == Secret("Bearer a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))


@given(st.text())
def test_any_text_can_be_a_secret(text):
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
        ("entra:cli", "entra", "cli", True),
        ("entra:https://ai.azure.com/.default", "entra", "https://ai.azure.com/.default", True),
        ("entra:device,tenant=contoso.com", "entra", "device,tenant=contoso.com", True),
        ("aml-token", "aml-token", "", True),
        (f"aml-token:{ENDPOINT}", "aml-token", ENDPOINT, True),
        ("azure-key", "azure-key", "", False),
        (f"azure-key:{ACCOUNT}", "azure-key", ACCOUNT, False),
        ("keyvault:my-vault/my-secret", "keyvault", "my-vault/my-secret", False),
        ("databricks:scope/key", "databricks", "scope/key", False),
        ("ask", "ask", "", False),
    ],
)
def test_references_are_parsed_and_printed(text, scheme, name, is_token):
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
        "entra:cli,device",
        "entra:tenant=",
        "azure-key:my-endpoint",
        "keyvault:my-vault",
        "databricks:scope",
        "ask:x",
    ],
)
def test_incomplete_reference_shows_its_form(text):
    with pytest.raises(ConfigError, match="incomplete or has a wrong name") as caught:
        KeyRef.parse(text)
    assert f"Write {text.partition(':')[0]}" in str(caught.value)


@pytest.mark.parametrize(
    "literal", [KEY, f"Bearer {KEY}", "sk-abc:def", "eyJ0eXAi.eyJhdWQi.sig", "", "ENV:X", "environ"]
)
def test_literal_key_is_refused_and_not_repeated(literal):
    with pytest.raises(KeyRefusedError, match="would stay in the notebook and its history") as caught:
        KeyRef.parse(literal)
    if literal:
        assert literal not in str(caught.value)
        assert literal not in repr(caught.value)


@given(st.text())
def test_any_text_parses_or_raises_config_error(text):
    with only_our_errors(ConfigError):
        assert KeyRef.parse(str(KeyRef.parse(text))) == KeyRef.parse(text)


def test_unknown_scheme_is_refused():
    with pytest.raises(ConfigError):
        KeyRef("vault", "x")


def test_key_is_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("MY_KEY", f" Bearer {KEY}\n")
    assert KeyRef.parse("env:MY_KEY").is_found() is True
    assert KeyRef.parse("env:MY_KEY").resolve() == Secret(KEY)


@pytest.mark.parametrize("value", [None, "", "   "])
def test_missing_variable_says_how_to_set_it(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("MY_KEY", value)
    assert KeyRef.parse("env:MY_KEY").is_found() is False
    with pytest.raises(KeyNotFoundError, match="the environment variable MY_KEY is not set") as caught:
        KeyRef.parse("env:MY_KEY").resolve()
    assert "os.environ['MY_KEY'] = getpass.getpass()" in str(caught.value)
    assert "another key source: ask, keyring:SERVICE/NAME or entra" in str(caught.value)


def test_default_reference_is_langchains_variable(monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    assert KeyRef.parse(DEFAULT_KEY).resolve() == Secret(KEY)


@pytest.mark.parametrize("text", ["entra", "keyring:a/b", "ask", "aml-token"])
def test_other_sources_do_not_know_without_a_request(text):
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


def test_prompted_key_is_typed_once_per_origin(typed):
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


def test_blank_typed_key_is_refused(typed):
    answers, _ = typed
    answers += ["  ", "one"]
    with pytest.raises(KeyNotFoundError, match="No key was typed"):
        KeyRef.parse("ask").resolve("https://a.example.com")
    assert KeyRef.parse("ask").resolve("https://a.example.com") == Secret("one")


@pytest.mark.parametrize("error", [EOFError("no stdin"), NotImplementedError("StdinNotImplementedError")])
def test_prompt_without_stdin_is_an_error(monkeypatch, error):
    def getpass(prompt):
        raise error

    monkeypatch.setattr("getpass.getpass", getpass)
    with pytest.raises(KeyNotFoundError, match="The key cannot be typed here") as caught:
        KeyRef.parse("ask").resolve("https://a.example.com")
    assert "env:NAME" in str(caught.value)


def test_key_prompt_can_be_interrupted(monkeypatch):
    def getpass(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", getpass)
    with pytest.raises(KeyboardInterrupt):
        KeyRef.parse("ask").resolve("https://a.example.com")


# ---- registered schemes


@pytest.fixture
def register(monkeypatch):
    monkeypatch.setattr(registry, "_schemes", dict(registry._schemes))
    return key_sources.register_key_source


def test_registered_function_gives_the_key(register):
    register("op", lambda name: f" key of {name}\n")
    ref = KeyRef.parse("op:vault/item")
    assert ref.resolve("https://a.example.com") == Secret("key of vault/item")
    assert key_source(ref).describe() == "op:vault/item (looked up when needed)"


def test_registered_class_gives_the_key(register):
    class Fixed(key_sources.KeySource):
        is_token = True

        def __init__(self, name):
            self.name = name

        def resolve(self, endpoint_url="", *, refused=None):
            return Secret(f"{self.name} for {endpoint_url}, {refused is not None}")

    register("fixed", Fixed)
    ref = KeyRef.parse("fixed:a")
    assert ref.is_token
    assert ref.resolve("u", refused=Secret("x")) == Secret("a for u, True")


def _raise(name):
    raise RuntimeError(KEY)


@pytest.mark.parametrize(
    ("function", "message"),
    [(_raise, "raised RuntimeError"), (lambda name: None, "returned NoneType"), (lambda name: " ", "returned no key")],
)
def test_failing_key_function_is_one_line_without_its_text(register, function, message):
    register("op", function)
    with pytest.raises(KeyNotFoundError, match=f"The key source op:x {message}") as caught:
        KeyRef.parse("op:x").resolve()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("scheme", ["env", "none", "Op", "a b", "", "a:", 3])
def test_scheme_that_is_taken_or_no_scheme_is_refused(register, scheme):
    with pytest.raises(ConfigError, match="cannot be the scheme of a key source"):
        register(scheme, str)


def test_key_source_that_cannot_be_called_is_refused(register):
    with pytest.raises(ConfigError, match="must be a function"):
        register("op", "not a function")


def test_reference_of_another_process_names_its_scheme(register, monkeypatch):
    register("op", str)
    ref = KeyRef.parse("op:x")
    monkeypatch.setattr(registry, "_schemes", dict(registry._BUILT_IN))
    with pytest.raises(ConfigError, match="no key source op here"):
        key_source(ref)


# ---- sources


@pytest.mark.parametrize(
    ("key", "described", "is_found"),
    [
        (KeyRef("env", "MY_KEY"), "env:MY_KEY (not set)", False),
        (KeyRef("keyring", "azml/hr"), "keyring:azml/hr (looked up when needed)", None),
        (KeyRef("entra"), "entra (a token is fetched when needed)", None),
        (KeyRef("aml-token"), "aml-token (a token is fetched when needed)", None),
        (KeyRef("ask"), "ask (asked when needed)", None),
        (Secret(KEY), "in memory", True),
        (None, "none", True),
    ],
)
def test_key_source_describes_itself_without_the_key(key, described, is_found):
    source = key_source(key)
    assert source.describe("https://a.example.com") == described
    assert source.is_found("https://a.example.com") is is_found
    assert KEY not in repr(source) + str(source) + source.state()


def test_typed_key_is_found_for_its_origin():
    key_sources.remember_key("https://a.example.com/score", Secret("one"))
    source = key_source(KeyRef("ask"))
    assert source.describe("https://A.example.com:443") == "ask (typed, for this session)"
    assert source.is_found("https://b.example.com") is None


def test_literal_key_and_no_key_resolve_without_lookup():
    assert key_source(Secret(KEY)).resolve("https://a.example.com") == Secret(KEY)
    assert key_source(None).resolve("https://a.example.com") is None


def test_line_of_a_list_has_the_resources_name_only():
    for scheme, state in (("azure-key", "listed when needed"), ("aml-token", "a token is fetched when needed")):
        source = key_source(KeyRef(scheme, ENDPOINT))
        assert source.summarize() == f"{scheme}:…/{'/'.join(ENDPOINT.split('/')[-2:])} ({state})"
        assert source.describe() == f"{scheme}:{ENDPOINT} ({state})"
        assert key_source(KeyRef(scheme)).summarize() == f"{scheme} ({state})"
