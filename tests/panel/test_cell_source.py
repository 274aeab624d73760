"""The panel's cell, run in a real shell, sends the same request as the panel."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from azml_magics import session as sessions
from azml_magics.core import client
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.notebook import args, cell_call, prompt_templates
from azml_magics.panel.model.cell_source import CellSource, build_cell
from azml_magics.panel.model.field_texts import formatter_text
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.model.prompt_draft import PromptDraft

URL = "https://n.eastus.inference.ml.azure.com/score"
CHAT = "https://n.eastus.models.ai.azure.com/v1/chat/completions"
BASE = LLMConfig(name="prod", endpoint_url=URL, formatter="gpt2", key="env:RIVER_KEY")


@pytest.fixture
def asked(notebook, magics):
    """Run a cell without sending anything; return the config and the messages of its call."""

    def run(text):
        with mock.patch.object(cell_call, "send_request", return_value=Response("")) as send:
            notebook.ok(text)
        _, config, messages, *_ = send.call_args.args
        return config, messages

    return run


@pytest.fixture
def panel(magics):
    """A panel over the notebook's session and variables."""
    made = PanelModel(magics.context.session, lambda: magics.context.prompt_variables)
    yield made
    made.close()


@pytest.fixture
def bench(panel, magics, asked):
    """The shell, its magics and a panel."""
    return panel, magics, asked


def sent(config, messages):
    """Everything of a call that an endpoint or a user could notice."""
    request = client.prepare(config, messages, stream=True, with_key=False).request
    return request.url, json.loads(request.body), dict(request.headers), request.timeout, config.max_retries, config.key


def plain(messages):
    """The messages without the spaces of blank lines, which IPython 9 removes from every cell."""
    return [{**turn, "content": re.sub(r"(?m)^[^\S\n]+$", "", turn["content"]).strip("\n")} for turn in messages]


def same(panel, asked):
    """Whether the panel's cell sends what the panel would, unless it has a note."""
    shown = panel.build_cell()
    assert isinstance(shown, CellSource)
    if shown.note:
        return False
    config, messages = asked(shown.text)
    assert plain(messages) == plain(panel.messages())
    mine = panel.draft.config
    assert json.dumps(dict(config.model_kwargs), sort_keys=True) == json.dumps(dict(mine.model_kwargs), sort_keys=True)
    assert formatter_text(config) == formatter_text(mine)
    assert config.extra_parameters == mine.extra_parameters
    assert sent(config, panel.messages()) == sent(mine, panel.messages())
    return True


# ---- any draft

_WORD = st.text("ab-=$%'\"\\ #{}é,;!?\t\n", min_size=0, max_size=8)
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)  # no frontend's cell contains half a character
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _WORD
    | _ANY,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_WORD, inside, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(["temperature", "max_new_tokens", "stop", "seed", "min_p", "a b", "-x", "--set", "né", "$a"])
_BAD_NAMES = st.sampled_from(["a=b", "", " a", "a\nb"])
_KWARGS = st.dictionaries(_NAMES, _JSON, max_size=4)
_ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
_FIELDS = {
    "endpoint_url": st.sampled_from(
        [URL, CHAT, "https://n.eastus.inference.ml.azure.com/v1/chat/completions?a=b&c='d'"]
    ),
    "endpoint_api_type": st.sampled_from(["dedicated", "serverless"]),
    "formatter": st.sampled_from(["gpt2", "hf", "openai-chat", "mistral-chat", "oss", ""]),
    "deployment_name": _ASCII,
    "key": st.sampled_from(
        [None, "env:RIVER_KEY", "entra", "ask", "keyring:my service/it's", "keyring:a\nb/c", Secret("x")]
    ),
    "system": st.none() | _WORD | _ANY,
    "model": st.none() | _WORD | _ANY,
    "api_version": st.none() | _ASCII,
    "extra_parameters": st.sampled_from([None, "drop"]),
    "timeout": st.sampled_from([190.0, 5.0, 12.3456789, 123456.7, 0.1]),
    "max_retries": st.integers(0, 3),
}
_CONFIGS = st.builds(
    lambda fields, kwargs: LLMConfig(
        **{"name": "prod", "endpoint_url": URL, "formatter": "gpt2", **fields}, model_kwargs=kwargs
    ),
    st.fixed_dictionaries({}, optional=_FIELDS),
    _KWARGS,
)
_EDITS = st.tuples(
    st.fixed_dictionaries({}, optional=_FIELDS), _KWARGS | st.dictionaries(_BAD_NAMES, _JSON, max_size=2), st.booleans()
)
_PROMPTS = st.text(">. {x}y\n\t%!?In[1]:", max_size=20) | _ANY | _WORD


def ready(config):
    """Whether the panel would send it."""
    try:
        client.prepare(config, "Hello", with_key=False)
    except AzmlError:
        return False
    return True


def can_be_sent(panel):
    """Whether there is a prompt, and a value for each of its variables."""
    try:
        panel.messages()
    except AzmlError:
        return False
    return True


@settings(max_examples=300)
@given(_CONFIGS, _EDITS, _PROMPTS, _WORD | _ANY)
@example(BASE, ({"system": "-brief"}, {}, False), ">>> 1", "")
@example(BASE, ({"deployment_name": "-x"}, {"--set": 1}, False), "... and then", "")
@example(BASE, ({"extra_parameters": "drop"}, {}, False), "In [1]: x", "-v")
def test_cell_without_note_sends_what_the_panel_sends(bench, saved, edits, prompt, value):
    panel, magics, asked = bench
    fields, kwargs, anew = edits
    edited = replace(saved.merged(**fields), model_kwargs=kwargs if anew else {**saved.model_kwargs, **kwargs})
    if not ready(edited):
        edited = saved.merged(system="Be brief.", model_kwargs=kwargs)
    assume(ready(edited))
    magics.context.session.save("prod", saved)
    panel.preview(edited, PromptDraft(prompt, {"x": value, "y": value}))
    magics.shell.user_ns.update(x="from the notebook", y=2, I="i", n="n", In="In")
    assume(panel.draft.config == edited)
    assume(can_be_sent(panel))
    shown = panel.build_cell()
    if shown.note:
        assert shown.note.startswith(("A line cannot express ", "IPython "))
        assert "\n" not in shown.note
    else:
        assert len(shown.text.split("\n", 1)[0].splitlines()) == 1
        assert same(panel, asked)


@pytest.mark.parametrize(
    "changes",
    [
        {"system": "-brief"},
        {"system": "- a list\tof"},
        {"system": 'it\'s "so" \\ $HOME {x} #no comment'},
        {"system": ""},
        {"deployment_name": "-blue"},
        {"model": "--model"},
        {"api_version": "-"},
        {"timeout": 12.3456789},
        {"max_retries": 0},
        {"price": "0.15,0.6"},
        {"key": "keyring:my service/it's"},
        {"key": None},
        {"system": "You are \N{WOMAN}\u200d\N{PERSONAL COMPUTER},\xa0a programmer"},
        {"endpoint_url": CHAT, "formatter": "openai-chat"},
        {"endpoint_url": CHAT, "endpoint_api_type": "dedicated", "formatter": "openai-chat"},
        {"model_kwargs": {"temperature": 0.2, "stop": ["a b", "\n"], "seed": 0, "do_sample": False, "x": None}},
        {"model_kwargs": {"x": "1", "y": "NaN", "z": " a ", "w": '{"a": 1}', "v": "1e999", "u": "true", "t": ""}},
    ],
)
def test_line_expresses_change(panel, magics, asked, changes):
    magics.context.session.save("prod", BASE)
    panel.preview(BASE.merged(**{"model_kwargs": {}, **changes}), PromptDraft("Tell me about rivers"))
    assert panel.build_cell().note == ""
    assert same(panel, asked)


@pytest.mark.parametrize(
    ("saved", "changes", "said"),
    [
        (BASE, {"system": "Be brief.\nBe kind."}, "a system message of several lines"),
        (BASE, {"system": "$HOME"}, "a system message that would be read as a variable"),
        (BASE, {"key": Secret("s3cret-key")}, "the key"),
        (BASE.merged(formatter="hf"), {"formatter": "", "endpoint_url": CHAT}, "the formatter"),
        (BASE.merged(model_kwargs={"seed": 1}), {}, "that seed is not sent"),
        (BASE, {"model_kwargs": {"a=b": 1}}, "the kwarg 'a=b'"),
        (BASE, {"model_kwargs": {" a": 1}}, "the kwarg ' a'"),
        (BASE, {"model_kwargs": {"": 1}}, "the kwarg ''"),
        (BASE, {"model_kwargs": {"a\nb": 1}}, "the kwarg 'a\\nb'"),
        (BASE, {"model": "a\u2028b"}, "model"),
        (BASE, {"extra_parameters": "drop"}, "extra_parameters"),
    ],
)
def test_note_names_what_a_line_cannot_express(saved, changes, said):
    # the panel's config without the saved kwargs
    config = LLMConfig(**{**{f: getattr(saved, f) for f in ("name", "endpoint_url", "formatter", "key")}, **changes})
    assert build_cell(config, saved, "Hi", {}).note == (
        f"A line cannot express {said}. Save the config first to get a short cell."
    )


def test_note_lists_several_parts_in_one_sentence():
    note = build_cell(BASE.merged(key=Secret("x"), system="a\nb", model_kwargs={"": 1}), BASE, "Hi", {}).note
    assert note.startswith("A line cannot express a system message of several lines, the key and the kwarg ''.")


# ---- the cell's text


def test_saved_config_is_only_its_name():
    assert build_cell(BASE, BASE, "Tell me about rivers", {}) == CellSource("%%azureml prod\nTell me about rivers")


def test_line_has_only_differences():
    config = BASE.merged(
        model_kwargs={"temperature": 0.2, "stop": ["\n"]}, system="Be brief.", timeout=5, max_retries=0
    )
    assert build_cell(config, BASE, "Hi", {"topic": "tea and rain"}).text == (
        "%%azureml prod --timeout 5 --retries 0 -s 'Be brief.' -p temperature=0.2 -p 'stop=[\"\\n\"]' "
        "-v 'topic=tea and rain'\nHi"
    )


def test_further_words_end_the_line():
    assert build_cell(BASE, BASE, "Hi", {}, ("--repeat", "3")).text == "%%azureml prod --repeat 3\nHi"


def test_cell_never_contains_a_key():
    shown = build_cell(BASE.merged(key=Secret("s3cret-key")), BASE, "Hi", {})
    assert "s3cret" not in repr(shown)


def test_value_of_several_lines_is_joined_and_noted():
    shown = build_cell(BASE, BASE, "About {x}", {"x": "one\ntwo"})
    assert "the value of x, which has several lines" in shown.note
    assert shown.text.count("\n") == 1


@pytest.mark.parametrize(
    "prompt", [">>> print(1)", "... and then?", "In [3]: x", "a\n>>> b", "?", "%%time", "!ls", "x?", "x = 1;"]
)
def test_prompt_that_looks_like_code_is_equal_or_noted(panel, magics, asked, prompt):
    magics.context.session.save("prod", BASE)
    panel.set_prompt(prompt)
    assert same(panel, asked) or "IPython" in panel.build_cell().note


def test_unnamed_config_starts_from_the_active_one(panel, magics, asked):
    magics.context.session.save("prod", BASE.merged(system="Be brief.", model_kwargs={"seed": 1}))
    panel.new()
    for field, text in {"endpoint_url": URL, "formatter": "gpt2", "key": "env:RIVER_KEY", "timeout": "7"}.items():
        panel.set(field, text)
    panel.set_other_kwargs("")
    panel.set_kwarg("seed", "1")
    panel.set_prompt("Hi")
    assert panel.build_cell().text == "%%azureml --timeout 7 -s ''\nHi"
    assert same(panel, asked)


def test_line_in_empty_session_has_everything(panel, magics, asked):
    assert sessions.current().names() == []
    for field, text in {"endpoint_url": CHAT, "key": "env:RIVER_KEY"}.items():
        panel.set(field, text)
    panel.set_prompt("Hi")
    assert panel.build_cell() == CellSource(f"%%azureml --url {CHAT} --key env:RIVER_KEY\nHi")
    assert same(panel, asked)


def test_empty_variables_take_notebook_values_in_the_cell(panel, magics, asked):
    magics.context.session.save("prod", BASE)
    magics.shell.user_ns.update(topic="tea", other="rain")
    panel.set_prompt("About {topic} and {other}, as {{json}}")
    panel.set_variable("other", "snow = 'white'")
    assert panel.build_cell().text.startswith("%%azureml prod -v ")
    assert same(panel, asked)


def test_cell_parser_accepts_every_word():
    config = BASE.merged(
        endpoint_url=CHAT, endpoint_api_type="dedicated", deployment_name="blue", timeout=1, max_retries=0, model="m",
        api_version="v", system="s", formatter="openai-chat", key="entra", model_kwargs={"a": 1},
    )  # fmt: skip
    line = build_cell(config, BASE, "Hi", {"x": "1"}).text.splitlines()[0].removeprefix("%%azureml")
    options = args.parse_cell_line(line)
    assert (options.url, options.type, options.deployment, options.formatter) == (
        CHAT,
        "dedicated",
        "blue",
        "openai-chat",
    )
    assert (options.timeout, options.retries, options.model, options.api_version) == (1.0, 0, "m", "v")
    assert (options.system, options.key, options.set, options.var) == ("s", "entra", ("a=1",), ("x=1",))


# ---- the options of a call


class Opinion(BaseModel):
    product: str
    stars: int


SCHEMA = {"type": "object", "properties": {"it's {name}": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "of {city} in °C, it's new"}}]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("schema", "Opinion"),
        ("schema", json.dumps(SCHEMA, indent=2)),
        ("tools", "tools"),
        ("tools", json.dumps(TOOLS, indent=2)),
        ("output", "answer"),
    ],
)
def test_cell_sends_the_same_schema_and_tools(panel, magics, asked, field, text):
    magics.context.session.save("prod", BASE.merged(endpoint_url=CHAT, formatter="openai-chat"))
    magics.shell.user_ns.update(Opinion=Opinion, tools=TOOLS, city="Rome")
    panel.set_option(field, text)
    panel.set_prompt("Hi")
    cell = panel.build_cell()
    assert cell.note == ""
    config, messages = asked(cell.text)
    mine, its = panel.call()
    assert (json.dumps(dict(config.model_kwargs)), messages) == (json.dumps(dict(mine.model_kwargs)), its)
    assert ("answer" in magics.shell.user_ns) == (field == "output")


@pytest.mark.parametrize(("template", "prompt"), [("none", "{a} {{b}}"), ("$qa", "How far is {place}?")])
def test_cell_sends_the_same_template(magics, asked, template, prompt):
    context = magics.context
    context.session.save("prod", BASE.merged(endpoint_url=CHAT, formatter="openai-chat"))
    magics.shell.user_ns.update(qa=ChatPromptTemplate.from_template("In {language}: {question}"), place="Rome")
    panel = PanelModel(context.session, lambda: context.prompt_variables, render_template=prompt_templates.render)
    panel.set_template(template)
    panel.set_prompt(prompt)
    panel.set_variable("language", "German")
    assert asked(panel.build_cell().text)[1] == panel.messages()
    panel.close()
