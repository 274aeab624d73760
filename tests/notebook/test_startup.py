"""What %load_ext finds: the config folder and [tool.azml_magics]; a broken file costs a line and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .conftest import Notebook

SAVED = {
    "deployment_name": "blue",
    "model_kwargs": {"temperature": 0.2},
    "_type": "azureml_endpoint",
    "endpoint_url": "https://one.example/score",
    "formatter": "gpt2",
}
needs_toml = pytest.mark.skipif(
    sys.version_info < (3, 11) and not __import__("importlib.util").util.find_spec("tomli"),
    reason="Python 3.10 reads pyproject.toml only where tomli is installed",
)


@pytest.fixture
def folder():
    """The person's config folder."""
    made = Path.home() / ".config" / "azml" / "configs"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def loading(shell):
    """Load the extension; the notebook, and the lines it wrote to stderr."""
    shell.kernel = object()

    def load():
        ran = Notebook(shell).run("%reload_ext azml_magics")
        assert ran.error is None, ran.error
        assert ran.stdout == ""
        return Notebook(shell), ran.stderr.splitlines()

    yield load
    del shell.kernel


def saved(notebook):
    """The names of the configs, each with where it came from."""
    result = notebook.ok("%azureml list").result
    return {row[1]: row[-1] for row in getattr(result, "rows", ())}


# ---- the config folder -----------------------------------------------------------------------------------------


def test_saved_configs_are_loaded_with_their_source(folder, loading):
    (folder / "one.json").write_text(json.dumps(SAVED))
    (folder / "two.json").write_text(json.dumps({**SAVED, "endpoint_url": "https://two.example/score"}))
    (folder / "notes.txt").write_text("not a config")
    notebook, said = loading()
    assert said == []
    assert saved(notebook) == {"one": "kept", "two": "kept"}
    shown = dict(notebook.ok("%azureml show two").result.rows)
    assert shown["from"] == f"kept in {Path('~/.config/azml/configs/two.json')}"
    assert "https://two.example/score" in notebook.ok("%azureml show two").text


def test_config_folder_follows_xdg_config_home(loading, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "xdg/azml/configs").mkdir(parents=True)
    (tmp_path / "xdg/azml/configs/one.json").write_text(json.dumps(SAVED))
    assert list(saved(loading()[0])) == ["one"]


def test_exported_config_is_loaded(folder, loading):
    notebook, _ = loading()
    notebook.ok("%azureml save prod --url https://one.example/score -f hf --key env:PROD_KEY temperature=0.1")
    notebook.ok(f"%azureml export prod {folder / 'prod.json'}")
    notebook, _ = loading()
    assert list(saved(notebook)) == ["prod"]
    assert "env:PROD_KEY" in notebook.ok("%azureml show prod").text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cut off or no JSON"),
        ("", ""),
        ("[]", "is not a saved config"),
        ('{"_type": "openai"}', "is not a saved config: its _type is 'openai'"),
        (json.dumps({**SAVED, "timeout": "soon"}), "timeout"),
        (json.dumps({**SAVED, "endpoint_url": "ftp://one.example/score"}), "endpoint_url"),
        ("\x00\xff", ""),
    ],
)
def test_broken_file_is_reported_and_others_load(folder, loading, text, why):
    (folder / "bad.json").write_text(text, encoding="latin-1")
    (folder / "good.json").write_text(json.dumps(SAVED))
    notebook, said = loading()
    assert list(saved(notebook)) == ["good"]
    assert len(said) == 1
    assert said[0].startswith("azureml: ")
    assert "bad.json" in said[0]
    assert why.split()[0] in said[0] if why else True


def test_key_in_file_is_refused_and_not_shown(folder, loading):
    (folder / "bad.json").write_text(json.dumps({**SAVED, "key": "5up3r-s3cr3t"}))
    (folder / "worse.json").write_text(json.dumps({**SAVED, "endpoint_api_key": "5up3r-s3cr3t"}))
    notebook, said = loading()
    assert saved(notebook) == {}
    assert len(said) == 2
    assert "5up3r" not in "".join(said)


def test_invalid_file_name_is_reported(folder, loading):
    (folder / "my config.json").write_text(json.dumps(SAVED))
    assert "'my config' cannot name a config" in loading()[1][0]


def test_file_in_place_of_folder_is_ignored(loading):
    (Path.home() / ".config").mkdir()
    (Path.home() / ".config" / "azml").write_text("?")
    assert loading()[1] == []


def test_missing_home_and_working_folder_are_ignored(loading, monkeypatch):
    def nowhere(*_):
        raise RuntimeError("Could not determine home directory.")

    def gone(*_):
        raise FileNotFoundError("gone")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(Path, "cwd", gone)
    assert loading()[1] == []


# ---- nothing is active by itself -------------------------------------------------------------------------------


def test_no_loaded_config_is_active(folder, loading, endpoint):
    (folder / "one.json").write_text(json.dumps(SAVED))
    notebook, _ = loading()
    assert [row[0] for row in notebook.ok("%azureml list").result.rows] == [""]
    for source in ("%%azureml\nHello", "%azureml show", "%azureml detect", "%azureml test"):
        assert notebook.refused(source) == "ConfigError: No config is in use. %azureml use NAME takes one: one."
    notebook.ok("%azureml use one")
    assert "one" in notebook.ok("%azureml show").text


def test_config_saved_by_user_is_active(folder, loading, endpoint):
    (folder / "one.json").write_text(json.dumps(SAVED))
    notebook, _ = loading()
    notebook.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    assert notebook.ok("%%azureml\nHello").result.config == "main"


@needs_toml
def test_default_config_is_active_from_start(folder, loading, tmp_path):
    (folder / "one.json").write_text(json.dumps(SAVED))
    (tmp_path / "pyproject.toml").write_text('[tool.azml_magics]\ndefault_config = "one"\n')
    notebook, said = loading()
    assert said == []
    assert [row[0] for row in notebook.ok("%azureml list").result.rows] == ["*"]


def test_default_config_of_ipython_config_applies(folder, loading, shell):
    (folder / "one.json").write_text(json.dumps(SAVED))
    shell.config.AzureMLMagics.default_config = "one"
    assert [row[0] for row in loading()[0].ok("%azureml list").result.rows] == ["*"]


# ---- pyproject.toml --------------------------------------------------------------------------------------------


@needs_toml
def test_project_configs_and_defaults_load(loading, tmp_path, monkeypatch, endpoint):
    (tmp_path / "pyproject.toml").write_text(f"""
[project]
name = "x"

[tool.azml_magics]
default_config = "prod"
format = "text"
timeout = 30
stream = false
concurrency = 3
history_size = 2
raise_errors = false

[tool.azml_magics.configs.prod]
endpoint_url = "{endpoint.url}/v1/chat/completions"
formatter = "openai-chat"
key = "env:TEST_KEY"
model_kwargs = {{ temperature = 0.5 }}

[tool.azml_magics.configs.text]
endpoint_url = "{endpoint.url}/v1/completions"
key = "env:TEST_KEY"
""")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    notebook, said = loading()
    assert said == []
    assert saved(notebook) == dict.fromkeys(["prod", "text"], str(tmp_path / "pyproject.toml"))
    notebook.ok("%azureml trust prod")
    ran = notebook.ok("%%azureml\nHello")
    assert endpoint.requests[-1].json() == {
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0.5,
    }
    assert "text/markdown" not in ran.data
    assert ran.payloads == []
    for _ in range(3):
        notebook.ok("%%azureml\nHello")
    assert len(notebook.ok("%azureml history").result.rows) == 2
    magics = notebook.shell.magics_manager.registry["AzureMLMagics"]
    assert (magics.timeout, magics.concurrency) == (30, 3)
    assert notebook.ok("%azureml use nowhere").payloads[-1]["text/plain"].startswith("UnknownNameError: ")


@needs_toml
def test_project_config_overrides_saved_one(folder, loading, tmp_path):
    (folder / "one.json").write_text(json.dumps(SAVED))
    (tmp_path / "pyproject.toml").write_text(
        '[tool.azml_magics.configs.one]\nendpoint_url = "https://project.example/score"\n'
    )
    assert "https://project.example/score" in loading()[0].ok("%azureml show one").text


@needs_toml
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.azml_magics]\nformat = "fancy"\n', ["format: The 'format' trait"]),
        ("[tool.azml_magics]\nconcurrency = 0\n", ["concurrency: "]),
        ('[tool.azml_magics]\nstream = "yes"\n', ["stream: "]),
        ("[tool.azml_magics]\nformt = 1\n", ["has no key 'formt'. Did you mean 'format'?"]),
        ('[tool.azml_magics]\ndefault_config = "prdo"\n', ["no config named 'prdo' yet. Did you mean 'prod'?"]),
        ("[tool.azml_magics]\nformat = \n", ["cannot be read: "]),
        ('[tool.azml_magics]\nformat = "text"\n[tool.azml_magics]\n', ["cannot be read: "]),
        ("[tool.azml_magics]\nconfigs = 3\n", ["must be tables"]),
        (
            "[tool.azml_magics.configs]\n[[tool.azml_magics.configs.x]]\n",
            ["[tool.azml_magics.configs.x] is not a saved"],
        ),
        ("[tool.azml_magics.configs]\nprod = 3\n", ["[tool.azml_magics.configs.prod] is not a saved config"]),
        ('[tool.azml_magics.configs."my prod"]\n', ["'my prod' cannot name a config"]),
        ('[tool.azml_magics.configs.x]\ntimeout = "soon"\n', ["[tool.azml_magics.configs.x]"]),
        ('[tool.azml_magics.configs.x]\nurl = "u"\n', ["a config has no key 'url'"]),
        ('[tool.azml_magics.configs.x]\nformater = "hf"\n', ["no key 'formater'. Did you mean 'formatter'?"]),
        ('[tool.azml_magics.configs.x]\nkey = "5up3r-s3cr3t"\n', ["key"]),
        ("[tool.azml_magics_other]\nformat = 1\n", []),
        ("# [tool.azml_magics]\n[tool.other]\n", []),
        ('[project]\ndescription = "[tool.azml_magics]"\n', []),
    ],
)
def test_project_mistakes_are_reported_and_rest_loads(folder, loading, tmp_path, text, said):
    (folder / "prod.json").write_text(json.dumps(SAVED))
    (tmp_path / "pyproject.toml").write_text(text)
    notebook, lines = loading()
    assert len(lines) == len(said), lines
    for line, part in zip(lines, said, strict=True):
        assert line.startswith("azureml: ")
        assert part in line
        assert "5up3r" not in line
    assert "prod" in saved(notebook)


@needs_toml
def test_nearest_pyproject_with_table_is_used(loading, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.azml_magics]\nformat = "text"\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pyproject.toml").write_text('[project]\nname = "sub"\n')
    monkeypatch.chdir(tmp_path / "sub")
    notebook, said = loading()
    assert said == []
    assert notebook.shell.magics_manager.registry["AzureMLMagics"].format == "text"


def test_missing_toml_reader_is_reported(loading, tmp_path, monkeypatch):
    from azml_magics.notebook import startup

    monkeypatch.setattr(startup, "_toml", lambda: None)
    (tmp_path / "pyproject.toml").write_text('[tool.azml_magics]\nformat = "text"\n')
    assert "pip install tomli" in loading()[1][0]


# ---- %config AzureMLMagics -------------------------------------------------------------------------------------


def test_config_lists_every_default_with_help(notebook):
    listed = notebook.ok("%config AzureMLMagics").stdout
    for name in ("default_config", "format", "timeout", "stream", "concurrency", "history_size", "raise_errors"):
        assert f"AzureMLMagics.{name}=" in listed
    assert "How responses are shown." in listed


def test_config_default_config(asking, endpoint):
    asking.ok(f"%azureml save text --url {endpoint.url}/v1/completions --key env:TEST_KEY")
    asking.ok('%config AzureMLMagics.default_config = "text"')
    assert asking.ok("%%azureml\nHello").result.config == "text"


def test_config_unknown_default_config_warns(asking):
    ran = asking.ok('%config AzureMLMagics.default_config = "mian"')
    assert ran.stderr == "azureml: there is no config named 'mian' yet. Did you mean 'main'?\n"


def test_config_format(asking):
    asking.ok('%config AzureMLMagics.format = "text"')
    assert "text/markdown" not in asking.ok("%%azureml\nHello").data


def test_config_timeout(asking, endpoint):
    from azml_magics.emulator import Fault

    asking.ok("%config AzureMLMagics.timeout = 0.2")
    endpoint.script([Fault("slow", seconds=30)])
    assert asking.refused("%%azureml --retries 0\nHello").startswith("APITimeoutError: ")
    asking.ok("%config AzureMLMagics.timeout = None")
    asking.ok("%%azureml\nHello")


def test_config_stream(asking, last_body):
    asking.ok("%config AzureMLMagics.stream = False")
    asking.ok("%%azureml\nHello")
    assert "stream" not in last_body()


def test_config_concurrency(asking, endpoint):
    endpoint.rate, endpoint.in_flight_peak = 200, 0
    asking.ok("%config AzureMLMagics.concurrency = 1")
    asking.ok("%%azureml -n 3\nHello")
    assert endpoint.in_flight_peak == 1


def test_config_history_size(asking):
    asking.ok("%config AzureMLMagics.history_size = 2")
    for _ in range(3):
        asking.ok("%%azureml\nHello")
    assert [row[0] for row in asking.ok("%azureml history").result.rows] == ["2", "3"]


@pytest.mark.parametrize(
    "setting",
    [
        "format = 'fancy'",
        "timeout = 'soon'",
        "stream = 'yes'",
        "concurrency = 0",
        "history_size = 0",
        "raise_errors = 'no'",
    ],
)
def test_config_refuses_invalid_values(asking, setting, caplog):
    name = setting.split()[0]
    magics = asking.shell.magics_manager.registry["AzureMLMagics"]
    before = getattr(magics, name)
    asking.run(f"%config AzureMLMagics.{setting}")
    assert f"'{name}' trait of an AzureMLMagics instance" in caplog.text
    assert getattr(magics, name) == before


# ---- a cloned repository ---------------------------------------------------------------------------------------

CLONE = """
[tool.azml_magics]
default_config = "prod"

[tool.azml_magics.configs.prod]
endpoint_url = "{url}/v1/chat/completions"
key = "env:TEST_KEY"
"""


@pytest.fixture
def clone(tmp_path, endpoint):
    """The pyproject.toml of a cloned repository, whose config sends TEST_KEY to the endpoint."""
    path = tmp_path / "pyproject.toml"
    path.write_text(CLONE.format(url=endpoint.url))
    return path


@needs_toml
@pytest.mark.parametrize(
    "source",
    [
        "%%azureml\nHello",
        "%%azureml --no-stream\nHello",
        "%%azureml -p seed=1\nHello",
        "%%azureml -n 2\nHello",
        "%%azureml --each $rows\nHello {text}",
        "%azureml ask Hello",
        "%azureml test prod",
        "%azureml detect prod",
        "%azureml detect prod --probe",
    ],
)
def test_key_of_a_cloned_repository_is_not_sent_unasked(loading, clone, endpoint, source):
    notebook, _ = loading()
    ran = notebook.run("rows = ['a', 'b']") and notebook.run(source)
    assert (
        "%azureml trust prod" in f"{ran.error or ''}{getattr(ran.result, 'text', ran.result)}{ran.stdout}{ran.stderr}"
    )
    assert not endpoint.requests


@needs_toml
def test_trust_sends_the_key_from_then_on(loading, clone, endpoint):
    notebook, _ = loading()
    asked = "prod of ./pyproject.toml sends TEST_KEY to " + endpoint.url.removeprefix("http://")
    assert notebook.refused("%%azureml\nHello") == (
        f"KeyRefusedError: {asked}, and you have not said that you trust it (config 'prod'). "
        "Check the file. If you trust it: %azureml trust prod"
    )
    assert notebook.ok("%azureml trust").text == f"{asked}: `%azureml trust prod`"
    assert notebook.ok("%azureml trust prod").text == f"Trusted: {asked}."
    notebook.ok("%%azureml\nHello")
    assert len(endpoint.requests) == 1
    listed = notebook.ok("%azureml trust").text
    assert listed.startswith("Nothing to trust")
    assert listed.endswith(f"\nTrusted: {asked}.")
    notebook.ok("%reload_ext azml_magics")
    notebook.ok("%%azureml\nHello")


@needs_toml
def test_revoked_trust_asks_again(loading, clone, endpoint):
    notebook, _ = loading()
    asked = "prod of ./pyproject.toml sends TEST_KEY to " + endpoint.url.removeprefix("http://")
    assert notebook.ok("%azureml trust prod --revoke").text == "prod was not trusted."
    notebook.ok("%azureml trust prod")
    assert notebook.ok("%azureml trust prod --revoke").text == f"No longer trusted: {asked}."
    assert asked in notebook.refused("%%azureml\nHello")
    assert not endpoint.requests
    notebook.ok("%reload_ext azml_magics")
    assert asked in notebook.refused("%%azureml\nHello")
    assert "--revoke takes a name" in notebook.refused("%azureml trust --revoke")


@needs_toml
def test_revoking_names_the_variable_that_still_trusts(loading, clone, monkeypatch):
    notebook, _ = loading()
    monkeypatch.setenv("AZML_TRUSTED_FILES", str(clone))
    assert "AZML_TRUSTED_FILES still names its file" in notebook.ok("%azureml trust prod --revoke").text


@needs_toml
def test_changed_host_of_a_trusted_config_asks_again(loading, clone, endpoint):
    notebook, _ = loading()
    notebook.ok("%azureml trust prod")
    clone.write_text(CLONE.format(url="https://evil.example"))
    notebook.ok("%reload_ext azml_magics")
    assert "sends TEST_KEY to evil.example" in notebook.refused("%%azureml\nHello")


@needs_toml
def test_search_stops_at_the_root_of_the_project(loading, clone, tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    assert saved(loading()[0]) == {}


@needs_toml
def test_search_stops_at_the_home_folder(loading, clone, tmp_path, monkeypatch):
    home = tmp_path / "people" / "ann"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    assert saved(loading()[0]) == {}
    (home / "pyproject.toml").write_text(clone.read_text())
    assert saved(loading()[0]) == {"prod": str(home / "pyproject.toml")}


@needs_toml
def test_file_of_another_user_is_not_read(loading, clone, monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: clone.stat().st_uid + 1)
    if clone.stat().st_uid == 0:
        real = Path.stat
        monkeypatch.setattr(Path, "stat", lambda path, **kw: _owned_by(real(path, **kw), 12345))
    notebook, said = loading()
    assert saved(notebook) == {}
    assert any("belongs to another user" in line for line in said)
    monkeypatch.setenv("AZML_TRUSTED_FILES", str(clone))
    assert "prod" in saved(loading()[0])


def _owned_by(found, uid):
    import os

    return os.stat_result([*found[:4], uid, *found[5:]])


@needs_toml
@pytest.mark.parametrize("setting", ['history_file = "~/.bashrc"', "mlflow = true"])
def test_place_for_prompts_that_a_repository_sets_is_refused(loading, tmp_path, setting):
    (tmp_path / "pyproject.toml").write_text(f"[tool.azml_magics]\n{setting}\n")
    assert setting.split()[0] in loading()[1][0]
