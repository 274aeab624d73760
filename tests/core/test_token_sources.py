"""Credentials and token providers of the user: in clients and configs, sync and async, fetched once for many."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from azml_magics.core.client import AsyncClient, Client
from azml_magics.core.config import LLMConfig, takes_key_elsewhere
from azml_magics.core.errors import AuthenticationError, ConfigError, KeyNotFoundError
from azml_magics.core.key_sources import CredentialKey, KeySource, ProvidedToken
from azml_magics.core.key_sources.token_cache import CachedToken, Token
from azml_magics.core.secret import Secret

from .server import reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
NO = reply("", 401)


class Credential:
    """A credential that counts its tokens, and notes the threads that it is asked in."""

    def __init__(self, lifetime=3600.0):
        self.count, self.lifetime, self.threads = 0, lifetime, []

    def get_token(self, *scopes, **options):
        self.threads.append(threading.current_thread())
        self.count += 1
        return SimpleNamespace(token=f"t0ken-{self.count}-0123456789", expires_on=time.time() + self.lifetime)


class AioCredential(Credential):
    async def get_token(self, *scopes, **options):
        await asyncio.sleep(0)
        return super().get_token(*scopes)


def bearers(server):
    return [seen.headers["authorization"].removeprefix("Bearer ").partition("-0")[0] for seen in server.received]


def ask(client, config):
    if isinstance(client, Client):
        return client.invoke(config, "Hi").text

    async def run():
        return (await client.invoke(config, "Hi")).text

    return asyncio.run(run())


@pytest.fixture(params=[Client, AsyncClient])
def client_class(request):
    return request.param


@pytest.fixture(params=[Credential, AioCredential])
def credential(request):
    return request.param()


def test_credential_of_either_kind_is_asked_once(server, config_of, client_class, credential):
    server.respond_with(HI)
    client = client_class(credential=credential)
    assert [ask(client, config_of()), ask(client, config_of())] == ["hi", "hi"]
    assert bearers(server) == ["t0ken-1", "t0ken-1"]


def test_refused_token_is_replaced_exactly_once(server, config_of, client_class, credential):
    server.respond_with(NO, NO)
    with pytest.raises(AuthenticationError):
        ask(client_class(credential=credential), config_of())
    assert bearers(server) == ["t0ken-1", "t0ken-2"]


def test_credential_can_be_a_configs_key(server, config_of, client_class, credential):
    server.respond_with(NO, HI)
    assert ask(client_class(), config_of(key=credential)) == "hi"
    assert bearers(server) == ["t0ken-1", "t0ken-2"]


@pytest.mark.parametrize("is_async", [False, True])
def test_token_provider_is_called_for_every_request(server, config_of, client_class, is_async):
    tokens = iter(["one-0123456789", "two-0123456789"])

    def provide():
        return next(tokens)

    async def aprovide():
        return next(tokens)

    server.respond_with(HI)
    client = client_class(azure_ad_token_provider=aprovide if is_async else provide)
    assert [ask(client, config_of()), ask(client, config_of())] == ["hi", "hi"]
    assert bearers(server) == ["one", "two"]


@pytest.mark.parametrize("given", [lambda: None, lambda: "", lambda: b"token"])
def test_token_provider_without_a_token_is_one_line(config_of, client_class, given):
    with pytest.raises(KeyNotFoundError, match="No Entra ID token: it is"):
        ask(client_class(azure_ad_token_provider=given), config_of())


def test_two_credentials_are_refused(client_class):
    with pytest.raises(ConfigError, match="credential and azure_ad_token_provider are both given"):
        client_class(credential=Credential(), azure_ad_token_provider=lambda: "token")


@pytest.mark.parametrize("argument", ["credential", "azure_ad_token_provider"])
def test_what_gives_no_tokens_is_refused(client_class, argument):
    with pytest.raises(ConfigError, match=argument):
        client_class(**{argument: "a token"})


def test_slow_key_source_does_not_hold_up_the_loop(server, config_of):
    server.respond_with(HI)
    credential = Credential()

    async def run():
        await AsyncClient().invoke(config_of(key=credential), "Hi")
        return threading.current_thread()

    assert asyncio.run(run()) not in credential.threads


def test_async_refresh_does_not_hold_up_the_loop(server, config_of):
    server.respond_with(NO, HI)
    credential = Credential()

    async def run():
        await AsyncClient(credential=credential).invoke(config_of(), "Hi")
        return threading.current_thread()

    assert asyncio.run(run()) not in credential.threads
    assert credential.count == 2


def test_many_threads_share_one_request_for_a_token(credential):
    source = CredentialKey(credential)
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: source.resolve("https://n.eastus.inference.ml.azure.com/score"), range(64)))
    assert len(set(keys)) == credential.count == 1


def test_many_tasks_share_one_request_for_a_token(credential):
    source = CredentialKey(credential)

    async def run():
        return await asyncio.gather(*(source.aresolve("https://n.eastus.inference.ml.azure.com") for _ in range(64)))

    assert len(set(asyncio.run(run()))) == credential.count == 1


def test_many_threads_replace_a_refused_token_once(credential):
    source = CredentialKey(credential)
    old = source.resolve()
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: source.resolve(refused=old), range(64)))
    assert old not in keys
    assert credential.count == 2


def test_token_that_is_about_to_expire_is_replaced():
    credential = Credential(lifetime=60)
    source = CredentialKey(credential)
    source.resolve()
    source.resolve()
    assert credential.count == 2


def test_token_is_replaced_from_its_time_of_refresh():
    cached, tokens = CachedToken(), iter("abc")

    def fetch(refresh_in):
        return lambda: Token(Secret(next(tokens)), time.time() + 9999, time.time() + refresh_in)

    assert cached.get(fetch(-1)) == Secret("a")
    assert cached.get(fetch(60)) == Secret("b")
    assert cached.get(fetch(60)) == Secret("b")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (CredentialKey(Credential(), "mine"), "entra:$mine"),
        (CredentialKey(Credential()), "entra (Credential)"),
        (ProvidedToken(lambda: "token"), "entra (azure_ad_token_provider)"),
    ],
)
def test_object_is_written_as_entra_and_never_pickled(source, shown):
    assert (str(source), source.reference) == (shown, "entra")
    config = LLMConfig(endpoint_url="https://a.example.com", key=source)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(config)
    assert takes_key_elsewhere(config, config.merged(endpoint_url="https://b.example.com"))


def test_same_credential_is_the_same_key():
    credential = Credential()
    assert CredentialKey(credential, "a") == CredentialKey(credential, "b")
    assert hash(CredentialKey(credential)) == hash(CredentialKey(credential))
    assert CredentialKey(credential) != CredentialKey(Credential())


def test_own_key_source_can_be_a_configs_key(server, config_of, client_class):
    class Vault(KeySource):
        def resolve(self, endpoint_url="", *, refused=None):
            return Secret("from-the-vault-0")

        def __str__(self):
            return "vault"

    server.respond_with(HI)
    config = config_of(key=Vault())
    assert ask(client_class(), config) == "hi"
    assert bearers(server) == ["from-the-vault"]
    assert config.key_source.describe() == "vault (looked up when needed)"
