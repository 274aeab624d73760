"""A rate limiter on the text class, as LangChain's chat models have it."""

from __future__ import annotations

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.rate_limiters import BaseRateLimiter


class Counter(BaseRateLimiter):
    """Counts the requests that it lets go."""

    def __init__(self):
        self.sync, self.asynchronous = 0, 0

    def acquire(self, *, blocking=True):
        self.sync += blocking
        return True

    async def aacquire(self, *, blocking=True):
        self.asynchronous += blocking
        return True


@pytest.fixture
def limited(completion):
    completion.rate_limiter = Counter()
    return completion


def test_every_request_waits_for_the_rate_limiter(limited):
    limited.invoke("Hello")
    limited.generate(["One", "Two"])
    list(limited.stream("Hello"))
    assert limited.rate_limiter.sync == 4


async def test_asynchronous_requests_wait_for_the_rate_limiter(limited):
    await limited.ainvoke("Hello")
    await limited.agenerate(["One", "Two"])
    async for _ in limited.astream("Hello"):
        pass
    assert (limited.rate_limiter.sync, limited.rate_limiter.asynchronous) == (0, 4)


def test_streams_that_cannot_stream_wait_once(llm):
    llm.rate_limiter = Counter()
    list(llm.stream("Hello"))
    assert llm.rate_limiter.sync == 1


def test_responses_from_the_cache_do_not_wait(limited):
    limited.cache = InMemoryCache()
    assert limited.invoke("Hello") == limited.invoke("Hello")
    assert limited.rate_limiter.sync == 1


def test_rate_limiter_is_an_argument_and_is_not_saved(completion, tmp_path):
    same = type(completion)(
        endpoint_url=completion.endpoint_url, content_formatter="openai", rate_limiter=(limiter := Counter())
    )
    assert same.rate_limiter is limiter
    assert same.needs_langchain
    same.save(tmp_path / "llm.json")
    assert "rate_limiter" not in (tmp_path / "llm.json").read_text()
