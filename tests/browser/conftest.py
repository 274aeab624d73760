"""JupyterLab and Notebook 7 in headless Chromium: pip install -e ".[test,browser]", and Chromium on the PATH.

Without them these tests are skipped. AZML_CHROMIUM names another Chromium; AZML_SHOTS a folder for the screenshots.
"""

from __future__ import annotations

import os
import re
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from .lab_server import LabServer

CHROMIUM = os.environ.get("AZML_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What Jupyter itself says: JupyterLab's debugger, whose first question a restart of the kernel cuts off; Notebook 7.6 where
# its theme's settings come before those of its shortcuts; Notebook 7.2, which looks for a checkpoint that is not there.
NOT_OURS = re.compile(
    r"Canceled future for debug_request message before replies were done$"
    r"|^Cannot read properties of undefined \(reading '(schema|last_modified)'\)$"
)


def _needs(distribution: str) -> None:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        pytest.skip(f'{distribution} is not installed: pip install -e ".[browser]"')


# Package-wide, not session-wide: while Playwright's sync API runs, its event loop counts as running in this thread,
# and the async tests of the other packages could not start theirs.


@pytest.fixture(scope="package")
def browser():
    """Chromium, running."""
    _needs("playwright")
    if not CHROMIUM:
        pytest.skip("there is no Chromium on the PATH: apt-get install chromium, or name one in AZML_CHROMIUM")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # the machine may be busy
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield running
        running.close()


@pytest.fixture(scope="package")
def lab(tmp_path_factory):
    """A JupyterLab server."""
    _needs("jupyterlab")
    server = LabServer("lab", tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def notebook7(tmp_path_factory):
    """A Notebook 7 server."""
    _needs("notebook")
    server = LabServer("notebook", tmp_path_factory.mktemp("notebook7"))
    yield server
    server.stop()


@pytest.fixture
def console_errors():
    """The errors of the browser's console and the page so far; a test must end with none."""
    return []


@pytest.fixture
def page(browser, console_errors):
    """A new window; its kernels end with it. The test fails if its console has shown an error."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    window = context.new_page()
    window.on("pageerror", lambda error: console_errors.append(str(error)))
    window.on("console", lambda said: console_errors.append(said.text) if said.type == "error" else None)
    yield window
    said = [error for error in console_errors if not NOT_OURS.search(error)]
    window.evaluate("window.jupyterapp?.serviceManager.sessions.shutdownAll().then(() => null)")
    context.close()
    assert said == []


@pytest.fixture
def shot(page, tmp_path):
    """A function that takes a screenshot of the window, `shot("name")`, and returns its path."""
    folder = Path(os.environ.get("AZML_SHOTS", tmp_path))

    def take(name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")
        return folder / f"{name}.png"

    return take


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the console's errors to a failed test and, if AZML_SHOTS names a folder, a screenshot."""
    report = yield
    if report.when == "call" and report.failed and "page" in item.funcargs:
        if os.environ.get("AZML_SHOTS"):
            item.funcargs["page"].screenshot(path=Path(os.environ["AZML_SHOTS"], f"failed-{item.name}.png"))
        report.sections.append(("console", "\n".join(item.funcargs["console_errors"])))
    return report
