"""A client of the running emulator that has its key."""

from __future__ import annotations

import json

import httpx
import pytest

from azml_magics.pytest_plugin import KEY


@pytest.fixture
def endpoint(azml_endpoint):
    """The running endpoint, as if just started."""
    return azml_endpoint


@pytest.fixture
def client(endpoint):
    """An HTTP client that sends the key."""
    with httpx.Client(base_url=endpoint.url, headers={"authorization": f"Bearer {KEY}"}, timeout=20) as client:
        yield client


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
    """Send one prompt in chat form and return the parsed response."""

    def send(text, route="/v1/chat/completions", headers=None, **body):
        messages = body.pop("messages", [{"role": "user", "content": text}])
        response = client.post(route, json={"messages": messages, **body}, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    return send


@pytest.fixture
def say(chat):
    """Send one prompt and return the text of the response."""
    return lambda text, **body: chat(text, **body)["choices"][0]["message"]["content"]
