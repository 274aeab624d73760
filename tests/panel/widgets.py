"""The panel without a kernel: input as a frontend sends it, and the messages that a frontend would get."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import comm
import ipywidgets as w
from comm.base_comm import BaseComm

from azml_magics.notebook import prompt_templates
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.view.panel_view import Panel
from azml_magics.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

MENU = ("New", "Keep", "Save as", "Revert", "Delete", "Import", "Export")
TIMEOUT = 60  # seconds after which a hanging run fails its test


class Message(NamedTuple):
    """A message of a widget; `kind` is "comm_open", "comm_msg" or "comm_close"."""

    kind: str
    comm_id: str
    data: dict[str, Any]
    thread: str


class Traffic:
    """All messages of the widgets that are made during `recording`, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def clear(self) -> None:
        """Drop the messages recorded so far."""
        self.messages.clear()

    @property
    def updates(self) -> list[Message]:
        """The messages that change something in a frontend, without the echoes of its own input."""
        return [each for each in self.messages if each.data.get("method") != "echo_update"]

    def open_comms(self) -> set[str]:
        """The comms that are still open."""
        opened = {each.comm_id for each in self.messages if each.kind == "comm_open"}
        return opened - {each.comm_id for each in self.messages if each.kind == "comm_close"}

    @contextlib.contextmanager
    def recording(self) -> Iterator[Traffic]:
        """Record the messages of widgets that are made within the block."""
        traffic = self

        class Recorded(BaseComm):
            def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
                thread = threading.current_thread().name
                traffic.messages.append(Message(msg_type, self.comm_id, data or {}, thread))

        with mock.patch.object(comm, "create_comm", lambda **how: Recorded(**how)):
            yield self


def set_state(widget: w.Widget, *, session: str = "", **state: Any) -> None:
    """Change a widget's state as a frontend does; `session` is its connection to the kernel, one for each browser tab."""
    assert set(state) <= set(widget.keys), f"a frontend knows nothing of {set(state) - set(widget.keys)}"
    _deliver(widget, {"method": "update", "state": state}, session)


def submit(field: w.Text) -> None:
    """Press Enter in a text field as a frontend does."""
    fire(field, "submit")


def fire(widget: w.Widget, event: str) -> None:
    """Send an event that changes no state, as a frontend does."""
    _deliver(widget, {"method": "custom", "content": {"event": event}})


def _deliver(widget: w.Widget, data: dict[str, Any], session: str = "") -> None:
    widget._handle_msg({"header": {"session": session}, "content": {"data": data}, "buffers": []})


def click(button: w.Button) -> None:
    """Click a button as a frontend does; a disabled one cannot be clicked."""
    assert not button.disabled, f"{button.description} is disabled"
    fire(button, "click")


def choose(choice: Any, value: Any) -> None:
    """Choose from a list as a frontend does, by index."""
    values = [each[1] if isinstance(each, tuple) else each for each in choice.options]
    set_state(choice, index=values.index(value))


def within(widget: w.Widget) -> Iterator[w.Widget]:
    """The widget and everything in it, in order."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from within(child)


def visible_within(widget: w.Widget) -> Iterator[w.Widget]:
    """Everything in it that is visible if all folds and tabs are open."""
    if is_visible(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from visible_within(child)


def is_visible(widget: w.Widget) -> bool:
    """Whether the widget is displayed."""
    return "azml-hidden" not in widget._dom_classes


class PanelDriver:
    """Drives a panel as a user does."""

    def __init__(self, panel: Panel, traffic: Traffic) -> None:
        self.panel, self.model, self.traffic = panel, panel.model, traffic

    def open_folds(self) -> None:
        """Open all folds, those within others too."""
        while closed := [each for each in within(self.panel.widget) if _is_closed_fold(each)]:
            for each in closed:
                set_state(each, selected_index=0)

    def find(self, description: str, kind: type[w.Widget] = w.Widget, *, at: Any = None) -> Any:
        """The control with that description; a button only if `kind` is Button."""
        found = [
            each
            for each in visible_within(at or self.panel.widget)
            if isinstance(each, kind)
            and getattr(each, "description", "") == description
            and (kind is w.Button or not isinstance(each, w.Button))
        ]
        assert len(found) == 1, (description, found)
        return found[0]

    def click(self, description: str) -> None:
        """Click the button with that label; the menu is opened for one of its own."""
        if description in MENU and not self.open_forms():
            self.open_menu()
        click(self.find(description, w.Button))

    def open_menu(self) -> None:
        """Open the menu of what can be done with a config."""
        set_state(self.find("More", w.ToggleButton), value=True)

    def open_forms(self) -> list[w.Widget]:
        """The form that asks for a name or a file, if it is open."""
        return [each for each in visible_within(self.panel.widget) if "azml-form" in each._dom_classes]

    def type(self, description: str, value: Any) -> None:
        """Type or choose a value in a control."""
        control = self.find(description)
        if "index" in control.keys:
            choose(control, value)
        else:
            set_state(control, value=value)

    def lines(self) -> list[str]:
        """The visible status lines."""
        return [each.value for each in visible_within(self.panel.widget) if _is_line(each)]

    def wait_until_idle(self) -> None:
        """Wait until the panel is idle."""
        assert self.model.worker.wait(TIMEOUT)


def _is_closed_fold(widget: w.Widget) -> bool:
    return isinstance(widget, w.Accordion) and widget.selected_index is None


def _is_line(widget: w.Widget) -> bool:
    return isinstance(widget, w.Label) and "azml-line" in widget._dom_classes


class _Failures(logging.Handler):
    """Collects failures of drawings and callbacks, which the panel and ipywidgets only log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.records.append(record)


@contextlib.contextmanager
def raise_logged_failures() -> Iterator[None]:
    """Raise the errors of drawings and callbacks that failed within the block, which are only logged otherwise."""
    loggers, failures = [logging.getLogger(name) for name in ("azml_magics.panel", "traitlets")], _Failures()
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(failures)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(failures)
            logger.setLevel(level)
    for record in failures.records:
        raise AssertionError(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)


@contextlib.contextmanager
def open_panel(session: Session | None = None, *, folded: bool = False, **variables: Any) -> Iterator[PanelDriver]:
    """A panel over `session`, in a notebook with those variables.

    Args:
        session: has the configs; by default an empty one.
        folded: whether its folds stay closed, as they are for a user; tests of a section want them open.
        variables: the notebook's.
    """
    traffic = Traffic()
    with raise_logged_failures(), traffic.recording():
        panel = Panel(
            PanelModel(
                session or Session(),
                lambda: variables,
                render_template=prompt_templates.render,
                store=variables.__setitem__,
            )
        )
        shown = PanelDriver(panel, traffic)
        if not folded:
            shown.open_folds()
        try:
            yield shown
        finally:
            panel.close()
            assert panel.model.worker.wait(TIMEOUT)
