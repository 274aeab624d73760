"""Loading, unloading and the settings: what comes in goes out again."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import psutil
import pytest

from azml_magics.core.errors import Interrupted
from azml_magics.core.response import Response
from azml_magics.notebook.commands import dispatch
from azml_magics.session import current


def state(shell):
    """Everything that an extension might leave behind."""
    root = logging.getLogger()
    formatters = shell.display_formatter.formatters.values()
    return {
        "magics": {kind: sorted(names) for kind, names in shell.magics_manager.magics.items()},
        "registry": sorted(shell.magics_manager.registry),
        "configurables": [type(c).__name__ for c in shell.configurables],
        "matchers": list(shell.Completer.custom_matchers),
        "hooks": sorted(shell.strdispatchers),
        "formatters": [
            sorted(map(str, f.type_printers)) for f in (*formatters, shell.display_formatter.mimebundle_formatter)
        ],
        "transformers": [*shell.ast_transformers, *shell.input_transformers_cleanup, *shell.input_transformers_post],
        "events": {name: list(callbacks) for name, callbacks in shell.events.callbacks.items()},
        "exceptions": shell.CustomTB,
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "sockets": sorted(str(c.laddr) for c in psutil.Process().net_connections() if c.status == "LISTEN"),
        "environment": dict(os.environ),
        "logging": (root.level, list(root.handlers), logging.root.manager.disable),
        "uvicorn": [
            (logging.getLogger(f"uvicorn{x}").level, list(logging.getLogger(f"uvicorn{x}").handlers))
            for x in ("", ".error", ".access")
        ],
        "warnings": list(warnings.filters),
        "hook": (sys.excepthook, sys.displayhook, threading.excepthook),
        "namespace": sorted(name for name in shell.user_ns if not name.startswith("_")),
        "configs": current().names(),
    }


@pytest.fixture
def warm(notebook):
    """Everything imported and used once, so that what is compared is the extension's and not an import's."""
    notebook.ok("%azureml demo")
    notebook.ok("%%azureml demo-gpt2 -p max_new_tokens=2\nHello")
    notebook.shell.run_line_magic("unload_ext", "azml_magics")
    return notebook


def test_unloading_leaves_nothing_behind(warm):
    before = state(warm.shell)
    warm.ok("%load_ext azml_magics")
    warm.ok("%azureml demo")
    warm.ok("%%azureml -p max_tokens=2 -q\nHello")
    warm.ok("%azureml history")
    assert state(warm.shell) != before
    warm.ok("%unload_ext azml_magics")
    assert state(warm.shell) == before


def test_unloading_closes_the_connections(warm):
    warm.ok("%load_ext azml_magics")
    warm.ok("%azureml demo")
    warm.ok("%%azureml -p max_tokens=2 -q\nHello")
    port = int(os.environ and current().get("demo").endpoint_url.split(":")[2].split("/")[0])
    warm.ok("%unload_ext azml_magics")
    mine = psutil.Process().net_connections()
    assert not [c for c in mine if c.status == "ESTABLISHED" and c.raddr and c.raddr.port == port]


def test_unloading_restores_the_demo_key_variable(warm, monkeypatch):
    monkeypatch.setenv("AZML_DEMO_KEY", "mine")
    warm.ok("%load_ext azml_magics")
    warm.ok("%azureml demo")
    assert os.environ["AZML_DEMO_KEY"] != "mine"
    warm.ok("%unload_ext azml_magics")
    assert os.environ["AZML_DEMO_KEY"] == "mine"


def test_unloading_forgets_typed_keys(asking, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "typed")
    asking.run("%%azureml --key ask\nHello")
    url = current().get("main").endpoint_url
    asking.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    asking.run(f"%%azureml -u {url} --key ask\nHello")
    assert len(asked) == 2


def test_reloading_doubles_nothing(notebook):
    before = state(notebook.shell)
    for _ in range(3):
        notebook.ok("%reload_ext azml_magics")
    after = state(notebook.shell)
    assert len(after.pop("matchers")) == len(before.pop("matchers"))
    for name, callbacks in before.pop("events").items():  # bound methods of another object
        assert len(after["events"].pop(name)) == len(callbacks)
    assert after == before | {"events": {}}


def test_session_survives_reloading(asking, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "typed")
    asking.ok("%azureml demo")
    asking.ok("%azureml use main")
    asking.ok("%%azureml -c talk -q\nHello")
    asking.run("%%azureml --key ask\nHello")
    before = asking.ok("%azureml list").text
    asking.ok("%reload_ext azml_magics")
    assert asking.ok("%azureml list").text == before
    assert "Hello" in asking.ok("%azureml history").text
    assert "talk" in asking.ok("%azureml conversations").text
    asking.ok("%%azureml demo\nHello")
    asking.run("%%azureml --key ask\nHello")
    assert len(asked) == 1


def test_wrong_setting_does_not_stop_reloading(asking):
    asking.run("%config AzureMLMagics.timeout = 'soon'")
    asking.run("%config AzureMLMagics.concurrency = 3")
    ran = asking.ok("%reload_ext azml_magics")
    assert ran.stderr == "azureml: AzureMLMagics.timeout cannot be 'soon'; it is None again.\n"
    assert asking.ok("%config AzureMLMagics.concurrency").result == 3
    asking.ok("%%azureml\nHello")
    assert asking.ok("%reload_ext azml_magics").stderr == ""


def test_loading_twice_registers_once(notebook):
    before = len(notebook.shell.configurables)
    notebook.shell.run_line_magic("load_ext", "azml_magics")
    import azml_magics

    azml_magics.load_ipython_extension(notebook.shell)
    assert len(notebook.shell.configurables) == before


def test_unloading_without_loading_does_nothing(shell):
    import azml_magics

    azml_magics.unload_ipython_extension(shell)


def test_response_is_a_dataclass_without_the_extension(notebook):
    notebook.vars["r"] = Response("hi")
    assert notebook.ok("r").text == "hi"
    notebook.ok("%unload_ext azml_magics")
    assert notebook.ok("r").text.startswith("Response(text='hi'")


def test_magic_is_unknown_after_unloading(notebook):
    notebook.ok("%unload_ext azml_magics")
    for source in ("%azureml list", "%%azureml\nHello"):
        assert "azureml" in str(notebook.run(source).stderr + notebook.run(source).stdout)
        assert notebook.shell.find_magic("azureml") is None


def test_loading_imports_no_heavy_packages():
    script = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from traitlets.config import Config\n"
        "c = Config(); c.HistoryManager.enabled = False\n"
        "shell = InteractiveShell.instance(config=c)\n"
        "before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'azml_magics')\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "heavy = {'httpx', 'httpcore', 'pydantic', 'langchain_core', 'ipywidgets', 'azure', 'keyring', 'yaml', 'starlette', "
        "'uvicorn', 'numpy', 'pandas', 'jsonschema'}\n"
        "print(sorted(new & heavy), 'azml_magics' in new)\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("[] True\n", "")


def test_lazy_magics_load_extension_on_first_use(shell):
    manager = shell.magics_manager
    manager.lazy_magics = {"azureml": "azml_magics"}
    try:
        assert shell.run_line_magic("azureml", "version").text.startswith("azml-magics ")
    finally:
        manager.lazy_magics = {}


# ---- settings --------------------------------------------------------------------------------------------------


def test_settings_are_listed_with_help(notebook):
    shown = notebook.ok("%config AzureMLMagics").stdout
    for name in ("default_config", "format", "timeout", "stream", "history_size"):
        assert f"AzureMLMagics.{name}=" in shown


@pytest.mark.parametrize("setting", ["format = 'pdf'", "timeout = 'soon'", "history_size = 0", "stream = 3"])
def test_invalid_setting_is_refused(notebook, magics, setting):
    name = setting.split()[0]
    before = getattr(magics, name)
    notebook.run(f"%config AzureMLMagics.{setting}")
    assert getattr(magics, name) == before


def test_existing_default_config_is_used_at_once(asking):
    asking.ok("%azureml save second --from main")
    asking.ok("%config AzureMLMagics.default_config = 'second'")
    assert asking.ok("%%azureml\nHello").result.config == "second"


def test_no_file_is_written_beside_the_notebook(asking):
    asking.ok("%%azureml -q\nHello")
    asking.ok("%azureml list")
    assert [path.name for path in Path().iterdir() if path.name != "home"] == []


def test_python_sees_the_same_session(asking):
    assert current().get("main").endpoint_url.startswith("http://127.0.0.1")


def test_error_can_be_caught_by_its_class(asking):
    asking.ok(
        "from azml_magics.errors import UndefinedVariableError\n"
        "try:\n    get_ipython().run_cell_magic('azureml', '', 'Hello {nobody}')\n"
        "except UndefinedVariableError as error:\n    caught = error"
    )
    assert asking.vars["caught"].cause.startswith("The prompt uses {nobody}")


def test_earlier_config_does_not_replace_the_default(asking):
    asking.ok("%azureml delete main -f")
    asking.ok("%config AzureMLMagics.default_config = 'prod'")
    asking.ok("%azureml save draft --url https://draft.example.com/v1/chat/completions")
    asking.ok("%azureml save prod --url https://prod.example.com/v1/chat/completions")
    assert "POST https://prod.example.com/" in str(asking.ok("%%azureml --dry-run\nHello").result)


# ---- one line ----------------------------------------------------------------------------------------------------


def test_trailing_semicolon_hides_the_result(asking, endpoint):
    ran = asking.ok(f"%azureml save other --url {endpoint.url}/v1/completions --key env:TEST_KEY;")
    assert (ran.result, ran.stdout) == (None, "")
    assert "env:TEST_KEY (set)" in asking.ok("%azureml show other").text
    assert asking.ok("%azureml list;").result is None
    assert asking.ok("%azureml use other ;").result is None
    assert "No config named 'othr'" in asking.refused("%azureml use othr;")


def test_semicolon_of_ask_is_part_of_prompt(asking, last_body):
    asking.ok("%azureml ask What does this do: x = 1;")
    assert last_body()["messages"][0]["content"] == "What does this do: x = 1;"


def test_line_of_options_is_a_cell_without_body(asking):
    asking.ok("from langchain_core.prompts import PromptTemplate")
    asking.ok("shout = PromptTemplate.from_template('{word}!') | (lambda prompt: prompt.text.upper())")
    assert asking.ok("%azureml $shout -v word=hello").text == "HELLO!"
    assert asking.refused("%azureml $shout") == ("PromptError: $shout needs word. Define it, or pass --var NAME=VALUE.")
    assert "There is no variable 'shot' for $shot. Did you mean 'shout'?" in asking.refused("%azureml $shot")


@pytest.mark.parametrize("source", ["%azureml list", "%azureml history"])
def test_interrupt_between_steps_is_one_line(asking, monkeypatch, source):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "run", interrupted)
    assert asking.refused(source).startswith("Interrupted: ")
    assert type(asking.run(source).error) is Interrupted
