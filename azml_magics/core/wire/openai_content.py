"""What stands in one choice of an OpenAI route, in chat (`message`, `delta`) and completions (`text`).

Sources: Azure AI Model Inference API and Azure OpenAI references; vLLM, which names the reasoning `reasoning`;
Mistral's content chunks; OpenAI's audio replies.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .tool_calls import from_function_call, normalize_tool_calls


class Content(NamedTuple):
    """What stands in one choice.

    Attributes:
        text: The text, in which thoughts may stand as well.
        reasoning: Thoughts that come in a field of their own.
        tool_calls: Tool calls, or fragments of them.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()


def read_message(choice: dict[str, Any]) -> Content | None:
    """Return what stands in a chat's choice, in its `message` or `delta`; None if it has neither."""
    message = choice.get("message") or choice.get("delta")
    if not isinstance(message, dict):
        return Content("") if "delta" in choice or "message" in choice else None
    content = message.get("content")
    if len(message) == 1 and isinstance(content, str):  # nearly every event of a stream
        return Content(content)
    reasoning, text = _read_parts(content)
    audio = message.get("audio")
    transcript = audio.get("transcript") if isinstance(audio, dict) else None
    return Content(
        text or extract_text(message.get("refusal")) or extract_text(transcript),
        extract_reasoning(message) or reasoning,
        normalize_tool_calls(message.get("tool_calls")) or from_function_call(message.get("function_call")),
    )


def read_completion(choice: dict[str, Any]) -> Content | None:
    """Return what stands in a completion's choice, in its `text`; None if it has none."""
    return Content(extract_text(choice["text"]), extract_reasoning(choice)) if "text" in choice else None


def extract_text(content: Any) -> str:
    """Return a text, or the texts of content parts; thoughts among them are left out."""
    return _read_parts(content)[1]


def extract_reasoning(message: dict[str, Any]) -> str:
    """Return the text of a message's `reasoning_content`, or of its `reasoning`."""
    return "".join(_read_parts(message.get("reasoning_content") or message.get("reasoning")))


def _read_parts(content: Any) -> tuple[str, str]:
    """Return the thoughts and the text of a content: a text, or a list of parts with a type."""
    if isinstance(content, str):
        return "", content
    if isinstance(content, list):
        pairs = [_read_parts(part) for part in content if isinstance(part, (str, dict))]
        return "".join(reasoning for reasoning, _ in pairs), "".join(text for _, text in pairs)
    if not isinstance(content, dict):
        return "", ""
    if content.get("type") in {"thinking", "reasoning"}:
        return "".join(_read_parts(content.get("thinking") or content.get("text"))), ""
    text = content.get("text") or content.get("refusal")
    return "", text if isinstance(text, str) else ""
