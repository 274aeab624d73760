"""Responses objects and their output items."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import chat_messages
from azml_magics.emulator.content_filters import filter_groups
from azml_magics.emulator.responses_input import ENCRYPTED

if TYPE_CHECKING:
    from azml_magics.emulator.generated_choice import GeneratedChoice
    from azml_magics.emulator.responses_request import ResponsesRequest

_SECONDS = 3
"""What a response is said to take."""


@dataclass(frozen=True)
class MadeResponse:
    """A response that was made.

    Attributes:
        id: The part of all its ids that differs from response to response.
        request: What was asked for.
        choice: Its reasoning, text and tool calls.
        created: When, in seconds.
    """

    id: str
    request: ResponsesRequest
    choice: GeneratedChoice
    created: int

    @classmethod
    def now(cls, request_id: str, request: ResponsesRequest, choice: GeneratedChoice) -> MadeResponse:
        """Return the response to the request with that id, made now."""
        return cls(request_id.replace("-", ""), request, choice, int(time.time()))

    @property
    def status(self) -> str:
        """ "completed", or "incomplete" if the limit cut it."""
        return "incomplete" if self.choice.finish_reason == "length" else "completed"

    def items(self) -> list[dict[str, Any]]:
        """Return the output items: reasoning, then tool calls or the message."""
        items = [self.reasoning_item()] if self.request.reasons else []
        items += [self.call_item(at) for at in range(len(self.choice.calls))]
        if not self.choice.calls and self.choice.parts:
            items.append(self.message_item())
        return items

    def reasoning_item(self) -> dict[str, Any]:
        """Return the reasoning: its summary if one was asked for, encrypted too if that was."""
        item: dict[str, Any] = {"id": f"rs_{self.id}", "type": "reasoning", "summary": []}
        if self.request.summary and self.choice.reasoning:
            item["summary"] = [{"type": "summary_text", "text": self.choice.reasoning}]
        if self.request.includes_encrypted_reasoning:
            item["encrypted_content"] = f"{ENCRYPTED}{self.id}"
        return item

    def call_item(self, at: int) -> dict[str, Any]:
        """Return tool call number `at`."""
        call = self.choice.calls[at]
        return {
            "id": f"fc_{self.id}{at}",
            "type": "function_call",
            "status": "completed",
            "call_id": call["id"],
            "name": call["function"]["name"],
            "arguments": call["function"]["arguments"],
        }

    def message_item(self) -> dict[str, Any]:
        """Return the message."""
        return {
            "id": f"msg_{self.id}",
            "type": "message",
            "status": self.status,
            "role": "assistant",
            "content": [self.content_part(self.choice.text)],
        }

    def content_part(self, text: str) -> dict[str, Any]:
        """Return the part of the message with `text` in it: output_text, or a refusal."""
        if self.choice.is_refusal:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}

    def response(self, status: str = "", items: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return the response object.

        Args:
            status: "queued" or "in_progress"; by default the status at the end.
            items: The output so far; by default all of it.
        """
        body, request = self.request.body, self.request
        status = status or self.status
        ended = status in ("completed", "incomplete")
        output = [] if not ended else self.items() if items is None else items
        given = body.get("text")
        text = given if isinstance(given, dict) else {}
        return {
            "id": f"resp_{self.id}",
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": request.is_background,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "max_tool_calls": None,
            "model": body["model"],
            "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            "previous_response_id": body.get("previous_response_id"),
            "reasoning": {"effort": request.effort, "summary": request.summary},
            "safety_identifier": None,
            "service_tier": "default",
            "store": request.is_stored,
            "temperature": float(body.get("temperature") or 1.0),
            "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [],
            "top_logprobs": 0,
            "top_p": float(body.get("top_p") or 1.0),
            "truncation": "disabled",
            "user": None,
            "metadata": body.get("metadata") or {},
            "output": output,
            "usage": self.usage() if ended else None,
            **(self._ends() if ended else {}),
        }

    def _ends(self) -> dict[str, Any]:
        """Return what Azure adds to a response at its end."""
        cache = {"prompt_cache_key": None, "prompt_cache_retention": None}
        return {"completed_at": self.created + _SECONDS, "content_filters": filter_groups(), **cache}

    def usage(self) -> dict[str, Any]:
        """Return the token counts."""
        given, made = chat_messages.count_prompt_tokens(self.request.messages), self.choice.tokens
        return {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": self.choice.reasoning_tokens},
            "total_tokens": given + made,
        }

    def message(self) -> dict[str, Any]:
        """Return the response as the chat message that a next turn continues."""
        return {"role": "assistant", "content": self.choice.text, "tool_calls": self.choice.calls}
