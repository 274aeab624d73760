"""The OpenAI-style routes: which family a route belongs to, its checks, and whole (unstreamed) replies."""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import conversation, streaming, tokens, tools, validation
from azml_magics.emulator.asking import DEFAULT_MAX_TOKENS, Ask
from azml_magics.emulator.exchange import Exchange, NotJSONError, load_json
from azml_magics.emulator.failures import extra_parameters
from azml_magics.emulator.keywords import word_set
from azml_magics.emulator.output import Output, chat_outputs
from azml_magics.emulator.reply import Reply
from azml_magics.emulator.validation import Invalid, bad_request, invalid
from azml_magics.emulator.words import answers

if TYPE_CHECKING:
    from collections.abc import Callable

_KNOWN = word_set(
    """model messages prompt frequency_penalty presence_penalty max_tokens max_new_tokens max_gen_len
    max_completion_tokens seed stop stream temperature top_p response_format tools tool_choice modalities"""
)
"""The Inference API's own schema; every other key is an extra parameter there (`n` and stream_options too)."""

MOST_CHOICES = 16


@dataclass(frozen=True)
class Family:
    """What the routes of one kind demand, and how they stream their usage."""

    strict: bool = False
    needs_version: bool = False
    needs_model: bool = False
    prompt_filter: bool = False


INFERENCE = Family(strict=True)
MODELS = Family(strict=True, needs_version=True, needs_model=True)
V1 = Family()
OPENAI_V1 = Family(needs_model=True)
AZURE_OPENAI = Family(needs_version=True, prompt_filter=True)


@dataclass(frozen=True)
class Stamp:
    """What every object of one reply repeats: id, creation time, model."""

    id: str
    created: int
    model: str


def chat(exchange: Exchange, family: Family) -> Reply:
    """A chat completion, whole or streamed."""
    return _served(exchange, family, _chat)


def completion(exchange: Exchange, family: Family) -> Reply:
    """A text completion, whole or streamed."""
    return _served(exchange, family, _completion)


def _served(exchange: Exchange, family: Family, handler: Callable[[Exchange, Family, dict[str, Any]], Reply]) -> Reply:
    try:
        if family.needs_version and not exchange.query.get("api-version"):
            raise bad_request(
                "The api-version query parameter (?api-version=) is required for all requests.",
                "MissingApiVersionParameter",
            )
        return handler(exchange, family, _body(exchange, family))
    except Invalid as refused:
        return refused.reply


def _body(exchange: Exchange, family: Family) -> dict[str, Any]:
    try:
        body = load_json(exchange.request.body)
    except NotJSONError as error:
        raise invalid("json_invalid", [error.position], "JSON decode error", str(error)) from None
    if not isinstance(body, dict) or not exchange.says_json():
        raise invalid(
            "model_attributes_type", [], "Input should be a valid dictionary or object to extract fields from", body
        )
    if family.needs_model and not (isinstance(body.get("model"), str) and body["model"]):
        raise bad_request(
            "No model specified in request. Please provide a model name in the request body.", "no_model_name"
        )
    if family.strict:
        _check_extras(exchange, body)
    return body


def _check_extras(exchange: Exchange, body: dict[str, Any]) -> None:
    """The `extra-parameters` policy for unknown keys: error (when absent), drop, pass-through."""
    policy = exchange.headers.get("extra-parameters", "error").strip().lower()
    extras = [key for key in body if key not in _KNOWN]
    if policy == "pass-through":
        return
    if policy in ("drop", "ignore"):
        for key in extras:
            del body[key]
    elif policy != "error":
        message = (
            f"Unexpected EXTRA_PARAMETERS option {policy[:40]}, expected options are ['error', 'drop', 'pass-through']"
        )
        raise Invalid(Reply.fastapi({"detail": message}, 400))
    elif extras:
        raise Invalid(extra_parameters(extras))


def stamp(exchange: Exchange, body: dict[str, Any], prefix: str) -> Stamp:
    """A fresh id, the time, and the model: the body's own, else the path's, else the deployment's."""
    model = body.get("model")
    name = model if isinstance(model, str) and model else exchange.path_deployment or exchange.deployment.model
    return Stamp(f"{prefix}-{uuid.uuid4().hex}", int(time.time()), name)


def usage(prompt: int, completion_tokens: int, reasoning: int = 0) -> dict[str, Any]:
    """The usage object; reasoning tokens are part of the completion's."""
    counted: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt + completion_tokens,
    }
    if reasoning:
        counted["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return counted


def _streams_usage(body: dict[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _count(body: dict[str, Any]) -> int:
    return validation.integer(body, "n", 1, MOST_CHOICES) or 1


def _chat(exchange: Exchange, family: Family, body: dict[str, Any]) -> Reply:
    messages = validation.messages(body)
    functions = validation.tools(body)
    structured = _schema(body)
    stream = validation.boolean(body, "stream")
    # A form with a grammar is never cut by the default limit, only by one that was asked for.
    limit = None if functions or structured is not None else DEFAULT_MAX_TOKENS
    ask = conversation.to_ask(messages, validation.settings(body, limit))
    calls = tools.choose(functions, body.get("tool_choice"), ask, parallel=body.get("parallel_tool_calls") is not False)
    if not calls and structured is None:
        ask = replace(ask, settings=validation.settings(body))
    outputs = chat_outputs(ask, _count(body), calls, structured)
    mark = stamp(exchange, body, "chatcmpl")
    if "reasoning" in (exchange.deployment.name, mark.model):
        outputs = [
            output.reasoned(ask, inline=exchange.query.get("api-version") == "2024-05-01-preview") for output in outputs
        ]
    prompt = conversation.prompt_tokens(messages)
    counted = usage(prompt, sum(o.tokens for o in outputs), sum(o.reasoning_tokens for o in outputs))
    if stream:
        events = streaming.chat_events(outputs, mark, counted, family, include_usage=_streams_usage(body))
        return Reply.stream(events, tokens=counted["completion_tokens"])
    logprobs = validation.boolean(body, "logprobs")
    choices = [_chat_choice(at, output, logprobs=logprobs) for at, output in enumerate(outputs)]
    data = {
        "id": mark.id,
        "object": "chat.completion",
        "created": mark.created,
        "model": mark.model,
        "choices": choices,
        "usage": counted,
    }
    return Reply.fastapi(data, tokens=counted["completion_tokens"])


def _chat_choice(index: int, output: Output, *, logprobs: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": output.text, "tool_calls": output.calls or None}
    if output.reasoning:
        message["reasoning_content"] = output.reasoning
    found = {"content": [_logprob(token) for token in output.parts]} if logprobs else None
    return {"index": index, "message": message, "finish_reason": output.finish_reason, "logprobs": found}


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The schema that response_format asks for: {} for json_object, None for text."""
    given = body.get("response_format")
    if given is None:
        return None
    kind = given.get("type") if isinstance(given, dict) else given
    if kind == "text":
        return None
    if kind == "json_object":
        return {}
    holder = given.get("json_schema") if isinstance(given, dict) else None
    schema = holder.get("schema") if isinstance(holder, dict) else None
    if kind == "json_schema" and isinstance(schema, dict):
        return schema or {"type": "object"}
    raise invalid(
        "literal_error",
        ["response_format"],
        "Input should be 'text', 'json_object' or 'json_schema' with a schema",
        given,
    )


def _completion(exchange: Exchange, family: Family, body: dict[str, Any]) -> Reply:
    prompts = _prompts(body)
    settings = validation.settings(body)
    n = _count(body)
    echo = validation.boolean(body, "echo")
    endings = [(prompt, ending) for prompt in prompts for ending in answers(Ask(prompt, settings=settings), n)]
    outputs = [_output(prompt, ending, echo=echo) for prompt, ending in endings]
    mark = stamp(exchange, body, "cmpl")
    counted = usage(sum(map(tokens.count, prompts)), sum(o.tokens for o in outputs))
    if validation.boolean(body, "stream"):
        events = streaming.completion_events(outputs, mark, counted, family, include_usage=_streams_usage(body))
        return Reply.stream(events, tokens=counted["completion_tokens"])
    logprobs = body.get("logprobs") not in (None, False)
    choices = [
        {
            "index": at,
            "text": o.text,
            "finish_reason": o.finish_reason,
            "logprobs": _text_logprobs(o) if logprobs else None,
        }
        for at, o in enumerate(outputs)
    ]
    data = {
        "id": mark.id,
        "object": "text_completion",
        "created": mark.created,
        "model": mark.model,
        "choices": choices,
        "usage": counted,
    }
    return Reply.fastapi(data, tokens=counted["completion_tokens"])


def _output(prompt: str, ending: tokens.Ending, *, echo: bool) -> Output:
    # A completion goes on where the prompt ended: with a space before it, as a model's would have.
    said = [" " + ending.tokens[0], *ending.tokens[1:]] if ending.tokens else []
    return Output([*([prompt] if echo else []), *said], ending.finish_reason)


def _prompts(body: dict[str, Any]) -> list[str]:
    prompt = body.get("prompt")
    if prompt is None:
        raise invalid("missing", ["prompt"], "Field required", body)
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if (
        not isinstance(prompts, list)
        or not prompts
        or len(prompts) > MOST_CHOICES
        or not all(isinstance(p, str) for p in prompts)
    ):
        raise invalid("string_type", ["prompt"], "Input should be a valid string", prompt)
    return prompts


def _probability(token: str) -> float:
    """A log probability made from the token alone: steady, between -2 and 0, and without meaning."""
    return -round(hashlib.sha256(token.encode(errors="replace")).digest()[0] / 128, 4)


def _logprob(token: str) -> dict[str, Any]:
    return {
        "token": token,
        "logprob": _probability(token),
        "bytes": list(token.encode(errors="replace")),
        "top_logprobs": [],
    }


def _text_logprobs(output: Output) -> dict[str, Any]:
    offsets = [sum(map(len, output.parts[:at])) for at in range(len(output.parts))]
    found = [_probability(part) for part in output.parts]
    top = [{part: value} for part, value in zip(output.parts, found, strict=True)]
    return {"text_offset": offsets, "token_logprobs": found, "tokens": output.parts, "top_logprobs": top}
