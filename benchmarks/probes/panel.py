"""The messages and bytes that a streamed response costs the panel, from a real kernel to its frontend.

python panel.py [--tokens N,N] [--rate N]      rate: tokens a second of the demo endpoint, 0 for no pauses

The response is one long paragraph, which costs most: none of it is final before its end. Needs ipykernel and the demo
extra, which the environment of the tests has.
"""

from __future__ import annotations

import argparse
import json
import time
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel
from measuring import report

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

MAX_SECONDS = 300  # seconds for one response
PREPARE = """
%load_ext azml_magics
from azml_magics import LLMConfig, Secret, panel
from azml_magics.emulator import Emulator
from azml_magics.session import current
endpoint = Emulator(key="bench", rate={rate})
endpoint.start()
url = endpoint.url + "/v1/chat/completions"
kwargs = {{"ignore_eos": True}}
current().save("bench", LLMConfig(endpoint_url=url, formatter="openai-chat", key=Secret("bench"), model_kwargs=kwargs))
%azureml panel
"""
ASK = """
model = panel.get_open_panel().model
model.set_kwarg("max_tokens", "{tokens}")
model.set_prompt("Write a story of 20000 words about rivers")
model.runs.run()
"""
RESULT = "r = current().last.response\nprint([r.usage.completion_tokens, len(r.text)])"


class Kernel:
    """A kernel and the messages that it has sent."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.messages: list[dict[str, Any]] = []

    def receive(self) -> None:
        try:
            self.messages.append(self.client.get_iopub_msg(timeout=0.1))
        except Empty:
            return

    def run(self, source: str) -> str:
        """Run a cell; what it prints."""
        number, begun = self.client.execute(source), len(self.messages)
        while not any(_is_idle(message, number) for message in self.messages[begun:]):
            self.receive()
        contents = [message["content"] for message in self.messages[begun:]]
        failed = [content["traceback"] for content in contents if "traceback" in content]
        assert not failed, "\n".join(failed[0])
        return "".join(content.get("text", "") for content in contents)

    def of_widgets(self) -> list[dict[str, Any]]:
        """The contents of the widgets' messages."""
        return [message["content"] for message in self.messages if message["msg_type"].startswith("comm_")]


def _is_idle(message: dict[str, Any], number: str) -> bool:
    is_status = message["msg_type"] == "status" and message["parent_header"].get("msg_id") == number
    return is_status and message["content"]["execution_state"] == "idle"


def _state(content: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = content.get("data", {}).get("state", {})
    return state


def measure_response(kernel: Kernel, stop: str, tokens: int) -> dict[str, float]:
    """Measure what the widgets send from the click until the response is complete and Stop is disabled."""
    kernel.messages.clear()
    start = time.perf_counter()
    kernel.run(ASK.format(tokens=tokens))
    while not any(sent["comm_id"] == stop and _state(sent).get("disabled") for sent in kernel.of_widgets()):
        kernel.receive()
        assert time.perf_counter() - start < MAX_SECONDS, "the response does not end"
    seconds = time.perf_counter() - start
    messages = kernel.of_widgets()
    counted, length = json.loads(kernel.run(RESULT))
    assert counted == tokens, (counted, tokens)
    return {
        "messages": len(messages),
        "frames": sum("outputs" in _state(sent) for sent in messages),
        "bytes": sum(len(json.dumps(sent).encode()) for sent in messages),
        "characters": length,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", default="2500,5000")
    parser.add_argument("--rate", type=float, default=0)
    args = parser.parse_args()
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        kernel = Kernel(client)
        kernel.run(PREPARE.format(rate=args.rate))
        (stop,) = [sent["comm_id"] for sent in kernel.of_widgets() if _state(sent).get("description") == "Stop"]
        measure_response(kernel, stop, 100)  # imports, connections
        report(**{tokens: measure_response(kernel, stop, int(tokens)) for tokens in args.tokens.split(",")})
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
