"""A config while it is being edited: texts are kept, errors are reported, empty fields are not sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core import wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret
from azml_magics.panel.model.draft import OTHER_KWARGS, Draft
from azml_magics.panel.model.field_texts import FIELDS, formatter_of, texts_of

URL = "https://n.eastus.inference.ml.azure.com/score"
CHAT = "https://n.eastus.models.ai.azure.com/v1/chat/completions"
FULL = LLMConfig(
    name="prod",
    endpoint_url=CHAT,
    endpoint_api_type="dedicated",
    formatter="openai-chat",
    deployment_name="blue",
    key="env:RIVER_KEY",
    model_kwargs={"temperature": 0.2, "stop": ["###"], "logit_bias": {"50256": -100}},
    system="Be brief.",
    model="phi-4",
    api_version="2024-05-01-preview",
    timeout=12.5,
    max_retries=0,
    total_timeout=60,
    headers={"X-Team": "nlp", "Apim": "env:APIM_KEY"},
    key_header="X-Key",
    verify="/etc/company.pem",
    proxy="env:COMPANY_PROXY",
    allow_http=True,
    price="0.15,0.6,0.075",
)
GPT2 = LLMConfig(name="old", endpoint_url=URL, formatter="gpt2")


def control(draft, name):
    return next(kwarg for kwarg in draft.controls if kwarg.name == name)


def typed(draft, name):
    return draft.control_value(control(draft, name))


class Mine:
    """A formatter as LangChain's documentation shows it."""

    def format_request_payload(self, prompt, model_kwargs):
        return b"{}"

    def format_response_payload(self, output):
        return ""


# ---- the start


@pytest.mark.parametrize("config", [LLMConfig(), FULL, GPT2, GPT2.merged(key=None), GPT2.merged(key=Secret("s3cret"))])
def test_unedited_draft_is_the_config(config):
    draft = Draft(config)
    assert draft.config is config or draft.config == config
    assert not draft.is_changed
    assert set(draft.texts) == set(FIELDS)


def test_defaults_are_empty_texts():
    assert texts_of(GPT2) == {
        **dict.fromkeys(FIELDS, ""),
        "endpoint_url": URL,
        "key": "env:AZUREML_ENDPOINT_API_KEY",
        "formatter": "gpt2",
    }
    assert texts_of(FULL) == {
        "endpoint_url": CHAT,
        "endpoint_api_type": "dedicated",
        "deployment_name": "blue",
        "key": "env:RIVER_KEY",
        "model": "phi-4",
        "api_version": "2024-05-01-preview",
        "timeout": "12.5",
        "total_timeout": "60",
        "max_retries": "0",
        "headers": "X-Team=nlp\nApim=env:APIM_KEY",
        "key_header": "X-Key",
        "verify": "/etc/company.pem",
        "proxy": "env:COMPANY_PROXY",
        "allow_http": "allowed",
        "system": "Be brief.",
        "formatter": "openai-chat",
    }


@pytest.mark.parametrize(
    ("key", "text"), [(None, "none"), (Secret("s3cret"), "(in memory)"), (KeyRef("ask"), "ask"), ("env:K", "env:K")]
)
def test_key_is_shown_as_its_reference(key, text):
    assert texts_of(LLMConfig(key=key))["key"] == text


@pytest.mark.parametrize("seconds", [12.3456789, 0.1 + 0.2, 123456.7])
def test_timeout_is_shown_exactly(seconds):
    assert float(texts_of(LLMConfig(timeout=seconds))["timeout"]) == seconds


@given(st.sampled_from([FULL, GPT2, LLMConfig(), GPT2.merged(key=None)]), st.sampled_from([FULL, GPT2, LLMConfig()]))
def test_typing_all_texts_of_a_config_gives_that_config(start, target):
    draft = Draft(start)
    for field, text in texts_of(target).items():
        draft.set(field, text)
    for field in FIELDS:
        assert getattr(draft.config, field) == getattr(target, field), field
    assert not set(draft.errors) - {"formatter"}


# ---- fields


def test_undone_edit_is_not_a_change():
    draft = Draft(GPT2)
    draft.set("system", "Be brief.\n")
    assert draft.config.system == "Be brief.\n"
    assert draft.is_changed
    draft.set("system", "")
    assert not draft.is_changed


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("endpoint_url", "n.example/score", "https"),
        ("endpoint_url", "ftp://n.example/score", "https"),
        ("timeout", "soon", "timeout must be a number of seconds, not 'soon'"),
        ("timeout", "0", "timeout must be a positive number of seconds"),
        ("timeout", "nan", "timeout must be a positive number of seconds"),
        ("timeout", "1e999", "timeout must be a positive number of seconds"),
        ("max_retries", "-1", "'-1' is not a whole number"),
        ("max_retries", "2.5", "'2.5' is not a whole number"),
        ("max_retries", "9" * 5000, "not a whole number"),
        ("key", "env:", "A key reference is incomplete"),
        ("key", "keyring:azure", "A key reference is incomplete"),
        ("formatter", "gtp2", "No formatter named 'gtp2'"),
        ("deployment_name", "blaü", "characters that HTTP headers do not allow"),
    ],
)
def test_wrong_text_stays_with_its_error(field, text, said):
    draft = Draft(GPT2)
    draft.set(field, text)
    assert said in draft.errors[field]
    assert "\n" not in draft.errors[field]
    assert "--" not in draft.errors[field]
    assert len(draft.errors[field]) < 400
    assert draft.texts[field] == text
    assert draft.is_changed
    if field != "formatter":
        assert draft.config == GPT2  # the saved value stays
    draft.set(field, texts_of(GPT2)[field])
    assert draft.errors == {}
    assert not draft.is_changed


@pytest.mark.parametrize("key", ["sk-0123456789abcdef", "Bearer abc", "0123456789:abcdef"])
def test_key_instead_of_reference_is_refused_and_dropped(key, contains_text):
    draft = Draft(GPT2)
    draft.set("key", key)
    assert draft.errors["key"].startswith("That is not a key reference")
    assert not contains_text(draft, key)
    assert draft.config == GPT2
    draft.set("key", "env:RIVER_KEY")
    assert draft.errors == {}


def test_fields_are_stripped():
    draft = Draft(GPT2)
    for field, text in {
        "endpoint_url": f" {URL}\n",
        "key": " env:K ",
        "timeout": " 5 ",
        "deployment_name": " x ",
    }.items():
        draft.set(field, text)
    config = draft.config
    assert (config.endpoint_url, str(config.key), config.timeout, config.deployment_name) == (URL, "env:K", 5.0, "x")


def test_type_follows_the_url_unless_chosen():
    draft = Draft(GPT2)
    draft.set("endpoint_url", CHAT)
    assert draft.config.endpoint_api_type == "serverless"
    draft.set("endpoint_api_type", "dedicated")
    assert draft.config.endpoint_api_type == "dedicated"
    draft.set("endpoint_url", URL)
    draft.set("endpoint_url", CHAT)
    assert draft.config.endpoint_api_type == "dedicated"


def test_saved_type_stays_with_another_url():
    draft = Draft(FULL)
    draft.set("endpoint_url", CHAT.replace("n.", "m."))
    assert draft.config.endpoint_api_type == "dedicated"


def test_unfitting_formatter_is_an_error():
    draft = Draft(GPT2)
    draft.set("endpoint_url", CHAT)
    assert draft.errors["formatter"].startswith("The formatter 'gpt2' works with dedicated endpoints")
    draft.set("endpoint_url", URL)
    draft.set("formatter", "")
    assert "formatter" in draft.errors  # /score implies none
    draft.set("endpoint_url", CHAT)
    assert draft.errors == {}  # the route implies it


def test_missing_url_is_not_an_error():
    assert Draft(LLMConfig()).errors == {}


def test_formatter_object_stays_until_another_is_chosen():
    mine = Mine()
    draft = Draft(GPT2.merged(formatter=mine))
    assert draft.texts["formatter"] == "(Mine)"
    draft.set("formatter", "gpt2")
    assert draft.config.formatter == "gpt2"
    draft.set("formatter", "(Mine)")
    assert draft.config.formatter is mine
    assert draft.controls == []


def test_formatter_alias_is_shown_as_its_name():
    assert Draft(GPT2.merged(formatter="oss")).texts["formatter"] == "gpt2"
    assert formatter_of(GPT2.merged(formatter="oss")).name == "gpt2"
    assert formatter_of(GPT2.merged(formatter="registered-elsewhere")) is None


def test_key_in_memory_stays_unless_edited():
    draft = Draft(GPT2.merged(key=Secret("s3cret")))
    draft.set("timeout", "5")
    assert draft.config.key == Secret("s3cret")
    draft.set("key", "none")
    assert draft.config.key is None
    draft.set("key", "(in memory)")
    assert draft.config.key == Secret("s3cret")


# ---- kwargs


def test_controls_are_the_formatters_kwargs():
    assert [kwarg.name for kwarg in Draft(GPT2).controls] == [kwarg.name for kwarg in wire.get("gpt2").known_kwargs]
    assert "tools" not in [kwarg.name for kwarg in Draft(FULL).controls]  # an object is written as JSON
    assert Draft(LLMConfig()).controls == []


def test_empty_kwarg_is_not_sent():
    draft = Draft(GPT2)
    draft.set_kwarg("temperature", "0.5")
    draft.set_kwarg("stop", ("###", "\\n"))
    assert draft.config.model_kwargs == {"temperature": 0.5, "stop": ["###", "\n"]}
    draft.set_kwarg("temperature", " ")
    draft.set_kwarg("stop", ())
    assert draft.config.model_kwargs == {}
    assert not draft.is_changed


def test_reset_kwarg_is_not_sent():
    draft = Draft(FULL)
    draft.reset_kwarg("temperature")
    assert "temperature" not in draft.config.model_kwargs
    assert typed(draft, "temperature") == ""
    assert draft.is_changed


def test_null_kwarg_is_sent_and_shown():
    draft = Draft(GPT2.merged(model_kwargs={"temperature": None}))
    assert typed(draft, "temperature") == ""
    assert draft.other_kwargs_json == '{"temperature": null}'
    draft.set_kwarg("temperature", "1")
    assert (draft.config.model_kwargs, draft.other_kwargs_json) == ({"temperature": 1}, "")


def test_value_outside_range_is_sent_with_a_note():
    draft = Draft(GPT2)
    draft.set_kwarg("temperature", "7")
    assert draft.note(control(draft, "temperature")) == "above the documented maximum of 2; it is sent"
    assert draft.errors == {}
    assert draft.config.model_kwargs == {"temperature": 7}


def test_unreadable_kwarg_keeps_former_value_and_shows_error():
    draft = Draft(FULL)
    draft.set_kwarg("temperature", "warm")
    assert typed(draft, "temperature") == "warm"
    assert draft.note(control(draft, "temperature")) == "'warm' is not a number"
    assert draft.errors == {"temperature": "'warm' is not a number"}
    assert draft.config.model_kwargs["temperature"] == 0.2
    assert draft.is_changed
    draft.set_kwarg("temperature", "0.2")
    assert draft.errors == {}
    assert not draft.is_changed


def test_reset_removes_an_unreadable_kwarg():
    draft = Draft(GPT2)
    draft.set_kwarg("max_new_tokens", "many")
    draft.reset_kwarg("max_new_tokens")
    assert (draft.errors, draft.is_changed) == ({}, False)


def test_unreadable_kwarg_waits_for_a_formatter_with_its_control():
    draft = Draft(GPT2)
    draft.set_kwarg("temperature", "warm")
    draft.set("formatter", "promptflow")
    assert draft.errors == {}  # there is no control to correct it in
    draft.set("formatter", "hf")
    assert draft.errors == {"temperature": "'warm' is not a number"}
    assert typed(draft, "temperature") == "warm"


def test_input_from_a_removed_control_is_ignored():
    draft = Draft(GPT2)
    draft.set("formatter", "promptflow")
    draft.set_kwarg("temperature", "1")
    assert draft.config.model_kwargs == {}


# ---- the JSON field


def test_kwargs_without_control_are_json():
    assert Draft(FULL).other_kwargs_json == '{"logit_bias": {"50256": -100}}'
    assert Draft(GPT2).other_kwargs_json == ""


def test_long_json_has_several_lines():
    rest = Draft(GPT2.merged(model_kwargs={f"kwarg_number_{n}": n for n in range(9)})).other_kwargs_json
    assert rest.count("\n") == 10
    assert json.loads(rest)["kwarg_number_8"] == 8


def test_typed_json_is_sent_with_the_controls():
    draft = Draft(FULL)
    draft.set_other_kwargs('{"min_p": 0.1}')
    assert draft.config.model_kwargs == {"temperature": 0.2, "stop": ["###"], "min_p": 0.1}
    draft.set_other_kwargs("")
    assert draft.config.model_kwargs == {"temperature": 0.2, "stop": ["###"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"min_p": }', "not JSON at column 11: Expecting value"),
        ('{"min_p": NaN}', "NaN cannot be sent"),
        ('{"min_p": 1e999}', "The model kwarg 'min_p' cannot be sent as JSON"),
        ('{"a": {"b": [1, {"c": -1e999}]}}', "The model kwarg 'a' cannot be sent as JSON"),
        ('{"temperature": 1}', "temperature has a field of its own above"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", ""),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
    ],
)
def test_wrong_json_stays_with_its_error(text, said):
    draft = Draft(FULL)
    draft.set_other_kwargs(text)
    assert said in draft.errors[OTHER_KWARGS]
    assert "\n" not in draft.errors[OTHER_KWARGS]
    assert draft.other_kwargs_json == text
    assert draft.config == FULL
    assert draft.is_changed
    draft.set_other_kwargs('{"logit_bias": {"50256": -100}}')
    assert (draft.errors, draft.is_changed) == ({}, False)


@pytest.mark.parametrize("depth", [10, 100, 300, 500, 700, 900, 1200, 2000])
def test_deep_json_is_accepted_or_refused(depth):
    draft = Draft(GPT2)
    draft.set_other_kwargs('{"a": ' + "[" * depth + "]" * depth + "}")
    assert draft.other_kwargs_json
    if not draft.errors:
        assert json.loads(draft.other_kwargs_json) == draft.config.model_kwargs


def test_value_that_does_not_fit_a_control_is_json():
    draft = Draft(GPT2.merged(model_kwargs={"stop": "###", "temperature": 1}))
    assert draft.other_kwargs_json == '{"stop": "###"}'
    assert typed(draft, "stop") == ()
    draft.set_other_kwargs('{"stop": ["###"]}')
    assert draft.other_kwargs_json == ""
    assert typed(draft, "stop") == ("###",)
    assert not draft.errors


def test_json_is_accepted_once_its_control_is_gone():
    draft = Draft(GPT2)
    draft.set_other_kwargs('{"temperature": 1}')
    draft.set("formatter", "promptflow")
    assert draft.errors == {}
    assert draft.config.model_kwargs == {"temperature": 1}


# ---- another formatter

_NAMES = ["gpt2", "dolly", "hf", "hf-plain", "mlflow", "promptflow", "openai", "openai-chat", "mistral-chat", "tgi", ""]
_KWARGS = st.dictionaries(
    st.sampled_from(
        ["temperature", "top_p", "max_tokens", "max_new_tokens", "stop", "seed", "tools", "min_p", "do_sample"]
    ),
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(0, 2)
    | st.text(max_size=3)
    | st.lists(st.text(max_size=3), max_size=3),
)


@given(_KWARGS, st.lists(st.sampled_from(_NAMES), min_size=1, max_size=6))
def test_no_kwarg_is_lost_or_doubled_by_changing_formatters(kwargs, names):
    draft = Draft(GPT2.merged(model_kwargs=kwargs))
    for name in names:
        draft.set("formatter", name)
        assert draft.config.model_kwargs == kwargs
        others = json.loads(draft.other_kwargs_json or "{}")
        shown = {kwarg.name for kwarg in draft.controls if draft.control_value(kwarg)}
        assert shown | set(others) == set(kwargs)
        assert not shown & set(others)
    draft.set("formatter", "gpt2")
    assert not draft.is_changed


def test_kwarg_moves_to_json_and_back():
    draft = Draft(GPT2)
    draft.set_kwarg("max_new_tokens", "64")
    draft.set("formatter", "openai")
    draft.set("endpoint_url", CHAT.replace("/chat", ""))
    assert draft.other_kwargs_json == '{"max_new_tokens": 64}'
    draft.set("endpoint_url", URL)
    draft.set("formatter", "hf")
    assert (draft.other_kwargs_json, typed(draft, "max_new_tokens")) == ("", "64")


# ---- changes in the session


def test_edits_stay_when_another_config_is_saved():
    draft = Draft(GPT2)
    draft.set("system", "Mine.")
    draft.set_kwarg("temperature", "1")
    draft.rebase(GPT2.merged(timeout=5, system="Theirs."))
    assert (draft.config.system, dict(draft.config.model_kwargs)) == ("Mine.", {"temperature": 1})
    assert draft.is_changed


def test_rename_changes_only_the_name():
    draft = Draft(GPT2)
    draft.set("timeout", "soon")
    draft.set("system", "Mine.")
    draft.rebase(GPT2.merged(name="new"))
    assert (draft.config.name, draft.config.system, draft.texts["timeout"]) == ("new", "Mine.", "soon")
    draft.set("timeout", "")
    draft.set("system", "")
    assert not draft.is_changed
