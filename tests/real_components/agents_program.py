"""Sends rows to agents of LangChain and prints what came of it as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from pydantic import BaseModel

from azml_magics import map_rows
from azml_magics.errors import AzmlError

ROWS = [{"letter": "Dear all", "n": 1}, {"letter": "Go away", "n": 2}]
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
calls: list[str] = []


class Mood(BaseModel):
    """A mood."""

    mood: str


@tool
def look_up(word: str) -> str:
    """Look up a word."""
    calls.append(word)
    return f"{word} is kind"


class Model(GenericFakeChatModel):
    """Calls the tool with the first word of the question, then repeats what the tool said."""

    messages: Any = iter(())
    final: str = ""

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self.model_copy(update={"final": next((t.name for t in tools if t.name == "Mood"), "")})

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        last = messages[-1]
        if not isinstance(last, ToolMessage):
            call = {"name": "look_up", "args": {"word": str(last.content).split()[0]}, "id": "1"}
            answer = AIMessage("", tool_calls=[call], usage_metadata=USAGE)
        elif self.final:
            answer = AIMessage("", tool_calls=[{"name": self.final, "args": {"mood": "kind"}, "id": "2"}])
        else:
            answer = AIMessage(f"Answer: {last.content}", usage_metadata=USAGE)
        return ChatResult(generations=[ChatGeneration(message=answer)])


agent = create_agent(Model(), [look_up])
prompted = map_rows(agent, "{letter}, and so on", ROWS)
by_function = map_rows(agent, lambda row: {"messages": [("user", f"Number {row['n']}")]}, ROWS)
structuring = create_agent(Model(), [look_up], response_format=Mood)
structured = map_rows(structuring, "{letter}", ROWS)
checked = map_rows(structuring, "{letter}", ROWS, schema=Mood)
before = len(calls)
try:
    refused = map_rows(agent, "{letter}", ROWS, journal="run.jsonl")
except AzmlError as error:
    refused = str(error)
named = agent.with_config(run_name="letters-1")
for _ in range(2):
    again = map_rows(named, "{letter}", ROWS, journal="run.jsonl")
out = {
    "prompted": [row["text"] for row in prompted],
    "tokens": prompted[0]["prompt_tokens"],
    "by_function": [row["text"] for row in by_function],
    "structured": [structured[0]["parsed"], checked[0]["mood"]],
    "errors": [row["error"] for row in (*prompted, *by_function, *structured, *again) if row["error"]],
    "refused": refused,
    "asked": len(calls) - before,
}
sys.stdout.write(json.dumps(out) + "\n")
