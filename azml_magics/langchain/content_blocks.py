"""LangChain's content blocks -> the content parts of a chat request.

Supported: the content parts of OpenAI's chat API (text, image_url, input_audio, audio_url, video_url, file),
LangChain's standard blocks of both versions (`source_type`/`data` of 0.3, `base64`/`url`/`file_id` of 1.x) and
Anthropic's `source` form.

Sources: LangChain's content block documentation; Azure AI "use multimodal models"; OpenAI and vLLM chat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Iterable

ContentPart = dict[str, Any]
# ContentParts of a response that are not sent back; tool calls have a field of their own.
_NOT_SENT_BACK = {
    *("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"),
    *("server_tool_call", "server_tool_call_chunk", "server_tool_result"),
    *("thinking", "redacted_thinking", "reasoning", "reasoning_content", "refusal"),
}
_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-m4a": "m4a", "mp4": "m4a"}
_FILE_NAMES = {"application/pdf": "document.pdf", "text/plain": "document.txt"}


def to_content_parts(content: str | Iterable[Any], *, spoken: bool = False) -> str | list[ContentPart]:
    """Convert the content of a LangChain message to content parts.

    Args:
        content: A text, or a list of texts and content blocks.
        spoken: Whether a model or a tool wrote it: texts are joined; tool calls and reasoning are left out.

    Returns:
        The text, if there is nothing else, or a list of content parts.

    Raises:
        PromptError: A block cannot be sent.
    """
    if isinstance(content, str):
        return content
    parts = [_convert_block(block, spoken=spoken) for block in content]
    kept = [part for part in parts if part is not None]
    if all(part["type"] == "text" for part in kept) and (spoken or len(kept) <= 1):
        return "".join(part["text"] for part in kept)
    return kept


def _convert_block(block: Any, *, spoken: bool) -> ContentPart | None:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(kind, str):
        raise PromptError(
            f"A message's content holds {_describe(block)}, which is not a content block",
            remedy='Use texts, or dicts with a "type", such as {"type": "text", "text": "…"}.',
        )
    if kind in _NOT_SENT_BACK and spoken:
        return None
    convert = _CONVERTERS.get(kind)
    return convert(block) if convert else dict(block)  # unknown kinds are sent as written: models define their own


def _convert_text(block: ContentPart) -> ContentPart:
    text = {"type": "text", "text": str(block.get("text") or "")}
    return {**text, "cache_control": block["cache_control"]} if block.get("cache_control") else text  # Anthropic's


def _convert_image_url(block: ContentPart) -> ContentPart:
    image = block.get("image_url")
    return {"type": "image_url", "image_url": {"url": image} if isinstance(image, str) else image}


def _convert_image(block: ContentPart) -> ContentPart:
    url = _get_url(block)
    if url is None:
        raise _unsendable_block(block, "an image needs a url, or base64 with a mime_type")
    image = {"url": url}
    detail = block.get("detail") or (block.get("extras") or {}).get("detail")
    return {"type": "image_url", "image_url": {**image, "detail": detail} if detail else image}


def _convert_audio(block: ContentPart) -> ContentPart:
    data, mime = _get_base64(block)
    if data is not None:
        subtype = mime.partition("/")[2]
        return {
            "type": "input_audio",
            "input_audio": {"data": data, "format": _AUDIO_FORMATS.get(subtype, subtype or "wav")},
        }
    url = _get_url(block)
    if url is None:
        raise _unsendable_block(block, "audio needs a url, or base64 with a mime_type")
    return {"type": "audio_url", "audio_url": {"url": url}}


def _convert_video(block: ContentPart) -> ContentPart:
    url = _get_url(block)
    if url is None:
        raise _unsendable_block(block, "a video needs a url, or base64 with a mime_type")
    return {"type": "video_url", "video_url": {"url": url}}


def _convert_file(block: ContentPart) -> ContentPart:
    if isinstance(block.get("file"), dict):  # already in OpenAI's form
        return {"type": "file", "file": block["file"]}
    identity = block.get("file_id") or (block.get("id") if block.get("source_type") == "id" else None)
    if identity:
        return {"type": "file", "file": {"file_id": identity}}
    if block.get("source_type") == "text":
        return {"type": "text", "text": str(block.get("text") or block.get("data") or "")}
    url = _get_url(block)
    if url is None:
        raise _unsendable_block(block, "a file needs a url, base64 with a mime_type, or a file_id")
    mime = _get_base64(block)[1]
    extras = {**(block.get("extras") or {}), **(block.get("metadata") or {})}
    name = block.get("filename") or extras.get("filename") or _FILE_NAMES.get(mime, "document")
    return {"type": "file", "file": {"filename": name, "file_data": url}}


def _convert_plain_text(block: ContentPart) -> ContentPart:
    if not isinstance(block.get("text"), str):
        raise _unsendable_block(block, "a text-plain block needs its text")
    return {"type": "text", "text": block["text"]}


def _convert_non_standard(block: ContentPart) -> ContentPart:
    value = block.get("value")
    if not isinstance(value, dict):
        raise _unsendable_block(block, "a non_standard block needs a dict under value")
    return dict(value)


_CONVERTERS = {
    "text": _convert_text,
    "image_url": _convert_image_url,
    "image": _convert_image,
    "audio": _convert_audio,
    "video": _convert_video,
    "file": _convert_file,
    "text-plain": _convert_plain_text,
    "non_standard": _convert_non_standard,
}


def _get_base64(block: ContentPart) -> tuple[str | None, str]:
    """Return the base64 text of a block and its media type, or (None, "")."""
    source = block.get("source")
    if isinstance(source, dict):  # Anthropic
        return source.get("data"), str(source.get("media_type") or "")
    data = block.get("base64") or (block.get("data") if block.get("source_type", "base64") == "base64" else None)
    return (data, str(block.get("mime_type") or "")) if isinstance(data, str) else (None, "")


def _get_url(block: ContentPart) -> str | None:
    """Return the URL of a block's content: its url, or a data URL of its base64."""
    source = block.get("source")
    url = source.get("url") if isinstance(source, dict) else block.get("url")
    if isinstance(url, str) and url:
        return url
    data, mime = _get_base64(block)
    return f"data:{mime};base64,{data}" if data and mime else None


def _unsendable_block(block: ContentPart, why: str) -> PromptError:
    return PromptError(f"A content block of type {block['type']!r} cannot be sent: {why}")


def _describe(block: Any) -> str:
    return f"a dict without a type: {sorted(map(str, block))[:5]}" if isinstance(block, dict) else type(block).__name__
