"""`azml_magics.invoke` and `stream` against Microsoft's scoring server: each dedicated dialect, and each way to fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from azml_magics import ainvoke, astream, errors, invoke, stream

from .conftest import KEY, Serve

pytestmark = pytest.mark.real_server

ANSWERS: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    # what it is: scoring script, formatter, model kwargs, prompt, the answer
    "gpt2, first generation": (
        "gpt2",
        "gpt2",
        {"max_new_tokens": 5},
        "It rained {and}\n\"rained\",",
        "It rained {and}\n\"rained\", and so the river found",
    ),
    "gpt2 under its older name": ("gpt2", "oss", {"max_new_tokens": 1}, "It rained", "It rained and"),
    "dolly, second generation": (
        "dolly",
        "dolly",
        {"style": "polite"},
        "Name a river",
        "A polite instruction of 12 letters: Name a river",
    ),
    "MLflow with params": (
        "mlflow_params",
        "mlflow",
        {"max_new_tokens": 2, "return_full_text": False},
        "Count",
        "word1 word2",
    ),
    "MLflow without params": (
        "mlflow_params",
        "mlflow",
        {},
        "Count",
        "Count " + " ".join(f"word{number}" for number in range(1, 17)),
    ),
    "Hugging Face list": ("hf_list", "hf", {"top_k": 5, "seed": 1}, "Name a city", "Name a city ['seed', 'top_k']"),
    "Hugging Face plain": (
        "hf_plain",
        "hf-plain",
        {"max_new_tokens": 9},
        "Name a city",
        "Name a city, in 9 tokens or fewer",
    ),
    "TGI's body on /score": ("hf_plain", "tgi", {"max_new_tokens": 3}, "Name a city", "Name a city, in 3 tokens or fewer"),
    "summary_text": ("summarization", "hf", {}, "Tin melts early. Iron melts late.", "Tin melts early."),
    "translation_text": ("translation", "hf", {}, "the water is very cold", "l'eau est très froide"),
    "curated completion": ("curated_completion", "openai", {"top_p": 0.5}, "Night fell", "Night fell (top_p 0.5)"),
    "curated chat": (
        "curated_chat",
        "openai-chat",
        {},
        "What's new?",
        "I have read user; the last said \"What's new?\".",
    ),
    "prompt flow": (
        "promptflow",
        "promptflow",
        {},
        "Any news?",
        "You asked 'Any news?' after 0 earlier questions — naïve, but fine.",
    ),
    "a reply encoded twice": (
        "double_encoded",
        "openai",
        {},
        "äh \\ {x}",
        'He said "äh \\ {x}" and left: {} \\ ünïcödé',
    ),
    "a declared input": ("strict", "openai", {}, "Fine", "Fine, as declared"),
}


@pytest.mark.parametrize(("script", "formatter", "kwargs", "prompt", "answer"), ANSWERS.values(), ids=ANSWERS)
class TestEveryDialectAnswers:
    def test_at_once(self, config_of, script, formatter, kwargs, prompt, answer) -> None:
        response = invoke(config_of(script, formatter, **kwargs), prompt)
        assert response.text == answer
        assert response.request_id, "the server's own x-request-id"

    def test_as_a_stream(self, config_of, script, formatter, kwargs, prompt, answer) -> None:
        with stream(config_of(script, formatter, **kwargs), prompt) as pieces:
            assert "".join(piece.text for piece in pieces) == answer
        assert pieces.response.text == answer

    async def test_on_an_event_loop(self, config_of, script, formatter, kwargs, prompt, answer) -> None:
        response = await ainvoke(config_of(script, formatter, **kwargs), prompt)
        assert response.text == answer


def test_prompt_flow_streams_word_by_word_and_has_no_done(config_of) -> None:
    with stream(config_of("promptflow", "promptflow"), "Any news?") as pieces:
        texts = [piece.text for piece in pieces]
    assert texts[:3] == ["You", " asked", " 'Any"]
    assert len(texts) > 8


async def test_prompt_flow_streams_on_an_event_loop(config_of) -> None:
    async with astream(config_of("promptflow", "promptflow"), "Any news?") as pieces:
        texts = [piece.text async for piece in pieces]
    assert texts[:3] == ["You", " asked", " 'Any"]


def test_earlier_turns_travel_as_chat_history(config_of) -> None:
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello yourself"},
        {"role": "user", "content": "And now?"},
    ]
    assert invoke(config_of("promptflow", "promptflow"), turns).text.startswith("You asked 'And now?' after 1 earlier")


def test_a_flow_that_breaks_off_keeps_what_had_arrived(config_of) -> None:
    with stream(config_of("promptflow", "promptflow"), "Now break") as pieces, pytest.raises(errors.StreamCutOff) as caught:
        list(pieces)
    assert caught.value.response.text == "You asked"
    assert_one_line(caught.value)


def test_system_message_and_roles_reach_the_chat_model(config_of) -> None:
    config = config_of("curated_chat", "openai-chat").merged(system="Be brief.")
    assert invoke(config, "Hi").text == "I have read system, user; the last said 'Hi'."


def test_mistral_chat_puts_the_system_text_into_the_users_turn(config_of) -> None:
    config = config_of("curated_chat", "mistral-chat").merged(system="Be brief.")
    assert invoke(config, "Hi").text == "I have read user; the last said 'Be brief.\\n\\nHi'."


def test_the_key_and_the_deployment_travel_as_headers(config_of) -> None:
    config = config_of("statuses").merged(deployment_name="blue")
    assert invoke(config, "headers").raw == [
        {"0": f'{{\n "authorization": "Bearer {KEY}",\n "azureml-model-deployment": "blue"\n}}'}
    ]


def test_an_answer_that_is_json_itself_stays_the_text_it_was(config_of) -> None:
    prompt = '{"city": "Oslo", "rivers": ["Akerselva"]}'
    with_words = invoke(config_of("gpt2", "gpt2", max_new_tokens=0), prompt)
    assert with_words.text == prompt


def test_a_config_without_a_key_sends_none(config_of) -> None:
    assert '"authorization": null' in invoke(config_of("statuses").merged(key=None), "headers").text


FAILURES: dict[str, tuple[str, str, type[errors.AzmlError], str]] = {
    # how it fails: scoring script, prompt that makes it so, the class, what the line says
    "run raises": ("failures", "raise", errors.EndpointUnavailable, "(500): An unexpected error occurred in scoring script"),
    "run exits": ("failures", "exit", errors.EndpointUnavailable, "an HTML page, 'Internal Server Error'"),
    "an object that is no JSON": ("failures", "an object", errors.EndpointUnavailable, "An unexpected internal error"),
    "{}": ("failures", "empty object", errors.ModelFailed, "answered 200 with {}"),
    "None": ("failures", "none", errors.ModelFailed, "answered 200 with {}"),
    "[]": ("failures", "empty list", errors.ReplyError, "no text that this formatter can find: []"),
    "an empty text": ("failures", "empty text", errors.ModelFailed, "an empty text"),
    "numbers": ("failures", "no text", errors.ReplyError, "no text that this formatter can find"),
    "NaN": ("failures", "not a number", errors.ReplyError, "no text that this formatter can find"),
    "output null and an error": ("failures", "error inside", errors.ModelFailed, "the context is 4096 tokens long"),
    "an error in a string": ("failures", "error in a string", errors.ModelFailed, "CUDA out of memory"),
    'the text "None"': ("failures", "the text None", errors.ModelFailed, "how its model server reports a failure"),
    "a login page": ("statuses", "html", errors.ReplyError, "HTML page"),
    "an empty body": ("statuses", "nothing", errors.ReplyError, "an empty body"),
    "half a reply": ("statuses", "half", errors.ReplyError, "not JSON"),
    "a redirect": ("statuses", "redirect", errors.RouteNotFound, "redirects elsewhere"),
    "429": ("statuses", "busy", errors.RateLimited, "Too many requests or tokens (429)"),
    "424 around a 500": ("statuses", "model error", errors.ModelFailed, "(424, 500 inside): An unexpected error"),
    "424, not ready": ("statuses", "not ready", errors.EndpointUnavailable, "no instance ready (424): no healthy upstream"),
    "401": ("statuses", "unauthorized", errors.AuthenticationFailed, "did not accept the key (401)"),
    "418": ("statuses", "teapot", errors.RequestRejected, "unusual status (418): short and stout"),
}


@pytest.mark.parametrize(("script", "prompt", "kind", "said"), FAILURES.values(), ids=FAILURES)
class TestEveryFailureIsOneLine:
    def test_at_once(self, config_of, script, prompt, kind, said) -> None:
        with pytest.raises(errors.AzmlError) as caught:
            invoke(config_of(script), prompt)
        assert type(caught.value) is kind
        assert said in str(caught.value)
        assert_one_line(caught.value)

    def test_as_a_stream(self, config_of, script, prompt, kind, said) -> None:
        with stream(config_of(script), prompt) as pieces, pytest.raises(errors.AzmlError) as caught:
            list(pieces)
        assert type(caught.value) is kind
        assert said in str(caught.value)

    async def test_on_an_event_loop(self, config_of, script, prompt, kind, said) -> None:
        with pytest.raises(errors.AzmlError) as caught:
            await ainvoke(config_of(script), prompt)
        assert type(caught.value) is kind


STRICT: dict[str, tuple[str, str]] = {
    # another dialect than the declared one: formatter, the server's words
    "gpt2": ("gpt2", "A value is not provided for the 'input_data' parameter."),
    "hf": ("hf", "A value is not provided for the 'input_data' parameter."),
    "promptflow": ("promptflow", "A value is not provided for the 'input_data' parameter."),
}


@pytest.mark.parametrize(("formatter", "said"), STRICT.values(), ids=STRICT)
def test_a_declared_input_refuses_another_dialect_with_400(config_of, formatter, said) -> None:
    with pytest.raises(errors.RequestRejected) as caught:
        invoke(config_of("strict", formatter), "Hi")
    assert caught.value.status == 400
    assert said.rstrip(".") in str(caught.value)
    assert "formatter" in caught.value.remedy
    assert_one_line(caught.value)


@pytest.mark.parametrize(
    ("script", "formatter"),
    [("gpt2", "dolly"), ("dolly", "gpt2"), ("hf_list", "hf-plain"), ("hf_plain", "hf"), ("curated_completion", "hf")],
)
def test_the_wrong_formatter_is_a_failure_of_the_scoring_script(config_of, script, formatter) -> None:
    with pytest.raises(errors.EndpointError, match="An unexpected error occurred in scoring script") as caught:
        invoke(config_of(script, formatter), "Hi")
    assert caught.value.headers["x-ms-run-function-failed"] == "True"
    assert_one_line(caught.value)


def test_an_unknown_route_is_not_found(config_of, serve: Serve) -> None:
    url = serve("gpt2").url.replace("/score", "/v1/chat/completions")
    with pytest.raises(errors.RouteNotFound, match="no such route") as caught:
        invoke(config_of("gpt2").merged(endpoint_url=url, formatter="openai-chat"), "Hi")
    assert_one_line(caught.value)


def test_the_server_that_gives_up_says_so(config_of, serve: Serve) -> None:
    serve("slow", SCORING_TIMEOUT_MS="300")
    with pytest.raises(errors.EndpointUnavailable, match="Scoring timeout after 300 ms"):
        invoke(config_of("slow"), "Hi")


def test_a_model_slower_than_the_client_waits_is_a_timeout_and_not_asked_again(config_of, serve: Serve) -> None:
    serve("slow", SCORING_TIMEOUT_MS="300")
    with pytest.raises(errors.EndpointTimeout, match=r"No byte .* for 0\.1 s"):
        invoke(config_of("slow").merged(timeout=0.1, max_retries=2), "Hi")


def test_a_passing_failure_is_asked_again(config_of) -> None:
    config = config_of("recovers", "gpt2").merged(max_retries=2)
    assert invoke(config, "Ready?").text == "Ready? (asked 3 times)"


async def test_many_at_once_on_one_worker_all_get_their_own_answer(config_of) -> None:
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
