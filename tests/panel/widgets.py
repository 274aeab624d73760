"""The panel without a kernel: what a frontend would send to its widgets, and what they would send to a frontend."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import comm
import ipywidgets as w
from comm.base_comm import BaseComm

from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.view.panel_view import Panel
from azml_magics.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60  # seconds until a run that hangs fails its test


class Message(NamedTuple):
    """What a widget has sent. kind: "comm_open", "comm_msg" or "comm_close"."""

    kind: str
    comm_id: str
    data: dict[str, Any]
    thread: str


class Traffic:
    """All messages of all widgets that are made while it records, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.messages.clear()

    @property
    def updates(self) -> list[Message]:
        """The messages that change something in a frontend; not the echoes of what it has sent itself."""
        return [each for each in self.messages if each.data.get("method") != "echo_update"]

    def still_open(self) -> set[str]:
        """The comms that were opened and not closed."""
        opened = {each.comm_id for each in self.messages if each.kind == "comm_open"}
        return opened - {each.comm_id for each in self.messages if each.kind == "comm_close"}

    @contextlib.contextmanager
    def recording(self) -> Iterator[Traffic]:
        """While this lasts, new widgets send here."""
        traffic = self

        class Recorded(BaseComm):
            def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
                thread = threading.current_thread().name
                traffic.messages.append(Message(msg_type, self.comm_id, data or {}, thread))

        with mock.patch.object(comm, "create_comm", lambda **how: Recorded(**how)):
            yield self


def sets(widget: w.Widget, **state: Any) -> None:
    """Change a widget's state as a frontend does."""
    assert set(state) <= set(widget.keys), f"a frontend knows nothing of {set(state) - set(widget.keys)}"
    _deliver(widget, {"method": "update", "state": state})


def submits(field: w.Text) -> None:
    """Press Enter in a text field as a frontend does."""
    fires(field, "submit")


def fires(widget: w.Widget, event: str) -> None:
    """What a frontend tells of an event that changes no state."""
    _deliver(widget, {"method": "custom", "content": {"event": event}})


def _deliver(widget: w.Widget, data: dict[str, Any]) -> None:
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def clicks(button: w.Button) -> None:
    """Click as a frontend does: one that is disabled does not send it."""
    assert not button.disabled, f"{button.description} is disabled"
    fires(button, "click")


def chooses(choice: Any, value: Any) -> None:
    """Choose as a frontend does: it knows only the number."""
    values = [each[1] if isinstance(each, tuple) else each for each in choice.options]
    sets(choice, index=values.index(value))


def within(widget: w.Widget) -> Iterator[w.Widget]:
    """The widget and all that is in it, in order."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from within(child)


def in_sight(widget: w.Widget) -> Iterator[w.Widget]:
    """What of it can be seen, all folds and tabs opened."""
    if is_shown(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from in_sight(child)


def is_shown(widget: w.Widget) -> bool:
    """Whether room is left for it."""
    return widget.layout.display != "none"


class Shown:
    """A panel that is shown somewhere."""

    def __init__(self, panel: Panel, traffic: Traffic) -> None:
        self.panel, self.model, self.traffic = panel, panel.model, traffic

    def find(self, description: str, kind: type[w.Widget] = w.Widget, *, at: Any = None) -> Any:
        """The one control of that description; a button only where `kind` says so."""
        found = [
            each
            for each in in_sight(at or self.panel.widget)
            if isinstance(each, kind)
            and getattr(each, "description", "") == description
            and (kind is w.Button or not isinstance(each, w.Button))
        ]
        assert len(found) == 1, (description, found)
        return found[0]

    def click(self, description: str) -> None:
        """Click the button of that label."""
        clicks(self.find(description, w.Button))

    def type(self, description: str, value: Any) -> None:
        """Put a value into a control, or choose it there."""
        control = self.find(description)
        if "index" in control.keys:
            chooses(control, value)
        else:
            sets(control, value=value)

    def lines(self) -> list[str]:
        """The lines of text that can be read now."""
        return [each.value for each in in_sight(self.panel.widget) if _is_line(each)]

    def ended(self) -> None:
        """Wait for what runs."""
        assert self.model.worker.wait(PATIENCE)


def _is_line(widget: w.Widget) -> bool:
    return isinstance(widget, w.Label) and "azml-line" in widget._dom_classes


class _Failures(logging.Handler):
    """What the panel and ipywidgets keep to themselves: a drawing or a callback that failed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.records.append(record)


@contextlib.contextmanager
def nothing_fails() -> Iterator[None]:
    """Raise the error of any drawing and any callback that failed meanwhile: they are only written to the log."""
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
def opened(session: Session | None = None, **variables: Any) -> Iterator[Shown]:
    """A panel over `session`, in a notebook that has those variables."""
    traffic = Traffic()
    with nothing_fails(), traffic.recording():
        panel = Panel(PanelModel(session or Session(), lambda: variables))
        shown = Shown(panel, traffic)
        try:
            yield shown
        finally:
            panel.close()
            assert panel.model.worker.wait(PATIENCE)
