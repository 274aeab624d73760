"""A pytest plugin with an endpoint to test against; pytest finds it once azml-magics[demo] is installed.

    def test_summary_is_short(azml_endpoint):
        config = LLMConfig(endpoint_url=f"{azml_endpoint.url}/v1/chat/completions", key="env:AZML_TEST_KEY")
        assert len(summarize(config, "A long text")) < 200          # your own function
        assert azml_endpoint.requests[-1].json()["max_tokens"] == 60

It defines fixtures and nothing else, and imports the endpoint only when a test asks for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azml_magics.emulator import Emulator

KEY = "azml-test-5up3r-s3cr3t-key"
"""The key of the fixtures' endpoint."""

KEY_VARIABLE = "AZML_TEST_KEY"
"""The environment variable that holds it during a test."""


@pytest.fixture(scope="session")
def azml_session_endpoint() -> Iterator[Emulator]:
    """An embedded endpoint that runs until the end of the test session.

    Use it for fixtures of a wider scope than one test; in a test, `azml_endpoint` is reset.
    """
    from azml_magics.emulator import Emulator

    with Emulator(key=KEY) as endpoint:
        yield endpoint


@pytest.fixture
def azml_endpoint(azml_session_endpoint: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An embedded endpoint on loopback, as if just started.

    It speaks every wire format, records what it is sent, and fails on command:

        def test_client_waits_on_429(azml_endpoint):
            azml_endpoint.script([Fault("429", retry_after=0.1)])
            ...
            assert len(azml_endpoint.requests) == 2

    Its key is in the environment variable AZML_TEST_KEY during the test.
    """
    azml_session_endpoint.reset()
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    yield azml_session_endpoint
    azml_session_endpoint.reset()
