"""Fixtures for tests that share one window of JupyterLab and one kernel.

Each test reloads the extension, so that nothing of the test before is left.
"""

from __future__ import annotations

import pytest

from .conftest import NOT_OURS
from .panel_page import PanelNotebook


@pytest.fixture(scope="module", name="window")
def shared_window(browser, lab):
    """The notebook in its window, saved with its widgets' state; and the errors of the console."""
    lab.set_setting("@jupyter-widgets/jupyterlab-manager:plugin", saveState=True)
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    context.set_default_timeout(20_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, said = context.new_page(), []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield PanelNotebook(page, lab), said
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll().then(() => null)")
    context.close()
    lab.set_setting("@jupyter-widgets/jupyterlab-manager:plugin")


@pytest.fixture(name="console_errors")
def shared_errors(window):
    """The errors that the console has shown since the test began."""
    window[1].clear()
    return window[1]


@pytest.fixture(name="page")
def shared_page(window, console_errors):
    """The shared window. The test fails if the console has shown an error."""
    yield window[0].page
    assert [error for error in console_errors if not NOT_OURS.search(error)] == []


@pytest.fixture(name="shown")
def new_session(window, page):
    """The notebook with a new session and a new panel."""
    window[0].restart_session()
    return window[0]


@pytest.fixture(name="panel")
def new_panel(shown):
    """The new panel."""
    return shown.panel
