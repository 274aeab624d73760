"""An interrupt pressed twice is one, and nothing is left of that once the cell has ended."""

from __future__ import annotations

import signal

import pytest

from azml_magics.notebook import repeated_interrupts
from azml_magics.notebook.repeated_interrupts import drop_repeated_interrupts


@pytest.fixture(autouse=True)
def _default_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_twice():
    """Whether the cleanup after a first interrupt goes on after a second one."""
    went_on = []

    def clean_up():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            went_on.append(True)

    with pytest.raises(KeyboardInterrupt), drop_repeated_interrupts(until_cell_ends=False):
        clean_up()
    return bool(went_on)


def test_second_interrupt_is_dropped():
    assert interrupt_twice()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_later_interrupt_stops_what_does_not_end(monkeypatch):
    monkeypatch.setattr(repeated_interrupts, "_GRACE", -1.0)
    assert not interrupt_twice()


def test_handler_stays_for_a_cell_that_was_interrupted():
    with pytest.raises(KeyboardInterrupt), drop_repeated_interrupts(until_cell_ends=True):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)  # while the kernel answers
    kept = signal.getsignal(signal.SIGINT)
    with drop_repeated_interrupts(until_cell_ends=True):
        assert signal.getsignal(signal.SIGINT) is kept


def test_handler_goes_without_an_interrupt():
    with drop_repeated_interrupts(until_cell_ends=True):
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ignored_interrupts_stay_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with drop_repeated_interrupts(until_cell_ends=True):
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN or callable(signal.getsignal(signal.SIGINT))
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
