"""Errors read like help: one line with cause, place and remedy."""

from __future__ import annotations

import pickle
from urllib.error import HTTPError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import errors
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AzmlError,
    ConfigError,
    EndpointError,
    Interrupted,
    UndefinedVariableError,
    UnknownNameError,
    remedy_from,
)
from azml_magics.core.response import Response
from azml_magics.core.text import did_you_mean, one_line
from azml_magics.notebook.remedies import REMEDIES


def test_cause_place_and_remedy_make_one_line():
    error = AzmlError("It broke", remedy="Mend it.", config="prod", deployment="blue", request_id="1c7f")
    assert str(error) == "It broke (config 'prod', deployment 'blue', request id 1c7f). Mend it."


@pytest.mark.parametrize(
    ("cause", "fields", "line"),
    [
        ("It broke", {}, "It broke"),
        ("It broke.", {}, "It broke."),
        ("It broke", {"remedy": "Mend it."}, "It broke. Mend it."),
        ("It broke.", {"remedy": "Mend it."}, "It broke. Mend it."),
        ("Why?", {"remedy": "Ask."}, "Why? Ask."),
        ("It broke.", {"config": "a"}, "It broke (config 'a')."),
        ("Why?", {"config": "a"}, "Why? (config 'a')."),
        ("two\nlines\t here", {"remedy": "a\nb"}, "two lines here. a b"),
    ],
)
def test_error_line_is_punctuated(cause, fields, line):
    assert str(AzmlError(cause, **fields)) == line


def test_add_context_keeps_known_places():
    error = AzmlError("x", deployment="served").add_context(config="prod", deployment="asked for", request_id="r")
    assert error.place == "config 'prod', deployment 'served', request id r"


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_any_error_is_one_printable_line(cause, remedy, config, deployment, request_id):
    error = AzmlError(cause, remedy=remedy, config=config, deployment=deployment, request_id=request_id)
    line = str(error)
    assert len(line.splitlines()) <= 1
    assert not any(char in line for char in "\x00\x1b\x07\x9b")
    line.encode()  # a terminal and a notebook file can hold it


def test_one_line_cuts_long_text():
    assert len(one_line("word " * 1000)) == 600
    assert one_line("abcdef", 4) == "abc…"


def test_one_line_removes_escape_sequences():
    assert one_line("\x1b[31mred\x1b[0m\x07") == "[31mred[0m"


def test_ipython_shows_one_line_without_traceback():
    assert errors.RateLimitError("Too many", remedy="Wait.")._render_traceback_() == ["RateLimitError: Too many. Wait."]
    assert Interrupted()._render_traceback_() == ["Interrupted: Stopped before the first token; nothing had arrived."]


def test_interrupt_says_what_is_kept():
    assert str(Interrupted(Response("Once upon a "))).startswith("Stopped; 12 characters had arrived and are kept.")
    assert Interrupted(Response("Once upon a ")).error_code == "interrupted"
    assert Interrupted().error_code == "interrupted-empty"
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert not issubclass(Interrupted, Exception)


@pytest.mark.parametrize(
    ("ours", "builtin"),
    [
        (ConfigError, ValueError),
        (UnknownNameError, ValueError),
        (errors.PromptError, ValueError),
        (APITimeoutError, TimeoutError),
        (APIConnectionError, ConnectionError),
    ],
)
def test_errors_derive_from_python_classes(ours, builtin):
    with pytest.raises(builtin):
        raise ours("x")


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_a_docstring_and_pickles(name):
    kind = getattr(errors, name)
    assert kind.__doc__
    error = kind(Response("so far")) if kind is Interrupted else kind("Cause", remedy="Remedy.")
    if isinstance(error, AzmlError):
        error.add_context(config="prod")
        error.response = Response("so far")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.response == error.response


def test_endpoint_error_keeps_status_headers_and_body():
    error = EndpointError("x", status=424, inner_status=500, headers={"a": "b"}, body="said", retry_after=2.0)
    assert (error.status, error.inner_status, error.headers, error.body) == (424, 500, {"a": "b"}, "said")
    assert error.retry_after == 2.0


@pytest.mark.parametrize(
    ("typed", "known", "hint"),
    [
        ("temprature", ["temperature", "top_p"], " Did you mean 'temperature'?"),
        ("GPT2", ["gpt2"], " Did you mean 'gpt2'?"),
        ("xyz", ["temperature"], ""),
        ("", [], ""),
    ],
)
def test_did_you_mean(typed, known, hint):
    assert did_you_mean(typed, known) == hint


def test_unknown_name_lists_known_names():
    error = UnknownNameError.of("config", "prd", ["prod", "test"], "Save one.")
    assert str(error) == "No config named 'prd'. Did you mean 'prod'? Known: prod, test. Save one."
    assert str(UnknownNameError.of("config", "prd", [], "Save one.")) == "No config named 'prd'. Save one."


def test_undefined_variable_names_every_remedy():
    error = UndefinedVariableError.of("topik", ["topic", "n"])
    assert str(error).startswith("The prompt uses {topik}, and there is no variable 'topik'. Did you mean 'topic'?")
    assert "{{topik}}" in error.remedy
    told = remedy_from(REMEDIES, error)
    for way in ("Did you mean 'topic'?", "--var topik=…", "{{topik}}", "-t none"):
        assert way in told


def test_remedy_from_fills_a_template_with_facts():
    error = EndpointError("x", status=429, retry_after=2.5, remedy="Wait.", error_code="busy", config="prod")
    assert remedy_from({"busy": "Wait {wait} s for {config} ({status}, {unknown})."}, error) == (
        "Wait 2.5 s for prod (429, )."
    )
    assert remedy_from({}, error) == "Wait."


def test_endpoint_error_is_an_http_error_of_urllib():
    with pytest.raises(HTTPError) as caught:
        raise errors.RateLimitError("Too many", status=429, headers={"retry-after": "2"}, body="wait")
    error = caught.value
    assert (error.code, error.getcode(), error.reason) == (429, 429, "Too many")
    assert error.headers.get("retry-after") == "2"
    assert error.read() == b"wait"
    assert error.error_code == "rate-limit"
    assert not hasattr(error, "nonsense")
    error.close()
