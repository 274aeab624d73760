"""A file names a key and a host: the key is sent once the user trusts it, and never before."""

from __future__ import annotations

import json
import os
import pickle
import stat
from pathlib import Path

import pytest

import azml_magics
from azml_magics import LLMConfig, granting
from azml_magics.core import trust
from azml_magics.core.errors import KeyRefusedError, UnknownNameError, UsageError
from azml_magics.core.paths import user_folder

EVIL = "https://evil.example/v1/chat/completions"
SECRET = "env:AWS_SECRET_ACCESS_KEY"


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret-0123456789")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "default-key-0123456789")
    monkeypatch.delenv("AZUREML_ENDPOINT_URL", raising=False)
    monkeypatch.delenv(trust.VARIABLE, raising=False)


@pytest.fixture
def pyproject(tmp_path):
    return str(tmp_path / "pyproject.toml")


def config(file, **fields):
    fields = {"name": "prod", "endpoint_url": EVIL, "key": SECRET, **fields}
    return LLMConfig(file=file, **fields)


def is_asked(candidate):
    try:
        trust.check(candidate)
    except KeyRefusedError:
        return True
    return False


def test_error_says_which_key_goes_where(pyproject, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyRefusedError) as caught:
        azml_magics.invoke(config(pyproject), "Hi")
    assert str(caught.value).startswith(
        "prod of ./pyproject.toml sends AWS_SECRET_ACCESS_KEY to evil.example, and you have not said that you trust it"
    )
    assert caught.value.error_code == "untrusted-config"


def test_trusted_config_is_not_asked_about_again(pyproject):
    assert is_asked(config(pyproject))
    granting.trust(config(pyproject))
    assert not is_asked(config(pyproject))


def test_trust_is_remembered_by_the_next_process(pyproject):
    granting.trust(config(pyproject))
    trust.forget()
    assert not is_asked(config(pyproject))
    path = user_folder() / "trust.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "aws-secret" not in path.read_text()


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint_url": "https://other.example/v1/chat/completions"},
        {"endpoint_url": "https://evil.example:8443/v1/chat/completions"},
        {"key": "env:GITHUB_TOKEN"},
        {"key": "entra"},
        {"headers": {"x-api-key": "env:GITHUB_TOKEN"}},
        {"name": "another"},
        {"verify": False},
        {"proxy": "http://proxy.example:3128"},
        {"allow_http": True},
    ],
)
def test_change_of_host_key_or_connection_asks_again(pyproject, changes):
    granting.trust(config(pyproject))
    assert is_asked(config(pyproject, **changes))


@pytest.mark.parametrize("changes", [{"deployment_name": "blue"}, {"model_kwargs": {"seed": 1}}, {"timeout": 5}])
def test_other_changes_do_not_ask_again(pyproject, changes):
    granting.trust(config(pyproject))
    assert not is_asked(config(pyproject).merged(**changes))


def test_same_name_in_another_file_is_asked_about(pyproject, tmp_path):
    granting.trust(config(pyproject))
    assert is_asked(config(str(tmp_path / "clone" / "pyproject.toml")))


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://e.westeurope.inference.ml.azure.com/score", False),
        ("https://r.openai.azure.com/openai/v1", False),
        ("https://r.services.ai.azure.us/models", False),
        ("http://127.0.0.1:8000/v1", False),
        (EVIL, True),
        ("https://evil.azure-api.net/score", True),
        ("https://evil.azurewebsites.net/score", True),
        ("https://inference.ml.azure.com.evil.example/score", True),
    ],
)
def test_default_key_goes_unasked_to_azure_and_this_machine_only(pyproject, url, asked):
    assert is_asked(LLMConfig(name="prod", endpoint_url=url, file=pyproject)) is asked


def test_default_key_goes_unasked_to_the_host_of_its_own_variable(pyproject, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", "https://gateway.example/score")
    assert not is_asked(LLMConfig(endpoint_url="https://gateway.example/v1", file=pyproject))
    assert is_asked(LLMConfig(endpoint_url=EVIL, file=pyproject))


@pytest.mark.parametrize(
    "settings", [{"verify": False}, {"verify": "/clone/ca.pem"}, {"proxy": "http://p.example:1"}, {"allow_http": True}]
)
def test_default_key_is_asked_about_if_the_connection_is_changed(pyproject, settings):
    url = "https://r.openai.azure.com/openai/v1"
    assert is_asked(LLMConfig(endpoint_url=url, file=pyproject, **settings))
    assert not is_asked(LLMConfig(endpoint_url=url, file=pyproject, key=None, **settings))


def test_keys_in_headers_count(pyproject):
    assert is_asked(LLMConfig(endpoint_url=EVIL, key=None, headers={"x-api-key": SECRET}, file=pyproject))
    assert not is_asked(LLMConfig(endpoint_url=EVIL, key=None, headers={"x-team": "blue"}, file=pyproject))


def test_typed_and_passed_keys_need_no_trust(pyproject):
    assert not is_asked(config(pyproject, key="ask"))
    assert not is_asked(config(pyproject, key=azml_magics.Secret("typed-key-123456")))
    assert not is_asked(config(pyproject, key=None))


def test_own_configs_need_no_trust():
    assert not is_asked(config(""))


def test_merged_and_pickled_configs_still_need_trust(pyproject):
    assert is_asked(config(pyproject).merged(model_kwargs={"seed": 1}))
    assert is_asked(pickle.loads(pickle.dumps(config(pyproject))))


def test_environment_names_trusted_files_for_programs(pyproject, monkeypatch):
    monkeypatch.setenv(trust.VARIABLE, os.pathsep.join(["/elsewhere/pyproject.toml", pyproject]))
    assert not is_asked(config(pyproject))


def test_credential_of_a_client_is_asked_about(pyproject):
    class Credential:
        def get_token(self, scope):
            raise AssertionError("a token was requested")

    client = azml_magics.Client(credential=Credential())
    with pytest.raises(KeyRefusedError, match=r"entra \(Credential\) to evil\.example"):
        client.invoke(config(pyproject, key=None), "Hi")


def test_trust_grants_what_was_refused_last(pyproject):
    azml_magics.session.current().save("prod", config(pyproject))
    changed = azml_magics.session.current().get("prod").merged(key="env:OTHER_SECRET")
    assert is_asked(changed)
    azml_magics.trust("prod")
    assert not is_asked(changed)


def test_trust_refuses_what_is_not_a_config(pyproject):
    with pytest.raises(UnknownNameError):
        azml_magics.trust("nowhere")
    with pytest.raises(UsageError, match="int is not a config"):
        azml_magics.trust(3)
    assert azml_magics.trust(config(pyproject, key=None)) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"trusted": [1, {"file": 1}]}', "[" * 5000])
def test_unreadable_trust_file_grants_nothing(pyproject, text):
    path = user_folder() / "trust.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert is_asked(config(pyproject))


def test_models_made_from_a_files_config_are_asked_about(tmp_path):
    langchain = pytest.importorskip("azml_magics.langchain")
    path = tmp_path / "prod.json"
    path.write_text(
        json.dumps({"_type": "azureml_chat_endpoint", "endpoint_url": EVIL, "key": SECRET, "formatter": "openai-chat"})
    )
    model = langchain.from_config(azml_magics.load_config(path, is_trusted=False))
    with pytest.raises(KeyRefusedError, match=r"azml_magics\.trust\(model\)"):
        model.invoke("Hi")
    assert is_asked(model.model_copy().to_config())
    assert is_asked(pickle.loads(pickle.dumps(model)).to_config())
    azml_magics.trust(model)
    assert not is_asked(model.to_config())


def test_program_that_loads_a_file_by_its_path_trusts_it(tmp_path):
    path = tmp_path / "prod.json"
    path.write_text(json.dumps({"_type": "azureml_chat_endpoint", "endpoint_url": EVIL, "key": SECRET}))
    assert not is_asked(azml_magics.load_config(path))
    assert is_asked(azml_magics.load_config(path, is_trusted=False))


def test_rows_of_an_untrusted_config_are_not_sent(pyproject):
    with pytest.raises(KeyRefusedError):
        azml_magics.map_rows(config(pyproject, formatter="openai-chat"), "Hi {name}", [{"name": "Ann"}])


def test_path_of_the_file_does_not_depend_on_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    granting.trust(config("pyproject.toml"))
    assert not is_asked(config(str(Path(tmp_path) / "pyproject.toml")))
