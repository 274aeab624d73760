"""`%%azureml` in a real kernel against Microsoft's scoring server: the answer, or one line that says why not."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from . import kernel as kernels
from .cases import EXPECTED, FAILURES
from .conftest import KEY, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .kernel import Kernel

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernels.started(tmp_path_factory.mktemp("home"), {"SCORING_KEY": KEY}) as kernel:
        kernel.run("%load_ext azml_magics")
        yield kernel


@pytest.fixture
def saved(kernel: Kernel, serve: Serve):
    """`saved("gpt2", "gpt2")` saves a config of that server as a user does, and returns its name."""

    def saved(script: str, formatter: str = "openai") -> str:
        name = f"{script}-{formatter}"
        line = f"save {name} --url {serve(script).url} -f {formatter} --key env:SCORING_KEY --retries 0"
        assert kernel.run(f"%azureml {line}").error is None
        return name

    return saved


@pytest.mark.parametrize("case", EXPECTED.values(), ids=EXPECTED)
def test_response_is_the_cells_result(kernel: Kernel, saved, case) -> None:
    name = saved(case.script, case.formatter)
    kwargs = " ".join(f"-p {shlex.quote(f'{key}={json.dumps(value)}')}" for key, value in case.kwargs.items())
    # -t none: a prompt of this table that has braces in it means them
    ran = kernel.run(f"%%azureml {name} {kwargs} -t none\n{case.prompt}")
    assert ran.error is None
    assert ran.result == case.answer
    assert [out.output_type for out in ran.outputs if out.output_type != "display_data"] == ["execute_result"]


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_error_is_one_line(kernel: Kernel, saved, case) -> None:
    name = saved(case.script)
    ran = kernel.run(f"%%azureml {name}\n{case.prompt}")
    assert ran.error.ename == case.kind.__name__
    assert case.said in ran.error.evalue
    assert f"config '{name}'" in ran.error.evalue
    assert ran.error.traceback == [f"{ran.error.ename}: {ran.error.evalue}"]
    assert "\n" not in ran.error.evalue
    assert KEY not in json.dumps(ran.outputs)
    assert ran.result == ""


def test_cell_works_again_after_a_failure(kernel: Kernel, saved) -> None:
    saved("gpt2", "gpt2")
    assert kernel.run("%%azureml gpt2-gpt2 -f dolly\nIt rained").error.ename == "ModelError"
    assert kernel.answer("%%azureml gpt2-gpt2 -p max_new_tokens=1\nIt rained") == " and"


def test_interrupted_stream_keeps_its_text_in_last(kernel: Kernel, saved) -> None:
    name = saved("promptflow", "promptflow")
    ran = kernel.run(f"%%azureml {name}\nNow break")
    assert ran.error.ename == "StreamInterruptedError"
    assert len(ran.error.traceback) == 1
    last = kernel.run("%azureml last")
    assert "You asked" in last.result + last.printed


def test_result_keeps_the_servers_headers(kernel: Kernel, saved) -> None:
    saved("gpt2", "gpt2")
    kernel.run("%%azureml gpt2-gpt2 -p max_new_tokens=1 -o answer -q\nIt rained")
    assert kernel.answer("answer.text, bool(answer.request_id), answer.config, answer.raw") == (
        "(' and', True, 'gpt2-gpt2', [{'0': 'It rained and'}])"
    )


def test_notebook_variable_reaches_the_model(kernel: Kernel, saved) -> None:
    saved("curated_chat", "openai-chat")
    kernel.run("river = 'the {Rhine}'")
    answer = kernel.answer('%%azureml curated_chat-openai-chat -s "Be brief."\nWhere does {river} rise?')
    assert answer == "I have read system, user; the last said 'Where does the {Rhine} rise?'."


def test_literal_key_is_refused_before_sending(kernel: Kernel, serve: Serve) -> None:
    ran = kernel.run(f"%%azureml --url {serve('gpt2').url} -f gpt2 --key {KEY}\nIt rained")
    assert ran.error.ename == "KeyRefusedError"
    assert KEY not in json.dumps(ran.outputs)
