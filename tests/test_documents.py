"""The JSON and YAML of a saved config, compared with what langchain-community writes and reads."""

from __future__ import annotations

import json
import os
import stat
import warnings

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import documents
from azml_magics.core import wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import DocumentError
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret
from azml_magics.documents import dumps, from_document, load, load_all, loads, save, to_document

from .core.judge import only_our_errors

KEY = "k3y-0123456789abcdef-KEEP-OUT"
SCORE = "https://hr.westeurope.inference.ml.azure.com/score"
CHAT = "https://hr.eastus2.models.ai.azure.com/v1/chat/completions"
PLAIN = LLMConfig(deployment_name="databricks-dolly-v2-12b-4", model_kwargs={"temperature": 0.2, "max_tokens": 150})


# ---- what is written


def test_langchain_document_has_its_three_keys():
    assert dumps(to_document(PLAIN, langchain=True)) == (
        "{\n"
        '    "deployment_name": "databricks-dolly-v2-12b-4",\n'
        '    "model_kwargs": {\n'
        '        "temperature": 0.2,\n'
        '        "max_tokens": 150\n'
        "    },\n"
        '    "_type": "azureml_endpoint"\n'
        "}"
    )


def test_own_keys_are_written_only_if_set():
    assert list(to_document(PLAIN)) == ["deployment_name", "model_kwargs", "_type", "azml_schema"]
    full = LLMConfig(
        "hr",
        CHAT,
        formatter="openai-chat",
        deployment_name="blue",
        key="keyring:azml/hr",
        model_kwargs={"top_p": 1},
        system="Be brief.",
        model="m",
        api_version="2025-04-01",
        extra_parameters="drop",
        timeout=30,
        max_retries=0,
    )
    assert to_document(full) == {
        "deployment_name": "blue",
        "model_kwargs": {"top_p": 1},
        "_type": "azureml_chat_endpoint",
        "endpoint_url": CHAT,
        "endpoint_api_type": "serverless",
        "timeout": 30,
        "max_retries": 0,
        "formatter": "openai-chat",
        "key": "keyring:azml/hr",
        "system": "Be brief.",
        "api_version": "2025-04-01",
        "extra_parameters": "drop",
        "model": "m",
        "azml_schema": 1,
    }


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
@pytest.mark.parametrize("langchain", [True, False])
def test_literal_key_is_never_written(tmp_path, suffix, langchain):
    path = save(LLMConfig(endpoint_url=SCORE, key=Secret(KEY)), tmp_path / f"c{suffix}", langchain=langchain)
    text = path.read_text()
    assert KEY not in text
    assert "key" not in text


def test_literal_key_in_a_header_is_never_written(tmp_path):
    config = LLMConfig(headers={"api-key": KEY, "X-Team": "nlp", "Apim": "env:APIM_KEY"})
    path = save(config, tmp_path / "hr.json")
    assert KEY not in path.read_text()
    assert json.loads(path.read_text())["headers"] == {"X-Team": "nlp", "Apim": "env:APIM_KEY"}


def test_config_without_key_stays_without_key(tmp_path):
    keyless = LLMConfig(endpoint_url=SCORE, key=None)
    assert load(save(keyless, tmp_path / "c.json")).key is None
    assert load(save(keyless, tmp_path / "c.yaml")).key is None


class Mine:
    def format_request_payload(self, prompt, model_kwargs):
        return b"{}"

    def format_response_payload(self, output):
        return ""


def test_custom_formatter_is_saved_under_its_registered_name(tmp_path):
    mine = Mine()
    wire.register("mine", mine)
    for formatter in (mine, wire.get("mine"), "mine"):
        assert to_document(LLMConfig(endpoint_url=SCORE, formatter=formatter))["formatter"] == "mine"


def test_builtin_formatter_object_is_saved_under_its_name():
    assert to_document(LLMConfig(endpoint_url=SCORE, formatter=wire.get("hf")))["formatter"] == "hf"


def test_unregistered_formatter_is_refused_with_a_remedy():
    with pytest.raises(
        DocumentError, match="The formatter Mine is not registered under a name, so it cannot be saved"
    ) as caught:
        to_document(LLMConfig(endpoint_url=SCORE, formatter=Mine()))
    assert "register_formatter" in str(caught.value)


def test_langchain_document_needs_no_formatter_name():
    assert "formatter" not in to_document(LLMConfig(endpoint_url=SCORE, formatter=Mine()), langchain=True)


# ---- the judge


@pytest.fixture(scope="module")
def community():
    """langchain-community's own class and loader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its own retirement
        loading = pytest.importorskip("langchain_community.llms.loading", reason="langchain-community is the judge")
        from langchain_community.llms.azureml_endpoint import AzureMLOnlineEndpoint, DollyContentFormatter
    return AzureMLOnlineEndpoint, DollyContentFormatter, loading.load_llm


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


KWARGS = [
    {},
    {"temperature": 0.2, "max_tokens": 150},
    {"stop": ["\n\n", "Ü 漢"], "deep": {"z": 1, "a": [None, True, 1e-9]}, "n": -1},
    {"text": 'quotes " and \\ and : # - yes', "no": "yes", "date": "2024-10-21"},
]


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
@pytest.mark.parametrize("kwargs", KWARGS)
@pytest.mark.parametrize("deployment", ["", "databricks-dolly-v2-12b-4"])
def test_langchain_document_is_byte_for_byte_langchains(tmp_path, community, quiet, suffix, kwargs, deployment):  # noqa: PLR0917 - a column each
    endpoint, formatter, _ = community
    theirs = endpoint(
        endpoint_url=SCORE,
        endpoint_api_key="x",
        deployment_name=deployment,
        model_kwargs=kwargs,
        content_formatter=formatter(),
    )
    theirs.save(tmp_path / f"theirs{suffix}")
    ours = LLMConfig(endpoint_url=SCORE, deployment_name=deployment, model_kwargs=kwargs, formatter="dolly")
    save(ours, tmp_path / f"ours{suffix}", langchain=True)
    assert (tmp_path / f"ours{suffix}").read_bytes() == (tmp_path / f"theirs{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_load_llm_of_langchain_reads_a_full_document(tmp_path, community, quiet, monkeypatch, suffix):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "x")
    _, _, load_llm = community
    config = LLMConfig(
        "hr",
        SCORE,
        formatter="dolly",
        deployment_name="blue",
        key="keyring:azml/hr",
        model_kwargs={"temperature": 0.2},
        system="Be brief.",
        timeout=77,
        max_retries=5,
        extras={"owner": "hr"},
    )
    theirs = load_llm(save(config, tmp_path / f"hr{suffix}"))
    assert (theirs.endpoint_url, theirs.deployment_name, theirs.model_kwargs) == (SCORE, "blue", {"temperature": 0.2})
    assert (theirs.timeout, theirs.max_retries) == (77, 5)


def test_document_saved_by_langchain_is_read(tmp_path, community, quiet):
    endpoint, formatter, _ = community
    theirs = endpoint(
        endpoint_url=SCORE,
        endpoint_api_key="x",
        deployment_name="blue",
        model_kwargs={"temperature": 0.2},
        content_formatter=formatter(),
    )
    for name in ("azureml.json", "azureml.yaml"):
        theirs.save(tmp_path / name)
        config = load(tmp_path / name)
        assert (config.name, config.deployment_name, dict(config.model_kwargs)) == (
            "azureml",
            "blue",
            {"temperature": 0.2},
        )
        assert (config.endpoint_url, config.formatter, config.key) == (
            "",
            "",
            KeyRef("env", "AZUREML_ENDPOINT_API_KEY"),
        )


# ---- round trips

TEXTS = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
CONFIGS = st.builds(
    LLMConfig,
    name=st.just("hr"),
    endpoint_url=st.sampled_from(
        [
            "",
            SCORE,
            CHAT,
            "http://localhost:1/x",
            "https://r.services.ai.azure.com/models",
            SCORE.replace("score", "generate"),
        ]
    ),
    endpoint_api_type=st.sampled_from(["", "dedicated", "serverless"]),
    formatter=st.sampled_from(["", "gpt2", "openai-chat", "promptflow", "not-registered-here"]),
    deployment_name=st.sampled_from(["", "blue", "databricks-dolly-v2-12b-4"]),
    key=st.sampled_from([None, "env:AZUREML_ENDPOINT_API_KEY", "env:OTHER", "keyring:a/b", "entra", "ask"]),
    model_kwargs=st.dictionaries(TEXTS, JSON, max_size=3),
    system=st.none() | TEXTS,
    model=st.none() | TEXTS,
    api_version=st.none() | st.sampled_from(["2024-10-21", "2024-05-01-preview"]),
    extra_parameters=st.sampled_from([None, "drop", "error", "pass-through"]),
    timeout=st.sampled_from([190, 5, 0.25, 1e5]),
    max_retries=st.integers(0, 9),
    headers=st.dictionaries(
        st.sampled_from(["X-Team", "Ocp-Apim-Subscription-Key"]), st.sampled_from(["nlp", "env:APIM_KEY", "entra"])
    ).filter(lambda headers: headers.get("Ocp-Apim-Subscription-Key") != "nlp"),
    key_header=st.sampled_from(["", "X-Api-Key"]),
    verify=st.sampled_from([None, True, False, "/etc/company.pem"]),
    proxy=st.sampled_from([None, "proxy:3128", "none", "env:COMPANY_PROXY"]),
    allow_http=st.booleans(),
    total_timeout=st.sampled_from([None, 60, 0.5]),
    price=st.sampled_from([None, "0.15,0.6", "3,15,0.3"]),
    extras=st.dictionaries(st.sampled_from(["owner", "tags", "2024-01-01", "yes", ""]), JSON, max_size=2),
)


@given(CONFIGS)
def test_any_config_survives_saving_and_loading(config):
    for suffix in (".json", ".yaml"):
        document = loads(dumps(to_document(config), suffix), suffix)
        back = from_document(document, name="hr")
        assert back == config.merged(system=config.system or None, model=config.model or None, formatter=back.formatter)
        assert back.formatter in (config.formatter, "openai-chat")
        assert to_document(back) == to_document(config)


def test_unknown_keys_survive(tmp_path):
    path = tmp_path / "hr.json"
    theirs = {**to_document(PLAIN), "owner": {"team": ["hr"]}, "tags": None}
    path.write_text(json.dumps(theirs))
    assert json.loads(save(load(path), tmp_path / "again.json").read_text()) == theirs


def test_only_ambiguous_chat_document_gets_a_default_formatter():
    assert from_document({"_type": "azureml_chat_endpoint"}).formatter == "openai-chat"
    assert from_document({"_type": "azureml_chat_endpoint", "endpoint_url": SCORE}).formatter == "openai-chat"
    assert from_document({"_type": "azureml_chat_endpoint", "endpoint_url": CHAT}).formatter == ""
    assert from_document({"_type": "azureml_endpoint", "endpoint_url": SCORE}).formatter == ""


def test_price_is_not_part_of_a_langchain_document():
    config = PLAIN.merged(price="0.15,0.6")
    assert to_document(config)["price"] == {"input": 0.15, "output": 0.6}
    assert "price" not in to_document(config, langchain=True)
    assert from_document({**GOOD, "price": "0.15,0.6"}) == from_document({**GOOD, "price": [0.15, 0.6]})


# ---- what is refused

GOOD = {"deployment_name": "blue", "model_kwargs": {}, "_type": "azureml_endpoint"}
BAD = [
    (["list"], "not a saved config: it is a list"),
    ("text", "not a saved config: it is a text"),
    (None, "not a saved config: it is empty"),
    ({}, "not a saved config: it has no _type"),
    ({"_type": "openai"}, "not a saved config: its _type is 'openai'"),
    ({"_type": ["azureml_endpoint"]}, "its _type is"),
    ({"_type": "azureml_endpont"}, "Did you mean 'azureml_endpoint'?"),
    ({**GOOD, "endpoint_api_key": KEY}, "has the key 'endpoint_api_key'"),
    ({**GOOD, "content_formatter": "Dolly"}, "has the key 'content_formatter'"),
    ({**GOOD, "key": KEY}, "the value of 'key' is not a key reference"),
    ({**GOOD, "key": "env:"}, "the value of 'key' is not a key reference"),
    ({**GOOD, "key": 7}, "key is a number. Make it a text"),
    ({**GOOD, "key": ["env:X"]}, "key is a list"),
    ({**GOOD, "endpoint_url": 7}, "endpoint_url is a number. Make it a text"),
    ({**GOOD, "deployment_name": ["blue"]}, "deployment_name is a list. Make it a text"),
    ({**GOOD, "deployment_name": "b\nlue"}, "deployment_name contains characters"),
    ({**GOOD, "model_kwargs": [1]}, "model_kwargs is a list. Make it an object"),
    ({**GOOD, "model_kwargs": {"a": float("nan")}}, "model kwarg 'a' cannot be sent as JSON"),
    ({**GOOD, "timeout": True}, "timeout is true or false. Make it a number"),
    ({**GOOD, "timeout": 0}, "timeout must be a positive number of seconds, not 0"),
    ({**GOOD, "timeout": "soon"}, "timeout must be a number of seconds, not 'soon'"),
    ({**GOOD, "max_retries": 1.5}, "max_retries is a fraction. Make it a whole number"),
    ({**GOOD, "max_retries": "2"}, "max_retries is a text. Make it a whole number"),
    ({**GOOD, "max_retries": -1}, "max_retries must be 0 or a positive integer"),
    ({**GOOD, "endpoint_api_type": "severless"}, "Did you mean 'serverless'?"),
    ({**GOOD, "extra_parameters": "ignore"}, "extra_parameters must be one of"),
    ({**GOOD, "formatter": {"name": "hf"}}, "formatter is an object. Make it a text"),
    ({**GOOD, "headers": ["X-A"]}, "headers is a list. Make it an object"),
    ({**GOOD, "headers": {"X-A": 7}}, "The value of the header X-A must be a string, not int"),
    ({**GOOD, "headers": {"X-A": "a\nb"}}, "The value of the header X-A contains characters"),
    ({**GOOD, "headers": {"X A": "a"}}, "which is not the name of an HTTP header"),
    ({**GOOD, "headers": {"api-key": KEY}}, "the header api-key holds what looks like a key"),
    ({**GOOD, "verify": 7}, "verify is a number. Make it false or the path of a CA file"),
    ({**GOOD, "allow_http": "yes"}, "allow_http is a text. Make it true or false"),
    ({**GOOD, "proxy": "http://ann:s3cret@p"}, "The proxy's URL holds a user name or password"),
    ({**GOOD, "price": 3}, "price is a number. Make it an object"),
    ({**GOOD, "price": "1"}, "price takes two or three numbers per million tokens"),
    ({**GOOD, "price": {"input": 1}}, "price takes two or three numbers per million tokens"),
    ({**GOOD, "total_timeout": 0}, "total_timeout must be a positive number of seconds"),
    ({**GOOD, "key_header": "X Key"}, "key_header has the name 'X Key'"),
    ({**GOOD, "azml_schema": 2}, "was written by a later azml-magics (schema 2)"),
    ({**GOOD, "azml_schema": "1"}, "azml_schema is a text"),
    ({**GOOD, 7: "x"}, "has the key 7, which is not a text"),
    ({**GOOD, "owner": float("inf")}, "the value of 'owner' cannot be written as JSON"),
    ({**GOOD, "owner": b"bytes"}, "the value of 'owner' cannot be written as JSON"),
]


@pytest.mark.parametrize("empty", [{"endpoint_api_key": ""}, {"endpoint_api_key": None}, {"key": ""}])
def test_empty_key_in_a_file_is_no_key_of_its_own(empty):
    config = from_document({**GOOD, **empty})
    assert str(config.key) == "env:AZUREML_ENDPOINT_API_KEY"
    assert config.extras == {}


@pytest.mark.parametrize("written", [None, "none"])
def test_file_can_say_that_no_key_is_sent(written):
    assert from_document({**GOOD, "key": written}).key is None


@pytest.mark.parametrize(("document", "said"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_wrong_document_names_file_key_and_remedy(document, said):
    with pytest.raises(DocumentError) as caught:
        from_document(document, source="hr.json")
    line = str(caught.value)
    assert said in line
    assert line.startswith("hr.json")
    assert KEY not in line
    assert "\n" not in line
    assert caught.value.remedy


@given(
    JSON
    | st.fixed_dictionaries(
        {"_type": st.just("azureml_endpoint")}, optional={k: JSON for k in documents.KEYS if k != "_type"}
    )
)
def test_any_json_is_a_config_or_an_error(document):
    with only_our_errors(DocumentError):
        to_document(from_document(document))


@given(st.text(max_size=60) | st.text(":-{}[]&*!?|>'\"# \n\tab1,", max_size=60), st.sampled_from([".json", ".yaml"]))
def test_any_text_is_a_document_or_an_error(text, suffix):
    with only_our_errors(DocumentError):
        from_document(loads(text, suffix))


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join('*' + old for _ in range(9))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES = [
    ("cut.json", '{"deployment_name": "blue", "mod', "is not complete JSON", "cut off"),
    ("empty.json", "", "is not complete JSON", "export it again"),
    ("garbled.json", '{"a": 1,}', "is not complete JSON", "Fix it"),
    ("deep.json", "[" * 200_000, "is not complete JSON", "export it again"),
    ("page.json", "<html>", "is not complete JSON", ""),
    ("latin.json", b'{"_type": "azureml_endpoint", "system": "\xe9"}', "is not UTF-8 text", "export it again"),
    ("big.json", b" " * (1024 * 1024 + 1), "is larger than 1 MiB", "check the path"),
    ("times.yaml", "_type: azureml_endpoint\ntimeout: 1" + ":1" * 400_000, "needs quotes", "export it again"),
    ("laughs.yaml", LAUGHS, "is not plain YAML (it uses aliases)", "export it again"),
    ("code.yaml", "!!python/object/apply:os.system ['true']", "is not plain YAML", "export it again"),
    ("odd.yaml", "a: !!timestamp nonsense", "is not plain YAML", ""),
    ("odder.yaml", "a: !!int ''", "is not plain YAML", ""),
    ("unhashable.yaml", "? {a: 1}\n: 2", "is not plain YAML", ""),
    ("deep.yaml", "[" * 5000, "is not plain YAML", ""),
    ("two.yaml", "a: 1\n---\nb: 2", "is not plain YAML", ""),
    ("list.yaml", "- 1", "not a saved config: it is a list", ""),
    ("foreign.json", '{"name": "package", "version": "1.0"}', "not a saved config: it has no _type", "save_config"),
    ("notes.txt", "{}", "does not end in .json or .yaml", "endings"),
]


@pytest.mark.parametrize(("name", "text", "said", "remedy"), FILES, ids=[file[0] for file in FILES])
def test_wrong_file_is_one_line_with_its_name(tmp_path, name, text, said, remedy):
    path = write(tmp_path / name, text)
    with pytest.raises(DocumentError) as caught:
        load(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert said in line
    assert remedy in line
    assert "\n" not in line


def test_yaml_dates_stay_texts(tmp_path):
    path = write(tmp_path / "c.yaml", "_type: azureml_endpoint\napi_version: 2024-10-21\nreviewed: 2024-01-31\n")
    config = load(path)
    assert (config.api_version, dict(config.extras)) == ("2024-10-21", {"reviewed": "2024-01-31"})


def test_byte_order_mark_is_skipped(tmp_path):
    assert load(write(tmp_path / "c.json", b"\xef\xbb\xbf" + json.dumps(GOOD).encode())).deployment_name == "blue"


@pytest.mark.parametrize(
    "name", ["none.json", "folder.json", "pipe.json", "null\x00.json", "~nobody-of-that-name/c.json"]
)
def test_unreadable_file_is_one_line(tmp_path, name, monkeypatch):
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    path = name if name.startswith("~") else f"{tmp_path}/{name}"
    with pytest.raises(DocumentError, match=r"cannot be read|cannot be found|is not a file") as caught:
        load(path)
    assert "Check the path" in str(caught.value)
    assert "\x00" not in str(caught.value)


# ---- files


def test_file_is_readable_by_its_owner_only(tmp_path):
    path = save(PLAIN, tmp_path / "new" / "hr.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["hr.json"]


def test_save_overwrites_saved_configs_only(tmp_path):
    path = save(PLAIN, tmp_path / "hr.json")
    save(PLAIN.merged(deployment_name="green"), path)
    assert load(path).deployment_name == "green"
    for text in ('{"name": "package"}', "", '{"_type": "azureml_endpoint", "mod'):
        write(path, text)
        with pytest.raises(DocumentError, match="exists and is not a saved config") as caught:
            save(PLAIN, path)
        assert "force=True" in str(caught.value)
        assert path.read_text() == text
    save(PLAIN, path, force=True)
    assert load(path).deployment_name == PLAIN.deployment_name


def test_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = save(PLAIN, tmp_path / "hr.json")
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents.os, "replace", full)
    with pytest.raises(DocumentError, match="cannot be written: No space left on device"):
        save(PLAIN.merged(deployment_name="green"), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix == ".json" or entry.name.startswith(".")] == [
        "hr.json"
    ]


@pytest.mark.parametrize("name", ["hr.txt", "hr", ".json", "hr.json.bak"])
def test_file_needs_a_known_ending(tmp_path, name):
    with pytest.raises(DocumentError, match=r"does not end in .json or .yaml"):
        save(PLAIN, tmp_path / name)


@pytest.mark.parametrize("path", ["hr.json/x.json", "null\x00.json"])
def test_unwritable_path_is_one_line(tmp_path, path):
    write(tmp_path / "hr.json", "x")
    with pytest.raises(DocumentError, match=r"cannot be written|cannot be read"):
        save(PLAIN, f"{tmp_path}/{path}")


def test_load_all_reads_files_in_the_order_of_names(tmp_path):
    for name in ("b.json", "a.yaml", "c.yml"):
        save(PLAIN, tmp_path / name)
    write(tmp_path / "notes.txt", "not read")
    (tmp_path / "folder.json").mkdir()
    assert [config.name for config in load_all(tmp_path)] == ["a", "b", "c"]
    write(tmp_path / "d.json", "{")
    with pytest.raises(DocumentError, match=r"d\.json"):
        load_all(tmp_path)


@pytest.mark.parametrize("name", ["none", "file.txt"])
def test_missing_folder_is_one_line(tmp_path, name):
    write(tmp_path / "file.txt", "x")
    with pytest.raises(DocumentError, match="cannot be read"):
        load_all(tmp_path / name)


def test_yaml_is_plain(tmp_path):
    text = save(PLAIN.merged({"stop": ("a", "b")}), tmp_path / "hr.yaml").read_text()
    assert "!!" not in text
    assert yaml.safe_load(text)["model_kwargs"]["stop"] == ["a", "b"]
