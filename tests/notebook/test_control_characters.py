"""No place that shows text from outside lets control characters through: none reaches a terminal, a page or a file's diff."""

from __future__ import annotations

import json
import logging
import warnings

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError
from azml_magics.core.http.waiting import Waiting
from azml_magics.display.live_text import TerminalText
from azml_magics.display.table import TableOutput
from azml_magics.display.text_output import CodeOutput, TextOutput
from azml_magics.panel.model.error_messages import describe_error
from azml_magics.rows.progress import Bar, Progress

from .hostile_server import FORBIDDEN, HOSTILE, hostile_server


@pytest.fixture(scope="module")
def server():
    with hostile_server() as url:
        yield url


def texts_in(value):
    """Every text in JSON data, the names of objects included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in [*texts_in(name), *texts_in(item)]]
    return [text for item in value for text in texts_in(item)] if isinstance(value, (list, tuple)) else []


def shown(ran):
    """Every text that a user sees of a cell: its result, error, displays, and what it wrote."""
    lines = ran.error._render_traceback_() if hasattr(ran.error, "_render_traceback_") else []
    assert ran.error is None or lines, ran.error
    assert "make_bundle(" not in ran.stdout, ran.stdout  # the traceback of a bundle that could not be made
    outputs = [data for output in ran.shown for data in texts_in(output.data)]
    return [*texts_in(ran.data), *outputs, *lines, ran.stdout, ran.stderr]


def cells(*sources, key="--key none"):
    """A place that is filled by cells; what the last of them shows is looked at."""

    def fill(notebook, url, _tmp_path):
        for source in sources[:-1]:
            notebook.run(source.replace("{url}", url).replace("{key}", key))
        return shown(notebook.run(sources[-1].replace("{url}", url).replace("{key}", key)))

    return fill


def ask(route, options="", prompt="Hello"):
    return f"%%azureml -u {{url}}/{route}/v1/chat/completions {{key}} --retries 0 {options}\n{prompt}"


def filled_table(frame):
    """A CSV file of two rows with hostile texts."""

    def fill(notebook, url, tmp_path):
        notebook.vars["rows"] = [{"text": HOSTILE}, {"text": "b"}]
        notebook.vars["schema"] = {"type": "object", "properties": {"title": {"type": "string"}}}
        return cells(frame)(notebook, url, tmp_path)

    return fill


def imported_config(command):
    """A config from a file whose texts are hostile."""

    def fill(notebook, url, tmp_path):
        config = {
            "_type": "azureml_chat_endpoint",
            "endpoint_url": f"{url}/chat/v1/chat/completions",
            "endpoint_api_type": "serverless",
            "model_kwargs": {"temperature": 0.1, HOSTILE: HOSTILE},
            "system": HOSTILE,
            "model": HOSTILE,
            "key": "none",
        }
        (tmp_path / "outside.json").write_text(json.dumps(config))
        return cells(f"%azureml import {tmp_path}/outside.json", command)(notebook, url, tmp_path)

    return fill


def direct(make):
    """A place that is filled without a cell: `make` returns its texts."""
    return lambda notebook, url, tmp_path: make()


def error_text(url, describe):
    from azml_magics import invoke

    with pytest.raises(AzmlError) as raised:
        invoke(LLMConfig(endpoint_url=f"{url}/400/v1/chat/completions", key=None, max_retries=0), "Hello")
    return [describe(raised.value)]


def langchain_error(_notebook, url, _tmp_path):
    from azml_magics.langchain import AzureMLChatOnlineEndpoint

    model = AzureMLChatOnlineEndpoint(endpoint_url=f"{url}/400/v1/chat/completions", key="none", max_retries=0)
    with pytest.raises(AzmlError) as raised:
        model.invoke("Hello")
    return [str(raised.value), repr(raised.value), *raised.value._render_traceback_()]


def waiting_line(notebook, url, tmp_path):
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        TerminalText().wait(Waiting(HOSTILE, 2.0))
        with Bar() as bar:
            bar(Progress(3, done=1, waiting=HOSTILE))
    return [captured.stdout, captured.stderr]


def log_lines(notebook, url, tmp_path):
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger = logging.getLogger("azml_magics")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        cells(ask("400"))(notebook, url, tmp_path)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert records
    return records


def journal_messages(notebook, url, tmp_path):
    journal = tmp_path / "journal.jsonl"
    run = filled_table(ask("chat", f"--each $rows --journal {journal}", "{text}"))
    first = run(notebook, url, tmp_path)
    journal.write_text(journal.read_text() + f'{{"{HOSTILE.split()[0]}\n')
    notebook.vars["rows"] = [{"text": "other"}]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = cells(ask("chat", f"--each $rows --journal {journal}", "{text}"))(notebook, url, tmp_path)
    assert caught
    return [*first, *again, *(str(each.message) for each in caught)]


def discovered():
    from azml_magics.azure.deployment import Deployment
    from azml_magics.azure.discovered import Discovery

    return [repr(Discovery([Deployment(HOSTILE, "endpoint", owner=HOSTILE)]))]


PLACES = {
    "response": cells(ask("chat")),
    "response that does not stream": cells(ask("chat", "--no-stream")),
    "text format": cells(ask("chat", "-F text")),
    "json format": cells(ask("json", "-F json")),
    "json that is none": cells(ask("chat", "-F json")),
    "code format": cells(ask("code", "-F code")),
    "variable of -o": cells(ask("chat", "-o answer -q"), "answer"),
    "repr of a response": cells(ask("chat", "-o answer -q"), "repr(answer)"),
    "thoughts, folded": cells(ask("reasoning")),
    "thoughts, open": cells(ask("reasoning", "--show-reasoning")),
    "tool calls": cells(ask("tools")),
    "several choices": cells(ask("choices", "--no-stream -p n=2")),
    "side by side": cells(ask("chat", "-n 2")),
    "side by side, failed": cells(ask("400", "-n 2")),
    "side by side with thoughts": cells(ask("reasoning", "-n 2")),
    "sweep over texts": filled_table(ask("chat", "--sweep stop=$stops").replace("$stops", '"a","b"')),
    "rows": filled_table(ask("chat", "--each $rows", "{text}")),
    "rows, failed": filled_table(ask("400", "--each $rows", "{text}")),
    "rows with thoughts": filled_table(ask("reasoning", "--each $rows", "{text}")),
    "columns of a schema": filled_table(ask("json", "--schema $schema --each $rows", "{text}")),
    "dry run of rows": filled_table(ask("chat", "--each $rows --dry-run", "{text}")),
    "history": cells(ask("chat"), ask("400"), "%azureml history"),
    "last": cells(ask("chat"), "%azureml last"),
    "last, failed": cells(ask("400"), "%azureml last"),
    "last, not to be read": cells(ask("not-json"), "%azureml last"),
    "last --traceback": cells(ask("400"), "%azureml last --traceback"),
    "conversations": cells(ask("chat", "-c talk"), "%azureml conversations"),
    "conversation": cells(ask("chat", "-c talk"), "%azureml conversations show talk"),
    "dry run": cells(ask("chat", "-c talk"), ask("chat", "-c talk --dry-run")),
    **{
        f"code as {language}": cells(
            ask("chat", "-c talk --model m"), ask("chat", "-c talk --model m"), f"%azureml code last --as {language}"
        )
        for language in ("langchain", "openai", "python", "curl")
    },
    **{f"error {status}": cells(ask(status)) for status in ("400", "401", "403", "404", "422", "424", "429", "500")},
    "error without JSON": cells(ask("text")),
    "error of a filter": cells(ask("filter")),
    "error that is shown": cells("%config AzureMLMagics.raise_errors = False", ask("400")),
    "reply that cannot be read": cells(ask("not-json")),
    "test": cells("%azureml save x -u {url}/chat/v1/chat/completions {key}", "%azureml test x"),
    "test that fails": cells("%azureml save x -u {url}/400/v1/chat/completions {key} --retries 0", "%azureml test x"),
    "detect": cells("%azureml save x -u {url}/score {key} --retries 0", "%azureml detect x"),
    "detect --probe": cells("%azureml save x -u {url}/400/score {key} --retries 0", "%azureml detect x --probe"),
    "import": imported_config("%azureml show outside"),
    "list": imported_config("%azureml list"),
    "code of an imported config": imported_config("%azureml code outside"),
    "test of an imported config": imported_config("%azureml test outside"),
    "unknown name": cells(f"%azureml use 'mark{HOSTILE.split()[1]}'"),
    "unknown option": cells(f"%azureml list --{HOSTILE.split()[1]}"),
    "help": cells(f"%azureml help {HOSTILE.split()[1]}"),
    "journal": journal_messages,
    "waiting": waiting_line,
    "log": log_lines,
    "error of the Python functions": lambda _notebook, url, _path: error_text(url, str),
    "error in the panel": lambda _notebook, url, _path: error_text(url, describe_error),
    "error of LangChain": langchain_error,
    "discovery": direct(discovered),
    "table": direct(lambda: texts_in(TableOutput(("a", HOSTILE), [("1", HOSTILE)], note=HOSTILE).to_bundle())),
    "text": direct(lambda: [repr(TextOutput(HOSTILE)), str(TextOutput(HOSTILE))]),
    "program": direct(lambda: texts_in(CodeOutput(HOSTILE)._repr_mimebundle_())),
}
SHOWS_NOTHING_OF_IT = {"help", "unknown option", "detect", "test that fails", "log", "error 404", "list"}


@pytest.fixture(params=["notebook", "terminal"])
def front_end(request):
    """IPython in a notebook's kernel, and in a terminal."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("place", PLACES)
def test_place_shows_no_control_characters(place, front_end, server, tmp_path):
    texts = PLACES[place](front_end, server, tmp_path)
    assert {char for text in texts for char in text} & FORBIDDEN == set()
    assert any("mark" in text for text in texts) or place in SHOWS_NOTHING_OF_IT, texts
