"""%%azureml $agent with the agents of LangChain 1.x and graphs of LangGraph."""

from __future__ import annotations

import re

import pytest

from .conftest import CHECKOUT

pytestmark = pytest.mark.real_component

# Runs cells in IPython; the model is our chat class on the embedded endpoint.
CELLS = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from typing_extensions import TypedDict
from azml_magics.emulator import Emulator
from azml_magics.langchain import AzureMLChatOnlineEndpoint

@tool
def look_up(word: str) -> str:
    "Look up a word."
    return f"{word} is kind"

@tool
def fail(word: str) -> str:
    "Fail."
    raise ValueError("no network")

@tool(return_direct=True)
def direct(word: str) -> str:
    "Return at once."
    return f"{word} directly"

class Question(TypedDict, total=False):
    question: str
    answer: str

def graph(state, node):
    made = StateGraph(state)
    made.add_node("a", node)
    made.add_edge(START, "a")
    made.add_edge("a", END)
    return made.compile()

shell = InteractiveShell.instance()
shell.kernel = None  # as in a notebook
shell.run_line_magic("load_ext", "azml_magics")
endpoint = Emulator().__enter__()
model = AzureMLChatOnlineEndpoint(endpoint_url=endpoint.url + "/v1/chat/completions", endpoint_api_key=endpoint.key)
agent = create_agent(model, [look_up])

def cell(thing, line="", body="Use look_up for the word dear."):
    shell.user_ns["agent"] = thing
    with capture_output() as captured:
        done = shell.run_cell(f"%%azureml $agent {line}\\n{body}" if body else f"%azureml $agent {line}")
    error = done.error_before_exec or done.error_in_exec
    if error is not None:
        return {"error": error._render_traceback_()}
    response = done.result
    data, _ = shell.display_formatter.format(response)
    return {
        "text": response.text, "tokens": response.usage and response.usage.total_tokens, "model": response.model,
        "runs": [[run.name, run.result, run.is_error] for run in response.tool_runs], "notices": response.notices,
        "markdown": data["text/markdown"], "parsed": response.parsed,
        "shown": [output.data.get("text/plain", "") for output in captured.outputs],
    }
"""


@pytest.fixture
def cells(run_tool):
    """`cells(code)` runs code after CELLS and returns its `out`."""
    return lambda code: run_tool("mlflow", CELLS + code)


def test_agent_streams_shows_calls_and_sums_usage(cells):
    out = cells("""
from azml_magics.notebook import runnable_stream
show, pieces = runnable_stream.show_chunk, []
runnable_stream.show_chunk = lambda live, chunk: (pieces.append(chunk.text), show(live, chunk))
out = cell(agent, body='Use look_up for the word "dear".')
out["pieces"] = [piece for piece in pieces if piece]
""")
    assert out["text"] == "".join(out["pieces"]) == "look_up returned: dear is kind."
    assert len(out["pieces"]) > 3, "token by token"
    assert out["runs"] == [["look_up", "dear is kind", False]]
    assert out["tokens"] > 50, "26 of the first request, 34 of the second"
    assert out["model"] == "azml-magics-demo"
    assert out["markdown"].index("→ dear is kind") < out["markdown"].index("look_up returned")
    assert any(text.endswith('look_up(word="dear") …') for text in out["shown"]), "while the tool runs"


def test_thread_goes_on_with_the_checkpointer(cells):
    out = cells("""
kept = create_agent(model, [look_up], checkpointer=InMemorySaver())
out = {"unnamed": cell(kept, body="Hello"), "first": cell(kept, "--thread 1", "Name a river.")}
cell(kept, "--thread 1", "And a lake?")
out["sent"] = [message["role"] for message in endpoint.requests[-1].json()["messages"]]
cell(kept, "--thread 2", "Name a river.")
out["other"] = len(endpoint.requests[-1].json()["messages"])
out["bound"] = cell(kept.with_config(configurable={"thread_id": "1"}), body="And a sea?")
out["bound_sent"] = len(endpoint.requests[-1].json()["messages"])
out["none"] = cell(agent, "--thread 1", "Hello")
""")
    assert "keeps what was said by thread. Name one: --thread 1" in out["unnamed"]["error"][0]
    assert out["sent"] == ["user", "assistant", "user"]
    assert (out["other"], out["bound_sent"]) == (1, 5)
    assert "keeps none. Make it with checkpointer=InMemorySaver()" in out["none"]["error"][0]


def test_graphs_without_messages_are_named_in_one_line(cells):
    out = cells("""
other = graph(Question, lambda state: {"answer": state["question"].upper()})
out = {"body": cell(other), "given": cell(other, "--var question=why", ""), "silent": cell(graph(MessagesState, lambda _: None))}
""")
    assert "is a graph without messages: its state has question, answer" in out["body"]["error"][0]
    assert out["given"]["parsed"] == {"question": "why", "answer": "WHY"}
    assert "has no messages" in out["given"]["notices"][0]
    assert out["silent"]["notices"] == ["$agent ended without a message of its own."]


def test_tools_that_fail_wait_or_return_directly(cells):
    out = cells("""
middle = [HumanInTheLoopMiddleware(interrupt_on={"look_up": True})]
waits = create_agent(model, [look_up], checkpointer=InMemorySaver(), middleware=middle)
prompt = 'Use {} for the word "dear".'
out = {
    "failed": cell(create_agent(model, [fail]), body=prompt.format("fail")),
    "waits": cell(waits, "--thread 1", prompt.format("look_up")),
    "direct": cell(create_agent(model, [direct]), body=prompt.format("direct")),
    "limited": cell(agent.with_config(recursion_limit=2), body=prompt.format("look_up")),
    "retried": cell(agent.with_retry(), body=prompt.format("look_up")),
}
""")
    assert out["failed"]["error"] == ["RunnableError: ValueError: no network (config '$agent')."]
    assert 'waits for a decision: look_up({"word": "dear"})' in out["waits"]["notices"][0]
    assert out["direct"]["text"] == "dear directly"
    assert "GraphRecursionError: Recursion limit of 2 reached" in out["limited"]["error"][0]
    assert out["retried"]["runs"] == [["look_up", "dear is kind", False]]


def test_agent_with_checkpointer_takes_rows(cells):
    out = cells("""
from azml_magics import map_rows
kept = create_agent(model, [look_up], checkpointer=InMemorySaver())
rows = map_rows(kept, 'Use look_up for the word "{word}".', [{"word": "dear"}, {"word": "sea"}])
out = [[row["text"], row["error"]] for row in rows]
""")
    assert out == [["look_up returned: dear is kind.", None], ["look_up returned: sea is kind.", None]]


def test_documented_agent_runs_and_keeps_its_thread(cells):
    page = (CHECKOUT / "docs" / "how-to" / "langchain.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (code,) = (block for block in blocks if "create_agent" in block)
    out = cells(f"chat = model\n{code}\nout = cell(agent, '--thread 1', 'Use get_weather for Lisbon.')")
    assert out["runs"][0][0] == "get_weather"
    assert "It is sunny in " in out["runs"][0][1]


def test_bound_tools_show_their_calls(cells):
    out = cells("out = cell(model.bind_tools([look_up]), body='Use look_up for the word \"dear\".')")
    assert 'look_up(word="dear")' in out["markdown"]
