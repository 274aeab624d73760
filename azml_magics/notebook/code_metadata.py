"""The call behind a response, for the metadata of its output: the request, its key masked, and the call as code.

JupyterLab's response viewer shows them, also in a saved notebook (labextension/src/response/code-metadata.ts). Each
long text is stored once, in `texts`, and a mark refers to it, so that the prompt is not repeated in the body and in
every program. Of a very long prompt only the beginning is stored, and no programs. All of it is metadata because the
demo endpoint's port may change from run to run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from azml_magics import codegen, session
from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.errors import AzmlError
from azml_magics.core.headers import merge_headers
from azml_magics.core.http.auth import describe_key_headers
from azml_magics.core.text import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response

MAX_TEXT = 8_000  # characters of prompt that a notebook stores for one response
_MIN_SHARED_TEXT = 60  # characters: a shorter text is not replaced by a mark
_MARK = "<<azml-text:"


def call_metadata(response: Response) -> dict[str, Any] | None:
    """Return the call that gave a response.

    Returns:
        {"url", "headers", "body", "texts", "code"}, as JSON that can be sent; "shortened" instead of "code" if the
        prompt is too long. None if the response is not of this session, if another library sent the request, or if a
        formatter of the user's made it: that code must run only once for a prompt.
    """
    exchange = next((past for past in reversed(session.current().history) if past.response is response), None)
    if exchange is None or exchange.config.name.startswith("$"):
        return None
    try:
        if wire.formatter_for(exchange.config).content_formatter is not None:
            return None
        call = _describe_call(exchange.config, exchange.messages, stream=response.raw is None)
    except (AzmlError, ValueError, RecursionError):  # the request could be sent, and cannot be made again now
        return None
    return call if len(json.dumps(call)) < 4 * MAX_TEXT else None


def _describe_call(config: LLMConfig, messages: Sequence[Message], *, stream: bool) -> dict[str, Any]:
    texts: list[str] = []
    marked = [{**turn, "content": _replace_texts(turn.get("content"), texts)} for turn in messages]
    sent = prepare(config, messages, stream=stream, with_key=False).request
    body = json.loads(prepare(config, marked, stream=stream, with_key=False).request.body)
    if _insert_texts(body, texts) != json.loads(sent.body):  # a wire format that changes the texts
        texts, marked, body = [], list(messages), json.loads(sent.body)
    headers = merge_headers(sent.headers, describe_key_headers(config, sent.url))
    call: dict[str, Any] = {"url": sent.url, "headers": headers, "body": body}
    if sum(map(len, texts)) > MAX_TEXT:
        call |= {"texts": [_shorten(text, MAX_TEXT // len(texts)) for text in texts], "shortened": True}
    else:
        call |= {"texts": texts, "code": _programs(config, marked)}
    return _replace_surrogates(call)


def _replace_texts(content: Any, texts: list[str]) -> Any:
    """`content` with a mark in place of every long text, which is added to `texts`."""
    if isinstance(content, str) and (len(content) > _MIN_SHARED_TEXT or _MARK in content):
        texts.append(content)
        return f"{_MARK}{len(texts) - 1}>>"
    if isinstance(content, dict):
        return {name: _replace_texts(value, texts) for name, value in content.items()}
    return [_replace_texts(part, texts) for part in content] if isinstance(content, (list, tuple)) else content


def _insert_texts(body: Any, texts: list[str]) -> Any:
    """`body` with the texts in place of their marks."""
    if isinstance(body, str) and _MARK in body:
        pieces = body.split(_MARK)
        for index, piece in enumerate(pieces[1:], 1):
            number, _, rest = piece.partition(">>")
            pieces[index] = texts[int(number)] + rest
        return "".join(pieces)
    if isinstance(body, dict):
        return {name: _insert_texts(value, texts) for name, value in body.items()}
    return [_insert_texts(item, texts) for item in body] if isinstance(body, list) else body


def _programs(config: LLMConfig, messages: Sequence[Message]) -> dict[str, str]:
    """The call as code, by language; an SDK does not speak every wire format."""
    programs = {}
    for language in codegen.LANGUAGES:
        try:
            programs[language] = codegen.write_program(config, messages, language)
        except AzmlError:  # noqa: PERF203 - four programs at most
            continue
    return programs


def _shorten(text: str, most: int) -> str:
    left_out = len(text) - most
    return f"{text[:most]}… ({left_out:,} characters left out)" if left_out > 0 else text


def _replace_surrogates(call: dict[str, Any]) -> dict[str, Any]:
    """`call` without surrogates, which a message to a frontend cannot contain."""
    cleaned: dict[str, Any] = json.loads(replace_surrogates(json.dumps(call, ensure_ascii=False)))
    return cleaned
