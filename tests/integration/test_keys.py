"""A key is in memory and on its way to the endpoint, and nowhere else."""

from __future__ import annotations

import nbformat

from azml_magics.emulator import Fault

from .conftest import KEY

EVERYWHERE = (
    "%azureml list",
    "%azureml show",
    "%azureml test",
    "%azureml history",
    "%azureml history --json history.jsonl",
    "%azureml export main main.json -f",
    "%azureml export main langchain.json --langchain -f",
    "%azureml last",
    "%azureml last --traceback",
    "%%azureml --dry-run\nHello",
    "%config AzureMLMagics",
    "from azml_magics.session import current\ncurrent().get('main')",
    "vars(current().get('main'))",
    "print(current().history, current().last)",
    "[e.error for e in current().history]",
    "current().last.response",
    "%history",
    "%whos",
    "print(open('history.jsonl').read(), open('main.json').read(), open('langchain.json').read())",
    "%azureml code",
)


def assert_nowhere(kernel, home, *sources):
    """The key is in no output, not in the notebook, not in IPython's history, in no file that the kernel wrote."""
    notebook, _ = kernel.notebook(*sources, *EVERYWHERE, allow_errors=True)
    assert KEY not in nbformat.writes(notebook)
    assert KEY[3:-3] not in nbformat.writes(notebook)
    kernel.ok("get_ipython().history_manager.writeout_cache()")
    for path in home.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
    return notebook


def test_key_of_the_environment(kernel, home):
    assert_nowhere(kernel, home, "%%azureml\nHello")


def test_key_that_the_endpoint_refuses(kernel, endpoint, home):
    endpoint.script([Fault("401"), *[None] * 3])
    assert_nowhere(kernel, home, "%%azureml\nHello")


def test_typed_key(kernel, endpoint, home):
    kernel.ok("%azureml save main --key ask")
    cell = kernel.ok("%%azureml\nHello", answer=KEY)
    assert "Hello" in cell.text
    assert KEY not in str(cell.messages)
    assert endpoint.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert_nowhere(kernel, home, "%%azureml\nHello")


def test_key_in_a_secret(kernel, endpoint, home):
    url = f"{endpoint.url}/v1/chat/completions"
    kernel.ok(
        "import os\nfrom azml_magics import LLMConfig, Secret\nfrom azml_magics.session import current\n"
        f"mine = LLMConfig(endpoint_url={url!r}, key=Secret(os.environ['TEST_KEY']))\ncurrent().save('main', mine)"
    )
    notebook = assert_nowhere(kernel, home, "%%azureml $mine\nHello", "mine", "mine.key", "str(mine.key)", "[mine]")
    assert "Hello" in notebook.cells[0].outputs[-1].data["text/plain"]
    assert kernel.run("import pickle\npickle.dumps(mine)").error["ename"] == "TypeError"


def test_key_echoed_by_the_endpoint(kernel, endpoint, home):
    endpoint.script([Fault("400", message=f"bad key {KEY}"), *[None] * 3])
    assert_nowhere(kernel, home, "%%azureml --no-stream\nHello")
