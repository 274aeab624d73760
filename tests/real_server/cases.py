"""The prompts for the real server in every front end (core, LangChain, a notebook's cell), and the expected results."""

from __future__ import annotations

from typing import Any, NamedTuple

from azml_magics import errors


class ExpectedResponse(NamedTuple):
    """The scoring script, the formatter for its wire format, and the response to the prompt."""

    script: str
    formatter: str
    kwargs: dict[str, Any]
    prompt: str
    answer: str


class Failure(NamedTuple):
    """The scoring script, the prompt that makes it fail, the error's class, and words of its one line."""

    script: str
    prompt: str
    kind: type[errors.AzmlError]
    said: str


EXPECTED = {
    "gpt2, first generation": ExpectedResponse(
        "gpt2",
        "gpt2",
        {"max_new_tokens": 5},
        'It rained {and}\n"rained",',
        " and so the river found",
    ),
    "gpt2 under its older name": ExpectedResponse("gpt2", "oss", {"max_new_tokens": 1}, "It rained", " and"),
    "dolly, second generation": ExpectedResponse(
        "dolly",
        "dolly",
        {"style": "polite"},
        "Name a river",
        "A polite instruction of 12 letters: Name a river",
    ),
    "MLflow with params": ExpectedResponse(
        "mlflow_params",
        "mlflow",
        {"max_new_tokens": 2, "return_full_text": False},
        "Count",
        "word1 word2",
    ),
    "MLflow without params": ExpectedResponse(
        "mlflow_params",
        "mlflow",
        {},
        "Count",
        "".join(f" word{number}" for number in range(1, 17)),
    ),
    "Hugging Face list": ExpectedResponse(
        "hf_list", "hf", {"top_k": 5, "seed": 1}, "Name a city", " ['seed', 'top_k']"
    ),
    "Hugging Face plain": ExpectedResponse(
        "hf_plain",
        "hf-plain",
        {"max_new_tokens": 9},
        "Name a city",
        ", in 9 tokens or fewer",
    ),
    "TGI's body on /score": ExpectedResponse(
        "hf_plain", "tgi", {"max_new_tokens": 3}, "Name a city", "Name a city, in 3 tokens or fewer"
    ),
    "summary_text": ExpectedResponse(
        "summarization", "hf", {}, "Tin melts early. Iron melts late.", "Tin melts early."
    ),
    "translation_text": ExpectedResponse("translation", "hf", {}, "the water is very cold", "l'eau est très froide"),
    "curated completion": ExpectedResponse(
        "curated_completion", "openai", {"top_p": 0.5}, "Night fell", " (top_p 0.5)"
    ),
    "curated chat": ExpectedResponse(
        "curated_chat",
        "openai-chat",
        {},
        "What's new?",
        'I have read user; the last said "What\'s new?".',
    ),
    "prompt flow": ExpectedResponse(
        "promptflow",
        "promptflow",
        {},
        "Any news?",
        "You asked 'Any news?' after 0 earlier questions — naïve, but fine.",
    ),
    "a reply encoded twice": ExpectedResponse(
        "double_encoded",
        "openai",
        {},
        "äh \\ {x}",
        'He said "äh \\ {x}" and left: {} \\ ünïcödé',
    ),
    "a declared input": ExpectedResponse("strict", "openai", {}, "Fine", ", as declared"),
}


FAILURES = {
    "run raises": Failure(
        "failures", "raise", errors.ModelError, "(500): An unexpected error occurred in scoring script"
    ),
    "run exits": Failure("failures", "exit", errors.ServiceUnavailableError, "an HTML page, 'Internal Server Error'"),
    "an object that is no JSON": Failure(
        "failures", "an object", errors.ServiceUnavailableError, "An unexpected internal error"
    ),
    "{}": Failure("failures", "empty object", errors.ModelError, "returned status 200 with {}"),
    "None": Failure("failures", "none", errors.ModelError, "returned status 200 with {}"),
    "[]": Failure("failures", "empty list", errors.ResponseFormatError, "no text that this formatter can find: []"),
    "an empty text": Failure("failures", "empty text", errors.ModelError, "an empty text"),
    "numbers": Failure("failures", "no text", errors.ResponseFormatError, "no text that this formatter can find"),
    "NaN": Failure("failures", "not a number", errors.ResponseFormatError, "no text that this formatter can find"),
    "output null and an error": Failure(
        "failures", "error inside", errors.ModelError, "the context is 4096 tokens long"
    ),
    "an error in a string": Failure("failures", "error in a string", errors.ModelError, "CUDA out of memory"),
    'the text "None"': Failure(
        "failures", "the text None", errors.ModelError, "how its model server reports a failure"
    ),
    "a login page": Failure("statuses", "html", errors.ResponseFormatError, "HTML page"),
    "an empty body": Failure("statuses", "nothing", errors.ResponseFormatError, "an empty body"),
    "half a reply": Failure("statuses", "half", errors.ResponseFormatError, "not JSON"),
    "a redirect": Failure("statuses", "redirect", errors.NotFoundError, "redirects elsewhere"),
    "429": Failure("statuses", "busy", errors.RateLimitError, "Too many requests or tokens (429)"),
    "424 around a 500": Failure("statuses", "model error", errors.ModelError, "(424, 500 inside): An unexpected error"),
    "424, not ready": Failure(
        "statuses", "not ready", errors.ServiceUnavailableError, "no instance ready (424): no healthy upstream"
    ),
    "401": Failure("statuses", "unauthorized", errors.AuthenticationError, "did not accept the key (401)"),
    "418": Failure("statuses", "teapot", errors.BadRequestError, "unusual status (418): short and stout"),
}
