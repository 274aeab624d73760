"""A key that is passed in Python or to LangChain is in no error, repr, dump, pickle or log."""

from __future__ import annotations

import json
import pickle

import pytest

import azml_magics
from azml_magics import Client, LLMConfig, Secret
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint

from .conftest import KEY, SECOND, leaks_in, search


def told_by(ask):
    """All that a call gives, or that its error tells."""
    try:
        found = ask()
    except azml_magics.errors.AzmlError as error:
        return search(error)
    return f"{found!r} {getattr(found, '__dict__', '')!r}"


WRONG = {
    "kwarg": {"model_kwargs": {"api_key": KEY}},
    "nested kwarg": {"model_kwargs": {"tools": [{"authorization": KEY}]}},
    "query": {"endpoint_url": f"https://h.example/score?code={KEY}"},
    "password": {"endpoint_url": f"https://ann:{SECOND}@h.example/score"},
    "half a URL": {"endpoint_url": f"h.example/score?code={KEY}"},
    "reference": {"key": KEY},
    "proxy": {"proxy": f"http://ann:{SECOND}@p.example:1"},
    "unknown name": {"api_keys": KEY},
    "wrong type": {"endpoint_url": "https://h.example/score", "timeout": "never", "headers": {"x-api-key": KEY}},
}


def caught_by(make, **arguments):
    with pytest.raises(Exception, match=r".") as caught:
        make(**arguments)
    return caught.value


@pytest.mark.parametrize("name", list(WRONG))
@pytest.mark.parametrize("kind", [LLMConfig, LLMConfig().merged, AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint])
def test_error_of_a_constructor_holds_no_key(kind, name):
    error = caught_by(kind, **WRONG[name])
    assert leaks_in(search(error)) == []


@pytest.mark.parametrize("name", ["endpoint_api_key", "api_key"])
def test_error_beside_a_key_holds_no_key(name):
    error = caught_by(AzureMLChatOnlineEndpoint, **{name: KEY, "timeout": "never"})
    assert leaks_in(search(error)) == []


def test_clients_keep_default_headers_as_secrets():
    client = Client(default_headers={"x-api-key": KEY, "Authorization": f"Bearer {SECOND}"})
    assert leaks_in(repr(vars(client)) + repr(vars(client._defaults))) == []
    error = caught_by(Client, default_headers={"x-api-key": KEY, "x y": "z"})
    assert leaks_in(search(error)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"key": Secret(KEY)},
        {"key": "env:MARKED_KEY"},
        {"key": None, "headers": {"x-api-key": KEY}},
        {"key": None, "headers": {"Authorization": f"Bearer {KEY}"}},
        {"key": "env:SECOND_KEY", "model_kwargs": {"tools": [{"authorization": "env:MARKED_KEY"}]}},
    ],
)
def test_call_in_python_shows_no_key(echo, log, options):
    config = LLMConfig(endpoint_url=f"{echo.url}/v1/chat/completions", max_retries=0, **options)
    shown = [repr(config), str(config)]
    shown += [
        told_by(lambda: azml_magics.invoke(config, "Hi")),
        told_by(lambda: list(azml_magics.stream(config, "Hi"))),
    ]
    assert leaks_in("\n".join(shown)) == []
    assert leaks_in(log.text) == []


def models(url):
    """Models whose key came in every way that LangChain's users have."""
    chat = AzureMLChatOnlineEndpoint
    assigned = chat(endpoint_url=url, max_retries=0)
    assigned.endpoint_api_key = KEY
    headed = chat(endpoint_url=url, max_retries=0, key="none")
    headed.headers = {"x-api-key": KEY}
    through_client = chat(endpoint_url=url, max_retries=0)
    through_client.http_client.endpoint_api_key = KEY
    yield chat(endpoint_url=url, max_retries=0, endpoint_api_key=KEY)
    yield chat(endpoint_url=url, max_retries=0, api_key=KEY)
    yield chat(endpoint_url=url, max_retries=0, key="env:MARKED_KEY")
    yield chat(endpoint_url=url, max_retries=0, key="none", default_headers={"x-api-key": KEY})
    yield AzureMLOnlineEndpoint(endpoint_url=url, max_retries=0, endpoint_api_key=KEY)
    yield from (assigned, headed, through_client)


def test_langchain_model_shows_no_key(echo, log, tmp_path):
    from langchain_core.load import dumps

    for number, model in enumerate(models(f"{echo.url}/v1/chat/completions")):
        path = tmp_path / f"{number}.json"
        shown = [repr(model), str(model), repr(vars(model)), dumps(model), repr(model.model_dump())]
        shown += [repr(model._identifying_params), model.model_dump_json()]
        if not model.headers:  # a key in a header is never pickled: the error says so
            shown.append(repr(pickle.dumps(model)))
        if isinstance(model, AzureMLOnlineEndpoint):
            model.save(path)
            shown.append(path.read_text())
        shown += [
            told_by(lambda model=model: model.invoke("Hi")),
            told_by(lambda model=model: list(model.stream("Hi"))),
        ]
        assert leaks_in("\n".join(shown)) == []
    assert leaks_in(log.text) == []
    assert all(KEY in str(sent.headers) for sent in echo.received)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", KEY),
        ("endpoint_url", f"https://h.example/score?sig={KEY}"),
        ("model_kwargs", {"api_key": KEY}),
    ],
)
def test_assigned_key_is_refused_where_only_a_reference_belongs(name, value):
    model = AzureMLChatOnlineEndpoint(endpoint_url="https://h.example/v1/chat/completions")
    error = caught_by(lambda: setattr(model, name, value))
    assert leaks_in(search(error) + repr(model)) == []


def test_call_argument_that_holds_a_key_is_refused(quiet):
    model = AzureMLChatOnlineEndpoint(endpoint_url=f"{quiet.url}/v1/chat/completions", key="none")
    error = caught_by(lambda: model.invoke("Hi", api_key=KEY))
    assert KEY not in str(error)
    assert not quiet.received


def test_saved_document_holds_references_only(tmp_path):
    config = LLMConfig(
        endpoint_url="https://h.example/v1?code=env:MARKED_KEY",
        key=Secret(KEY),
        headers={"x-api-key": KEY, "x-team": "env:SECOND_KEY"},
        model_kwargs={"token": "env:MARKED_KEY"},
    )
    path = azml_magics.save_config(config, tmp_path / "a.json")
    assert leaks_in(path.read_text()) == []
    assert json.loads(path.read_text())["model_kwargs"] == {"token": "env:MARKED_KEY"}
    assert path.stat().st_mode & 0o077 == 0
