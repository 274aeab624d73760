"""The extension in a kernel from loading to unloading: completion, help, the demo, and nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys

import IPython
import nbformat
import pytest
from nbclient import NotebookClient

from azml_magics.notebook.help_text import cell_help

from .conftest import PATIENCE, environment

STATE = """
import logging, os, sys, threading, warnings, psutil
def state():
    ip, root = get_ipython(), logging.getLogger()
    return {
        "magics": {kind: sorted(names) for kind, names in ip.magics_manager.magics.items()},
        "registry": sorted(ip.magics_manager.registry),
        "configurables": sorted(type(c).__name__ for c in ip.configurables),
        "matchers": len(ip.Completer.custom_matchers),
        "printers": sorted(map(str, ip.display_formatter.mimebundle_formatter.type_printers)),
        "events": {name: len(callbacks) for name, callbacks in ip.events.callbacks.items()},
        "threads": sorted(t.name for t in threading.enumerate() if not t.name.startswith("asyncio")),
        "listening": sorted(str(c.laddr) for c in psutil.Process().net_connections() if c.status == "LISTEN"),
        "environment": sorted(os.environ),
        "logging": (root.level, list(map(str, root.handlers))),
        "filters": list(map(str, warnings.filters)),
        "hooks": list(map(str, (sys.excepthook, sys.displayhook, sys.stdout, sys.stderr))),
    }
"""


@pytest.fixture
def tab(kernel):
    """The completions at the mark |, as the kernel replies them: what is replaced, and (text, type) of each."""

    def press(source):
        code, cursor = source.replace("|", "", 1), source.index("|")
        reply = kernel.client.complete(code, cursor, reply=True, timeout=PATIENCE)["content"]
        typed = reply["metadata"].get("_jupyter_types_experimental", [])
        replaced = code[reply["cursor_start"] : reply["cursor_end"]]
        return replaced, [(item["text"], item["type"].partition(":")[0]) for item in typed]

    return press


def test_completion_offers_names(kernel, tab):
    kernel.ok("river = 'x'\n_hidden = 1")
    assert tab("%%azureml --for|") == ("--for", [("--formatter", "option"), ("--format", "option")])
    assert tab("%%azureml -F js|") == ("js", [("json", "value")])
    assert tab("%%azureml --type |") == ("", [("dedicated", "value"), ("serverless", "value")])
    assert tab("%azureml hist|") == ("hist", [("history", "verb")])
    assert tab("%azureml use |") == ("", [("main", "config")])
    assert tab("%%azureml ma|") == ("ma", [("main", "config")])
    assert tab("%%azureml -f mis|") == ("mis", [("mistral-chat", "formatter")])
    assert tab("%%azureml -p tem|") == ("tem", [("temperature=", "kwarg")])
    assert tab("%%azureml --key en|")[1][:2] == [("env:", "key"), ("entra", "key")]
    assert tab("%%azureml\nTell me about {riv|}") == ("riv", [("river", "variable")])
    assert tab("%%azureml -k $riv|") == ("$riv", [("$river", "variable")])
    assert tab("x = 1\n%azureml ver|") == ("ver", [("version", "verb")])


def test_python_is_completed_by_ipython(tab):
    assert any(text.startswith("isinstance") for text, _ in tab("isinsta|")[1])
    assert any("bit_length" in text for text, _ in tab("x = 1\n(1).bit_le|")[1])


def test_question_mark_shows_help(kernel):
    shown = kernel.client.inspect("%%azureml", 5, reply=True, timeout=PATIENCE)["content"]["data"]["text/plain"]
    assert "--formatter NAME|$var" in shown
    assert all(line.strip() in shown for line in cell_help().splitlines())


def test_unloading_leaves_nothing_behind(bare):
    bare.ok(STATE)
    cycle = ("%load_ext azml_magics", "%azureml demo", "%%azureml -q -p max_tokens=2\nHello", "%azureml history")
    bare.ok("%unload_ext azml_magics")
    for source in (*cycle, "%unload_ext azml_magics"):  # once, for what imports leave behind
        bare.ok(source)
    bare.ok("before = state()")
    for source in cycle:
        bare.ok(source)
    assert bare.value("state() == before") is False
    bare.ok("%unload_ext azml_magics")
    bare.ok("after = state()")
    assert bare.value("{name: (before[name], after[name]) for name in before if before[name] != after[name]}") == {}
    assert bare.value("'AZML_DEMO_KEY' in os.environ") is False
    bare.ok("%load_ext azml_magics")


def test_reloading_starts_over(kernel):
    before = kernel.value("len(get_ipython().Completer.custom_matchers)")
    kernel.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    kernel.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    assert kernel.value("len(get_ipython().Completer.custom_matchers)") == before
    assert kernel.ok("%azureml list").text.startswith("No configs yet.")


def test_demo_from_start_to_end(bare):
    assert "no language model" in bare.ok("%azureml demo").text
    cell = bare.ok("%%azureml -p max_tokens=12\nTell me about rivers")
    assert cell.text.startswith('A model would respond to "Tell me about rivers"')
    assert bare.ok("%azureml test").text.endswith("It works.")
    bare.ok("%azureml export --all demo-configs")
    bare.ok("%azureml delete demo-gpt2")
    assert "demo-gpt2" in bare.ok("%azureml import demo-configs").text
    assert "Trusted" in bare.ok("%azureml trust demo-gpt2").text  # its file says where the key goes
    cell = bare.ok("%%azureml demo-gpt2 -p max_new_tokens=8\nOnce upon a time")
    assert cell.text.startswith(' Your prompt "Once upon a time"')


def test_users_logging_is_unchanged(kernel):
    kernel.ok("import logging; logging.basicConfig(level='INFO', force=True)")
    kernel.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    assert "INFO:mine:still here" in kernel.ok("logging.getLogger('mine').info('still here')").stream("stderr")
    kernel.ok("logging.getLogger().handlers.clear()")


def test_magic_in_function_and_loop(kernel):
    kernel.ok(
        "def ask(river):\n    return get_ipython().run_cell_magic('azureml', '-q -o kept', f'Tell me about {river}')\n"
        "texts = []\nfor river in ('Rhine', 'Elbe'):\n    ask(river)\n    texts.append(kept.text)"
    )
    assert kernel.value("['Rhine' in texts[0], 'Elbe' in texts[1]]") == [True, True]


# ---- nbval -----------------------------------------------------------------------------------------------------


def test_nbval_passes_on_saved_notebook(home):
    sources = (
        "%load_ext azml_magics",
        "%azureml demo",
        "%%azureml\nWrite a haiku about sparkling water.",
        "%%azureml demo-gpt2 -p max_new_tokens=5\nOnce upon a time",
        "%%azureml -F json\nGive me a JSON object with 'name' and 'age'",
        "%%azureml -p temprature=0.1\nHello",
        "_.usage.total_tokens",
        "%azureml history",
        "%azureml ask What is MLflow?",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder = home / "nbval"
    folder.mkdir()
    (folder / "conftest.py").touch()
    (folder / "pytest.ini").write_text("[pytest]\n")
    NotebookClient(notebook, timeout=PATIENCE).execute(env=environment(home), cwd=str(folder))
    path = folder / "answers.ipynb"
    nbformat.write(notebook, path)
    saved = json.loads(path.read_text())["cells"]
    lasting = [[output["output_type"] for output in cell["outputs"]].count("execute_result") for cell in saved]
    assert lasting == [0, 1, 1, 1, 1, 1, 1, 1, 1]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", str(path)],
        capture_output=True,
        text=True,
        env=environment(home),
        cwd=folder,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert f"{len(sources)} passed" in ran.stdout


# ---- a terminal ------------------------------------------------------------------------------------------------


def test_terminal_ipython(home, endpoint):
    lines = (
        "%load_ext azml_magics",
        f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY",
        "%azureml ask Tell me about rivers",
        "_.text == str(_)",
        "%azureml ask Hello {nobody}",
        "%azureml lst",
        "%unload_ext azml_magics",
        "exit",
    )
    no_color = "nocolor" if IPython.version_info[0] >= 9 else "NoColor"
    options = ("--simple-prompt", "--no-banner", "--no-confirm-exit", f"--colors={no_color}")
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", *options],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        env=environment(home),
        cwd=home / "work",
        check=False,
        timeout=PATIENCE,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    # what stands between two prompts belongs to the first; the lines typed are not echoed
    answers = [answer.partition(": ")[2] for answer in ran.stdout.split("In [")[1:]]
    _, _, answered, compared, undefined, mistyped, *_ = answers
    tokens, result = answered.split("\n")[:2]
    assert tokens.startswith("A model would respond to ")
    assert result.startswith("Out[3]: [main · azml-magics-demo · ")
    assert answered.count("not a language model") == 1
    assert compared.startswith("Out[4]: True")
    assert undefined.startswith("UndefinedVariableError: The prompt uses {nobody}")
    assert mistyped.startswith("UsageError: %azureml has no verb 'lst'. Did you mean 'list'?")
    assert "Traceback" not in ran.stdout


def test_reloading_the_extension_keeps_the_session(kernel, endpoint):
    kernel.ok("%%azureml -c talk -o answer\nMy name is Ada")
    kernel.ok("%config AzureMLMagics.format = 'text'")
    kernel.ok("%reload_ext azml_magics")
    assert "main" in kernel.ok("%azureml list").text
    assert "My name is Ada" in kernel.ok("%azureml history").text
    assert "Ada" in kernel.ok("%azureml conversations show talk").text
    assert kernel.value("get_ipython().magics_manager.registry['AzureMLMagics'].format") == "text"
    kernel.ok("%%azureml -c talk\nWhat is my name?")
    turns = [message["content"] for message in endpoint.requests[-1].json()["messages"]]
    assert turns[0] == "My name is Ada"
    shown = kernel.ok("%%azureml\nHello")
    assert set(shown.result) == {"text/plain", "application/vnd.azml.response.v1+json"}
