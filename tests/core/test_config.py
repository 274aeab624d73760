"""LLMConfig: what is accepted, what is refused, and that nothing sticks."""

from __future__ import annotations

import copy
import enum
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.config import DEFAULT_TIMEOUT, UNSET, LLMConfig, takes_key_elsewhere
from azml_magics.core.errors import ConfigError, KeyRefusedError, UnknownNameError
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret

from .judge import only_our_errors

URL = "https://hr.westeurope.inference.ml.azure.com/score"


def test_empty_config_uses_langchains_variable():
    config = LLMConfig()
    assert config.key == KeyRef("env", "AZUREML_ENDPOINT_API_KEY")
    assert (config.endpoint_api_type, config.timeout, config.max_retries) == ("dedicated", DEFAULT_TIMEOUT, 2)


class ApiType(str, enum.Enum):
    realtime = "realtime"
    serverless = "serverless"


@pytest.mark.parametrize(
    ("given_type", "url", "type_"),
    [
        ("", URL, "dedicated"),
        ("", URL.replace("/score", "/v1/chat/completions"), "serverless"),
        ("", "https://h.eastus2.models.ai.azure.com", "serverless"),
        ("", "", "dedicated"),
        ("dedicated", "", "dedicated"),
        ("realtime", "", "dedicated"),
        ("Serverless", URL, "serverless"),
        (ApiType.realtime, "", "dedicated"),
        (ApiType.serverless, URL, "serverless"),
        (None, URL, "dedicated"),
    ],
)
def test_api_type_is_given_or_read_from_url(given_type, url, type_):
    assert LLMConfig(endpoint_url=url, endpoint_api_type=given_type).endpoint_api_type == type_


def test_misspelt_api_type_suggests_the_closest():
    with pytest.raises(UnknownNameError, match=r"No endpoint type named 'severless'. Did you mean 'serverless'\?"):
        LLMConfig(endpoint_api_type="severless")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"timeout": 0}, "timeout must be a positive number"),
        ({"timeout": -1}, "timeout must be a positive number"),
        ({"timeout": float("nan")}, "timeout must be a positive number"),
        ({"timeout": float("inf")}, "timeout must be a positive number"),
        ({"timeout": 10**400}, "timeout must be a"),
        ({"timeout": "soon"}, "timeout must be a number of seconds, not 'soon'"),
        ({"timeout": None}, "timeout must be a number of seconds"),
        ({"timeout": True}, "timeout must be a number of seconds"),
        ({"max_retries": -1}, "max_retries must be 0 or a positive integer"),
        ({"max_retries": 1.5}, "max_retries must be 0 or a positive integer"),
        ({"max_retries": True}, "max_retries must be 0 or a positive integer"),
        ({"extra_parameters": "ignore"}, "extra_parameters must be one of error, drop, pass-through, not 'ignore'"),
        ({"model_kwargs": {1: 2}}, "names of model kwargs must be strings, not 1"),
        ({"model_kwargs": {"a": object()}}, "model kwarg 'a' cannot be sent as JSON"),
        ({"model_kwargs": {"a": float("nan")}}, "model kwarg 'a' cannot be sent as JSON"),
        ({"model_kwargs": {"a": {1, 2}}}, "model kwarg 'a' cannot be sent as JSON"),
        ({"model_kwargs": "temperature=1"}, "model_kwargs must be a dict, not str"),
        ({"model_kwargs": [1]}, "model_kwargs must be a dict, not list"),
        ({"extras": 7}, "extras must be a dict, not int"),
        ({"endpoint_url": 7}, "endpoint_url must be a string, not int"),
        ({"endpoint_url": None}, "endpoint_url must be a string, not NoneType"),
        ({"deployment_name": 7}, "deployment_name must be a string, not int"),
        ({"deployment_name": "blue\r\nX: 1"}, "deployment_name contains characters that HTTP headers do not allow"),
        ({"deployment_name": "blåbær"}, "deployment_name contains characters that HTTP headers do not allow"),
        ({"system": 7}, "system must be a string, not int"),
        ({"model": ["m"]}, "model must be a string, not list"),
        ({"api_version": 2024}, "api_version must be a string, not int"),
        ({"name": 7}, "name must be a string, not int"),
        ({"key": 7}, "key must be a key reference, not int"),
        ({"key": b"bytes"}, "key must be a key reference, not bytes"),
    ],
)
def test_wrong_value_names_its_field(fields, said):
    with pytest.raises(ConfigError, match=said) as caught:
        LLMConfig(**fields)
    assert "\n" not in str(caught.value)


def test_recursive_kwarg_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(ConfigError, match="model kwarg 'a' cannot be sent as JSON"):
        LLMConfig(model_kwargs={"a": endless})


def test_literal_key_is_accepted_only_as_secret():
    with pytest.raises(KeyRefusedError):
        LLMConfig(key="abc123")
    assert LLMConfig(key=Secret("abc123")).key == Secret("abc123")
    assert LLMConfig(key="entra").key == KeyRef("entra")
    assert LLMConfig(key=None).key is None


def test_none_means_no_key():
    assert LLMConfig(key="none").key is None
    assert LLMConfig(key="env:K").merged(key="none").key is None


def test_config_repr_shows_no_key():
    assert "abc123" not in repr(LLMConfig(key=Secret("abc123")))


def test_config_is_frozen():
    config = LLMConfig(model_kwargs={"a": 1})
    with pytest.raises(AttributeError):
        config.name = "x"
    with pytest.raises(TypeError):
        config.model_kwargs["b"] = 2


def test_config_copies_the_callers_dicts():
    kwargs = {"stop": ["a"]}
    config = LLMConfig(model_kwargs=kwargs)
    kwargs["stop"].append("b")
    kwargs["new"] = 1
    assert dict(config.model_kwargs) == {"stop": ["a"]}


def test_kwargs_are_kept_as_json_data():
    kwargs = {"stop": ("a", "b"), "type": ApiType.serverless, "n": 1, "x": 0.1, "deep": {"t": (1,)}}
    assert LLMConfig(model_kwargs=kwargs).model_kwargs == {
        "stop": ["a", "b"],
        "type": "serverless",
        "n": 1,
        "x": 0.1,
        "deep": {"t": [1]},
    }


# ---- merged


def test_merged_returns_a_changed_copy():
    config = LLMConfig("prod", URL, model_kwargs={"temperature": 0.2, "max_tokens": 9})
    other = config.merged({"temperature": 1, "top_p": 0.5}, timeout=5)
    assert dict(other.model_kwargs) == {"temperature": 1, "max_tokens": 9, "top_p": 0.5}
    assert (other.timeout, config.timeout) == (5, DEFAULT_TIMEOUT)
    assert dict(config.model_kwargs) == {"temperature": 0.2, "max_tokens": 9}


def test_unset_is_not_none():
    config = LLMConfig(system="S", model_kwargs={"a": 1, "b": 2})
    assert config.merged(system=UNSET).system == "S"
    assert config.merged(system=None).system is None
    assert dict(config.merged({"a": UNSET, "b": None}).model_kwargs) == {"b": None}
    assert repr(UNSET) == "UNSET"


def test_new_url_resets_the_api_type():
    config = LLMConfig(endpoint_url=URL)
    other = config.merged(endpoint_url="https://h.eastus2.models.ai.azure.com/completions")
    assert (config.endpoint_api_type, other.endpoint_api_type) == ("dedicated", "serverless")
    assert config.merged(endpoint_api_type="serverless").endpoint_api_type == "serverless"


def test_misspelt_field_suggests_the_closest():
    with pytest.raises(ConfigError, match=r"A config has no field 'time_out'. Did you mean 'timeout'\?"):
        LLMConfig().merged(time_out=3)


# ---- copies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.none() | st.text(), st.integers(0, 99))
def test_config_pickles_and_copies(kwargs, system, retries):
    config = LLMConfig("prod", URL, formatter="gpt2", model_kwargs=kwargs, system=system, max_retries=retries)
    for other in (pickle.loads(pickle.dumps(config)), copy.copy(config), copy.deepcopy(config)):
        assert other == config
        assert hash(other) == hash(config)
        assert other.model_kwargs == kwargs


def test_literal_key_is_not_pickled():
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(LLMConfig(key=Secret("abc123")))
    assert copy.deepcopy(LLMConfig(key=Secret("abc123"))).key == Secret("abc123")


@given(st.text(max_size=30) | st.text("htps:/@[]?#.\\ %1a\n", max_size=30).map(lambda t: "https://" + t))
def test_any_url_text_is_accepted_or_config_error(text):
    with only_our_errors(ConfigError):
        LLMConfig(endpoint_url=text)


# ---- networks -----------------------------------------------------------------------------------------------------


def test_network_settings_survive_pickling():
    config = LLMConfig(
        headers={"X-Team": "nlp", "X-Key": "env:K"},
        key_header="X-Api-Key",
        verify="/etc/company.pem",
        proxy="company:3128",
        allow_http=True,
        total_timeout=30,
    )
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"key_header": "X Key"}, "key_header has the name 'X Key', which is not the name of an HTTP header"),
        ({"key_header": 3}, "key_header must be a string, not int"),
        ({"verify": 3}, "verify must be the path of a CA file or folder, or False, not int"),
        ({"proxy": "ftp://p"}, "The proxy's URL cannot be read"),
        ({"proxy": 3}, "proxy must be a string, not int"),
        ({"allow_http": "yes"}, "allow_http must be True or False, not 'yes'"),
        ({"total_timeout": 0}, "total_timeout must be a positive number of seconds, not 0"),
        ({"total_timeout": "soon"}, "total_timeout must be a number of seconds, not 'soon'"),
    ],
)
def test_wrong_network_settings_are_one_line(fields, problem):
    with pytest.raises(ConfigError) as caught:
        LLMConfig(**fields)
    assert problem in str(caught.value)


def test_missing_ca_file_does_not_stop_a_config_from_loading():
    assert LLMConfig(verify="/nowhere/ca.pem").verify == "/nowhere/ca.pem"
    assert LLMConfig(verify=True).verify is None


def test_header_with_a_key_stays_with_its_host():
    config = LLMConfig(endpoint_url="https://a.example.com/score", key=None, headers={"X-Key": "env:K", "X-B": "b"})
    assert takes_key_elsewhere(config, config.merged(endpoint_url="https://b.example.com/score"))
    assert takes_key_elsewhere(
        config, config.merged(endpoint_url="https://b.example.com/score", key="env:O"), by_line=True
    )
    assert not takes_key_elsewhere(
        config, config.merged(endpoint_url="https://b.example.com/score", headers={"X-Key": "env:OTHER"})
    )
