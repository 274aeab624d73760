"""A clock that tests move, and an output area that notes what is shown."""

from __future__ import annotations

import pytest

from azml_magics.display import live


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved on."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(live.time, "monotonic", lambda: Clock.now)
    return Clock


class Area:
    """An output area that notes what is shown: (whether it is an update, data), in order."""

    def __init__(self):
        self.shown = []

    def open_display(self):
        self.shown.append((False, {"text/markdown": ""}))
        return self

    def update(self, data, raw):
        assert raw
        self.shown.append((True, data))

    def publish(self, data):
        self.shown.append((False, dict(data)))


@pytest.fixture
def area():
    return Area()
