"""LangChain objects in a real kernel: langchain-core's chains around our class and around another provider's."""

from __future__ import annotations

import pytest

from azml_magics.emulator import Fault

from .conftest import KEY
from .test_side_by_side import is_served_no_more

CHAINS = """
import os
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel
from azml_magics.langchain import from_config
from azml_magics.session import current

class Recipe(BaseModel):
    title: str
    minutes: int

ours = from_config(current().get("main"))
prompt = ChatPromptTemplate.from_messages([("system", "You are {role}"), ("user", "{question}")])
role = "a pirate"
"""
THEIRS = """
from langchain_openai import ChatOpenAI
theirs = ChatOpenAI(base_url="{url}/v1", api_key=os.environ["TEST_KEY"], model="demo", max_retries=0)
"""


@pytest.fixture
def chains(kernel, endpoint):
    """A kernel with our model, another provider's, and a prompt."""
    kernel.ok(CHAINS)
    kernel.ok(THEIRS.format(url=endpoint.url))
    return kernel


@pytest.mark.parametrize("model", ["ours", "theirs"])
def test_chain_streams_and_gives_a_response(chains, endpoint, model):
    endpoint.rate = 100
    chains.ok(f"chain = prompt | {model} | StrOutputParser()")
    cell = chains.ok("%%azureml $chain -o answer\nWhat is treasure?")
    assert "What is treasure?" in cell.text
    assert cell.begun == [{"text/markdown": ""}]
    *shown, last = [update.get("text/plain", "") for update in cell.updates]
    assert last == ""
    assert len(shown) >= 2
    assert all(cell.text.startswith(text) for text in shown)
    assert chains.value("answer.text == _.text") is True


def test_other_providers_model_is_shared_with_the_notebook(chains):
    for _ in range(2):
        assert "Hello!" in chains.ok("%%azureml $theirs\nHello").text
        chains.ok("await ours.ainvoke('Hello')")
    chains.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    assert "Hello!" in chains.ok("%%azureml $theirs\nHello").text


def test_chains_that_end_in_parsers(chains):
    chains.ok("shape = {'type': 'json_schema', 'json_schema': {'name': 'R', 'schema': Recipe.model_json_schema()}}")
    chains.ok("bound = prompt | theirs.bind(response_format=shape)")
    for parser, parsed in (("JsonOutputParser()", "dict"), ("PydanticOutputParser(pydantic_object=Recipe)", "Recipe")):
        chains.ok(f"chain = bound | {parser}")
        cell = chains.ok("%%azureml $chain\nA recipe for pea soup in 20 minutes")
        assert cell.result["text/markdown"].startswith("```json\n")
        assert chains.value("type(_.parsed).__name__") == parsed
    chains.ok("chain = bound | JsonOutputParser() | RunnableLambda(lambda recipe: recipe['minutes'] * 2)")
    assert chains.ok("%%azureml $chain\nA recipe for pea soup in 20 minutes").text == "40"


def test_provider_error_is_one_line_and_stops_notebook(chains, endpoint):
    chains.ok("theirs.openai_api_key\nchain = prompt | theirs")
    endpoint.script([Fault("401")])
    line = chains.refused("%%azureml $chain\nWhat is treasure?", "RunnableError")
    assert "401" in line
    endpoint.script([Fault("401")])
    chains.ok("chain = prompt | ours")
    assert "AuthenticationError: " in chains.refused("%%azureml $chain\nWhat is treasure?", "AuthenticationError")


@pytest.mark.parametrize("model", ["ours", "theirs"])
def test_interrupt_in_mid_stream_keeps_partial_text(chains, endpoint, model):
    chains.ok(f"chain = prompt | {model} | StrOutputParser()")
    endpoint.script([Fault("stalled", after=12)])
    drawn, done = [], []

    def watch(message):
        drawn.extend([message] if message and message["msg_type"] == "update_display_data" else [])
        if drawn and message is None and not done:
            chains.manager.interrupt_kernel()
            done.append(True)

    cell = chains.run("%%azureml $chain\nWhat is treasure?", on_message=watch)
    assert cell.error["ename"] == "Interrupted"
    kept = cell.begun[-1]["text/plain"]
    assert kept.startswith("A model would")
    assert chains.ok("%azureml last").text == kept
    assert is_served_no_more(endpoint)
    assert "What is treasure?" in chains.ok("%%azureml $chain\nWhat is treasure?").text


def test_interrupt_of_blocking_step_returns(chains, home):
    chains.ok("import pathlib, threading")
    chains.ok("def block(_):\n    pathlib.Path('started').touch()\n    threading.Event().wait(3)")
    chains.ok("blocks = RunnableLambda(block)")
    done = []

    def watch(message):
        if (home / "work" / "started").exists() and not done:
            chains.manager.interrupt_kernel()
            done.append(True)

    cell = chains.run("%%azureml $blocks\nHello", on_message=watch)
    assert cell.error["evalue"] == "Stopped before the first token; nothing had arrived."


def test_typed_key_inside_a_chain(chains, endpoint):
    chains.ok(f"%azureml save typed --url {endpoint.url}/v1/chat/completions --key ask")
    chains.ok("chain = prompt | from_config(current().get('typed')) | StrOutputParser()")
    assert "What is treasure?" in chains.ok("%%azureml $chain\nWhat is treasure?", answer=KEY).text


def test_code_after_a_chain_is_refused(chains):
    chains.ok("chain = prompt | ours")
    chains.ok("%%azureml $chain\nWhat is treasure?")
    line = chains.refused("%azureml code last", "ConfigError")
    assert "$chain is a LangChain object, and its code is in your notebook." in line
