"""LangChain's content blocks -> the content parts of a chat request.

Understood are the parts of the wire itself (text, image_url, input_audio, audio_url, video_url, file), LangChain's
standard blocks of both generations (`source_type`/`data` of 0.3, `base64`/`url`/`file_id` of 1.x) and Anthropic's
`source` form. Sources: LangChain's content block documentation; Azure AI "use multimodal models"; OpenAI and vLLM chat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Iterable

Part = dict[str, Any]
# What a model said beside its words: it is not sent back (tool calls travel in a field of their own).
_NOT_SENT = {
    *("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"),
    *("server_tool_call", "server_tool_call_chunk", "server_tool_result"),
    *("thinking", "redacted_thinking", "reasoning", "reasoning_content", "refusal"),
}
_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-m4a": "m4a", "mp4": "m4a"}
_FILE_NAMES = {"application/pdf": "document.pdf", "text/plain": "document.txt"}


def to_parts(content: str | Iterable[Any], *, spoken: bool = False) -> str | list[Part]:
    """`content` for the wire: a text stays as it is, blocks become parts, a lone text part becomes its text.

    spoken: it is what the model or a tool said; texts are joined, and calls and thoughts among them are left out.
    PromptError where a block cannot be sent.
    """
    if isinstance(content, str):
        return content
    parts = [_part(block, spoken=spoken) for block in content]
    kept = [part for part in parts if part is not None]
    if all(part["type"] == "text" for part in kept) and (spoken or len(kept) <= 1):
        return "".join(part["text"] for part in kept)
    return kept


def _part(block: Any, *, spoken: bool) -> Part | None:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(kind, str):
        raise PromptError(
            f"A message's content holds {_shown(block)}, which is no content block",
            remedy='Use texts, or dicts with a "type", such as {"type": "text", "text": "…"}.',
        )
    if kind in _NOT_SENT and spoken:
        return None
    convert = _CONVERTERS.get(kind)
    return convert(block) if convert else dict(block)  # a part of the model's own kind goes out as written


def _text(block: Part) -> Part:
    return {"type": "text", "text": str(block.get("text") or "")}


def _image_url(block: Part) -> Part:
    image = block.get("image_url")
    return {"type": "image_url", "image_url": {"url": image} if isinstance(image, str) else image}


def _image(block: Part) -> Part:
    url = _url(block)
    if url is None:
        raise _cannot(block, "an image needs a url, or base64 with a mime_type")
    image = {"url": url}
    detail = block.get("detail") or (block.get("extras") or {}).get("detail")
    return {"type": "image_url", "image_url": {**image, "detail": detail} if detail else image}


def _audio(block: Part) -> Part:
    data, mime = _data(block)
    if data is not None:
        subtype = mime.partition("/")[2]
        return {
            "type": "input_audio",
            "input_audio": {"data": data, "format": _AUDIO_FORMATS.get(subtype, subtype or "wav")},
        }
    url = _url(block)
    if url is None:
        raise _cannot(block, "audio needs a url, or base64 with a mime_type")
    return {"type": "audio_url", "audio_url": {"url": url}}


def _video(block: Part) -> Part:
    url = _url(block)
    if url is None:
        raise _cannot(block, "a video needs a url, or base64 with a mime_type")
    return {"type": "video_url", "video_url": {"url": url}}


def _file(block: Part) -> Part:
    if isinstance(block.get("file"), dict):  # the wire's own form
        return {"type": "file", "file": block["file"]}
    identity = block.get("file_id") or (block.get("id") if block.get("source_type") == "id" else None)
    if identity:
        return {"type": "file", "file": {"file_id": identity}}
    if block.get("source_type") == "text":
        return {"type": "text", "text": str(block.get("text") or block.get("data") or "")}
    data, mime = _data(block)
    if data is None:
        raise _cannot(block, "a file needs base64 with a mime_type, or a file_id")
    extras = {**(block.get("extras") or {}), **(block.get("metadata") or {})}
    name = block.get("filename") or extras.get("filename") or _FILE_NAMES.get(mime, "document")
    return {"type": "file", "file": {"filename": name, "file_data": f"data:{mime};base64,{data}"}}


def _plain_text(block: Part) -> Part:
    if not isinstance(block.get("text"), str):
        raise _cannot(block, "a text-plain block needs its text")
    return {"type": "text", "text": block["text"]}


def _non_standard(block: Part) -> Part:
    value = block.get("value")
    if not isinstance(value, dict):
        raise _cannot(block, "a non_standard block needs a dict under value")
    return dict(value)


_CONVERTERS = {
    "text": _text,
    "image_url": _image_url,
    "image": _image,
    "audio": _audio,
    "video": _video,
    "file": _file,
    "text-plain": _plain_text,
    "non_standard": _non_standard,
}


def _data(block: Part) -> tuple[str | None, str]:
    """The base64 text of a block and its media type, or (None, "")."""
    source = block.get("source")
    if isinstance(source, dict):  # Anthropic
        return source.get("data"), str(source.get("media_type") or "")
    data = block.get("base64") or (block.get("data") if block.get("source_type", "base64") == "base64" else None)
    return (data, str(block.get("mime_type") or "")) if isinstance(data, str) else (None, "")


def _url(block: Part) -> str | None:
    """The address of a block's content: its url, or a data URL of its base64."""
    source = block.get("source")
    url = source.get("url") if isinstance(source, dict) else block.get("url")
    if isinstance(url, str) and url:
        return url
    data, mime = _data(block)
    return f"data:{mime};base64,{data}" if data and mime else None


def _cannot(block: Part, why: str) -> PromptError:
    return PromptError(f"A content block of type {block['type']!r} cannot be sent: {why}")


def _shown(block: Any) -> str:
    return f"a dict without a type: {sorted(map(str, block))[:5]}" if isinstance(block, dict) else type(block).__name__
