"""The call behind an answer, for the metadata of its output: the request, its key masked, and programs that make it.

JupyterLab's response viewer shows them, also in a saved notebook: labextension/src/response/code-metadata.ts reads this.
Each long text of the prompt is saved once, in `texts`, and referred to by marks. Of a very long prompt only the
beginning is saved, without programs. It is metadata because the demo endpoint's port changes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from azml_magics import codegen, session
from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.errors import AzmlError
from azml_magics.core.redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response

MOST_TEXT = 8_000  # characters of prompt that a notebook keeps for one answer
_LONG = 60  # characters: a shorter text stands where it is used
_MARK = "<<azml-text:"


def kept_call(response: Response) -> dict[str, Any] | None:
    """{"url", "headers", "body", "texts", "code"} of the call that gave `response`, as JSON that can be sent.

    None where this session has not asked for it, where another library asked, and where a formatter of the person's own
    made the request: their code runs once for a prompt. "shortened" stands in the place of "code" where the prompt is
    too long to be kept whole.
    """
    exchange = next((past for past in reversed(session.current().history) if past.response is response), None)
    if exchange is None or exchange.config.name.startswith("$"):
        return None
    try:
        if wire.formatter_for(exchange.config).content_formatter is not None:
            return None
        kept = _kept(exchange.config, exchange.messages, stream=response.raw is None)
    except (AzmlError, ValueError, RecursionError):  # it could be sent; now it cannot be made again
        return None
    return kept if len(json.dumps(kept)) < 4 * MOST_TEXT else None


def _kept(config: LLMConfig, messages: Sequence[Message], *, stream: bool) -> dict[str, Any]:
    texts: list[str] = []
    marked = [{**turn, "content": _marked(turn.get("content"), texts)} for turn in messages]
    sent = prepare(config, messages, stream=stream, with_key=False).request
    body = json.loads(prepare(config, marked, stream=stream, with_key=False).request.body)
    if _filled(body, texts) != json.loads(sent.body):  # a dialect that does more with texts than to put them in
        texts, marked, body = [], list(messages), json.loads(sent.body)
    headers = dict(sent.headers)
    if config.key is not None:
        headers["Authorization"] = f"Bearer {MASK}  ({config.key})"
    kept: dict[str, Any] = {"url": sent.url, "headers": headers, "body": body}
    if sum(map(len, texts)) > MOST_TEXT:
        kept |= {"texts": [_beginning(text, MOST_TEXT // len(texts)) for text in texts], "shortened": True}
    else:
        kept |= {"texts": texts, "code": _programs(config, marked)}
    return _without_half_characters(kept)


def _marked(content: Any, texts: list[str]) -> Any:
    """`content` with a mark in the place of every long text, which goes to `texts`."""
    if isinstance(content, str) and (len(content) > _LONG or _MARK in content):
        texts.append(content)
        return f"{_MARK}{len(texts) - 1}>>"
    if isinstance(content, dict):
        return {name: _marked(value, texts) for name, value in content.items()}
    return [_marked(part, texts) for part in content] if isinstance(content, (list, tuple)) else content


def _filled(body: Any, texts: list[str]) -> Any:
    """`body` with the texts in the places of their marks."""
    if isinstance(body, str) and _MARK in body:
        pieces = body.split(_MARK)
        for index, piece in enumerate(pieces[1:], 1):
            number, _, rest = piece.partition(">>")
            pieces[index] = texts[int(number)] + rest
        return "".join(pieces)
    if isinstance(body, dict):
        return {name: _filled(value, texts) for name, value in body.items()}
    return [_filled(item, texts) for item in body] if isinstance(body, list) else body


def _programs(config: LLMConfig, messages: Sequence[Message]) -> dict[str, str]:
    """The call as code, by language; LangChain does not speak every dialect."""
    programs = {}
    for language in codegen.LANGUAGES:
        try:
            programs[language] = codegen.code(config, messages, language)
        except AzmlError:  # noqa: PERF203 - three programs at most
            continue
    return programs


def _beginning(text: str, most: int) -> str:
    left_out = len(text) - most
    return f"{text[:most]}… ({left_out:,} characters left out)" if left_out > 0 else text


def _without_half_characters(kept: dict[str, Any]) -> dict[str, Any]:
    """`kept` without lone surrogates, which no message to a frontend can carry."""
    text = json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace").decode()
    cleaned: dict[str, Any] = json.loads(text)
    return cleaned
