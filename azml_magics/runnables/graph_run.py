"""A run of a LangGraph graph, such as an agent: pieces of text, tool calls and results as they come, and its state.

The graph's stream has three kinds of events, which langgraph calls modes: "messages" are pieces of what its models say,
"updates" what each node returns, "values" the whole state after each step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.response import Chunk, Response
from ..core.text import one_line
from .agent_messages import ToolRuns, agent_facts, is_of_model, is_of_tool
from .outputs import as_data, as_json, is_conversation, messages_in, piece_text, reasoning_text

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM_MODES = ["messages", "updates", "values"]
_INTERRUPT = "__interrupt__"
_GAP = "\n\n"


class GraphRun:
    """Reads the events of one run.

    Args:
        name: What messages call the graph.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._state: Any = None
        self._waits_for: tuple[Any, ...] = ()
        self._earlier: set[Any] = set()  # ids of the messages before the run
        self._new: dict[Any, Any] = {}  # what the nodes returned: message by id
        self._tool_runs = ToolRuns()
        self._current, self._texts = "", {"": ""}  # the id of the message that arrives, and the texts by id
        self._after_text = False

    def read(self, event: tuple[str, Any]) -> Iterator[Chunk]:
        """Take one event, and yield what a reader sees of it."""
        mode, data = event
        if mode == "messages":
            yield from self._read_piece(data[0])
        elif mode == "updates":
            yield from self._read_update(data)
        else:
            if self._state is None:
                self._earlier = {_key(message) for message in messages_in(data)}
            self._state = data

    def _read_piece(self, piece: Any) -> Iterator[Chunk]:
        if not is_of_model(piece):
            return
        key = _key(piece)
        if piece.type == "ai" and self._texts.get(key):  # the whole message, of which all pieces came
            return
        text, thoughts = piece_text(piece), reasoning_text(piece)
        if not text and not thoughts:
            return
        gap = _GAP if text and self._after_text and key != self._current else ""
        if text:
            self._current, self._after_text = key, True
            self._texts[key] = self._texts.get(key, "") + text
        yield Chunk(text=gap + text, reasoning=thoughts)

    def _read_update(self, update: Any) -> Iterator[Chunk]:
        if isinstance(update, dict) and _INTERRUPT in update:
            self._waits_for = tuple(update[_INTERRUPT])
            return
        for message in messages_in(update):
            key = _key(message)
            if key in self._earlier or key in self._new or not (is_of_model(message) or is_of_tool(message)):
                continue
            self._new[key] = message
            for run in self._tool_runs.read(message):
                self._after_text = False
                yield Chunk(tool_run=run)

    def has_shown(self, text: str) -> bool:
        """Whether the pieces of a text have come; if not, its reader sees it at the end."""
        return not text or self._texts.get(self._current) == text

    def to_response(self, *, is_whole: bool = True, **facts: Any) -> Response:
        """Return the run as a Response: the last message if the state has messages, else the state as JSON.

        Args:
            is_whole: Whether the run has ended by itself; else the text is what has arrived of the next message.
            **facts: Further fields.
        """
        if not is_whole:
            text = "" if self._current in self._new else self._texts[self._current]
            return Response(**{**agent_facts(self._new.values(), is_whole=False), **facts, "text": text})
        state = {name: part for name, part in self._state.items() if name != _INTERRUPT} if self._has_state else None
        if state is not None and not is_conversation(state.get("messages")):
            return self._state_response(state, facts)
        told = agent_facts(self._new.values())
        parsed = state.get("structured_response") if state is not None else None
        if parsed is not None:
            told |= {"text": as_json(parsed), "parsed": parsed, "format": "json"}
        return Response(**{**told, **facts}, notices=self._notices())

    @property
    def _has_state(self) -> bool:
        return isinstance(self._state, dict)

    def _state_response(self, state: dict[str, Any], facts: dict[str, Any]) -> Response:
        told = agent_facts(self._new.values())
        told |= {"text": as_json(state), "parsed": as_data(state), "format": "json", "tool_calls": ()}
        names = one_line(", ".join(state), 200) or "nothing"
        notice = f"The state of {self._name} has no messages; this is the state: {names}."
        return Response(**{**told, **facts}, notices=(notice, *self._notices()))

    def _notices(self) -> tuple[str, ...]:
        waits = [one_line(_shown(getattr(each, "value", each)), 200) for each in self._waits_for]
        go_on = "Go on in Python, with the same thread_id: invoke(Command(resume=…), config)."
        notices = [f"{self._name} waits for a decision: {each}. {go_on}" for each in waits]
        if self._has_state and not self._new and not notices and "messages" in self._state:
            notices.append(f"{self._name} ended without a message of its own.")
        return tuple(notices)


def _shown(value: Any) -> str:
    """What a graph waits for: the calls that somebody has to allow, or any value."""
    requests = value.get("action_requests") if isinstance(value, dict) else None
    if not isinstance(requests, list):
        return piece_text(value)
    return ", ".join(f"{each.get('name')}({as_json(each.get('args'))})" for each in requests)


def _key(message: Any) -> Any:
    return getattr(message, "id", None) or id(message)
