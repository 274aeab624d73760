"""The scripted server of tests/core, for calls side by side."""

from __future__ import annotations

from ..core.conftest import config_of, server

__all__ = ["config_of", "server"]
