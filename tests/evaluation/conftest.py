"""Endpoints that echo and count prompts, and a way to evaluate with the engine alone."""

from __future__ import annotations

import pytest

from azml_magics.core.http import permit

from ..rows.conftest import Echo, config, echo  # noqa: F401 - fixtures of this folder, too


@pytest.fixture
def echoes():
    """Two endpoints on servers of their own."""
    permit.reset()
    running = [Echo(), Echo()]
    yield running
    for each in running:
        each.server.stop()
    permit.reset()
