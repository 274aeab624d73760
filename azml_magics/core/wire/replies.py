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
from typing import Any

from ..errors import ContentFilterError, EndpointError, ModelError, ResponseFormatError
from ..response import Response, Usage
from ..text import one_line

TEXT_KEYS = (
    "generated_text",
    "summary_text",
    "translation_text",
    "output",
    "answer",
    "text",
    "response",
    "result",
)
NEVER_TEXT = ("error", "message", "detail", "label", "score", "exception")
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

    Raises ModelError or ContentFilterError for a failure hidden in it, ResponseFormatError for any other shape.
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
    """The JSON value in `body`; ResponseFormatError says what is there instead."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text:
        raise ResponseFormatError(
            "The endpoint answered 200 with an empty body",
            remedy="Check that the scoring script returns its result, and that the URL is the scoring URI.",
        )
    if text[0] == "<":
        raise ResponseFormatError(
            f"The endpoint answered with an HTML page, not with JSON: {one_line(text, 120)!r}",
            remedy="Check the URL: a proxy, a login page or a portal answered in its place.",
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        start = one_line(text, 120)
        remedy = "It may have been cut off on its way: ask again." if text[0] in "[{" else "Check the URL and route."
        raise ResponseFormatError(
            f"The reply is not JSON ({one_line(str(error), 80)}): {start!r}", remedy=remedy
        ) from None


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
        raise ModelError(
            "The deployment answered 200 with {}: its model server failed, "
            "or its content-safety filter blocked the request",
            remedy="Look at the deployment's logs; check that the formatter matches the deployment (%azureml test).",
            status=200,
        )
    error = value.get("error")
    if error or str(value.get("object")) == "error":
        raise hidden_failure(value)
    if value.get("output") == "None" and not value.get("finish_reason"):
        raise ModelError(
            'The deployment answered {"output": "None"}, which is how its model server reports a failure',
            remedy="The prompt may be longer than the model's context; look at the deployment's logs.",
            status=200,
        )
    if "output" in value and value["output"] is None and not value.get("tool_calls"):
        raise ModelError("The deployment answered without an output", remedy="Look at its logs.", status=200)


def hidden_failure(value: dict[str, Any]) -> EndpointError:
    """The error for an error object inside a 200, in a body or in a stream."""
    error = value.get("error") or value
    detail, code, status = as_text(error), "", None
    if isinstance(error, dict):
        detail = as_text(error.get("message") or error.get("body") or error.get("detail") or error)
        code = str(error.get("code") or error.get("type") or "")
        status = error.get("status_code") or error.get("status") or error.get("code")
    inner = status if isinstance(status, int) else None
    if "exception" in value:
        detail = f"{detail}: {as_text(value['exception'])}"
    if code == "content_filter" or "ResponsibleAIPolicyViolation" in detail:
        return ContentFilterError(
            f"The content filter stopped it: {one_line(detail, 300)}",
            remedy="Rephrase the prompt.",
            status=200,
        )
    return ModelError(
        f"The deployment answered 200 with an error inside: {one_line(detail, 300)}",
        remedy="Look at the deployment's logs, and at the model kwargs and prompt length.",
        status=200,
        inner_status=inner,
    )


def _from_choices(value: dict[str, Any]) -> Reply:
    choices = value["choices"]
    if not choices or not isinstance(choices[0], dict):
        raise ResponseFormatError("The reply has no choices", remedy="Try again, then check the deployment's logs.")
    choice = choices[0]
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    text = content_text(message.get("content")) if message else content_text(choice.get("text"))
    reply = Reply(
        text=text or content_text(message.get("refusal")),
        raw=value,
        usage=Usage.from_wire(value.get("usage")),
        finish_reason=string(choice.get("finish_reason")),
        tool_calls=tool_calls(message.get("tool_calls")),
        reasoning=content_text(message.get("reasoning_content") or message.get("reasoning")),
        model=string(value.get("model")) or "",
        logprobs=choice.get("logprobs"),
    )
    raise_if_filtered(reply.finish_reason, reply)
    if not message and "text" not in choice:
        raise ResponseFormatError(
            "The reply's choice has neither a message nor a text", remedy="Check the formatter and route."
        )
    if not (reply.text or reply.tool_calls or reply.reasoning or reply.finish_reason):
        raise ModelError("The deployment answered with an empty choice", remedy="Look at its logs.", status=200)
    return reply


def raise_if_filtered(finish_reason: str | None, reply: Reply | None = None) -> None:
    """Raise ContentFilterError if the finish reason says that the filter stopped the text; it keeps the `reply`."""
    if not (finish_reason and finish_reason.startswith("content_filter")):
        return
    error = ContentFilterError(
        f"The content filter stopped the answer (finish reason {finish_reason})",
        remedy="Rephrase the prompt, or review the deployment's content filter.",
        status=200,
    )
    if reply is not None:
        error.response = Response(
            reply.text, usage=reply.usage, finish_reason=finish_reason, model=reply.model, reasoning=reply.reasoning
        )
    raise error


def _from_record(value: dict[str, Any]) -> Reply:
    details = value.get("details")
    details = details if isinstance(details, dict) else {}
    finish_reason = string(value.get("finish_reason") or details.get("finish_reason"))
    calls = tool_calls(value.get("tool_calls"))
    filtered = bool(finish_reason and finish_reason.startswith("content_filter"))
    silent = (calls or filtered) and not value.get("output")
    counted = details.get("generated_tokens")
    reply = Reply(
        "" if silent else _text(value, 0, finished=finish_reason is not None),
        raw=value,
        usage=Usage.from_wire(value.get("usage")) or Usage.from_wire({"completion_tokens": counted}),
        finish_reason=finish_reason,
        tool_calls=calls,
        reasoning=content_text(value.get("reasoning_content") or value.get("reasoning")),
        model=string(value.get("model")) or "",
    )
    raise_if_filtered(finish_reason, reply)
    return reply


def _text(value: Any, depth: int, *, finished: bool = False) -> str:
    """The first text in a reply without choices; an empty one counts as an answer only if a finish reason says so."""
    if isinstance(value, str):
        if not value and not finished:
            raise ModelError(
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
    for key in (*TEXT_KEYS, "0", "predictions"):
        if key in record:
            return key
    if len(record) == 1:
        only = next(iter(record))
        if only not in NEVER_TEXT:
            return only
    return None


def not_an_answer(value: Any) -> ResponseFormatError:
    """The error for a well-formed reply that holds no text, showing how it begins."""
    return ResponseFormatError(
        f"The reply holds no text that this formatter can find: {one_line(as_text(value), 120)}",
        remedy="Choose the formatter of this deployment with -f (`%azureml help formatters`), "
        "or register one of your own: azml_magics.register_formatter.",
    )


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} nested without end"


def content_text(content: Any) -> str:
    """The text of a message's content: a text, or the texts of its parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(content_text(part) for part in content if isinstance(part, (str, dict)))
    if isinstance(content, dict):
        text = content.get("text")
        return text if isinstance(text, str) else ""
    return ""


def tool_calls(calls: Any) -> tuple[dict[str, Any], ...]:
    """The tool calls, or fragments of them, in the wire's list; arguments that came as an object become JSON text."""
    return tuple(_tool_call(call) for call in calls if isinstance(call, dict)) if isinstance(calls, list) else ()


def _tool_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if arguments is None or isinstance(arguments, str):
        return call
    return {**call, "function": {**call["function"], "arguments": as_text(arguments)}}


def string(value: Any) -> str | None:
    """A text that is not empty, else None."""
    return value if isinstance(value, str) and value else None
