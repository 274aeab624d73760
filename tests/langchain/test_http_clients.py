"""http_client and http_async_client: httpx clients as in langchain-openai, or an object with `call` as in the original."""

from __future__ import annotations

import copy
import json
import pickle
import ssl
from types import SimpleNamespace

import httpx
import pytest
import trustme
from langchain_core.runnables import ConfigurableField

from azml_magics import LLMConfig, errors
from azml_magics.emulator import Fault
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLEndpointClient, AzureMLOnlineEndpoint
from azml_magics.langchain.loading import from_config

from ..core.server import Server, reply
from .conftest import KEY, whole

CHAT = "https://chat-01.westeurope.inference.ml.azure.com/v1/chat/completions"
BODY = b'{"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}'
REPLY = {"choices": [{"message": {"role": "assistant", "content": "mocked"}, "finish_reason": "stop"}]}
EVENTS = b'data: {"choices": [{"delta": {"content": "moc"}}]}\n\ndata: {"choices": [{"delta": {"content": "ked"}}]}\n\n'
EVENTS += b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
BOTH = pytest.mark.parametrize("kind", [AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])


class Mock:
    """An httpx transport that answers by itself, and remembers the requests."""

    def __init__(self, *statuses):
        self.requests, self.statuses = [], list(statuses)

    def __call__(self, request):
        self.requests.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return httpx.Response(status, json={"error": {"message": "busy"}}, headers={"retry-after": "0"})
        if b'"stream":true' in request.content:
            return httpx.Response(200, content=EVENTS, headers={"content-type": "text/event-stream"})
        return httpx.Response(200, json=REPLY)


def text_of(reply):
    return getattr(reply, "content", reply)


@pytest.fixture
def hooked(request):
    """An httpx client over real connections, and the paths that its event hook sees."""
    paths = []
    client = httpx.Client(event_hooks={"request": [lambda sent: paths.append(sent.url.path)]})
    yield client, paths
    client.close()


# ---- httpx clients ---------------------------------------------------------------------------------------------


async def test_real_client_sends_every_call(endpoint, hooked):
    client, paths = hooked
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions", http_client=client)
    reply = chat.invoke("Hi").content
    assert reply
    assert whole(chat.stream("Hi")).content == reply
    assert [message.content for message in chat.batch(["Hi"] * 3)] == [reply] * 3
    assert (await chat.ainvoke("Hi")).content == reply  # in a thread
    assert whole([piece async for piece in chat.astream("Hi")]).content == reply
    assert paths == ["/v1/chat/completions"] * 7 == [request.path for request in endpoint.requests]


async def test_async_client_sends_asynchronous_calls(endpoint):
    paths = []

    async def note(request):
        paths.append(request.url.path)

    async with httpx.AsyncClient(event_hooks={"request": [note]}) as client:
        chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions", http_async_client=client)
        reply = (await chat.ainvoke("Hi")).content
        assert whole([piece async for piece in chat.astream("Hi")]).content == reply
        assert len(await chat.abatch(["Hi"] * 3)) == 3
        assert len(paths) == 5
        for call in (chat.invoke, lambda prompt: list(chat.stream(prompt))):
            with pytest.raises(errors.ConfigError, match="Pass http_client=… as well, or call ainvoke"):
                call("Hi")


@BOTH
async def test_text_class_uses_its_clients(kind, endpoint, hooked):
    client, paths = hooked
    llm = kind(endpoint_url=f"{endpoint.url}/v1/completions", content_formatter="openai", http_client=client)
    reply = text_of(llm.invoke("Hi"))
    assert "".join(map(text_of, llm.stream("Hi"))) == reply == text_of(await llm.ainvoke("Hi"))
    assert "".join([text_of(piece) async for piece in llm.astream("Hi")]) == reply
    assert paths == ["/v1/completions"] * 4


def test_mock_transport_needs_no_network():
    mock = Mock()
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=CHAT, endpoint_api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(mock))
    )
    assert chat.invoke("Hi").content == "mocked"
    assert [piece.content for piece in chat.stream("Hi") if piece.content] == ["moc", "ked"]
    assert mock.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_client_certificate_is_sent():
    authority = trustme.CA()
    server_context, client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server_context)
    authority.issue_cert("me@example.org").configure_cert(client_context)
    for context in (server_context, client_context):
        authority.configure_trust(context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    server = Server([reply(REPLY)], tls=server_context)
    url = server.url.replace("127.0.0.1", "localhost") + "/v1/chat/completions"
    try:
        with httpx.Client(verify=client_context, trust_env=False) as client:
            chat = AzureMLChatOnlineEndpoint(endpoint_url=url, endpoint_api_key=KEY, http_client=client)
            assert chat.invoke("Hi").content == "mocked"
        with httpx.Client(verify=authority_alone(authority), trust_env=False) as client:
            chat = AzureMLChatOnlineEndpoint(endpoint_url=url, endpoint_api_key=KEY, http_client=client, max_retries=0)
            with pytest.raises(errors.APIConnectionError):
                chat.invoke("Hi")
        assert len(server.received) == 1
    finally:
        server.stop()


def authority_alone(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_client_of_httpx2_is_taken():
    httpx2 = pytest.importorskip("httpx2", reason="the tools around httpx are in the test extra")

    def answer(request):
        return httpx2.Response(200, json=REPLY)

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    chat = AzureMLChatOnlineEndpoint(endpoint_url=CHAT, endpoint_api_key=KEY, http_client=client)
    assert chat.invoke("Hi").content == "mocked"
    assert isinstance(chat.http_client, httpx2.Client)
    assert json.loads(chat.http_client.call(BODY)) == REPLY


def test_retries_and_errors_stay_ours(caplog):
    mock = Mock(503, 429)
    client = httpx.Client(transport=httpx.MockTransport(mock))
    chat = AzureMLChatOnlineEndpoint(endpoint_url=CHAT, endpoint_api_key=KEY, http_client=client)
    assert chat.invoke("Hi").content == "mocked"
    assert len(mock.requests) == 3
    mock.statuses = [400]
    with pytest.raises(errors.BadRequestError, match="busy"):
        chat.invoke("Hi")
    mock.statuses = [401]
    with pytest.raises(errors.AuthenticationError, match="Check that endpoint_api_key") as caught:
        list(chat.stream("Hi"))
    assert KEY not in str(caught.value)


# ---- what http_client reads as -----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["nothing", "httpx", "original"])
def test_http_client_has_call_whatever_was_given(endpoint, given):
    url = f"{endpoint.url}/v1/chat/completions"
    clients = {"nothing": None, "httpx": httpx.Client(), "original": AzureMLEndpointClient(url, KEY)}
    chat = AzureMLChatOnlineEndpoint(endpoint_url=url, http_client=clients[given], content_formatter="openai-chat")
    assert json.loads(chat.http_client.call(BODY))["choices"]
    assert json.loads(chat.http_client.call(body=BODY, run_manager=None, timeout=9))["choices"]
    assert endpoint.requests[-1].body == BODY
    assert isinstance(chat.http_client, AzureMLEndpointClient)
    assert isinstance(chat.http_client, httpx.Client) is (given == "httpx")
    assert (chat.http_client.endpoint_url, chat.http_client.endpoint_api_key) == (url, KEY)
    assert (chat.http_client.deployment_name, chat.http_client.timeout) == ("", 190)
    assert chat.client is clients[given]
    if given == "httpx":
        assert chat.http_client.is_closed is False
        assert chat.http_client.headers["user-agent"]
        chat.http_client.close()
        assert clients[given].is_closed
    else:
        with pytest.raises(AttributeError):
            _ = chat.http_client.no_such_attribute


def test_key_is_renewed_through_http_client(endpoint):
    llm = AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score", endpoint_api_key="old-key-123", content_formatter="gpt2"
    )
    with pytest.raises(errors.AuthenticationError):
        llm.invoke("Hi")
    llm.http_client.endpoint_api_key = KEY
    llm.http_client.timeout = 9
    assert "Hello!" in llm.invoke("Hi")
    assert (llm.timeout, llm.http_client.endpoint_api_key) == (9, KEY)
    assert KEY not in repr(llm) + repr(llm.http_client) + str(vars(llm.http_client))


def test_call_retries_and_appends_the_route(endpoint):
    endpoint.script([Fault("503")])
    llm = AzureMLOnlineEndpoint(endpoint_url=endpoint.url, content_formatter="gpt2")
    assert llm.http_client.call(b'{"inputs": {"input_string": ["Hi"]}}').startswith(b'[{"0": ')
    assert [request.path for request in endpoint.requests] == ["/score", "/score"]


def test_http_client_of_one_model_is_taken_by_another(endpoint, hooked):
    client, paths = hooked
    first = AzureMLOnlineEndpoint(endpoint_url=f"{endpoint.url}/score", content_formatter="gpt2", http_client=client)
    second = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions", http_client=first.http_client
    )
    assert whole(second.stream("Hi")).content
    assert paths == ["/v1/chat/completions"]


# ---- copies ------------------------------------------------------------------------------------------------------


def test_copies_and_configurable_models_keep_their_client(endpoint, hooked):
    client, paths = hooked
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions", http_client=client)
    chat.invoke("Hi")
    for same in (copy.copy(chat), copy.deepcopy(chat), chat.model_copy(update={"timeout": 9})):
        assert same.client is client
        same.invoke("Hi")
    chat.configurable_fields(temperature=ConfigurableField(id="heat")).invoke("Hi", {"configurable": {"heat": 0.9}})
    assert len(paths) == 5
    assert endpoint.requests[-1].json()["temperature"] == 0.9
    copy.deepcopy(chat).http_client = None
    assert chat.client is client


@pytest.mark.parametrize("clients", [{"http_client": httpx.Client()}, {"http_async_client": httpx.AsyncClient()}])
def test_model_with_a_client_is_not_pickled(clients):
    with pytest.raises(TypeError, match="A model with an httpx client cannot be pickled"):
        pickle.dumps(AzureMLChatOnlineEndpoint(**clients))


def test_client_assigned_later_sends_the_next_call(chat, hooked):
    client, paths = hooked
    chat.invoke("Hi")
    chat.http_client = client
    chat.invoke("Hi")
    chat.http_client = None
    chat.invoke("Hi")
    assert len(paths) == 1


async def test_object_with_call_and_an_async_client_share_the_work(endpoint):
    class Fixed:
        def call(self, body, run_manager=None):
            return json.dumps(REPLY)

    async with httpx.AsyncClient() as client:
        fields = {"http_client": Fixed(), "http_async_client": client, "content_formatter": "openai-chat"}
        chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions", **fields)
        assert chat.invoke("Hi").content == "mocked"
        assert (await chat.ainvoke("Hi")).content != "mocked"
        chat = AzureMLChatOnlineEndpoint(endpoint_api_type="serverless", **fields)  # without a URL
        assert (await chat.ainvoke("Hi")).content == "mocked"


# ---- what is refused ---------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("http_client", httpx.AsyncClient(), "The http_client is asynchronous and the calls are not"),
        ("http_async_client", httpx.Client(), "is synchronous and the calls are not"),
        ("http_client", object(), "must be an httpx client, not object"),
        ("http_client", httpx.Client, "must be an httpx client, not type"),
        ("credential", object(), "credential must have get_token(scope)"),
    ],
    ids=["async for sync", "sync for async", "no client", "a class", "no credential"],
)
def test_wrong_client_is_refused_in_one_line(kind, name, given, said):
    arguments = {name: given} if name != "credential" else {name: given, "http_client": httpx.Client()}
    with pytest.raises(errors.ConfigError) as caught:
        kind(**arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    if name != "credential":
        assert "Pass an httpx.Client as http_client, and an httpx.AsyncClient as http_async_client." in str(
            caught.value
        )


@pytest.mark.parametrize("setting", [{"verify": False}, {"proxy": "none"}])
@pytest.mark.parametrize("name", ["http_client", "http_async_client"])
def test_network_settings_beside_a_client_are_refused(name, setting):
    client = httpx.Client() if name == "http_client" else httpx.AsyncClient()
    with pytest.raises(errors.ConfigError, match="would have no effect: the http_client makes the connections"):
        AzureMLChatOnlineEndpoint(**{name: client}, **setting)


def test_closed_client_is_refused_in_one_line(endpoint):
    client = httpx.Client()
    client.close()
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions", http_client=client)
    with pytest.raises(errors.ConfigError, match="The http_client is closed"):
        chat.invoke("Hi")


# ---- credentials and headers -------------------------------------------------------------------------------------


class Credential:
    """A credential of azure-identity, as far as it is used."""

    def get_token(self, *scopes, **kwargs):
        return SimpleNamespace(token=KEY, expires_on=2**31)


async def test_credential_takes_the_place_of_the_key(endpoint, monkeypatch):
    monkeypatch.delenv("AZUREML_ENDPOINT_API_KEY")
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        credential=Credential(),
        default_headers={"X-Team": "nlp"},
    )
    for message in (chat.invoke("Hi"), await chat.ainvoke("Hi"), whole(chat.stream("Hi"))):
        assert message.content
        headers = endpoint.requests[-1].headers
        assert (headers["authorization"], headers["x-team"]) == (f"Bearer {KEY}", "nlp")


@pytest.mark.parametrize("is_async", [False, True])
async def test_token_provider_takes_the_place_of_the_key(endpoint, monkeypatch, is_async):
    async def aprovide():
        return KEY

    monkeypatch.delenv("AZUREML_ENDPOINT_API_KEY")
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        azure_ad_token_provider=aprovide if is_async else lambda: KEY,
    )
    for message in (chat.invoke("Hi"), await chat.ainvoke("Hi"), copy.deepcopy(chat).invoke("Hi")):
        assert message.content
        assert endpoint.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    with pytest.raises(TypeError, match="with a credential cannot be pickled"):
        pickle.dumps(chat)


@BOTH
@pytest.mark.parametrize("key", [{"key": "env:OTHER"}, {"endpoint_api_key": KEY}, {"api_key": KEY}])
def test_key_beside_a_credential_is_refused_without_showing_it(kind, key):
    with pytest.raises(errors.ConfigError, match="are both given, and only one of them can be sent") as caught:
        kind(credential=Credential(), **key)
    assert KEY not in str(caught.value)


def test_model_of_a_config_keeps_its_credential(endpoint):
    credential = Credential()
    config = LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key=credential)
    chat = from_config(config)
    assert chat.credential is credential
    assert chat.invoke("Hi").content
