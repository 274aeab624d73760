"""%%azureml $object: chains, chat models and LLMs of LangChain, of any provider."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake import FakeStreamingListLLM
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import (
    CommaSeparatedListOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
    StrOutputParser,
)
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import RunnableGenerator, RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

from azml_magics.core.errors import Interrupted, RunnableError
from azml_magics.emulator import Fault
from azml_magics.langchain import AzureMLChatOnlineEndpoint, CustomOpenAIChatContentFormatter
from azml_magics.notebook import runnable_stream
from azml_magics.runnables import event_loop
from azml_magics.runnables.recognition import is_runnable

MIME = "application/vnd.azml.response.v1+json"


class Recipe(BaseModel):
    title: str
    minutes: int


class Echo(GenericFakeChatModel):
    """A chat model that repeats what it was asked, word by word."""

    messages: object = None
    asked: list = Field(default_factory=list)

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.asked.append((messages, stop, kwargs))
        self.messages = iter([AIMessage(f"You said: {messages[-1].content}")])
        return super()._generate(messages, stop, run_manager)


def saying(*texts):
    """A runnable that streams those texts."""

    async def stream(_):
        for text in texts:
            yield text

    return RunnableGenerator(stream)


@pytest.fixture
def asks(notebook):
    """Ask an object in a cell."""

    def ask(thing, line="", body="Hello", **variables):
        notebook.vars.update(variables, thing=thing)
        return notebook.ok(f"%%azureml $thing {line}\n{body}" if body else f"%azureml $thing {line}")

    return ask


@pytest.fixture
def refused(notebook):
    """The line that a cell with an object shows."""

    def ask(thing, line="", body="Hello", **variables):
        notebook.vars.update(variables, thing=thing)
        return notebook.refused(f"%%azureml $thing {line}\n{body}" if body else f"%azureml $thing {line}")

    return ask


@pytest.fixture
def ours(endpoint, monkeypatch):
    from .conftest import KEY

    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    return AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions", content_formatter=CustomOpenAIChatContentFormatter()
    )


class Tokens(BaseCallbackHandler):
    """A callback that counts what it is told."""

    def __init__(self):
        self.starts, self.ends = 0, 0

    def on_chat_model_start(self, *_, **__):
        self.starts += 1

    def on_llm_end(self, *_, **__):
        self.ends += 1


def test_callbacks_of_own_class_are_called(asks, ours, endpoint):
    ours.callbacks = [heard := Tokens()]
    assert asks(ours, "-p seed=1 -s Brief.").text
    assert (heard.starts, heard.ends) == (1, 1)
    assert endpoint.requests[-1].json()["seed"] == 1


def test_rate_limiter_of_own_class_is_heeded(asks, ours):
    class Limiter(InMemoryRateLimiter):
        taken = 0

        async def aacquire(self, *, blocking=True):
            self.taken += 1
            return True

    ours.rate_limiter = Limiter()
    asks(ours)
    assert ours.rate_limiter.taken == 1


def test_cache_of_own_class_is_used(asks, ours, endpoint):
    ours.cache = InMemoryCache()
    assert asks(ours, "-p top_p=1").text == asks(ours, "-p top_p=1").text
    assert len(endpoint.requests) == 1


def test_thoughts_of_own_class_are_counted_and_go_back(asks, ours, endpoint):
    ours.endpoint_url, ours.model, ours.callbacks = f"{endpoint.url}/anthropic/v1/messages", "claude-sonnet-4-6", []
    ours.content_formatter, ours.cache = "anthropic-messages", False
    ours.model_kwargs = {"thinking": {"type": "adaptive"}}
    first = asks(ours, "-c talk").result
    assert first.usage.reasoning_tokens > 0
    asks(ours, "-c talk", body="And now?")
    assert '"signature"' in endpoint.requests[-1].body.decode()


def test_own_class_without_these_stays_a_config(asks, refused, ours):
    assert asks(ours, "--timeout 9").result.text
    ours.cache = False
    assert "--timeout is for configs, and $thing is a LangChain object" in refused(ours, "--timeout 9")


@pytest.fixture
def openai(endpoint):
    """Another provider's class at the endpoint's OpenAI route."""
    from .conftest import KEY

    client = httpx.AsyncClient()
    yield ChatOpenAI(
        base_url=f"{endpoint.url}/v1",
        api_key=KEY,
        model="demo",
        max_retries=0,
        stream_usage=True,
        http_async_client=client,
    )
    asyncio.run_coroutine_threadsafe(client.aclose(), event_loop.start_loop()).result(10)
    event_loop.close()


# ---- models ----------------------------------------------------------------------------------------------------


def test_chat_model_streams_its_response(asks):
    model = Echo()
    ran = asks(model, body="Hello {name}", name="Ada")
    assert ran.text == "You said: Hello Ada"
    assert ran.data["text/markdown"] == ran.text
    assert ran.payloads[0] == ran.payloads[-1] == {"text/markdown": ""}
    assert model.asked[0][0] == [HumanMessage("Hello Ada")]
    assert ran.data[MIME]["config"] == "$thing"


@pytest.mark.parametrize(
    ("content", "extra"),
    [
        ("Yes.", {"additional_kwargs": {"reasoning_content": "Hm."}}),
        ([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Yes."}], {}),
        ([{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": "Yes."}], {}),
    ],
)
def test_thoughts_of_a_chat_model_are_beside_its_text(asks, content, extra):
    ran = asks(saying(AIMessageChunk(content, **extra)))
    assert ran.text == "Yes."
    assert ran.result.reasoning == "Hm."
    assert ran.data["text/markdown"].startswith("<details")


def test_chat_model_of_another_provider(asks, openai, endpoint):
    for _ in range(3):  # its connections belong to an event loop that must not end with the cell
        ran = asks(openai)
        assert "Hello!" in ran.text
    assert ran.result.usage.total_tokens == 17
    assert ran.result.model
    assert ran.result.finish_reason == "stop"
    assert endpoint.requests[-1].json()["stream"] is True


def test_providers_connections_outlive_the_extension(asks, openai, notebook):
    asks(openai)
    notebook.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    assert "Hello!" in asks(openai).text


def test_text_model_takes_the_prompt(asks):
    assert asks(FakeStreamingListLLM(responses=["a b c"])).text == "a b c"


def test_model_takes_system_message(asks, notebook):
    model = Echo()
    asks(model, "-s 'Be brief.'")
    asks(model, "-s $mood", mood="Be kind.")
    assert [asked[0][0].content for asked in model.asked[-2:]] == ["Be brief.", "Be kind."]
    assert [asked[0][0].type for asked in model.asked[-2:]] == ["system", "system"]


def test_model_takes_kwargs_for_this_call(asks, openai, endpoint):
    asks(openai, "-p temperature=0.25 -k $more", more={"max_tokens": 7})
    assert endpoint.requests[-1].json()["temperature"] == 0.25
    asks(openai)
    assert "temperature" not in endpoint.requests[-1].json()


def test_model_takes_prompt_template(asks):
    model = Echo()
    template = ChatPromptTemplate.from_messages([("system", "Be {mood}."), ("user", "Translate: {text}")])
    assert asks(model, "-t $t -v mood=kind", "water", t=template).text == "You said: Translate: water"
    assert model.asked[-1][0][0].content == "Be kind."


def test_model_takes_untouched_body(asks):
    assert asks(Echo(), "-t none", "Hello {nobody}").text == "You said: Hello {nobody}"


def test_model_takes_images(asks, openai, endpoint):
    ran = asks(openai, "-i $picture", "What is this?", picture=b"\x89PNG\r\n\x1a\n")
    assert endpoint.requests[-1].json()["messages"][0]["content"][1]["type"] == "image_url"
    assert "an image (image/png, 8 bytes)" in ran.text


def test_model_keeps_conversation(asks, openai, endpoint, notebook):
    asks(openai, "-c ada", "My name is Ada.")
    assert "Your name is Ada" in asks(openai, "-c ada", "What is my name?").text
    assert [turn["role"] for turn in endpoint.requests[-1].json()["messages"]] == ["user", "assistant", "user"]
    assert len(notebook.ok("%azureml conversations").result.rows) == 1


def test_tool_calls_of_model_are_shown(asks, openai):
    def weather(city: str) -> str:
        """The weather in a city."""

    ran = asks(openai.bind_tools([weather], tool_choice="weather"), body="What is the weather in Oslo?")
    assert "The model asks for:" in ran.data["text/markdown"]
    assert ran.result.tool_calls[0]["function"]["name"] == "weather"


def test_own_model_is_a_config(asks, ours, endpoint):
    assert is_runnable(ours) is False
    ran = asks(ours, "-p temperature=0.5")
    assert endpoint.requests[-1].json()["temperature"] == 0.5
    assert ran.result.usage.total_tokens
    assert asks(ours, "--dry-run").text.startswith("POST ")


@pytest.mark.parametrize("wrapped", ["bind", "with_config", "with_retry"])
def test_wrappers_around_own_model_apply(asks, ours, endpoint, wrapped):
    model = {"bind": lambda: ours.bind(stop=["zzz"]), "with_config": lambda: ours.with_config(tags=["a"])}.get(
        wrapped, ours.with_retry
    )()
    ran = asks(model, "-s 'Be brief.'")
    assert "Hello!" in ran.text
    body = endpoint.requests[-1].json()
    assert body.get("stop") == (["zzz"] if wrapped == "bind" else None)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_model_with_fallbacks_is_a_model(asks, ours, endpoint):
    endpoint.script([Fault("400")] * 2)  # the second is for the request without stream_options
    assert "You said: Hello" in asks(ours.with_fallbacks([Echo()]), "-s 'Be brief.'").text


# ---- chains ----------------------------------------------------------------------------------------------------


@pytest.fixture
def chain():
    return PromptTemplate.from_template("{greeting}, {name}!") | Echo()


def test_chain_takes_variables_of_notebook_and_line(asks, chain):
    assert asks(chain, "-v name=Ada", "", greeting="Hello").text == "You said: Hello, Ada!"


def test_body_fills_the_missing_variable(asks, chain):
    assert asks(chain, body="{who}", greeting="Hello", who="Ada").text == "You said: Hello, Ada!"
    assert asks(chain, "-t none", "{who}").text == "You said: Hello, {who}!"


def test_body_fills_only_variable_despite_notebook(asks, notebook):
    sole = PromptTemplate.from_template("About {topic}") | Echo()
    assert asks(sole, body="rivers", topic="hills").text == "You said: About rivers"
    assert asks(sole, body="").text == "You said: About hills"
    assert asks(sole, "-v subtopic=lakes", "rivers", topic="hills").text == "You said: About rivers"
    assert "no single variable" in notebook.refused("%%azureml $thing -v topic=lakes\nrivers")


@pytest.mark.parametrize(
    ("body", "variables", "why"),
    [
        ("Ada", {}, "The cell has a body, and $thing has no single variable for it: it lacks greeting, name."),
        (
            "Ada",
            {"greeting": "Hi", "name": "Bob"},
            "$thing has no single variable for it: all of its variables are defined in the notebook.",
        ),
        ("", {"greeting": "Hi"}, "$thing needs name. Define it, or pass --var NAME=VALUE."),
    ],
)
def test_missing_chain_variables_are_named(refused, chain, body, variables, why):
    assert why in refused(chain, "", body, **variables)


def test_optional_history_is_passed_to_chain(asks):
    model = Echo()
    chain = ChatPromptTemplate.from_messages([("placeholder", "{history}"), ("user", "{question}")]) | model
    asks(chain, body="And now?")
    assert len(model.asked[-1][0]) == 1
    asks(chain, body="And now?", history=[("user", "Hello"), ("ai", "Hi")])
    assert [message.content for message in model.asked[-1][0]] == ["Hello", "Hi", "And now?"]


def test_retrieval_chain_takes_body_as_text(asks):
    prompt = PromptTemplate.from_template("{context}: {question}")
    chain = {"context": RunnableLambda(lambda _: "found"), "question": RunnablePassthrough()} | prompt | Echo()
    assert asks(chain, body="why?", context="not this").text == "You said: found: why?"


@pytest.mark.parametrize("wrap", [lambda c: c.with_retry(), lambda c: c.with_config(tags=["a"])])
def test_wrapped_chain_works_alike(asks, chain, wrap):
    assert asks(wrap(chain), body="Ada", greeting="Hello").text == "You said: Hello, Ada!"


def test_chain_of_own_model(asks, ours):
    chain = ChatPromptTemplate.from_template("Say hello to {name}") | ours | StrOutputParser()
    ran = asks(chain, body="Ada")
    assert ran.text.startswith("Hello, Ada!")
    assert len(ran.payloads) > 2


# ---- what parsers and functions make ---------------------------------------------------------------------------


def test_text_parser_gives_text(asks):
    ran = asks(Echo() | StrOutputParser())
    assert ran.text == "You said: Hello"
    assert ran.result.parsed is None


def test_json_parser_shows_growing_object(asks):
    ran = asks(saying('{"title": "So', 'up", "min', 'utes": 20}') | JsonOutputParser())
    assert ran.result.parsed == {"title": "Soup", "minutes": 20}
    assert ran.data["text/markdown"] == '```json\n{\n  "title": "Soup",\n  "minutes": 20\n}\n```'
    assert ran.payloads[1]["text/plain"] == '{\n  "title": "So"\n}'
    assert all(payload.get("text/plain", "").count("title") <= 1 for payload in ran.payloads)


def test_json_lists_are_not_concatenated(asks):
    assert asks(saying("[1", ", 2", ", 3]") | JsonOutputParser()).result.parsed == [1, 2, 3]


def test_pydantic_parser_gives_its_object(asks):
    parser = PydanticOutputParser(pydantic_object=Recipe)
    ran = asks(saying('{"title": "Soup",', ' "minutes": 20}') | parser)
    assert ran.result.parsed == Recipe(title="Soup", minutes=20)
    assert ran.data["text/markdown"].startswith("```json\n")
    assert ran.text == Recipe(title="Soup", minutes=20).model_dump_json(indent=2)


def test_list_parser_gives_its_list(asks):
    assert asks(saying("a, b", ", c") | CommaSeparatedListOutputParser()).result.parsed == ["a", "b", "c"]


def test_parallel_chains_give_a_dict(asks):
    ran = asks(RunnableParallel(one=saying("a", "b"), two=saying("c")))
    assert ran.result.parsed == {"one": "ab", "two": "c"}


@pytest.mark.parametrize(
    ("made", "text", "parsed"),
    [
        ("text", "text", None),
        (5, "5", 5),
        (0, "0", 0),
        ([1, 2], "[\n  1,\n  2\n]", [1, 2]),
        ({}, "{}", {}),
        (None, "", None),
        (Recipe(title="Soup", minutes=1), '{\n  "title": "Soup",\n  "minutes": 1\n}', Recipe(title="Soup", minutes=1)),
    ],
)
def test_function_gives_its_return_value(asks, made, text, parsed):
    ran = asks(RunnableLambda(lambda _: made), "-o answer")
    assert ran.text == text
    assert ran.result.parsed == parsed


def test_object_that_json_cannot_hold_is_text(asks):
    ran = asks(RunnableLambda(lambda _: {1, 2}))
    assert ran.text == "{1, 2}"
    assert "text/markdown" not in ran.data


def test_prompt_template_alone_shows_its_text(asks):
    assert asks(ChatPromptTemplate.from_template("About {topic}"), body="rivers").text == "Human: About rivers"


def test_step_without_async_form_streams(asks):
    def pieces(_):
        yield "a"
        yield "b"

    ran = asks(RunnableGenerator(pieces))
    assert ran.text == "ab"
    assert ran.payloads


def test_format_option_applies(asks):
    assert asks(saying("```python\n1\n```"), "-F code").result.parsed == "1"
    assert "text/markdown" not in asks(saying("a"), "-F text").data
    assert "text/markdown" not in asks(RunnableLambda(lambda _: {"a": 1}), "-F text").data


def test_output_quiet_and_no_stream_apply(asks, notebook):
    ran = asks(Echo(), "-q -o answer")
    assert (ran.result, ran.payloads, ran.stdout) == (None, [], "")
    assert notebook.vars["answer"].text == "You said: Hello"
    assert asks(Echo(), "--no-stream").payloads == []


def test_terminal_streams_to_stdout(terminal):
    terminal.vars.update(model=Echo(), grows=saying('{"a"', ": 1}") | JsonOutputParser())
    ran = terminal.ok("%%azureml $model\nHello")
    assert ran.stdout.startswith("You said: Hello\nOut[")
    assert ran.stdout.count("You said") == 1
    assert terminal.ok("%%azureml $grows\nHello").stdout.startswith('{\n  "a": 1\n}\n')


# ---- what goes wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-u https://h.example/score", "-u is for configs, and $thing is a LangChain object with settings of its own"),
        ("-f gpt2", "-f is for configs"),
        ("--key env:A", "--key is for configs"),
        ("--timeout 3", "--timeout is for configs"),
        ("--retries 3", "--retries is for configs"),
        ("--deployment x", "--deployment is for configs"),
        ("--model x", "--model is for configs"),
        ("--schema $x", "--schema is for configs"),
        ("--save x", "--save is for configs"),
        ("--dry-run", "--dry-run is for configs"),
    ],
)
def test_config_options_are_refused(refused, line, why):
    assert why in refused(Echo(), line)


@pytest.mark.parametrize("line", ["-s brief", "-c talk", "-i a.png", "-p a=1", "-k {}", "-t $x"])
def test_model_options_are_refused_for_chains(refused, line):
    assert f"{line.split()[0]} does not apply to a chain" in refused(saying("a"), line)


def test_empty_prompt_is_refused(refused):
    for thing in (Echo(), RunnableLambda(str)):
        assert refused(thing, body=" ").startswith("PromptError: There is no prompt.")


def test_class_or_other_object_is_refused(refused):
    assert refused(StrOutputParser, body="x").startswith("UsageError: $thing is ")
    assert refused(42, body="x") == (
        "UsageError: $thing is not a config: it is of the type int. "
        "Name a saved config, an LLMConfig, or an AzureMLOnlineEndpoint of azml_magics.langchain."
    )


def test_provider_error_is_one_line_and_chained(notebook, openai, endpoint):
    notebook.vars["chat"] = openai
    endpoint.script([Fault("429")])
    line = notebook.refused("%%azureml $chat\nHello")
    assert line.startswith("RunnableError: ")
    assert "RateLimitError" in line
    assert "429" in line
    assert line.endswith("(config '$chat').")
    from azml_magics import errors

    endpoint.script([Fault("429")])
    assert isinstance(notebook.run("%%azureml $chat\nHello").error, errors.RunnableError)
    assert "RateLimitError" in notebook.ok("%azureml last --traceback").text


def test_own_models_error_keeps_class_and_context(refused, ours, endpoint):
    endpoint.script([Fault("401")])
    line = refused(ChatPromptTemplate.from_template("{x}") | ours)
    assert line.startswith("AuthenticationError: ")


def test_function_error_is_one_line(refused, notebook):
    def broken(_):
        raise KeyError("a\nb")

    assert refused(RunnableLambda(broken)).startswith("RunnableError: KeyError: ")
    assert notebook.ok("%azureml last").text.startswith("No response: KeyError: ")


def test_langchains_troubleshooting_link_is_removed(refused):
    parser = PydanticOutputParser(pydantic_object=Recipe)
    line = refused(RunnableLambda(lambda _: parser.parse('{"title": 1}')))
    assert line.startswith("RunnableError: OutputParserException: Failed to parse Recipe from completion")
    assert "troubleshooting" not in line


def test_parser_that_finds_nothing_is_an_error(refused):
    assert refused(saying("no json") | JsonOutputParser()) == (
        "RunnableError: The parser that $thing ends with found nothing in the response (config '$thing'). "
        "Call the chain without the parser to see it."
    )


def test_system_exit_in_function_ends_the_cell(refused):
    def leaves(_):
        raise SystemExit(3)

    assert refused(RunnableLambda(leaves)) == "RunnableError: SystemExit: 3 (config '$thing')."


def test_error_in_mid_stream_keeps_partial_text(notebook):
    def half(_):
        yield "Once upon "
        yield "a time"
        raise ValueError("lost the thread")

    notebook.vars["half"] = RunnableGenerator(half)
    ran = notebook.run("%%azureml $half\nHello")
    assert type(ran.error) is RunnableError
    assert ran.payloads[-1]["text/plain"] == "Once upon a time"
    assert notebook.ok("%azureml last").text == "Once upon a time"
    assert "ValueError: lost the thread" in notebook.ok("%azureml history").text


def test_interrupt_keeps_partial_text_and_ends_the_stream(notebook, openai, endpoint, monkeypatch):
    from azml_magics.display.live_text import NotebookText

    add = NotebookText.add

    def interrupted(self, text):
        add(self, text)
        if len(self._text) > 20:
            raise KeyboardInterrupt

    notebook.vars["chat"] = openai
    endpoint.script([Fault("stalled", after=12)])
    with monkeypatch.context() as patch:
        patch.setattr(NotebookText, "add", interrupted)
        ran = notebook.run("%%azureml $chat\nTell me about rivers")
    assert type(ran.error) is Interrupted
    assert ran.error.response.finish_reason == "interrupted"
    assert notebook.ok("%azureml last").text == ran.payloads[-1]["text/plain"] != ""
    assert gone(endpoint)
    assert "Hello!" in notebook.ok("%%azureml $chat\nHello").text


def gone(endpoint, seconds=10):
    """Whether every stream of the endpoint has been closed."""
    limit = time.monotonic() + seconds
    while endpoint._app.in_flight and time.monotonic() < limit:
        time.sleep(0.01)
    return endpoint._app.in_flight == 0


def test_interrupt_does_not_wait_for_blocking_function(notebook, monkeypatch):
    started, finish = threading.Event(), threading.Event()

    def blocks(_):
        started.set()
        finish.wait(60)

    def interrupted(self):
        started.wait(10)
        raise KeyboardInterrupt

    notebook.vars["blocks"] = RunnableLambda(blocks)
    monkeypatch.setattr(runnable_stream.RunnableStream, "_next", interrupted)
    assert notebook.refused("%%azureml $blocks\nHello") == (
        "Interrupted: Stopped before the first token; nothing had arrived."
    )
    assert not finish.is_set()  # it was left alone
    finish.set()


# ---- around it -------------------------------------------------------------------------------------------------


def test_history_names_object_and_prompt(asks, notebook):
    asks(Echo(), body="Hello {name}", name="Ada")
    assert notebook.ok("%azureml history").result.rows == [("1", "$thing", "Hello Ada", "You said: Hello Ada")]
    assert notebook.ok("%azureml last").text == "You said: Hello Ada"


def test_cells_callbacks_reach_the_model(notebook):
    import contextvars

    from langchain_core.callbacks import BaseCallbackHandler

    seen = []
    where = contextvars.ContextVar("where", default="nowhere")

    class Sees(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            seen.append(where.get())

    notebook.vars["chain"] = RunnableLambda(lambda x: where.get()).with_config(callbacks=[Sees()])
    token = where.set("here")
    assert notebook.ok("%%azureml $chain\nHello").text == "here"
    where.reset(token)
    assert seen == ["here"]


def test_one_event_loop_serves_all_cells_until_unloading(asks, notebook):
    def names():
        return [t.name for t in threading.enumerate() if t.name.startswith("azml-magics-runnables")]

    asks(RunnableLambda(str))
    asks(saying("a"))
    assert names().count("azml-magics-runnables") == 1
    notebook.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    limit = time.monotonic() + 10
    while names() and time.monotonic() < limit:
        time.sleep(0.01)
    assert names() == []
    assert asks(saying("a")).text == "a"


def test_config_call_starts_no_event_loop(asking):
    asking.ok("%%azureml\nHello")
    assert "azml-magics-runnables" not in [thread.name for thread in threading.enumerate()]
