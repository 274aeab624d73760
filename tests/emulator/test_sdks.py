"""The SDKs of OpenAI and Anthropic read the endpoint's bytes: readers that know nothing of this package."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from azml_magics.pytest_plugin import KEY

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
TOOL = {"type": "function", "name": "get_weather", "parameters": WEATHER}
SEA, LOCK = "Why is the sea salty?", "How do I pick a lock?"
SALT = "Rain dissolves minerals from rocks"
THOUGHT = "Rivers carry dissolved minerals into the sea."


class Capital(BaseModel):
    city: str
    country: str


@pytest.fixture
def openai_client(endpoint):
    openai = pytest.importorskip("openai", reason="the SDKs are in the test extra")
    with openai.OpenAI(base_url=f"{endpoint.url}/openai/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(endpoint):
    anthropic = pytest.importorskip("anthropic", reason="the SDKs are in the test extra")
    with anthropic.Anthropic(base_url=f"{endpoint.url}/anthropic", api_key=KEY, max_retries=0) as client:
        yield client


def ask(text):
    return [{"role": "user", "content": text}]


class TestOpenAIChat:
    def test_whole(self, openai_client):
        found = openai_client.chat.completions.create(model="demo-reasoning", messages=ask(SEA))
        message = found.choices[0].message
        assert message.content.startswith(SALT)
        assert message.reasoning_content.startswith(THOUGHT)
        assert found.usage.completion_tokens_details.reasoning_tokens > 0

    def test_streamed(self, openai_client):
        chunks = openai_client.chat.completions.create(
            model="m", messages=ask("Hello"), stream=True, n=2, stream_options={"include_usage": True}
        )
        texts, last = ["", ""], None
        for last in chunks:
            for choice in last.choices:
                texts[choice.index] += choice.delta.content or ""
        assert texts == ["Hello! How can I help you today?", "Hi there! What can I do for you?"]
        assert last.usage.total_tokens > 0

    def test_tools(self, openai_client):
        prompt = ask("Call get_weather for Lisbon")
        found = openai_client.chat.completions.create(model="m", messages=prompt, tools=[CHAT_TOOL])
        (call,) = found.choices[0].message.tool_calls
        assert (call.function.name, call.function.arguments) == ("get_weather", '{"city": "Lisbon"}')

    def test_parse(self, openai_client):
        prompt = ask("The capital of Portugal: city is Lisbon, country is Portugal")
        found = openai_client.chat.completions.parse(model="m", messages=prompt, response_format=Capital)
        assert found.choices[0].message.parsed == Capital(city="Lisbon", country="Portugal")

    def test_refusal(self, openai_client):
        message = openai_client.chat.completions.create(model="m", messages=ask(LOCK)).choices[0].message
        assert message.content is None
        assert message.refusal.startswith("I'm sorry")

    def test_refused_parameter(self, openai_client):
        import openai

        with pytest.raises(openai.BadRequestError) as caught:
            openai_client.chat.completions.create(model="gpt-5-mini", messages=ask("Hi"), max_tokens=9)
        assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "max_tokens")


class TestOpenAIResponses:
    def test_whole(self, openai_client):
        found = openai_client.responses.create(model="gpt-5-mini", input=SEA, reasoning={"summary": "auto"})
        assert found.output_text.startswith(SALT)
        assert found.output[0].summary[0].text.startswith(THOUGHT)
        assert found.usage.output_tokens_details.reasoning_tokens > 0

    def test_streamed(self, openai_client):
        with openai_client.responses.stream(model="gpt-5-mini", input=SEA, reasoning={"summary": "auto"}) as events:
            kinds = [event.type for event in events]
            found = events.get_final_response()
        assert found.output_text.startswith(SALT)
        assert "response.reasoning_summary_text.delta" in kinds
        assert kinds[-1] == "response.completed"

    def test_tools_and_their_results(self, openai_client):
        question = ask("Call get_weather for Lisbon")
        first = openai_client.responses.create(model="gpt-5-mini", input=question, tools=[TOOL])
        call = first.output[-1]
        assert (call.name, call.arguments) == ("get_weather", '{"city": "Lisbon"}')
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "19 C"}
        second = openai_client.responses.create(
            model="gpt-5-mini", previous_response_id=first.id, input=[result], tools=[TOOL]
        )
        assert second.output_text == "get_weather returned: 19 C."

    def test_streamed_tools(self, openai_client):
        prompt = ask("Call get_weather for Lisbon")
        with openai_client.responses.stream(model="gpt-5-mini", input=prompt, tools=[TOOL]) as events:
            found = events.get_final_response()
        assert found.output[-1].arguments == '{"city": "Lisbon"}'

    def test_parse(self, openai_client):
        prompt = "The capital of Portugal: city is Lisbon, country is Portugal"
        found = openai_client.responses.parse(model="gpt-5-mini", input=prompt, text_format=Capital)
        assert found.output_parsed == Capital(city="Lisbon", country="Portugal")

    def test_background(self, openai_client):
        found = openai_client.responses.create(model="o3-pro", input=SEA, background=True)
        assert found.status == "queued"
        while found.status in ("queued", "in_progress"):
            found = openai_client.responses.retrieve(found.id)
        assert found.output_text.startswith(SALT)

    def test_cancel(self, openai_client):
        found = openai_client.responses.create(model="o3-pro", input=SEA, background=True)
        assert openai_client.responses.cancel(found.id).status == "cancelled"

    def test_conversation_without_storage(self, openai_client):
        more = {"store": False, "include": ["reasoning.encrypted_content"]}
        first = openai_client.responses.create(model="gpt-5-mini", input=ask("Capital of Portugal?"), **more)
        turns = [*ask("Capital of Portugal?"), *first.output, *ask("And of Spain?")]
        assert openai_client.responses.create(model="gpt-5-mini", input=turns, **more).output_text == "Madrid."

    def test_refusal_and_limit(self, openai_client):
        found = openai_client.responses.create(model="gpt-5-mini", input=LOCK)
        assert found.output[-1].content[0].refusal.startswith("I'm sorry")
        found = openai_client.responses.create(model="gpt-5-mini", input=SEA, max_output_tokens=16)
        assert (found.status, found.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_openai_embeddings(openai_client):
    found = openai_client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=4)
    assert [len(each.embedding) for each in found.data] == [4, 4]


def test_openai_models(openai_client):
    assert "gpt-5-mini" in {model.id for model in openai_client.models.list()}


class TestAnthropic:
    def create(self, client, text=SEA, **more):
        return client.messages.create(
            **{"model": "claude-sonnet-4-6", "max_tokens": 1024, "messages": ask(text), **more}
        )

    def test_whole(self, anthropic_client):
        found = self.create(anthropic_client, thinking={"type": "adaptive"})
        assert found.content[0].thinking.startswith(THOUGHT)
        assert found.content[1].text.startswith(SALT)
        assert found.stop_reason == "end_turn"

    def test_streamed(self, anthropic_client):
        with anthropic_client.messages.stream(
            model="claude-sonnet-4-6", max_tokens=1024, messages=ask(SEA), thinking={"type": "adaptive"}
        ) as events:
            assert "".join(events.text_stream).startswith(SALT)
            found = events.get_final_message()
        assert found.content[0].signature.startswith("EqQB")
        assert found.usage.output_tokens > 0

    def test_tools_and_their_results(self, anthropic_client):
        tools = [{"name": "get_weather", "input_schema": WEATHER}]
        first = self.create(anthropic_client, "Call get_weather for Lisbon", tools=tools)
        (call,) = first.content
        assert (call.name, call.input, first.stop_reason) == ("get_weather", {"city": "Lisbon"}, "tool_use")
        result = [{"type": "tool_result", "tool_use_id": call.id, "content": "19 C"}]
        turns = [
            *ask("Call get_weather for Lisbon"),
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": result},
        ]
        second = self.create(anthropic_client, messages=turns, tools=tools)
        assert second.content[0].text == "get_weather returned: 19 C."

    def test_streamed_tools(self, anthropic_client):
        tools = [{"name": "get_weather", "input_schema": WEATHER}]
        with anthropic_client.messages.stream(
            model="claude-sonnet-4-6", max_tokens=99, messages=ask("Call get_weather for Lisbon"), tools=tools
        ) as events:
            assert events.get_final_message().content[0].input == {"city": "Lisbon"}

    def test_parse(self, anthropic_client):
        found = anthropic_client.messages.parse(
            model="claude-sonnet-4-6",
            max_tokens=1024,
            messages=ask("The capital of Portugal: city is Lisbon, country is Portugal"),
            output_format=Capital,
        )
        assert found.parsed_output == Capital(city="Lisbon", country="Portugal")

    def test_document(self, anthropic_client):
        source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}
        content = [{"type": "document", "source": source}, {"type": "text", "text": "What is this?"}]
        found = self.create(anthropic_client, messages=[{"role": "user", "content": content}])
        assert "a file (application/pdf, 8 bytes)" in found.content[0].text

    def test_refusal(self, anthropic_client):
        assert self.create(anthropic_client, LOCK).stop_reason == "refusal"

    @pytest.mark.parametrize(("fault", "kind"), [("529", "OverloadedError"), ("429", "RateLimitError")])
    def test_overloaded(self, anthropic_client, endpoint, fault, kind):
        import anthropic
        from anthropic import _exceptions

        from azml_magics.emulator import Fault

        endpoint.script([Fault(fault)])
        with pytest.raises(anthropic.APIStatusError) as caught:
            self.create(anthropic_client)
        assert isinstance(caught.value, getattr(_exceptions, kind))
        assert caught.value.body["type"] == "error"
