"""An answer as a frontend receives it: a display that begins and ends empty, and one lasting result."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbconvert import HTMLExporter

from azml_magics.emulator import Fault

from .conftest import KEY

VENDOR = "application/vnd.azml.response.v1+json"


def test_saved_output_is_empty_display_and_result(kernel):
    notebook, error = kernel.notebook("%%azureml\nTell me about rivers")
    assert error is None
    display, result = notebook.cells[0].outputs
    assert (display.output_type, dict(display.data)) == ("display_data", {"text/markdown": ""})
    assert result.output_type == "execute_result"
    assert set(result.data) == {"text/plain", "text/markdown", VENDOR}
    assert result.data["text/plain"] == result.data[VENDOR]["text"] == kernel.value("str(_)")
    assert set(result.metadata["azml"]) == {"request"}  # times and ids would differ in every run


def test_tokens_are_shown_as_they_arrive(kernel, endpoint):
    endpoint.rate = 60
    cell = kernel.ok("%%azureml -p max_tokens=40\nTell me about rivers")
    assert cell.begun == [{"text/markdown": ""}]
    *shown, between, last = [update.get("text/plain", "") for update in cell.updates]
    assert (between, last) == ("", "")
    assert len(shown) >= 3
    assert shown == sorted(shown, key=len)
    assert all(cell.text.startswith(text) for text in shown)


@pytest.mark.parametrize("rate", [0, 40, 400])
def test_at_most_twenty_updates_a_second_at_any_rate(kernel, endpoint, rate):
    endpoint.rate = rate
    cell = kernel.ok("%%azureml -p max_tokens=60\nTell me about rivers and lakes and the sea")
    times = [message["header"]["date"] for message in cell.messages if message["msg_type"] == "update_display_data"]
    elapsed = (times[-1] - times[0]).total_seconds()
    assert len(times) <= 20 * elapsed + 4  # the first frame, the last one, and the two that empty it


def test_long_response_arrives_whole(kernel, endpoint):
    endpoint.script([Fault("big", size=1_000_000)])
    cell = kernel.ok("%%azureml\nHello")
    assert len(cell.text) >= 1_000_000
    assert cell.updates[-1] == {"text/markdown": ""}


def test_no_stream_gives_only_the_result(kernel, endpoint):
    cell = kernel.ok("%%azureml --no-stream\nHello")
    assert (cell.begun, cell.updates) == ([], [])
    assert "Hello" in cell.text
    assert "stream" not in endpoint.requests[-1].json()


def test_quiet_shows_nothing_and_output_stores_response(kernel):
    cell = kernel.ok("%%azureml -q -o answer\nHello")
    assert (cell.result, cell.begun, cell.updates, cell.stream("stdout")) == ({}, [], [], "")
    assert kernel.value("answer.text, answer.usage.total_tokens, answer.finish_reason, type(answer).__name__") == (
        kernel.ok("%azureml last").text,
        17,
        "stop",
        "Response",
    )


def test_result_is_underscore_and_out(kernel):
    cell = kernel.ok("%%azureml\nHello")
    assert kernel.value("_.text") == cell.text
    assert kernel.value("Out[max(Out)].text if hasattr(Out[max(Out)], 'text') else ''") == cell.text


def test_surrogate_is_replaced(kernel, endpoint):
    kernel.ok(
        "class Half:\n    def format_request_payload(self, p, k): return {'input_data': [p]}\n"
        "    def format_response_payload(self, o): return 'caf\\ud83d'\nhalf = Half()"
    )
    assert kernel.ok(f"%%azureml -u {endpoint.url}/score -f $half\nHello").text == "caf\ufffd"


def test_json_is_parsed_and_shown(kernel):
    cell = kernel.ok(
        "%%azureml -F json -o answer\nGive me JSON with the keys 'title', 'price' and 'tags' for a label on a loaf of rye bread."
    )
    assert set(kernel.value("answer.parsed")) == {"title", "price", "tags"}
    assert cell.result["text/markdown"].startswith('```json\n{\n  "title"')
    assert json.loads(cell.result["text/markdown"].removeprefix("```json\n").removesuffix("\n```")) == kernel.value(
        "answer.parsed"
    )


def test_failed_parse_keeps_text(kernel):
    cell = kernel.ok("%%azureml -F json\nHello")
    assert "Hello" in cell.text
    assert cell.stream("stderr") == "azureml: The response contains no JSON; it is kept as text.\n"


def test_python_uses_the_response(kernel):
    kernel.ok("%%azureml -o answer\nHello")
    assert kernel.value("len(answer.text) > 3 and answer.text.upper() == str(answer).upper()") is True


# ---- as a saved notebook ---------------------------------------------------------------------------------------

HOSTILE = (
    "# <script>alert(1)</script>\n\n<img src=x onerror=alert(1)> [a](javascript:alert(1))\n\n"
    "`a\n<img src=x onerror=alert(2)>`\n\n```html\n<b>fine</b>\n```\n"
)


def test_hostile_response_is_inert_in_exported_page(kernel, endpoint):
    kernel.ok(
        "class Says:\n    def format_request_payload(self, p, k): return {'input_data': [p]}\n"
        f"    def format_response_payload(self, o): return {HOSTILE!r}\nsays = Says()"
    )
    notebook, error = kernel.notebook(f"%%azureml -u {endpoint.url}/score -f $says\nHello")
    assert error is None
    page, _ = HTMLExporter().from_notebook_node(notebook)
    body = page[page.index("<main>") : page.index("</main>")]
    for live in ("<script>alert", "<img", 'href="javascript'):
        assert live not in body
    assert "alert(1)" in body  # it is shown, as text


@pytest.mark.parametrize("exporter", ["markdown", "script"])
def test_other_exports_work(kernel, exporter):
    import nbconvert

    notebook, _ = kernel.notebook("%%azureml\nTell me about rivers", "%azureml list")
    text, _ = nbconvert.get_exporter(exporter)().from_notebook_node(notebook)
    assert "rivers" in text


def test_two_runs_give_the_same_notebook(kernel):
    def run():
        notebook, error = kernel.notebook("%%azureml -p seed=1\nTell me about rivers", "%azureml ask Hello")
        assert error is None
        for number, cell in enumerate(notebook.cells):
            cell.id, cell.execution_count, cell.metadata = f"cell-{number}", None, {}
            for output in cell.outputs:
                output.metadata = {}
                output.pop("execution_count", None)
        return nbformat.writes(notebook)

    assert run() == run()


def test_saved_notebook_has_no_key(kernel):
    notebook, _ = kernel.notebook(
        "%%azureml\nHello",
        "%azureml list",
        "%azureml show",
        "%azureml test",
        "%azureml history",
        "%%azureml --dry-run\nHi",
    )
    assert KEY not in nbformat.writes(notebook)
    assert "env:TEST_KEY" in nbformat.writes(notebook)
