"""%azureml alone: where the user stands and what to do next, in 12 lines, without sending anything."""

from __future__ import annotations

import html

import pytest

import azml_magics
from azml_magics.core import trust

from ..conftest import KEY


@pytest.fixture
def page(notebook):
    """The lines of the page."""

    def show():
        ran = notebook.ok("%azureml")
        lines = ran.text.splitlines()
        assert len(lines) <= 12
        assert max(map(len, lines)) <= 120
        shown = html.unescape(ran.data["text/html"])
        assert all(word in shown for line in lines for word in line.split())  # the same in HTML
        return lines

    return show


def test_without_configs_it_names_the_ways_to_begin(page):
    lines = page()
    assert lines[0] == f"azml-magics {azml_magics.__version__}: no config yet"
    for verb in ("demo", "discover", "save NAME --url URL", "import FILE", "help"):
        assert any(line.startswith(f"  %azureml {verb} ") for line in lines), verb


def test_with_a_config_it_names_key_and_first_cell(page, notebook, endpoint):
    notebook.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    lines = page()
    assert f"  in use   main: openai-chat at {endpoint.url}/v1/chat/completions" in lines
    assert "  key      env:TEST_KEY (set)" in lines
    assert lines.index("  %%azureml") + 1 == lines.index("  Write a haiku about sparkling water.")
    assert "%azureml keep NAME" in "".join(lines)
    assert KEY not in "".join(lines)
    assert endpoint.requests == []
    cell = "\n".join(line.strip() for line in lines[lines.index("  %%azureml") :][:2])
    assert notebook.ok(cell).result.text


def test_kept_configs_do_not_end_with_the_kernel(page, notebook):
    notebook.ok("%azureml save main --url https://x.y/score -f gpt2 --key none --keep")
    assert "  configs  main" in page()


def test_missing_key_is_the_next_step(page, notebook):
    notebook.ok("%azureml save prod --url https://x.y/score -f gpt2 --key env:PROD_KEY")
    lines = page()
    assert "  key      env:PROD_KEY (not set)" in lines
    assert any("os.environ['PROD_KEY'] = getpass.getpass()" in line for line in lines)
    assert any(line.startswith("  %azureml save prod --key ask ") for line in lines)
    assert "  %%azureml" not in lines


def test_missing_url_is_the_next_step(page, notebook):
    notebook.ok("%azureml save prod -f gpt2")
    assert "Give it a URL: %azureml save prod --url URL" in page()


def test_untrusted_config_is_named_with_the_way(page, notebook, tmp_path):
    from azml_magics import session
    from azml_magics.core.config import LLMConfig

    config = LLMConfig(endpoint_url="https://evil.example/score", formatter="gpt2", key="env:SECRET")
    session.current().save("prod", config.merged(file=str(tmp_path / "pyproject.toml")))
    assert any(line.startswith("  %azureml trust prod ") for line in page())
    notebook.ok("%azureml trust prod")
    assert not any("trust" in line for line in page())
    trust.forget()


def test_no_config_in_use_is_said(page, notebook):
    notebook.ok("%azureml save one --url https://x.y/score -f gpt2")
    notebook.ok("%azureml delete one -f\n%azureml save two --url https://x.y/score -f gpt2")
    notebook.ok("%azureml save three --from two")
    notebook.ok("%azureml delete two -f")
    lines = page()
    assert lines[0].endswith("no config is in use")
    assert any(line.startswith("  %azureml use three ") for line in lines)


def test_endpoint_of_the_environment_is_in_use(page, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", "https://x.eastus.inference.ml.azure.com/v1/chat/completions")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    lines = page()
    assert any("AZUREML_ENDPOINT_URL: openai-chat at" in line for line in lines)
    assert "  %%azureml" in lines


def test_many_configs_recording_and_history_fit(page, notebook, tmp_path):
    for number in range(30):
        notebook.ok(f"%azureml save config-{number} --url https://x.y/score -f gpt2 --key none")
    notebook.ok("%azureml record calls.jsonl")
    notebook.ok("%config AzureMLMagics.history_file = 'history.jsonl'")
    lines = page()
    assert any("config-3 and 26 more" in line for line in lines)
    assert "  cassette  recording to calls.jsonl: %azureml stop-recording ends it" in lines
    assert f"  history   kept in {tmp_path / 'history.jsonl'}" in lines
    notebook.ok("%azureml stop-recording")


def test_text_from_outside_is_escaped(notebook):
    notebook.ok("%azureml save x --url 'https://x.y/<script>' -f gpt2 --key none")
    assert "<script>" not in notebook.ok("%azureml").data["text/html"]
