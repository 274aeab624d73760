"""An interrupt is not hidden by the lock that the interrupted code waited for."""

from __future__ import annotations

import threading

import pytest

from azml_magics.core.interrupts import unmask_interrupts


def interrupt_while_the_lock_is_free(condition):
    """Do what an interrupt at the worst moment does to `with condition: condition.wait()`."""
    with condition:
        condition.release()
        raise KeyboardInterrupt


def test_interrupt_hidden_by_a_lock_is_raised():
    with pytest.raises(RuntimeError, match="lock"):
        interrupt_while_the_lock_is_free(threading.Condition())
    with pytest.raises(KeyboardInterrupt), unmask_interrupts():
        interrupt_while_the_lock_is_free(threading.Condition())


@pytest.mark.parametrize("error", [RuntimeError("other"), KeyboardInterrupt(), ValueError("x")])
def test_other_errors_pass_unchanged(error):
    with pytest.raises(type(error)) as caught, unmask_interrupts():
        raise error
    assert caught.value is error
