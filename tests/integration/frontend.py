"""A frontend of a kernel: it keeps the state of all widgets as their messages come, clicks and types."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from .conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Cell, Kernel

VIEW = "application/vnd.jupyter.widget-view+json"
MENU = ("New", "Keep", "Save as", "Revert", "Delete", "Import", "Export")
_REFERENCE = "IPY_MODEL_"


def _is_closed_fold(control: Control) -> bool:
    return control.state.get("_model_name") == "AccordionModel" and control.state.get("selected_index") is None


class Control:
    """A widget as a frontend knows it: the id of its comm, and its state."""

    def __init__(self, comm_id: str, state: dict[str, Any]) -> None:
        self.comm_id, self.state = comm_id, state

    def __getattr__(self, name: str) -> Any:
        try:
            return self.state[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def chosen(self) -> str:
        """The label that is chosen in a dropdown."""
        return "" if self.index is None else self._options_labels[self.index]


class Frontend:
    """What a user sees of a kernel's widgets, and can do with them.

    JupyterLab sends comm messages to a subshell of their own where the kernel has them: so does this one.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.messages: list[dict[str, Any]] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.root = ""
        self._done: set[str] = set()
        self._subshell = self._create_subshell()
        kernel.listeners.append(self._hear)

    def close(self) -> None:
        """Hear no more."""
        self.kernel.listeners.remove(self._hear)
        if self._subshell:
            self._control("delete_subshell_request", {"subshell_id": self._subshell})

    # ---- what comes

    def _hear(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            self._done.add(message["parent_header"].get("msg_id"))
        elif kind == "comm_open":
            self.states[content["comm_id"]] = dict(content["data"]["state"])
        elif kind == "comm_close":
            self.states.pop(content["comm_id"], None)
        elif kind == "comm_msg" and content["data"].get("method") in {"update", "echo_update"}:
            self.states.get(content["comm_id"], {}).update(content["data"]["state"])

    def until(self, true: Callable[[], Any]) -> None:
        """Take in what the kernel sends, until something is true."""
        limit = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < limit, f"it never came; there are {self.lines()}"
            self.kernel.receive()

    def comm_messages(self) -> list[dict[str, Any]]:
        """All comm messages so far."""
        return [message for message in self.messages if message["msg_type"].startswith("comm_")]

    def stderr(self) -> str:
        """What anything in the kernel's process has written to its standard error.

        Without ipykernel's own line about a message to a widget that was closed.
        """
        streams = [message["content"] for message in self.messages if message["msg_type"] == "stream"]
        text = "".join(content["text"] for content in streams if content["name"] == "stderr")
        return re.sub(r"^(\[\w+\] WARNING \| )?No such comm: \w+\n", "", text, flags=re.MULTILINE)

    # ---- what goes

    def send(self, comm_id: str, data: dict[str, Any], *, waits: bool = True, kind: str = "comm_msg") -> None:
        """Send to a widget; where it `waits`, until the kernel has dealt with it."""
        client = self.kernel.client
        message = client.session.msg(kind, {"comm_id": comm_id, "data": data})
        if self._subshell:
            message["header"]["subshell_id"] = self._subshell
        client.shell_channel.send(message)
        if waits:
            self.until(lambda: message["header"]["msg_id"] in self._done)

    def _create_subshell(self) -> str:
        info = self.kernel.client.kernel_info(reply=True, timeout=PATIENCE)["content"]
        if "kernel subshells" not in info.get("supported_features", ()):
            return ""
        return str(self._control("create_subshell_request", {})["subshell_id"])

    def _control(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        client = self.kernel.client
        client.control_channel.send(client.session.msg(kind, content))
        reply = client.get_control_msg(timeout=PATIENCE)
        assert reply["content"]["status"] == "ok", reply
        return dict(reply["content"])

    # ---- a user

    def show(self, source: str = "%azureml panel") -> Cell:
        """Run the cell that shows the panel, and look at that one from now on."""
        cell = self.kernel.ok(source)
        bundles = [bundle for bundle in (cell.result, *cell.begun) if VIEW in bundle]
        assert len(bundles) == 1, bundles
        self.root = bundles[0][VIEW]["model_id"]
        self.until(lambda: self.root in self.states)
        self.open_folds()
        return cell

    def open_folds(self) -> None:
        """Open every fold: what is in one is made when it is opened."""
        while closed := [each for each in self.controls() if _is_closed_fold(each)]:
            for each in closed:
                self.set(each, selected_index=0)

    def controls(self, comm_id: str = "") -> Iterator[Control]:
        """What can be seen of the panel, all folds and tabs opened."""
        control = Control(comm_id or self.root, self.states[comm_id or self.root])
        if "azml-hidden" in control.state.get("_dom_classes", ()):
            return
        yield control
        for child in control.state.get("children", ()):
            yield from self.controls(child.removeprefix(_REFERENCE))

    def find(self, description: str, model: str = "") -> Control:
        """The control of that description; a button, or one of several, only where `model` says so."""
        found = [
            each
            for each in self.controls()
            if each.state.get("description") == description
            and (each._model_name == model if model else each._model_name != "ButtonModel")
        ]
        assert len(found) == 1, (description, [each.state for each in found])
        return found[0]

    def button(self, label: str) -> Control:
        """The button of that label."""
        return self.find(label, "ButtonModel")

    def click(self, label: str, *, waits: bool = True) -> None:
        """Click a button; the menu is opened for one of its own."""
        if label in MENU:
            self.set(self.find("More"), value=True)
        button = self.button(label)
        assert not button.disabled, label
        self.send(button.comm_id, {"method": "custom", "content": {"event": "click"}}, waits=waits)

    def open(self, title: str) -> None:
        """Open the fold of that heading."""
        (fold,) = [each for each in self.controls() if each.state.get("titles") == [title]]
        self.set(fold, selected_index=0)

    def confirm(self) -> None:
        """Click what an open question asks to be clicked."""
        buttons = [each for each in self.controls() if each._model_name == "ButtonModel"]
        at = [each.description for each in buttons].index("Cancel") - 1
        self.send(buttons[at].comm_id, {"method": "custom", "content": {"event": "click"}})

    def set(self, control: Control, *, waits: bool = True, **state: Any) -> None:
        """Change a control's state."""
        assert set(state) <= set(control.state)
        control.state.update(state)
        self.send(control.comm_id, {"method": "update", "state": state, "buffer_paths": []}, waits=waits)

    def type(self, description: str, text: str) -> None:
        """Type into a field, or choose it in a dropdown."""
        control = self.find(description)
        if "_options_labels" in control.state:
            self.set(control, index=control._options_labels.index(text))
        else:
            self.set(control, value=text)

    def lines(self) -> list[str]:
        """The lines of text that can be read now."""
        if self.root not in self.states:
            return []
        return [each.value for each in self.controls() if "azml-line" in each.state.get("_dom_classes", ())]

    # ---- the response

    def answer_outputs(self) -> list[dict[str, Any]]:
        """The mime bundles of the Answer tab, in order."""
        (tab,) = [each for each in self.controls() if each._model_name == "TabModel"]
        places = self.controls(tab.children[0].removeprefix(_REFERENCE))
        return [output["data"] for each in places for output in each.state.get("outputs", ())]

    def answer(self) -> str:
        """The answer's text as far as it has come."""
        return "".join(data["text/plain"] for data in self.answer_outputs())

    def is_running(self) -> bool:
        """Whether something runs, as a user sees it."""
        return not self.button("Stop").disabled

    def run(self, prompt: str = "") -> str:
        """Ask, and wait for the answer."""
        if prompt:
            self.type("Prompt", prompt)
        self.click("Run")
        self.ended()
        return self.answer()

    def ended(self) -> None:
        """Wait for the end of what runs."""
        self.until(lambda: not self.is_running())


def size(message: dict[str, Any]) -> int:
    """The bytes of a message's content, as it travels."""
    return len(json.dumps(message["content"]).encode())
