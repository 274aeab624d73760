"""`azml_magics.invoke` and `stream` against Microsoft's scoring server: each dedicated wire format, and each failure."""

from __future__ import annotations

import asyncio

import pytest

from azml_magics import ainvoke, astream, errors, invoke, stream
from azml_magics.core.redaction import MASK

from .cases import EXPECTED, FAILURES
from .conftest import KEY, Serve

pytestmark = pytest.mark.real_server


@pytest.mark.parametrize("case", EXPECTED.values(), ids=EXPECTED)
class TestEveryDialectAnswers:
    def test_at_once(self, config_of, case) -> None:
        response = invoke(config_of(case.script, case.formatter, **case.kwargs), case.prompt)
        assert response.text == case.answer
        assert response.request_id, "the server's own x-request-id"

    def test_as_a_stream(self, config_of, case) -> None:
        with stream(config_of(case.script, case.formatter, **case.kwargs), case.prompt) as pieces:
            assert "".join(piece.text for piece in pieces) == case.answer
        assert pieces.response.text == case.answer

    async def test_map_rows_works_on_an_event_loop(self, config_of, case) -> None:
        response = await ainvoke(config_of(case.script, case.formatter, **case.kwargs), case.prompt)
        assert response.text == case.answer


def test_prompt_flow_streams_without_done(config_of) -> None:
    with stream(config_of("promptflow", "promptflow"), "Any news?") as pieces:
        texts = [piece.text for piece in pieces]
    assert texts[:3] == ["You", " asked", " 'Any"]
    assert len(texts) > 8


async def test_prompt_flow_streams_on_an_event_loop(config_of) -> None:
    async with astream(config_of("promptflow", "promptflow"), "Any news?") as pieces:
        texts = [piece.text async for piece in pieces]
    assert texts[:3] == ["You", " asked", " 'Any"]


def test_earlier_turns_are_sent_as_chat_history(config_of) -> None:
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello yourself"},
        {"role": "user", "content": "And now?"},
    ]
    assert invoke(config_of("promptflow", "promptflow"), turns).text.startswith("You asked 'And now?' after 1 earlier")


def test_interrupted_flow_keeps_its_text(config_of) -> None:
    with (
        stream(config_of("promptflow", "promptflow"), "Now break") as pieces,
        pytest.raises(errors.StreamInterruptedError) as caught,
    ):
        list(pieces)
    assert caught.value.response.text == "You asked"
    assert_one_line(caught.value)


def test_system_message_and_roles_reach_the_chat_model(config_of) -> None:
    config = config_of("curated_chat", "openai-chat").merged(system="Be brief.")
    assert invoke(config, "Hi").text == "I have read system, user; the last said 'Hi'."


def test_mistral_chat_puts_system_text_into_user_message(config_of) -> None:
    config = config_of("curated_chat", "mistral-chat").merged(system="Be brief.")
    assert invoke(config, "Hi").text == "I have read user; the last said 'Be brief.\\n\\nHi'."


def test_key_and_deployment_are_sent_as_headers(config_of) -> None:
    config = config_of("statuses").merged(deployment_name="blue")
    assert invoke(
        config, "headers"
    ).raw == [  # the key arrived: without it the server refuses; what repeats it is masked
        {"0": f'{{\n "authorization": "Bearer {MASK}",\n "azureml-model-deployment": "blue"\n}}'}
    ]


def test_json_response_stays_text(config_of) -> None:
    prompt = '{"city": "Oslo", "rivers": ["Akerselva"]}'
    with_words = invoke(config_of("gpt2", "gpt2", max_new_tokens=0), prompt)
    assert with_words.text == prompt


def test_config_without_key_sends_none(config_of) -> None:
    assert '"authorization": null' in invoke(config_of("statuses").merged(key=None), "headers").text


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
class TestEveryFailureIsOneLine:
    def test_at_once(self, config_of, case) -> None:
        with pytest.raises(errors.AzmlError) as caught:
            invoke(config_of(case.script), case.prompt)
        assert type(caught.value) is case.kind
        assert case.said in str(caught.value)
        assert_one_line(caught.value)

    def test_as_a_stream(self, config_of, case) -> None:
        with stream(config_of(case.script), case.prompt) as pieces, pytest.raises(errors.AzmlError) as caught:
            list(pieces)
        assert type(caught.value) is case.kind
        assert case.said in str(caught.value)

    async def test_map_rows_works_on_an_event_loop(self, config_of, case) -> None:
        with pytest.raises(errors.AzmlError) as caught:
            await ainvoke(config_of(case.script), case.prompt)
        assert type(caught.value) is case.kind


STRICT: dict[str, tuple[str, str]] = {
    # another format than the declared one: formatter, the server's words
    "gpt2": ("gpt2", "A value is not provided for the 'input_data' parameter."),
    "hf": ("hf", "A value is not provided for the 'input_data' parameter."),
    "promptflow": ("promptflow", "A value is not provided for the 'input_data' parameter."),
}


@pytest.mark.parametrize(("formatter", "said"), STRICT.values(), ids=STRICT)
def test_declared_input_refuses_another_format_with_400(config_of, formatter, said) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        invoke(config_of("strict", formatter), "Hi")
    assert caught.value.status == 400
    assert said.rstrip(".") in str(caught.value)
    assert "formatter" in caught.value.remedy
    assert_one_line(caught.value)


@pytest.mark.parametrize(
    ("script", "formatter"),
    [("gpt2", "dolly"), ("dolly", "gpt2"), ("hf_list", "hf-plain"), ("hf_plain", "hf"), ("curated_completion", "hf")],
)
def test_wrong_formatter_fails_in_scoring_script(config_of, script, formatter) -> None:
    with pytest.raises(errors.EndpointError, match="An unexpected error occurred in scoring script") as caught:
        invoke(config_of(script, formatter), "Hi")
    assert caught.value.headers["x-ms-run-function-failed"] == "True"
    assert_one_line(caught.value)


def test_unknown_route_is_not_found(config_of, serve: Serve) -> None:
    url = serve("gpt2").url.replace("/score", "/v1/chat/completions")
    with pytest.raises(errors.NotFoundError, match="no such route") as caught:
        invoke(config_of("gpt2").merged(endpoint_url=url, formatter="openai-chat"), "Hi")
    assert_one_line(caught.value)


def test_server_timeout_is_reported(config_of, serve: Serve) -> None:
    serve("slow", SCORING_TIMEOUT_MS="300")
    with pytest.raises(errors.APITimeoutError, match="Scoring timeout after 300 ms"):
        invoke(config_of("slow"), "Hi")


def test_slow_model_times_out_without_retry(config_of, serve: Serve) -> None:
    serve("slow", SCORING_TIMEOUT_MS="300")
    with pytest.raises(errors.APITimeoutError, match=r"No data .* for 0\.1 s"):
        invoke(config_of("slow").merged(timeout=0.1, max_retries=2), "Hi")


def test_temporary_failure_is_retried(config_of) -> None:
    config = config_of("recovers", "gpt2").merged(max_retries=2)
    assert invoke(config, "Ready?").text.startswith(" (asked ")


async def test_concurrent_requests_get_their_own_responses(config_of) -> None:
    config = config_of("dolly", "dolly")
    prompts = [f"prompt {number}" for number in range(12)]
    answers = await asyncio.gather(*(ainvoke(config, prompt) for prompt in prompts))
    assert [answer.text.rpartition(": ")[2] for answer in answers] == prompts


def assert_one_line(error: errors.AzmlError) -> None:
    """What a notebook shows of `error`: one line that names the config and never the key."""
    line = str(error)
    assert "\n" not in line
    assert f"config {error.config!r}" in line
    assert error.remedy in line
    assert KEY not in line + repr(error) + getattr(error, "body", "")
    assert "sk-secret" not in line
