"""Marked keys enter in every way that there is, and an endpoint repeats them: no place keeps or shows one.

The places: everything that the kernel sends to a frontend, the notebook as it would be saved, and every file.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest

from azml_magics.emulator.control_plane import ControlPlane
from azml_magics.emulator.control_plane.contoso import GROUP, RESEARCH, WORKSPACE

from .echo_endpoint import MODES, EchoEndpoint

PLANTED = "mk+Zq7/planted=Key9"
SETUP = "import os, logging, pickle, traceback\nlogging.basicConfig(force=True)\n"
PLACES = (
    "%azureml list",
    "%azureml show",
    "%azureml test",
    "%azureml history",
    "%azureml history --json history.jsonl",
    "%azureml last",
    "%azureml last --traceback",
    "%%azureml --dry-run\nHello",
    "%%azureml -c talk --no-stream\nHello",
    "%azureml conversations export talk talk.json",
    "%%azureml -n 2\nHello",
    "%%azureml --each $rows --journal journal.jsonl -o answers\nHello {row}",
    "answers",
    "%azureml export main main.json -f",
    "%azureml export main langchain.json --langchain -f",
    "%azureml code",
    "%azureml code --as openai",
    "%azureml code --as python",
    "%azureml code --as curl",
    "from azml_magics.session import current\ncurrent().get('main')",
    "vars(current().get('main'))",
    "print(current().history, current().last)",
    "[(e.error, repr(e.error), vars(e.error) if e.error else '') for e in current().history]",
    "[line for e in current().history if e.error for line in traceback.format_exception(e.error)]",
    "current().last.response",
    "%azureml panel main",
    "%history",
    "%whos",
    "%azureml stop-recording",
)


def signs_of(key):
    """What tells that a text has the key: its own characters, or those of an encoding of it."""
    core = re.sub(r"[^A-Za-z0-9]", "", key)[-12:] if key.isascii() else key
    encoded = [base64.b64encode(b"\0" * offset + key.encode()).decode()[4:-4] for offset in range(3)]
    return {key, quote(key, safe=""), json.dumps(key)[1:-1], *encoded} | ({core} if core in key else set())


def assert_absent(key, text, place):
    for sign in signs_of(key):
        assert sign not in text, f"{place}: …{text[max(0, text.index(sign) - 200) : text.index(sign) + 60]}…"


@pytest.fixture(scope="module")
def echo():
    with EchoEndpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def azure():
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def seen(bare):
    """Everything that the kernel sends to a frontend from now on."""
    messages = []
    bare.listeners.append(messages.append)
    yield messages
    bare.listeners.remove(messages.append)


@pytest.fixture
def signed_in(bare, azure):
    """The kernel, signed in to the emulated Azure."""
    pytest.importorskip("azure.identity")
    bare.ok(f"import os\nos.environ.update({azure.environment!r})")
    bare.ok("from azml_magics.azure.identity import forget_tokens\nforget_tokens()")
    yield bare
    bare.ok(f"for name in {list(azure.environment)!r}: os.environ.pop(name, None)\nforget_tokens()")


@pytest.fixture
def planted(bare):
    """The kernel, with the key in a variable of its environment that no cell names in clear text."""
    work = Path(bare.value("__import__('os').getcwd()"))
    (work / "planted").write_text(PLANTED, encoding="utf-8")
    bare.ok("import os\nos.environ['PLANTED'] = open('planted').read()\nos.remove('planted')")
    yield bare
    bare.ok("os.environ.pop('PLANTED', None)")


@pytest.fixture
def check_places(bare, echo, home, seen):
    """Runs cells and looks everywhere: nothing has any of the keys that the endpoint saw."""

    def check(*sources):
        echo.keys.clear()
        run_and_look(bare, echo, home, seen, sources)

    return check


def run_and_look(kernel, echo, home, seen, sources):
    cells = [SETUP, "rows = [{'row': 'one'}]\n%azureml record calls.jsonl", *sources, *PLACES]
    notebook, _ = kernel.notebook(*cells, allow_errors=True)
    kernel.ok("get_ipython().history_manager.writeout_cache()")
    assert echo.keys, "the endpoint was not asked"
    files = {path: path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file()}
    for key in echo.keys:
        for cell in notebook.cells:
            assert_absent(key, json.dumps(cell.get("outputs", [])), cell.source)
        assert_absent(key, nbformat.writes(notebook), "the notebook")
        assert_absent(key, json.dumps(seen, default=str), "messages to the frontend")
        for path, text in files.items():
            assert_absent(key, text, path.name)
    for name in ("calls.jsonl", "journal.jsonl"):
        kernel.ok(f"import os\nif os.path.exists({name!r}): os.remove({name!r})")


@pytest.mark.parametrize("mode", MODES)
def test_key_of_the_environment(planted, echo, check_places, mode):
    planted.ok(f"%azureml save main --url {echo.url(mode)} --key env:PLANTED")
    check_places("%%azureml main\nHello")


@pytest.mark.parametrize("mode", ["stream", "refuse"])
def test_key_in_another_header(planted, echo, check_places, mode):
    planted.ok(f"%azureml save main --url {echo.url(mode)} --key none --header X-Gateway-Key=env:PLANTED")
    check_places("%%azureml main\nHello")


@pytest.mark.parametrize("mode", ["stream", "refuse"])
def test_key_in_a_header_of_its_own(planted, echo, check_places, mode):
    planted.ok(f"%azureml save main --url {echo.url(mode)} --key env:PLANTED --key-header X-Gateway-Key")
    check_places("%%azureml main\nHello")


@pytest.mark.parametrize("mode", ["stream", "refuse"])
def test_typed_key(planted, echo, check_places, mode):
    planted.ok(f"%azureml save main --url {echo.url(mode)} --key ask")
    planted.run("%%azureml main\nHello", answer=PLANTED)
    check_places("%%azureml main\nHello")


@pytest.mark.parametrize("mode", ["stream", "refuse"])
@pytest.mark.parametrize(
    "arguments", ["key=Secret(os.environ['PLANTED'])", "headers={'api-key': os.environ['PLANTED']}, key=None"]
)
def test_key_given_in_python(planted, echo, check_places, mode, arguments):
    planted.ok(
        "from azml_magics import LLMConfig, Secret\nfrom azml_magics.session import current\n"
        f"mine = LLMConfig(endpoint_url={echo.url(mode)!r}, {arguments})\n_ = current().save('main', mine)"
    )
    check_places("%%azureml main\nHello", "mine", "[mine]", "vars(mine)")


@pytest.mark.parametrize("mode", ["stream", "refuse"])
def test_key_of_a_langchain_model(planted, echo, check_places, mode):
    planted.ok(f"%azureml save main --url {echo.url(mode)} --key env:PLANTED")
    make = (
        "from azml_magics.langchain import AzureMLChatOnlineEndpoint\nfrom langchain_core.load import dumps\n"
        f"llm = AzureMLChatOnlineEndpoint(endpoint_url={echo.url(mode)!r}, endpoint_api_key=os.environ['PLANTED'])"
    )
    cells = ("llm", "llm.invoke('Hello')", "%%azureml $llm\nHello", "llm.dict()", "vars(llm)", "dumps(llm)")
    check_places("%%azureml main\nHello", make, *cells, "llm.save('llm.json')")


@pytest.mark.parametrize("mode", ["answer", "stream", "refuse"])
def test_token_of_a_managed_identity(signed_in, echo, check_places, mode):
    url = echo.url(mode, "/api/projects/p/openai/v1/chat/completions")
    signed_in.ok(f"%azureml save main --url {url} --model m --key entra")
    check_places("%%azureml main\nHello")


ENDPOINTS = (
    f"/subscriptions/{RESEARCH}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/"
    f"{WORKSPACE}/onlineEndpoints"
)


@pytest.mark.parametrize("key", [f"azure-key:{ENDPOINTS}/llama-chat", f"aml-token:{ENDPOINTS}/phi-chat"])
@pytest.mark.parametrize("mode", ["stream", "refuse"])
def test_key_that_azure_gives(signed_in, echo, check_places, mode, key):
    signed_in.ok(f"%azureml save main --url {echo.url(mode)} --key {key}")
    check_places("%%azureml main\nHello")
