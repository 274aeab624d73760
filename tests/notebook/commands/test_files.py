"""%azureml export and import: an exported config can be imported again."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from azml_magics import LLMConfig, Secret, documents
from azml_magics.session import current

from ..conftest import KEY

LANGCHAINS = """{
    "deployment_name": "databricks-dolly-v2-12b-4",
    "model_kwargs": {
        "temperature": 0.2,
        "max_tokens": 150
    },
    "_type": "azureml_endpoint"
}"""

ASKED = "Imported {0}: x.y, key env:PROD_KEY. Before it is sent: `%azureml trust {0}`."


@pytest.fixture
def prod(notebook):
    notebook.ok(
        "%azureml save prod --url https://x.y/score --deployment databricks-dolly-v2-12b-4 -f dolly --key env:PROD_KEY "
        "temperature=0.2 max_tokens=150"
    )
    return notebook


def test_exported_config_can_be_imported(prod):
    said = prod.ok("%azureml export prod prod.json").text
    assert said == "Exported prod to prod.json. The key is not in it, only its reference."
    before = current().get("prod")
    assert prod.ok("%azureml import prod.json --as again").text == ASKED.format("again")
    again = current().get("again")
    assert again.merged(name="prod") == before
    assert prod.ok("%azureml list").result.rows[-1][-1] == "prod.json"


def test_langchain_export_equals_langchains_bytes(prod):
    said = prod.ok("%azureml export prod prod.json --langchain").text
    assert said == "Exported prod to prod.json. The key is not in it."
    assert Path("prod.json").read_text() == LANGCHAINS


def test_langchain_file_can_be_imported(notebook):
    Path("azureml.json").write_text(LANGCHAINS)
    assert (
        notebook.ok("%azureml import azureml.json").text
        == "Imported azureml: no host yet, key env:AZUREML_ENDPOINT_API_KEY."
    )
    assert dict(current().get("azureml").model_kwargs) == {"temperature": 0.2, "max_tokens": 150}


def test_export_has_no_key(notebook, monkeypatch):
    monkeypatch.setenv("PROD_KEY", KEY)
    notebook.ok("%azureml save prod --url https://x.y/score -f dolly --key env:PROD_KEY")
    notebook.ok("%azureml export prod prod.json")
    assert json.loads(Path("prod.json").read_text())["key"] == "env:PROD_KEY"
    current().save("literal", LLMConfig(endpoint_url="https://x.y/score", formatter="dolly", key=Secret(KEY)))
    assert notebook.ok("%azureml export literal literal.json").text.endswith("The key is not in it.")
    for name in ("prod.json", "literal.json"):
        assert KEY not in Path(name).read_text()
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600


def test_all_configs_export_to_folder_and_import(prod):
    prod.ok("%azureml save dev --url https://z.y/v1/chat/completions -s 'Be brief.'")
    assert prod.ok("%azureml export --all configs").text == "Exported 2 configs to configs: prod, dev."
    assert sorted(path.name for path in Path("configs").iterdir()) == ["dev.json", "prod.json"]
    prod.ok("%azureml delete dev")
    assert prod.ok("%azureml import configs").text == "\n".join(
        (
            "Imported dev: z.y, key env:AZUREML_ENDPOINT_API_KEY. Before it is sent: `%azureml trust dev`.",
            ASKED.format("prod"),
        )
    )
    assert current().get("dev").system == "Be brief."


def test_export_all_writes_all_or_none(prod):
    prod.ok(
        "class Mine:\n    def format_request_payload(self, p, k): return p\n"
        "    def format_response_payload(self, o): return 'x'\nmine = Mine()"
    )
    prod.ok("%azureml save custom --url https://x.y/score -f $mine")
    assert prod.refused("%azureml export --all configs").startswith(
        "DocumentError: The formatter Mine is not registered"
    )
    assert not Path("configs").exists()


def test_import_folder_reads_all_or_none(prod):
    prod.ok("%azureml export --all configs")
    Path("configs/zz.json").write_text("{")
    prod.ok("%azureml delete prod -f")
    assert "zz.json is not complete JSON" in prod.refused("%azureml import configs")
    Path("configs/zz.json").rename("configs/my config.json")
    Path("configs/my config.json").write_text(LANGCHAINS)
    assert prod.refused("%azureml import configs") == (
        "UsageError: 'my config' cannot name a config. Import this file with --as NAME."
    )
    assert prod.ok("%azureml list").text.startswith("No configs yet.")
    assert (
        prod.ok("%azureml import 'configs/my config.json' --as mine").text
        == "Imported mine: no host yet, key env:AZUREML_ENDPOINT_API_KEY."
    )


def test_yaml_works_alike(prod):
    prod.ok("%azureml export prod prod.yaml")
    assert prod.ok("%azureml import prod.yaml --as again").text == ASKED.format("again")
    assert current().get("again").formatter == "dolly"


def test_other_file_is_overwritten_only_with_force(prod):
    Path("notes.json").write_text('{"mine": true}')
    assert prod.refused("%azureml export prod notes.json") == (
        "DocumentError: notes.json exists and is not a saved config. Choose another path, or -f to overwrite it."
    )
    assert Path("notes.json").read_text() == '{"mine": true}'
    prod.ok("%azureml export prod notes.json -f")
    prod.ok("%azureml export prod notes.json")  # now it is one
    assert json.loads(Path("notes.json").read_text())["formatter"] == "dolly"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prod", "UsageError: %azureml export takes a config and a path. Write %azureml export NAME FILE.json."),
        ("prod a.json b.json", "UsageError: %azureml export takes a config and a path."),
        ("--all", "UsageError: %azureml export: it needs NAME PATH."),
        ("--all a b", "UsageError: %azureml export --all takes one folder. Write %azureml export --all FOLDER."),
        ("prd a.json", "UnknownNameError: No config named 'prd'. Did you mean 'prod'?"),
        ("prod a.txt", "DocumentError: a.txt does not end in .json or .yaml."),
        ("prod /proc/nowhere/a.json", "DocumentError: /proc/nowhere/a.json cannot be written:"),
        (
            "prod a.json --langchian",
            "UsageError: %azureml export has no option --langchian. Did you mean '--langchain'?",
        ),
    ],
)
def test_invalid_export_is_one_line(prod, line, said):
    assert prod.refused(f"%azureml export {line}").startswith(said)


def test_export_without_configs_is_refused(notebook):
    assert notebook.refused("%azureml export --all configs").startswith("ConfigError: There is no config to export.")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.json", LANGCHAINS[:90], "DocumentError: cut.json is not complete JSON"),
        ("empty.json", "", "DocumentError: empty.json is not complete JSON"),
        ("list.json", "[1, 2]", "DocumentError: list.json is not a saved config: it is a list."),
        ("foreign.json", '{"cells": []}', "DocumentError: foreign.json is not a saved config: it has no _type."),
        (
            "openai.json",
            '{"_type": "openai"}',
            "DocumentError: openai.json is not a saved config: its _type is 'openai'.",
        ),
        ("typo.json", '{"_type": "azureml_endpont"}', "DocumentError: typo.json is not a saved config: its _type is"),
        (
            "kwargs.json",
            '{"_type": "azureml_endpoint", "model_kwargs": 3}',
            "DocumentError: kwargs.json: model_kwargs is",
        ),
        (
            "keyed.json",
            '{"_type": "azureml_endpoint", "endpoint_api_key": "sk-1234"}',
            "DocumentError: keyed.json has the key 'endpoint_api_key'. A key is never saved",
        ),
        (
            "literal.json",
            '{"_type": "azureml_endpoint", "key": "sk-1234"}',
            "DocumentError: literal.json: the value of 'key'",
        ),
        ("bytes.json", "\ufffe\x00", "DocumentError: bytes.json is not complete JSON"),
        ("x.toml", "a = 1", "DocumentError: x.toml does not end in .json or .yaml."),
        ("alias.yaml", "a: &a [1]\nb: *a\n_type: azureml_endpoint\n", "DocumentError: alias.yaml is not plain YAML"),
        ("tag.yaml", "!!python/object/apply:os.system [ls]", "DocumentError: tag.yaml is not plain YAML"),
        ("big.json", " " * (1024 * 1024 + 1), "DocumentError: big.json is larger than 1 MiB."),
    ],
)
def test_invalid_file_is_named_and_imports_nothing(notebook, name, content, said):
    Path(name).write_text(content, encoding="utf-8")
    line = notebook.refused(f"%azureml import {name}")
    assert line.startswith(said)
    assert "sk-1234" not in line
    assert notebook.ok("%azureml list").text.startswith("No configs yet.")


def test_missing_path_is_named(notebook):
    assert notebook.refused("%azureml import nowhere.json") == (
        "DocumentError: nowhere.json cannot be read: No such file or directory. Check the path."
    )
    Path("empty").mkdir()
    assert notebook.refused("%azureml import empty").startswith("DocumentError: empty has no .json or .yaml file.")
    assert notebook.refused("%azureml import empty --as x").startswith("UsageError: --as names a single config")


def test_home_is_expanded(prod):
    prod.ok("%azureml export prod ~/prod.json")
    assert Path("~/prod.json").expanduser().exists()
    assert prod.ok("%azureml import ~/prod.json --as again").text == ASKED.format("again")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("~nobody-of-that-name/a.json", "DocumentError: ~nobody-of-that-name/a.json cannot be found: "),
        ("~nobody-of-that-name", "DocumentError: ~nobody-of-that-name cannot be found: "),
        ("~nobody-of-that-name --as x", "DocumentError: ~nobody-of-that-name cannot be found: "),
        (f"{'a' * 300}.json", f"DocumentError: {'a' * 300}.json cannot be read: "),
        ("a\0b.json", "DocumentError: ab.json cannot be read: "),
        ("''", "DocumentError: No file is named. Write %azureml import FILE.json, or a folder."),
        ("' '", "DocumentError: No file is named. Write %azureml import FILE.json, or a folder."),
    ],
)
def test_unreadable_import_is_one_line(prod, line, said):
    documents.save(current().get("prod"), Path("here.json"))
    refused = prod.refused(f"%azureml import {line}")
    assert refused.startswith(said)
    assert "\n" not in refused
    assert current().names() == ["prod"]


def test_folder_at_home_is_expanded(prod):
    prod.ok("%azureml export --all ~/configs")
    prod.ok("%azureml delete prod -f")
    assert prod.ok("%azureml import ~/configs").text == ASKED.format("prod")
    assert current().get_saved("prod").source == str(Path("~/configs").expanduser())


@pytest.mark.parametrize(
    "cell",
    [
        "%azureml import ~nobody-at-all/a.json",
        "%azureml export main ~nobody-at-all/a.json",
        "%azureml history --json ~nobody-at-all/a.json",
        "%azureml conversations export ada ~nobody-at-all/a.json",
        "%azureml record ~nobody-at-all/a.jsonl",
        "%azureml replay ~nobody-at-all/a.jsonl",
        "%%azureml -i ~nobody-at-all/a.png\nWhat is this?",
        "%%azureml --schema ~nobody-at-all/a.json\nHello",
        "%%azureml --each ~nobody-at-all/a.csv\n{text}",
        "%%azureml --each $rows --journal ~nobody-at-all/a.jsonl\n{text}",
    ],
)
def test_unknown_home_is_named_by_every_path_option(asking, cell):
    asking.vars["rows"] = ["one"]
    asking.ok("%%azureml -c ada\nHello")
    assert asking.refused(cell).startswith("DocumentError: ~nobody-at-all/a.")
