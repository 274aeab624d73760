"""A scripted server, and a config that points to it."""

from __future__ import annotations

from tests.core.conftest import config_of, server

__all__ = ["config_of", "server"]
