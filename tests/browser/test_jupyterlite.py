"""Python in a browser: JupyterLite with Pyodide's kernel, against an endpoint that allows requests from web pages.

AZML_JUPYTERLITE=1 builds a site for it (pip, npm; 100 MB, about a minute).
"""

from __future__ import annotations

import os

import pytest

from azml_magics.emulator.app import App
from azml_magics.emulator.loopback_server import LoopbackServer

from .jupyterlite_site import INSTALL, AllowPages, SiteServer, build_site

pytestmark = pytest.mark.skipif(
    not os.environ.get("AZML_JUPYTERLITE"), reason="set AZML_JUPYTERLITE=1 to build a JupyterLite site"
)
KEY = "lite-key-0123456789"
ROUTE = "/v1/chat/completions"
IS_OPEN = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
HAS_RUN = """(last) => window.jupyterapp.shell.currentWidget.model.cells.get(last).executionCount !== null
    && window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)"
CELLS = "() => window.jupyterapp.shell.currentWidget.model.toJSON().cells"


@pytest.fixture(scope="module")
def endpoint():
    server = LoopbackServer(AllowPages(App(KEY)))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def outputs(endpoint, browser, tmp_path_factory):
    """The text of each cell's outputs, by the cell's first line."""
    url = f"{endpoint}{ROUTE}"
    cells = [
        INSTALL,
        f"%load_ext azml_magics\nimport os\nos.environ['AZUREML_ENDPOINT_API_KEY'] = {KEY!r}",
        f"%azureml save prod --url {url}",
        "%config AzureMLMagics.raise_errors = False",
        "%%azureml -o greeting\nHello",
        "greeting.text",
        f"import azml_magics\nconfig = azml_magics.LLMConfig(endpoint_url={url!r})\nazml_magics.invoke(config, 'Hello').text",
        "async with azml_magics.AsyncClient() as client:\n    print((await client.invoke(config, 'Hello')).text)",
        "rows = [{'x': 1}, {'x': 2}]",
        "%%azureml --each $rows\nHello {x}",
        "%%azureml --repeat 2\nHello",
        "%%azureml --url http://127.0.0.1:9/v1/chat/completions --retries 0\nHello",
        "%azureml demo",
        "%azureml panel",
        "%azureml doctor",
        "'the end'",
    ]
    site = SiteServer(build_site(tmp_path_factory.mktemp("lite"), cells))
    page = browser.new_page()
    page.goto(f"{site.url}/lab/index.html?path=try.ipynb")
    page.wait_for_function(IS_OPEN, timeout=120_000)
    page.evaluate(RUN_ALL)
    page.wait_for_function(HAS_RUN, arg=len(cells) - 1, timeout=120_000)
    ran = [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]
    page.close()
    site.stop()
    return {_source(cell).splitlines()[0]: _text(cell["outputs"]) for cell in ran}


def _source(cell):
    return "".join(cell["source"])


def _text(outputs):
    return "\n".join(
        "".join(each.get("text") or each.get("data", {}).get("text/plain") or each.get("evalue") or "")
        for each in outputs
    )


def test_cell_gets_its_response_through_fetch(outputs):
    assert outputs["%%azureml -o greeting"].strip() == "Hello! How can I help you today?"
    assert outputs["greeting.text"] == "'Hello! How can I help you today?'"


def test_python_gets_responses_with_and_without_await(outputs):
    assert "How can I help you" in outputs["import azml_magics"]
    assert "How can I help you" in outputs["async with azml_magics.AsyncClient() as client:"]


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("%%azureml --each $rows", "need threads, which Python in a browser does not have"),
        ("%%azureml --repeat 2", "need threads, which Python in a browser does not have"),
        ("%%azureml --url http://127.0.0.1:9/v1/chat/completions --retries 0", "(CORS)"),
        ("%azureml demo", "The demo is a server, which cannot run in a browser"),
        ("%azureml panel", "need threads, which Python in a browser does not have"),
    ],
)
def test_what_a_browser_cannot_do_is_one_line(outputs, cell, line):
    assert line in outputs[cell]
    assert "Traceback" not in outputs[cell]


def test_doctor_reports_the_python_of_the_browser(outputs):
    assert "Emscripten" in outputs["%azureml doctor"]
