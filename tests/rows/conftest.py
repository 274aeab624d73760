"""An endpoint that echoes and counts prompts, and fails if a prompt tells it to; each test has a new rate limiter."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.http import permit
from azml_magics.core.secret import Secret

from ..core.server import Server, reply

KEY = "r0ws-0123456789abcdef-KEEP-OUT"
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


class Echo:
    """Answers "say X" with "SAY X". A test may set `first`, a function (prompt, how often it was sent) -> bytes | None.

    sent: how often each prompt was sent. most: the most requests at a time.
    """

    def __init__(self) -> None:
        self.server = Server()
        self.server.respond_with(self._reply)
        self.sent: Counter[str] = Counter()
        self.first = lambda prompt, times: None
        self.most = self._now = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return self.server.url

    def _reply(self, connection, request) -> bool:
        prompt = request.json["messages"][-1]["content"]
        with self._lock:
            self.sent[prompt] += 1
            times = self.sent[prompt]
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            said = self.first(prompt, times)
        finally:
            with self._lock:
                self._now -= 1
        if said is False:
            return False
        message = {"role": "assistant", "content": prompt.upper()}
        whole = {"model": "tiny", "choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE}
        connection.sendall(said or reply(whole, x_request_id="r-1"))
        return True

    def config(self, **fields) -> LLMConfig:
        fields = {"name": "prod", "key": Secret(KEY), "timeout": 20, "max_retries": 0, **fields}
        return LLMConfig(endpoint_url=f"{self.url}/v1/chat/completions", **fields)


@pytest.fixture
def echo():
    permit.reset()
    running = Echo()
    yield running
    running.server.stop()
    permit.reset()


@pytest.fixture
def config(echo):
    return echo.config()
