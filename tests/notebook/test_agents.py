"""%%azureml $agent: graphs of LangGraph, by the methods and events that langgraph's have.

The real ones are in tests/real_components/test_agents.py.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory

MIME = "application/vnd.azml.response.v1+json"
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
CALL = {"name": "look_up", "args": {"word": "sea"}, "id": "c1", "type": "tool_call"}
CONVERSATION = {"type": "object", "properties": {"messages": {"type": "array"}}}


class Graph:
    """Has what this package knows a graph by, and the events of one run."""

    def __init__(self, *events, checkpointer=None, schema=CONVERSATION):
        self.events, self.checkpointer, self.schema = events, checkpointer, schema
        self.given = self.config = None

    def get_state(self):
        raise NotImplementedError

    update_state = get_graph = get_state

    def get_input_jsonschema(self):
        return self.schema

    def invoke(self, given, config=None):
        raise NotImplementedError

    async def astream(self, given, config=None, *, stream_mode):
        assert stream_mode == ["messages", "updates", "values"]
        self.given, self.config = given, config
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


def piece(text, ident, **fields):
    return "messages", (AIMessageChunk(text, id=ident, **fields), {"langgraph_node": "model"})


ASKED = AIMessage("Let me look.", id="m1", tool_calls=[CALL], usage_metadata=USAGE)
FOUND = ToolMessage("salty", tool_call_id="c1", name="look_up", id="m2")
FINAL = AIMessage("It is salty.", id="m3", usage_metadata=USAGE, response_metadata={"model_name": "demo"})
PROMPT = HumanMessage("Why?", id="m0")
RUN = (
    ("values", {"messages": [PROMPT]}),
    piece("Let me", "m1"),
    piece(" look.", "m1"),
    ("updates", {"model": {"messages": [ASKED]}}),
    ("updates", {"tools": {"messages": [FOUND]}}),
    piece("It is ", "m3"),
    piece("salty.", "m3"),
    ("updates", {"model": {"messages": [FINAL]}}),
    ("values", {"messages": [PROMPT, ASKED, FOUND, FINAL]}),
)


@pytest.fixture
def run(notebook):
    """Run a graph in a cell."""

    def run(graph, line="", body="Why?"):
        notebook.vars["agent"] = graph
        return notebook.ok(f"%%azureml $agent {line}\n{body}" if body else f"%azureml $agent {line}")

    return run


@pytest.fixture
def refused(notebook):
    """The line that a cell with a graph shows."""

    def refused(graph, line="", body="Why?"):
        notebook.vars["agent"] = graph
        return notebook.refused(f"%%azureml $agent {line}\n{body}" if body else f"%azureml $agent {line}")

    return refused


def test_last_message_is_the_response_and_usage_is_summed(run):
    response = run(Graph(*RUN)).result
    assert response.text == "It is salty."
    assert response.usage.total_tokens == 10
    assert response.model == "demo"
    assert [(each.name, each.arguments, each.result) for each in response.tool_runs] == [
        ("look_up", '{"word": "sea"}', "salty")
    ]


def test_calls_and_results_are_lines_above_the_response(run):
    ran = run(Graph(*RUN))
    markdown = ran.data["text/markdown"]
    assert markdown.index("→ salty") < markdown.index("It is salty.")
    assert "Let me look." in markdown
    assert ran.data["text/plain"] == "It is salty."


def test_pieces_and_calls_are_shown_as_they_come(run):
    shown = [each.get("text/plain", "") for each in run(Graph(*RUN)).payloads]
    assert any(each.endswith('look_up(word="sea") …') for each in shown), "the call, before its result"


def test_messages_of_earlier_turns_do_not_count(run):
    earlier = AIMessage("Before.", id="e1", usage_metadata=USAGE)
    events = [("values", {"messages": [earlier, PROMPT]}), *RUN[1:-1]]
    events.append(("values", {"messages": [earlier, PROMPT, ASKED, FOUND, FINAL]}))
    events.insert(3, ("updates", {"model": {"messages": [earlier]}}))
    response = run(Graph(*events)).result
    assert response.usage.total_tokens == 10
    assert response.requests == 2


def test_prompt_goes_out_as_messages(run):
    graph = Graph(*RUN)
    run(graph, "-s Brief.")
    assert [(message.type, message.content) for message in graph.given["messages"]] == [
        ("system", "Brief."),
        ("human", "Why?"),
    ]


def test_conversation_keeps_calls_and_results(run):
    graph = Graph(*RUN)
    run(graph, "-c talk")
    run(graph, "-c talk", "And why?")
    assert [message.type for message in graph.given["messages"]] == ["human", "ai", "tool", "ai", "human"]


def test_failed_tool_is_shown_as_failed(run):
    failed = ToolMessage("Error: no network", tool_call_id="c1", status="error", id="m2")
    events = [*RUN[:4], ("updates", {"tools": {"messages": [failed]}}), *RUN[5:]]
    assert run(Graph(*events)).result.tool_runs[0].is_error


def test_result_of_a_tool_that_returns_directly_is_the_response(run):
    events = [*RUN[:5], ("values", {"messages": [PROMPT, ASKED, FOUND]})]
    assert run(Graph(*events)).result.text == "salty"


def test_structured_response_is_the_object(run):
    events = [*RUN[:-1], ("values", {"messages": [PROMPT, FINAL], "structured_response": {"taste": "salty"}})]
    response = run(Graph(*events)).result
    assert response.parsed == {"taste": "salty"}
    assert response.format == "json"


def test_error_keeps_what_had_arrived(notebook):
    notebook.vars["agent"] = Graph(*RUN[:5], ValueError("no more"))
    error = notebook.run("%%azureml $agent\nWhy?").error
    assert "ValueError: no more (config '$agent')" in str(error)
    assert error.response.text == ""
    assert error.response.tool_runs[0].result == "salty"


def test_error_keeps_the_text_that_had_arrived(notebook):
    notebook.vars["agent"] = Graph(*RUN[:6], ValueError("no more"))
    response = notebook.run("%%azureml $agent\nWhy?").error.response
    assert response.text == "It is "
    assert response.usage.total_tokens == 5
    assert [step["role"] for step in response.steps] == ["assistant", "tool"]


def test_graph_that_waits_says_for_what(run):
    waits = SimpleNamespace(value={"action_requests": [{"name": "look_up", "args": {"word": "sea"}}]})
    events = [*RUN[:4], ("updates", {"__interrupt__": (waits,)}), ("values", {"messages": [PROMPT, ASKED]})]
    (notice,) = run(Graph(*events)).result.notices
    assert 'waits for a decision: look_up({"word": "sea"}). Go on in Python' in notice


def test_agent_that_says_nothing_is_named(run):
    (notice,) = run(Graph(("values", {"messages": [PROMPT]}))).result.notices
    assert notice == "$agent ended without a message of its own."


# ---- graphs without messages -----------------------------------------------------------------------------------

STATE = {"type": "object", "properties": {"question": {"type": "string"}, "answer": {"type": "string"}}}
ANSWERED = ("values", {"question": "why", "answer": "WHY"})


def test_state_without_messages_is_shown_and_named(run):
    graph = Graph(ANSWERED, schema=STATE)
    response = run(graph, "--var question=why", body="").result
    assert graph.given == {"question": "why"}
    assert response.parsed == {"question": "why", "answer": "WHY"}
    assert response.notices == ("The state of $agent has no messages; this is the state: question, answer.",)


def test_prompt_of_a_graph_without_messages_needs_a_place(refused, run):
    assert "$agent is a graph without messages: its state has question, answer" in refused(Graph(schema=STATE))
    graph = Graph(ANSWERED, schema=STATE)
    run(graph, "--var answer=x")
    assert graph.given == {"answer": "x", "question": "Why?"}


# ---- threads ---------------------------------------------------------------------------------------------------


def test_thread_goes_to_the_checkpointer(run):
    graph = Graph(*RUN, checkpointer=object())
    run(graph, "--thread 7")
    assert graph.config == {"configurable": {"thread_id": "7"}}


def test_thread_is_asked_for_and_refused_in_one_line(refused):
    assert "$agent keeps what was said by thread. Name one: --thread 1" in refused(Graph(checkpointer=object()))
    assert "$agent keeps none. Make it with checkpointer=" in refused(Graph(), "--thread 7")
    assert "Leave out -c" in refused(Graph(checkpointer=object()), "--thread 7 -c talk")
    assert "--thread is for what keeps threads" in refused(RunnableLambda(len), "--thread 7")


@pytest.mark.filterwarnings("ignore:.*(RunnableWithMessage|InMemoryChatMessage)History")  # deprecated, and still used
def test_thread_is_the_session_of_a_chain_with_history(notebook, run):
    kept = {}
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    chain = RunnableWithMessageHistory(
        prompt | RunnableLambda(lambda value: AIMessage(f"{len(value.messages)} messages")),
        lambda session_id: kept.setdefault(session_id, InMemoryChatMessageHistory()),
        input_messages_key="question",
        history_messages_key="history",
    )
    assert run(chain, "--thread mine").result.text == "1 messages"
    assert run(chain, "--thread mine").result.text == "3 messages"
    assert list(kept) == ["mine"]


def test_thread_is_not_for_configs(notebook):
    assert "--thread" in notebook.refused("%%azureml --thread 1\nHello")
