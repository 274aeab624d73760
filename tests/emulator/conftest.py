"""One running emulator for each test module, and a client that holds its key."""

from __future__ import annotations

import json

import httpx
import pytest

from azml_magics.emulator import Emulator


@pytest.fixture(scope="module")
def endpoint():
    with Emulator(key="test-key") as running:
        yield running


@pytest.fixture(scope="module")
def client(endpoint):
    with httpx.Client(base_url=endpoint.url, headers={"authorization": "Bearer test-key"}, timeout=20) as client:
        yield client


@pytest.fixture(autouse=True)
def _fresh(request):
    """No script and no recorded request of an earlier test."""
    if "endpoint" in request.fixturenames:
        endpoint = request.getfixturevalue("endpoint")
        endpoint.script([])
        endpoint.requests.clear()


def events_of(response):
    """The JSON of every data event of a stream, [DONE] as a string."""
    found = []
    for block in response.text.replace("\r\n", "\n").split("\n\n"):
        data = [line.partition("data:")[2].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            found.append(data[0] if data[0] == "[DONE]" else json.loads(data[0]))
    return found


@pytest.fixture(scope="session")
def events():
    return events_of


@pytest.fixture
def chat(client):
    """GenerationRequest one question in chat form; the parsed response."""

    def ask(text, route="/v1/chat/completions", headers=None, **body):
        messages = body.pop("messages", [{"role": "user", "content": text}])
        response = client.post(route, json={"messages": messages, **body}, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    return ask


@pytest.fixture
def say(chat):
    """GenerationRequest one question; the text of the answer."""
    return lambda text, **body: chat(text, **body)["choices"][0]["message"]["content"]
