"""A key may come into a notebook in many ways; it is in nothing that a notebook keeps or shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azml_magics.session import current

from .conftest import KEY, REFUSALS, SECOND, leaks_in, search

ENTRIES = {
    "environment": "--key env:MARKED_KEY",
    "prompt": "--key ask",
    "keyring": "--key keyring:svc/me",
    "header": "--key none --header x-api-key=env:MARKED_KEY",
    "bearer header": "--key env:SECOND_KEY --header Authorization=env:MARKED_KEY",
    "key header": "--key env:MARKED_KEY --key-header x-functions-key",
    "query": "--key none --url {url}?code=env:MARKED_KEY&api-version=1",
    "query and key": "--key env:SECOND_KEY --url {url}?subscription-key=env:MARKED_KEY",
    "kwarg": '--key none tools=\'[{{"type":"mcp","authorization":"env:MARKED_KEY"}}]\'',
}
AFTERWARDS = [
    "%azureml show prod",
    "%azureml list",
    "%azureml history",
    "%azureml history --json history.jsonl",
    "%azureml last",
    "%azureml last --traceback",
    *(f"%azureml code prod --as {language}" for language in ("langchain", "python", "curl", "openai")),
    "%azureml code last",
    "%azureml export prod prod.json -f",
    "%azureml export prod prod.yaml -f",
    "%azureml export prod plain.json --langchain -f",
    "%%azureml prod --dry-run\nHi",
    "%azureml conversations show talk",
    "%azureml conversations export talk talk.json",
    "%azureml detect prod",
    "%azureml test prod",
    "prod",
    "%%azureml prod --no-stream -n 2\nHi",
    "%%azureml prod --each $rows --journal rows.jsonl\nHi {a}",
    "%azureml version",
]


@pytest.fixture
def keyring(monkeypatch):
    package = pytest.importorskip("keyring")
    monkeypatch.setattr(package, "get_password", lambda service, user: KEY)


def all_of(ran):
    """Everything that a cell gave, as one text."""
    shown = [output.data for output in ran.shown] + [output.metadata for output in ran.shown]
    parts = [ran.stdout, ran.stderr, ran.data, ran.metadata, shown, search(ran.error), repr(ran.result)]
    return "\n".join(map(str, parts))


def files():
    """The content of every file that was written."""
    return {
        str(path): path.read_bytes().decode("utf-8", "replace")
        for path in Path.cwd().rglob("*")
        if path.is_file() and "home" not in path.parts
    }


@pytest.mark.parametrize("entry", list(ENTRIES))
def test_key_is_in_nothing_that_a_notebook_shows_or_keeps(notebook, echo, log, keyring, entry):
    url = f"{echo.url}/v1/chat/completions"
    options = ENTRIES[entry].format(url=url)
    options = options if "--url" in options else f"--url {url} {options}"
    given = [notebook.run(f"%azureml save prod {options} --retries 0")]
    assert given[0].error is None, given[0].error
    notebook.vars["rows"] = [{"a": "x"}]
    notebook.vars["prod"] = current().get("prod")
    notebook.run("%azureml record calls.jsonl")
    given += [notebook.run(f"%%azureml prod{more}\nHi") for more in ("", " --no-stream", " -c talk")]
    given += [notebook.run(line) for line in AFTERWARDS]
    notebook.run("%azureml stop-recording")
    for ran in given:
        assert leaks_in(all_of(ran)) == []
    for path, content in files().items():
        assert (path, leaks_in(content)) == (path, [])
    assert leaks_in(log.text) == []
    for exchange in current().history:
        assert leaks_in(f"{exchange!r} {exchange.response and vars(exchange.response)} {search(exchange.error)}") == []
    assert leaks_in(repr(current().conversations)) == []
    assert any(
        KEY in f"{sent.headers} {sent.target} {sent.body.decode()}" or "%2B" in sent.target for sent in echo.received
    )


@pytest.mark.parametrize("echo", list(REFUSALS), indirect=True)
def test_key_in_another_refusal_is_shown_and_kept_nowhere(notebook, echo, log):
    url = f"{echo.url}/v1/chat/completions"
    given = [notebook.run(f"%azureml save prod --url {url} --key env:MARKED_KEY --retries 0")]
    given += [notebook.run(f"%%azureml prod{more}\nHi") for more in ("", " --no-stream", " -n 2")]
    given += [notebook.run(line) for line in ("%azureml last --traceback", "%azureml history --json history.jsonl")]
    assert any(KEY in str(sent.headers) for sent in echo.received)
    for ran in given:
        assert leaks_in(all_of(ran)) == []
    for path, content in files().items():
        assert (path, leaks_in(content)) == (path, [])
    assert leaks_in(log.text) == []


TYPED = [
    f"%azureml save prod --url {{url}} --key {KEY}",
    f"%azureml save prod --url {{url}} endpoint_api_key={KEY}",
    f"%azureml save prod --url {{url}} api_key={KEY}",
    f"%azureml save prod --url {{url}} subscription-key={KEY}",
    f"%azureml save prod --url {{url}} --header x-api-key={KEY}",
    f"%azureml save prod --url {{url}} --header 'Authorization=Bearer {KEY}'",
    f"%azureml save prod --url {{url}}?code={KEY}",
    f"%azureml save prod --url {{url}}?sig={KEY}&api-version=1",
    f"%azureml save prod --url {{url}}?subscription-key={KEY}",
    f"%azureml save prod --url https://ann:{SECOND}@h.example/score",
    f"%azureml save prod --url {{url}} --proxy http://ann:{SECOND}@proxy.example:1",
    f"%%azureml main -p api_key={KEY}\nHi",
    f"%%azureml main -p token={KEY}\nHi",
    f'%%azureml main -k \'{{{{"password": "{KEY}"}}}}\'\nHi',
    f'%%azureml main -k \'{{{{"tools": [{{{{"headers": {{{{"X-K": "Bearer {KEY}"}}}}}}}}]}}}}\'\nHi',
    f"%%azureml main --sweep api_key={KEY},{SECOND}\nHi",
    f"%%azureml main --url {{url}}?key={KEY} --key none\nHi",
    f"%%azureml main --key {KEY}\nHi",
    f"%azureml detect {{url}}?code={KEY}",
]


@pytest.mark.parametrize("source", TYPED)
def test_typed_key_is_refused_and_kept_nowhere(notebook, quiet, log, source):
    url = f"{quiet.url}/v1/chat/completions"
    notebook.ok(f"%azureml save main --url {url} --key none")
    ran = notebook.run(source.format(url=url))
    assert ran.error is not None or "looks like a key" in ran.stderr
    assert leaks_in(all_of(ran)) == []
    assert not quiet.received
    given = [
        notebook.run(line) for line in ("%azureml list", "%azureml show main", "%azureml history", "%azureml last")
    ]
    given.append(notebook.run("%azureml last --traceback"))
    assert leaks_in("".join(map(all_of, given))) == []
    assert leaks_in(log.text) == []
    assert leaks_in(repr([current().get(name) for name in current().names()])) == []


FILES = {
    "json": json.dumps({"_type": "azureml_chat_endpoint", "model_kwargs": {"api_key": KEY}}),
    "url": json.dumps({"_type": "azureml_chat_endpoint", "endpoint_url": f"https://h.example/score?code={KEY}"}),
    "key": json.dumps({"_type": "azureml_chat_endpoint", "key": KEY}),
    "langchain": json.dumps({"_type": "azureml_chat_endpoint", "endpoint_api_key": KEY}),
    "headers": json.dumps({"_type": "azureml_chat_endpoint", "headers": {"x-api-key": KEY}}),
    "proxy": json.dumps({"_type": "azureml_chat_endpoint", "proxy": f"http://ann:{SECOND}@p.example:1"}),
}


@pytest.mark.parametrize("name", list(FILES))
def test_key_in_an_imported_file_is_refused(notebook, name):
    Path("in.json").write_text(FILES[name])
    ran = notebook.run("%azureml import in.json")
    assert ran.error is not None
    assert leaks_in(all_of(ran)) == []
    assert current().names() == []


@pytest.mark.parametrize(
    "line",
    [f'model_kwargs = {{ api_key = "{KEY}" }}', f'endpoint_url = "https://h.example/a?code={KEY}"', f'key = "{KEY}"'],
)
def test_key_in_a_pyproject_is_refused(notebook, line):
    Path("pyproject.toml").write_text(f"[tool.azml_magics.configs.prod]\n{line}\n")
    ran = notebook.run("%reload_ext azml_magics")
    assert "pyproject.toml" in ran.stderr
    assert leaks_in(all_of(ran)) == []
    assert current().names() == []


def test_files_with_prompts_and_responses_are_private(notebook, quiet, monkeypatch):
    notebook.ok(f"%azureml save prod --url {quiet.url}/v1/chat/completions --key none")
    notebook.vars["rows"] = [{"a": "x"}]
    for line in (
        "%azureml record calls.jsonl",
        "%%azureml prod --each $rows --journal rows.jsonl\nHi {a}",
        "%%azureml prod -c talk\nHi",
        "%azureml stop-recording",
        "%azureml history --json history.jsonl",
        "%azureml conversations export talk talk.json",
        "%azureml export prod prod.json",
    ):
        notebook.ok(line)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in Path.cwd().glob("*.json*")}
    assert modes == dict.fromkeys(["calls.jsonl", "rows.jsonl", "history.jsonl", "talk.json", "prod.json"], "0o600")
