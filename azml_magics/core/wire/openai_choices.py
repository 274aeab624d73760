"""Reads OpenAI's list of choices, whole and streamed.

Sources: Azure AI Model Inference API and Azure OpenAI references; vLLM.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, ResponseFormatError
from ..response import Chunk, Response, Usage
from .completeness import check_not_empty
from .event_reader import EventReader
from .events import is_done, parse_event
from .failures import (
    is_error_object,
    is_filtered,
    make_embedded_error,
    make_missing_text_error,
    raise_if_filtered,
)
from .filters import parse_prompt_verdicts, parse_verdicts
from .openai_content import Content, extract_text, read_message
from .reasoning import ReasoningSplitter, split_reasoning

if TYPE_CHECKING:
    from collections.abc import Callable

    from .sse import Event

    ReadChoice = Callable[[dict[str, Any]], "Content | None"]


# ---- whole


def parse_choices(value: Any, read_choice: ReadChoice = read_message) -> Response:
    """Return the response in the choices of a decoded body; the first one, with `choices` if there are several.

    Args:
        value: The decoded body.
        read_choice: Returns what stands in a choice.

    Raises:
        ContentFilterError: The finish reason is the content filter's; `response` has the text up to there.
        ModelError: A choice reports a failure, or nothing is in any of them.
        ResponseFormatError: There is no choice, or nothing at the places of the format.
    """
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list):
        raise make_missing_text_error(value)
    found = {_index_of(choice, at): choice for at, choice in enumerate(choices) if isinstance(choice, dict)}
    if not found:
        raise ResponseFormatError("The response has no choices", remedy="Try again, then check the deployment's logs.")
    base = Response(
        "",
        raw=value,
        usage=Usage.from_wire(value.get("usage")),
        model=extract_text(value.get("model")),
        id=extract_text(value.get("id")),
    )
    prompt = parse_prompt_verdicts(value)
    responses = [_parse_choice(found[index], base, read_choice) for index in sorted(found)]
    responses = [replace(each, filters=(*prompt, *each.filters)) for each in responses]
    first = replace(responses[0], choices=tuple(responses) if len(responses) > 1 else ())
    if all(is_filtered(each.finish_reason) for each in responses):
        raise_if_filtered(first.finish_reason, first)
    check_not_empty(first)
    return first


def _parse_choice(choice: dict[str, Any], base: Response, read_choice: ReadChoice) -> Response:
    reason = extract_text(choice.get("finish_reason")) or None
    content = read_choice(choice)
    raise_for_failed_choice(choice, content)
    if content is None:
        if not is_filtered(reason):
            raise ResponseFormatError(
                "The response's choice has neither a message nor a text", remedy="Check the formatter and route."
            )
        content = Content("")
    reasoning, text = (content.reasoning, content.text) if content.reasoning else split_reasoning(content.text)
    return replace(
        base,
        text=text,
        reasoning=reasoning,
        tool_calls=content.tool_calls,
        finish_reason=reason,
        logprobs=choice.get("logprobs"),
        filters=parse_verdicts(choice.get("content_filter_results"), "completion"),
    )


def _index_of(choice: dict[str, Any], at: int) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else at


def raise_for_failed_choice(choice: dict[str, Any], content: Content | None) -> None:
    """Raise the failure that a choice reports: its error object, or the finish reason "error"."""
    if choice.get("error"):
        raise make_embedded_error({"error": choice["error"]})
    if choice.get("finish_reason") == "error":
        error = ModelError(
            "The model server failed while it generated the response (finish reason error)",
            remedy="Try again, then look at the deployment's logs.",
            status=200,
        )
        error.response = Response(content.text, finish_reason="error") if content and content.text else None
        raise error


# ---- streamed


class ChoicesEventReader(EventReader):
    """Reads events with choices. Those without them, such as pings and gateways' own, are metadata.

    Args:
        read_choice: Returns what stands in a choice.
    """

    def __init__(self, read_choice: ReadChoice = read_message) -> None:
        self._read_choice = read_choice
        self._splitters: dict[int, ReasoningSplitter] = {}
        self._finished: set[int] = set()

    def read(self, event: Event) -> Chunk | None:
        value = parse_event(event)
        if value is None:
            if is_done(event):
                self.is_over = self.is_complete = True
                return self.finish()
            return None
        choices = value.get("choices")
        if isinstance(choices, dict):
            choices = [choices]
        if isinstance(choices, list) and choices:
            chunks = [
                self._read_one(choice, at, value) for at, choice in enumerate(choices) if isinstance(choice, dict)
            ]
        else:
            if choices is None and is_error_object(value):
                raise make_embedded_error(value)
            chunks = [_read_metadata(value)]
        if self._finished:
            self.is_complete = self._finished.issuperset(self._splitters)
        return _join([chunk for chunk in chunks if _has_anything(chunk)])

    def finish(self) -> Chunk | None:
        rests = [(index, splitter.finish()) for index, splitter in self._splitters.items()]
        chunks = [Chunk(rest.text, rest.reasoning, index=at, retracts=rest.retracts) for at, rest in rests]
        return _join([chunk for chunk in chunks if chunk.text or chunk.reasoning])

    def _read_one(self, choice: dict[str, Any], at: int, value: dict[str, Any]) -> Chunk:
        """Return what a choice adds; the first of an event also has what the event says beside its choices."""
        index = _index_of(choice, at)
        content = self._read_choice(choice) or _NOTHING
        reason = choice.get("finish_reason")
        if reason == "error" or "error" in choice:
            raise_for_failed_choice(choice, None)
        splitter = self._splitters.get(index)
        if splitter is None:
            splitter = self._splitters[index] = ReasoningSplitter()
        if content.reasoning:
            splitter.stop()
        piece = splitter.feed(content.text)
        if reason:
            piece = piece.then(splitter.finish())
            self._finished.add(index)
        results = choice.get("content_filter_results")
        usage = value.get("usage")
        return Chunk(
            piece.text,
            content.reasoning + piece.reasoning,
            content.tool_calls,
            Usage.from_wire(usage) if usage and at == 0 else None,
            extract_text(reason) or None if reason else None,
            choice.get("logprobs"),
            _text(value.get("model")),
            index,
            (*parse_prompt_verdicts(value), *parse_verdicts(results, "completion")),
            retracts=piece.retracts,
            id=_text(value.get("id")),
        )


_NOTHING = Content("")


def _read_metadata(value: dict[str, Any]) -> Chunk:
    """Return what an event without choices adds: usage, the model, verdicts on the prompt."""
    usage, model = Usage.from_wire(value.get("usage")), _text(value.get("model"))
    return Chunk(usage=usage, model=model, filters=parse_prompt_verdicts(value))


def _has_anything(chunk: Chunk) -> bool:
    return bool(
        chunk.text
        or chunk.reasoning
        or chunk.tool_calls
        or chunk.finish_reason
        or chunk.usage
        or chunk.model
        or chunk.filters
        or chunk.logprobs
        or chunk.retracts
    )


def _join(chunks: list[Chunk]) -> Chunk | None:
    """Return the chunks of one event as one; None if there are none."""
    if len(chunks) <= 1:
        return chunks[0] if chunks else None
    return replace(chunks[0], others=tuple(chunks[1:]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
