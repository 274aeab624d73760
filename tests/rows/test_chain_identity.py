"""What tells one chain from another, so that a journal never answers with another chain's responses."""

from __future__ import annotations

import functools
import subprocess
import sys
from operator import itemgetter

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableBranch, RunnableGenerator, RunnableLambda, RunnableParallel
from langchain_openai import ChatOpenAI

from azml_magics.runnables.identity import identity_of, keys_in

LIMIT = 3


class Rules:
    words = ("glad", "cross")

    @staticmethod
    def pick(row):
        return Rules.words[0]


def template(text="Mood of {letter}?"):
    return ChatPromptTemplate.from_template(text)


def model(**fields):
    return ChatOpenAI(**{"model": "m", "api_key": "sk-0123456789", "temperature": 0, **fields})


def helper(row):
    return row


def uses_helper(row):
    return helper(row)


def uses_limit(row):
    return LIMIT


def with_closure(value):
    return RunnableLambda(lambda row: value)


async def generate(pieces):
    yield "a"


async def generate_other(pieces):
    yield "b"


def hash_of(runnable):
    known, unknown = identity_of(runnable)
    assert unknown == ()
    return known


PAIRS = {
    "template": (template, lambda: template("Mood of {letter}!")),
    "temperature": (lambda: template() | model(), lambda: template() | model(temperature=1)),
    "endpoint": (model, lambda: model(base_url="https://other.example/v1")),
    "parser": (lambda: template() | model() | StrOutputParser(), lambda: template() | model() | JsonOutputParser()),
    "bound kwargs": (model, lambda: model().bind(stop=["x"])),
    "code": (lambda: RunnableLambda(lambda row: 1), lambda: RunnableLambda(lambda row: 2)),
    "closure": (lambda: with_closure("a"), lambda: with_closure("b")),
    "defaults": (lambda: RunnableLambda(lambda row, n=1: n), lambda: RunnableLambda(lambda row, n=2: n)),
    "partial": (
        lambda: RunnableLambda(functools.partial(max, 1)),
        lambda: RunnableLambda(functools.partial(max, 2)),
    ),
    "item": (lambda: RunnableLambda(itemgetter("a")), lambda: RunnableLambda(itemgetter("b"))),
    "branches": (
        lambda: RunnableParallel(a=template(), b=model()),
        lambda: RunnableParallel(a=template(), c=model()),
    ),
    "order": (
        lambda: RunnableBranch((lambda row: row["n"], template()), model()),
        lambda: RunnableBranch((lambda row: row["m"], template()), model()),
    ),
    "generator": (lambda: RunnableGenerator(generate), lambda: RunnableGenerator(generate_other)),
    "fallbacks": (model, lambda: model().with_fallbacks([model(temperature=1)])),
    "structured": (lambda: structured({"a": {"type": "string"}}), lambda: structured({"b": {"type": "string"}})),
}


def structured(properties):
    schema = {"title": "Mood", "description": "A mood.", "type": "object", "properties": properties}
    return model().with_structured_output(schema)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_changes_outputs_changes_the_identity(pair):
    one, other = pair
    assert hash_of(one()) == hash_of(one())
    assert hash_of(one()) != hash_of(other())


@pytest.mark.parametrize("function", [uses_helper, uses_limit, Rules.pick])
def test_globals_that_a_function_uses_are_part_of_it(function, monkeypatch):
    before = hash_of(RunnableLambda(function))
    monkeypatch.setitem(globals(), "LIMIT", 4)
    monkeypatch.setitem(globals(), "helper", lambda row: 0)
    monkeypatch.setattr(Rules, "words", ("sad",))
    assert hash_of(RunnableLambda(function)) != before


def test_callbacks_tags_and_keys_change_nothing():
    chain = template() | model()
    assert hash_of(chain.with_config(tags=["a"], metadata={"b": 1}, callbacks=[])) == hash_of(chain)
    assert hash_of(template() | model(api_key="sk-another-0123456")) == hash_of(chain)


def test_name_of_a_chain_is_part_of_its_identity():
    assert identity_of(template().with_config(run_name="one"))[0]["chain name"] == "one"


def test_what_cannot_be_seen_into_is_named():
    state = iter([1])
    known, unknown = identity_of(RunnableLambda(lambda row: next(state)))
    assert unknown == ("list_iterator",)
    assert "chain" in known


def test_object_that_contains_itself_has_an_identity():
    values: list = []
    values.append(values)
    assert hash_of(RunnableLambda(lambda row: values))


def test_identity_is_the_same_in_another_process():
    code = (
        "from tests.rows.test_chain_identity import PAIRS, hash_of;"
        "print(*(hash_of(make()) for pair in PAIRS.values() for make in pair), sep='\\n')"
    )
    texts = {
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(texts) == 1
    assert "RunnableLambda" in texts.pop()


def test_keys_of_a_chain_are_found_and_no_part_of_the_identity():
    chain = template() | model(api_key="sk-KEEP-OUT-0123456789")
    assert [key.reveal() for key in keys_in(chain)] == ["sk-KEEP-OUT-0123456789"]
    assert "KEEP-OUT" not in str(identity_of(chain))


def test_fake_models_have_an_identity():
    assert hash_of(FakeListChatModel(responses=["a"])) != hash_of(FakeListChatModel(responses=["b"]))
