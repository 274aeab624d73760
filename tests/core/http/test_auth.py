"""The headers of a request: which ones win, which carry keys, and that no key is shown anywhere."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from azml_magics import codegen
from azml_magics.cassettes.cassette import record, replay
from azml_magics.core import errors, key_sources
from azml_magics.core.client import ainvoke, astream, fetch, invoke, prepare, stream
from azml_magics.core.errors import AzmlError, ConfigError, KeyNotFoundError
from azml_magics.core.keys import KeyRef
from azml_magics.core.messages import as_messages
from azml_magics.core.secret import Secret

from ..conftest import KEY
from ..server import reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
APIM = "ap1m-0123456789abcdef-KEEP-OUT"
LITERAL = "l1teral-0123456789abcdef-KEEP-OUT"
SECRETS = (KEY, APIM, LITERAL)


@pytest.fixture
def gateway(server, config_of, monkeypatch):
    """A config with three keys: its own, one in a variable, one in memory."""
    monkeypatch.setenv("APIM_KEY", APIM)
    server.respond_with(HI)
    return config_of(headers={"Ocp-Apim-Subscription-Key": "env:APIM_KEY", "X-Token": LITERAL, "X-Team": "nlp"})


def sent(server):
    return server.received[-1].headers


# ---- what is sent


def test_headers_are_sent_with_their_keys_looked_up(gateway, server):
    invoke(gateway, "hello")
    assert sent(server)["ocp-apim-subscription-key"] == APIM
    assert sent(server)["x-token"] == LITERAL
    assert sent(server)["x-team"] == "nlp"
    assert sent(server)["authorization"] == f"Bearer {KEY}"


def test_fetched_descriptions_get_the_headers_too(gateway, server):
    fetch(gateway, f"{server.url}/swagger.json")
    assert sent(server)["ocp-apim-subscription-key"] == APIM


def test_reference_is_followed_when_the_request_is_sent(gateway, server, monkeypatch):
    invoke(gateway, "hello")
    monkeypatch.setenv("APIM_KEY", "renewed-key")
    invoke(gateway, "hello")
    assert sent(server)["ocp-apim-subscription-key"] == "renewed-key"


def test_missing_key_of_a_header_is_one_line_and_nothing_is_sent(gateway, server, monkeypatch):
    monkeypatch.delenv("APIM_KEY")
    with pytest.raises(KeyNotFoundError) as caught:
        invoke(gateway, "hello")
    assert str(caught.value) == (
        "The header Ocp-Apim-Subscription-Key has no key: the environment variable APIM_KEY is not set (config 'prod'). "
        "Provide it, name another key reference for this header, or leave the header out."
    )
    assert server.received == []


def test_key_of_a_header_keeps_its_bearer(config_of, server, monkeypatch):
    monkeypatch.setenv("GATEWAY", "Bearer abc.def")
    server.respond_with(HI)
    invoke(config_of(key=None, headers={"Authorization": "env:GATEWAY"}), "hello")
    assert sent(server)["authorization"] == "Bearer abc.def"


@pytest.mark.parametrize("name", ["Ocp-Apim-Subscription-Key", "authorization", "x-api-key"])
def test_key_header_carries_the_key_as_it_is(config_of, server, name):
    server.respond_with(HI)
    invoke(config_of(key_header=name), "hello")
    assert sent(server)[name.lower()] == KEY
    assert [header for header, value in sent(server).items() if KEY in value] == [name.lower()]


def test_config_wins_over_the_wire_and_the_key(config_of, server):
    server.respond_with(HI)
    own = {"content-type": "application/vnd.gateway+json", "AUTHORIZATION": "Basic abc", "User-Agent": "mine/1"}
    invoke(config_of(headers=own), "hello")
    assert sent(server)["content-type"] == "application/vnd.gateway+json"
    assert sent(server)["authorization"] == "Basic abc"
    assert sent(server)["user-agent"] == "mine/1"


def test_user_agent_names_the_versions(config_of, server):
    server.respond_with(HI)
    invoke(config_of(), "hello")
    names = [part.partition("/")[0] for part in sent(server)["user-agent"].split()]
    assert names == ["azml-magics", "python", "httpx"]


def test_key_with_a_line_break_is_not_sent(gateway, server, monkeypatch):
    monkeypatch.setenv("APIM_KEY", "two\nlines-of-a-key")
    with pytest.raises(ConfigError) as caught:
        invoke(gateway, "hello")
    assert str(caught.value).startswith("The key in the header Ocp-Apim-Subscription-Key contains characters that HTTP")
    assert "two" not in str(caught.value)
    assert server.received == []


def test_token_in_a_header_is_refreshed_after_a_401(config_of, server, monkeypatch):
    tokens = iter(["old-token-123", "new-token-456"])
    cached = []

    def resolve(_source, _url, refused):
        if refused or not cached:
            cached[:] = [Secret(next(tokens))]
        return cached[0]

    monkeypatch.setitem(key_sources.fetched._fetchers, "entra", resolve)
    server.respond_with(reply({}, 401), HI)
    assert invoke(config_of(key=None, headers={"X-Token": KeyRef("entra")}), "hello").text == "hi"
    assert [seen.headers["x-token"] for seen in server.received] == ["old-token-123", "new-token-456"]


# ---- what is shown


def _echo(status):
    """A server that repeats every header of the request in its headers and body."""

    def act(connection, request):
        body = json.dumps({"error": {"message": "denied: " + " ".join(request.headers.values())}})
        connection.sendall(reply(body, status, x_request_id=" ".join(request.headers.values())))
        return True

    return act


def _invoke(config):
    invoke(config, "hello")


def _ainvoke(config):
    asyncio.run(ainvoke(config, "hello"))


def _stream(config):
    list(stream(config, "hello"))


def _astream(config):
    async def read():
        return [chunk async for chunk in astream(config, "hello")]

    asyncio.run(read())


@pytest.mark.parametrize("send", [_invoke, _ainvoke, _stream, _astream])
@pytest.mark.parametrize("status", [400, 401, 200])
def test_echoed_keys_are_masked_in_errors(gateway, server, send, status):
    server.respond_with(_echo(status))
    with pytest.raises(AzmlError) as caught:
        send(gateway)
    error = caught.value
    shown = f"{error} {error!r} {error.reply} {error.facts} {error.request_id}"
    if isinstance(error, errors.EndpointError):
        shown += f"{error.body} {dict(error.headers)} {error.read()}"
    assert "**********" in shown
    assert not [secret for secret in SECRETS if secret in shown]


def test_part_of_a_header_that_is_a_key_is_masked(config_of, server):
    server.respond_with(reply({"error": {"message": "no user YW5uOnMzY3JldA=="}}, 400))
    with pytest.raises(AzmlError) as caught:
        invoke(config_of(headers={"Authorization": "Basic YW5uOnMzY3JldA=="}), "hello")
    assert "YW5u" not in f"{caught.value} {caught.value.body}"


def test_echoed_keys_are_masked_in_the_log(gateway, server, caplog):
    server.respond_with(_echo(200))
    with caplog.at_level(logging.DEBUG, "azml_magics"), pytest.raises(AzmlError):
        invoke(gateway, "hello")
    assert "request id" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_recording_holds_no_key_and_replays_without_one(gateway, server, tmp_path, monkeypatch):
    def act(connection, request):
        connection.sendall(reply({"choices": [{"message": {"content": " ".join(request.headers.values())}}]}))
        return True

    server.respond_with(act)
    with record(tmp_path / "tape.jsonl"):
        invoke(gateway, "hello")
    assert not [secret for secret in SECRETS if secret in (tmp_path / "tape.jsonl").read_text()]
    monkeypatch.delenv("APIM_KEY")
    with replay(tmp_path / "tape.jsonl"):
        assert "**********" in invoke(gateway, "hello").text
    assert len(server.received) == 1


def test_nothing_that_can_be_printed_holds_a_key(gateway):
    prepared = prepare(gateway, "hello")
    for shown in (repr(gateway), repr(prepared), repr(prepared.request), str(gateway.headers)):
        assert not [secret for secret in SECRETS if secret in shown]


def test_dry_run_shows_each_header_with_its_reference(gateway):
    shown = codegen.format_request(gateway, as_messages("hello", None))
    assert "Ocp-Apim-Subscription-Key: **********  (env:APIM_KEY)" in shown
    assert "X-Token: **********  (in memory)" in shown
    assert "X-Team: nlp" in shown


def test_curl_reads_each_key_from_its_source(gateway):
    shown = codegen.write_program(
        gateway.merged(key="env:MY_KEY", verify="/ca.pem"), as_messages("hello", None), "curl"
    )
    assert '-H "Ocp-Apim-Subscription-Key: $APIM_KEY"' in shown
    assert '-H "Authorization: Bearer $MY_KEY"' in shown
    assert "printf 'X-Token: ' >&2 && read -rs KEY" in shown
    assert "--cacert /ca.pem" in shown
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("language", ["python", "langchain"])
def test_python_program_names_each_reference(gateway, language):
    program = codegen.write_program(
        gateway.merged(key="env:MY_KEY", proxy="p:1", verify=False, total_timeout=9, key_header="X-K", allow_http=True),
        as_messages("hello", None),
        language,
    )
    for argument in (
        "'Ocp-Apim-Subscription-Key': 'env:APIM_KEY'",
        "'X-Token': 'ask'",
        "key_header='X-K'",
        "total_timeout=9",
        "verify=False",
        "proxy='p:1'",
        "allow_http=True",
    ):
        assert argument in program
    assert not [secret for secret in SECRETS if secret in program]
