"""The magics."""

from __future__ import annotations

from typing import Any


def load(ipython: Any) -> None:
    pass


def unload(ipython: Any) -> None:
    pass
