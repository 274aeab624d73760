"""Reads every reply shape that an Azure ML text endpoint is known to send, and finds the failures hidden in a 200.

The model's name does not tell the shape (GPT-2 alone had three), so the reader goes by what is there:
`["t"]`, `[{"0": "t"}]`, `[{"0": "t0", "1": "t1"}]`, `[{"0": {"generated_text": "t"}}]`, `[{"generated_text": "t"}]`,
`[["t"]]`, `{"generated_text": "t"}`, `summary_text`, `translation_text`, `{"output": "t"}`, `{"output": ["t"]}`,
`{"predictions": ["t"]}`, `{"answer": "t"}`, `{"choices": [...]}`, and any of them as a JSON string in a JSON string
(a score.py that returns `json.dumps(...)`). Sources: Azure ML model catalogue descriptions and curated images,
azureml-inference-server-http, TGI, vLLM, prompt flow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ContentFiltered, EndpointError, ModelFailed, ReplyError, one_line
from ..response import Chunk, Usage

if TYPE_CHECKING:
    from .sse import Event

DONE = b"[DONE]"
_TEXT_KEYS = (
    "generated_text",
    "summary_text",
    "translation_text",
    "output",
    "answer",
    "text",
    "response",
    "result",
)
_NEVER_TEXT = ("error", "message", "detail", "label", "score", "exception")
_DEEPEST = 8


@dataclass(frozen=True)
class Reply:
    """What a reply says: `text` and, where the dialect has them, the rest. `raw` is its decoded JSON."""

    text: str
    raw: Any = None
    usage: Usage | None = None
    finish_reason: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    reasoning: str = ""
    model: str = ""
    logprobs: Any = None


def read(body: bytes) -> Reply:
    """The answer in the body of a 200.

    Raises ModelFailed or ContentFiltered for a failure hidden in it, ReplyError for what is no answer of any dialect.
    """
    return read_value(decoded(body))


def read_value(raw: Any) -> Reply:
    """The answer in decoded JSON; the same errors as `read`."""
    value = _unwrapped(raw)
    if isinstance(value, dict):
        _raise_hidden_failure(value)
        if isinstance(value.get("choices"), list):
            return _from_choices(value)
        return _from_record(value)
    return Reply(_text(value, 0), raw=value)


def decoded(body: bytes) -> Any:
    """The JSON value in `body`; ReplyError says what is there instead."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text:
        raise ReplyError(
            "The endpoint answered 200 with an empty body",
            remedy="Check that the scoring script returns its result, and that the URL is the scoring URI.",
        )
    if text[0] == "<":
        raise ReplyError(
            f"The endpoint answered with an HTML page, not with JSON: {one_line(text, 120)!r}",
            remedy="Check the URL: a proxy, a login page or a portal answered in its place.",
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        start = one_line(text, 120)
        remedy = "It may have been cut off on its way: ask again." if text[0] in "[{" else "Check the URL and route."
        raise ReplyError(f"The reply is not JSON ({one_line(str(error), 80)}): {start!r}", remedy=remedy) from None


def _unwrapped(value: Any) -> Any:
    """JSON inside a JSON string, as a scoring script makes it that returns json.dumps(...)."""
    for _ in range(2):
        if not (isinstance(value, str) and value.lstrip()[:1] in {"{", "["}):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value


def _raise_hidden_failure(value: dict[str, Any]) -> None:
    if not value:
        raise ModelFailed(
            "The deployment answered 200 with {}: its model server failed, "
            "or its content-safety filter blocked the request",
            remedy="Look at the deployment's logs; check that the formatter matches the deployment (%azureml test).",
            status=200,
        )
    error = value.get("error")
    if error or str(value.get("object")) == "error":
        raise hidden_failure(value)
    if value.get("output") == "None" and not value.get("finish_reason"):
        raise ModelFailed(
            'The deployment answered {"output": "None"}, which is how its model server reports a failure',
            remedy="The prompt may be longer than the model's context; look at the deployment's logs.",
            status=200,
        )
    if "output" in value and value["output"] is None and not value.get("tool_calls"):
        raise ModelFailed("The deployment answered without an output", remedy="Look at its logs.", status=200)


def hidden_failure(value: dict[str, Any]) -> EndpointError:
    """The error for an error object inside a 200, in a body or in a stream."""
    error = value.get("error") or value
    detail, code, status = str(error), "", None
    if isinstance(error, dict):
        detail = str(error.get("message") or error.get("body") or error.get("detail") or json.dumps(error))
        code = str(error.get("code") or error.get("type") or "")
        status = error.get("status_code") or error.get("status") or error.get("code")
    inner = status if isinstance(status, int) else None
    if "exception" in value:
        detail = f"{detail}: {value['exception']}"
    if code == "content_filter" or "ResponsibleAIPolicyViolation" in detail:
        return ContentFiltered(
            f"The content filter stopped it: {one_line(detail, 300)}",
            remedy="Rephrase the prompt.",
            status=200,
        )
    return ModelFailed(
        f"The deployment answered 200 with an error inside: {one_line(detail, 300)}",
        remedy="Look at the deployment's logs, and at the model kwargs and prompt length.",
        status=200,
        inner_status=inner,
    )


def _from_choices(value: dict[str, Any]) -> Reply:
    choices = value["choices"]
    if not choices or not isinstance(choices[0], dict):
        raise ReplyError("The reply has no choices", remedy="Ask again; look at the deployment's logs if it stays so.")
    choice = choices[0]
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    text = _content_text(message.get("content")) if message else _content_text(choice.get("text"))
    reply = Reply(
        text=text or str(message.get("refusal") or ""),
        raw=value,
        usage=Usage.from_wire(value.get("usage")),
        finish_reason=_string(choice.get("finish_reason")),
        tool_calls=_tool_calls(message.get("tool_calls")),
        reasoning=_string(message.get("reasoning_content") or message.get("reasoning")) or "",
        model=_string(value.get("model")) or "",
        logprobs=choice.get("logprobs"),
    )
    raise_if_filtered(reply.finish_reason)
    if not message and "text" not in choice:
        raise ReplyError("The reply's choice has neither a message nor a text", remedy="Check the formatter and route.")
    if not (reply.text or reply.tool_calls or reply.reasoning or reply.finish_reason):
        raise ModelFailed("The deployment answered with an empty choice", remedy="Look at its logs.", status=200)
    return reply


def raise_if_filtered(finish_reason: str | None) -> None:
    """ContentFiltered where the finish reason says that the answer was stopped by the filter."""
    if finish_reason and finish_reason.startswith("content_filter"):
        raise ContentFiltered(
            f"The content filter stopped the answer (finish reason {finish_reason})",
            remedy="Rephrase the prompt, or review the deployment's content filter.",
            status=200,
        )


def _from_record(value: dict[str, Any]) -> Reply:
    details = value.get("details")
    details = details if isinstance(details, dict) else {}
    finish_reason = _string(value.get("finish_reason") or details.get("finish_reason"))
    raise_if_filtered(finish_reason)
    tool_calls = _tool_calls(value.get("tool_calls"))
    text = "" if tool_calls and not value.get("output") else _text(value, 0, finished=finish_reason is not None)
    counted = details.get("generated_tokens")
    return Reply(
        text,
        raw=value,
        usage=Usage.from_wire(value.get("usage")) or Usage.from_wire({"completion_tokens": counted}),
        finish_reason=finish_reason,
        tool_calls=tool_calls,
        reasoning=_string(value.get("reasoning_content") or value.get("reasoning")) or "",
        model=_string(value.get("model")) or "",
    )


def _text(value: Any, depth: int, *, finished: bool = False) -> str:
    """The first text in a reply without choices; an empty one counts as an answer only if a finish reason says so."""
    if isinstance(value, str):
        if not value and not finished:
            raise ModelFailed(
                "The deployment answered with an empty text: the model wrote nothing, "
                "or the content-safety filter withheld it",
                remedy="Rephrase the prompt or raise max_new_tokens; look at the deployment's logs.",
                status=200,
            )
        return value
    if depth < _DEEPEST:
        if isinstance(value, list) and value:
            return _text(value[0], depth + 1, finished=finished)
        if isinstance(value, dict) and value:
            key = _text_key(value)
            if key is not None:
                return _text(value[key], depth + 1, finished=finished)
    raise not_an_answer(value)


def _text_key(record: dict[str, Any]) -> str | None:
    for key in (*_TEXT_KEYS, "0", "predictions"):
        if key in record:
            return key
    if len(record) == 1:
        only = next(iter(record))
        if only not in _NEVER_TEXT:
            return only
    return None


def not_an_answer(value: Any) -> ReplyError:
    """The error for a well-formed reply that holds no text, showing how it begins."""
    shown = one_line(json.dumps(value, ensure_ascii=False, default=str), 120)
    return ReplyError(
        f"The reply holds no text that this formatter can find: {shown}",
        remedy="Choose the formatter of this deployment with -f (`%azureml help formatters`), "
        "or register one of your own: azml_magics.register_formatter.",
    )


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)
    return "" if content is None else str(content)


def _tool_calls(calls: Any) -> tuple[dict[str, Any], ...]:
    return tuple(call for call in calls if isinstance(call, dict)) if isinstance(calls, list) else ()


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# ---- streams -------------------------------------------------------------------------------------------------


def read_event(event: Event) -> Chunk | None:
    """The piece of answer in one server-sent event; None where it brings none ([DONE], role, prompt filter results).

    Raises the same errors as `read`: for `event: error`, for an error object in the data (TGI, vLLM), for a finish
    reason of the content filter, and ReplyError for data that is no JSON.
    """
    if event.data == DONE:
        return None
    try:
        value = json.loads(event.data)
    except (ValueError, RecursionError):
        if event.type == "error":
            value = {"error": event.data.decode("utf-8", "replace")}
        else:
            shown = one_line(event.data.decode("utf-8", "replace"), 120)
            raise ReplyError(
                f"The stream holds an event that is not JSON: {shown!r}",
                remedy="Ask again, or with --no-stream.",
            ) from None
    if not isinstance(value, dict):
        raise not_an_answer(value)
    if event.type == "error" or value.get("error"):
        raise hidden_failure(value)
    choices = value.get("choices")
    if choices:
        return _chunk_of_choice(choices[0], value)
    if choices is not None:
        usage = Usage.from_wire(value.get("usage"))
        return Chunk(usage=usage, model=_string(value.get("model")) or "") if usage else None
    return _chunk_of_record(value)


def _chunk_of_choice(choice: Any, value: dict[str, Any]) -> Chunk | None:
    if not isinstance(choice, dict):
        raise not_an_answer(value)
    delta = choice.get("delta") or choice.get("message") or choice
    if not isinstance(delta, dict):
        raise not_an_answer(value)
    text = delta.get("content") or delta.get("text") or ""
    return Chunk(
        text=text if isinstance(text, str) else _content_text(text),
        reasoning=delta.get("reasoning_content") or delta.get("reasoning") or "",
        tool_calls=_tool_calls(delta["tool_calls"]) if delta.get("tool_calls") else (),
        usage=Usage.from_wire(value["usage"]) if value.get("usage") else None,
        finish_reason=choice.get("finish_reason"),
        logprobs=choice.get("logprobs"),
        model=value.get("model") or "",
    )


def _chunk_of_record(value: dict[str, Any]) -> Chunk | None:
    token = value.get("token")
    if isinstance(token, dict):  # TGI; its last event repeats the whole text in generated_text
        details = value.get("details")
        details = details if isinstance(details, dict) else {}
        return Chunk(
            text="" if token.get("special") else str(token.get("text", "")),
            usage=Usage.from_wire({"completion_tokens": details.get("generated_tokens")}),
            finish_reason=_string(details.get("finish_reason")) or ("stop" if value.get("generated_text") else None),
        )
    for key in _TEXT_KEYS:
        if isinstance(value.get(key), str):
            return Chunk(text=value[key])
    if any(key in value for key in ("id", "object", "model", "prompt_filter_results")):
        return None  # a preamble without content
    raise not_an_answer(value)
