"""A pytest plugin with an endpoint to test against, and tests of prompts; pytest finds it if azml-magics is installed.

    def test_summary_is_short(azml_endpoint):
        config = LLMConfig(endpoint_url=f"{azml_endpoint.url}/v1/chat/completions", key="env:AZML_TEST_KEY")
        assert len(summarize(config, "A long text")) < 200          # your own function
        assert azml_endpoint.requests[-1].json()["max_tokens"] == 60

The endpoint needs azml-magics[demo]. A prompt is tested against any endpoint:

    def test_letters_are_understood(azml_evaluate):
        azml_evaluate(config, "Glad or cross? {letter}", letters, expect="label", require="accuracy>=0.9")

It defines fixtures and nothing else, and imports the endpoint only when a test asks for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Protocol

    from azml_magics.core.config import LLMConfig
    from azml_magics.emulator import Emulator
    from azml_magics.evaluation.evaluation import Evaluation
    from azml_magics.rows.prompts import Prompt

    class Evaluate(Protocol):
        """What `azml_evaluate` gives."""

        def __call__(
            self,
            config: LLMConfig | Sequence[LLMConfig],
            prompt: Prompt,
            rows: Any,
            *,
            require: str | Sequence[str] = (),
            **options: Any,
        ) -> Evaluation:
            """Evaluate a prompt, and fail the test if a requirement is not met."""


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


@pytest.fixture
def azml_evaluate() -> Evaluate:
    """A function that evaluates a prompt and fails the test if a requirement is not met.

    It takes the arguments of `azml_magics.evaluate` and returns the Evaluation. A failure shows the figures and what is
    wrong, without a traceback:

        def test_letters_are_understood(azml_evaluate):
            azml_evaluate(config, "Glad or cross? {letter}", letters, expect="label", require="accuracy>=0.9")
    """

    def evaluate(
        config: LLMConfig | Sequence[LLMConfig],
        prompt: Prompt,
        rows: Any,
        *,
        require: str | Sequence[str] = (),
        **options: Any,
    ) -> Evaluation:
        import azml_magics
        from azml_magics.errors import EvaluationFailed

        failure = ""
        try:
            evaluation: Evaluation = azml_magics.evaluate(config, prompt, rows, require=require, **options)
            return evaluation
        except EvaluationFailed as error:
            report = error.batch.to_text(times=True) if error.batch is not None else ""
            failure = f"{error.cause}\n\n{report}".rstrip()
        pytest.fail(failure, pytrace=False)

    return evaluate
