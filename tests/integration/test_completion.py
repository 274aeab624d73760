"""Tab in a real kernel: what a frontend is sent for a complete_request."""

from __future__ import annotations

import pytest

from .conftest import PATIENCE


@pytest.fixture
def tab(kernel):
    """{text: what is shown beside it} for the completions at the mark |, and what they replace."""

    def press(source):
        cursor = source.index("|")
        code = source.replace("|", "", 1)
        number = kernel.client.complete(code, cursor)
        while True:
            reply = kernel.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == number:
                break
        content = reply["content"]
        assert content["status"] == "ok"
        details = content["metadata"]["_jupyter_types_experimental"]
        assert [each["text"] for each in details] == content["matches"]
        found = {each["text"]: each["type"] for each in details}
        return found, code[content["cursor_start"] : content["cursor_end"]]

    return press


def test_frontend_is_sent_each_completion_with_its_help(tab):
    found, replaced = tab("%%azureml --dry|\nHello")
    assert (found, replaced) == ({"--dry-run": "option: show the request and send nothing"}, "--dry")
    found, _ = tab("%azureml |")
    assert found["test"] == "verb: check that a config works, step by step"
    found, _ = tab("%%azureml ma|")
    assert found["main"].startswith("config: 127.0.0.1:")
    found, _ = tab("%%azureml -p temp|")
    assert found["temperature="].startswith("kwarg: number 0 to 2, ")
    found, _ = tab("%%azureml -f tg|")
    assert found["tgi"].startswith("formatter: Hugging Face Text Generation Inference")


@pytest.mark.parametrize(
    "source",
    [
        "x = %azureml use ma|",
        "%%time\n%%azureml ma|\nHello",
        "# a comment\n%%azureml -q ma|",
        "for _ in range(3):\n    %azureml use ma|",
        "%%azureml \\\n  -q ma|",
        "%%ask ma|\nHello",
        "%ask use ma|",
    ],
)
def test_completion_works_wherever_the_magic_stands(kernel, tab, source):
    kernel.ok("%alias_magic ask azureml")
    found, replaced = tab(source)
    assert list(found) == ["main"]
    assert replaced == "ma"


def test_variables_are_completed_in_the_prompt(kernel, tab):
    kernel.ok("topic_of_the_day = 'tea'")
    found, replaced = tab("%%azureml\nAbout {topic_|}")
    assert (found, replaced) == ({"topic_of_the_day": "variable: str"}, "topic_")


@pytest.mark.parametrize(
    "source",
    ["%azureml import |", "%azureml ask os|", "%%azureml -o o|", "%%azureml\nTell me about o|", "%azureml list |"],
)
def test_nothing_of_python_is_offered_where_there_is_nothing(tab, source):
    found, replaced = tab(source)
    assert set(found) <= {replaced} or set(found.values()) == {"path"}
