"""The panel in JupyterLab 4.2 with ipykernel 6, and in two browsers that edit one notebook with jupyter-collaboration.

AZML_LABS=1 makes the environments for it in .venv-labs, another value of AZML_LABS in the folder that it names.
"""

from __future__ import annotations

import pytest

from . import labs
from .conftest import NOT_OURS
from .lab_server import LabServer
from .notebook_page import NotebookPage
from .panel_page import PanelNotebook, PanelPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

from .panel_walks import use_only_the_keyboard, work_a_day

LOAD_TIMEOUT = 90_000  # milliseconds

pytestmark = pytest.mark.skipif(
    labs.folder() is None, reason="AZML_LABS=1 installs and runs JupyterLab 4.2 and jupyter-collaboration"
)


def start(name, tmp_path_factory):
    """A server in one of the environments."""
    try:
        python = labs.python_of(name)
    except labs.Unavailable as error:
        pytest.skip(str(error))
    return LabServer("lab", tmp_path_factory.mktemp(name), python=python)


@pytest.fixture(scope="module")
def lab42(browser, tmp_path_factory):
    """JupyterLab 4.2 and ipykernel 6."""
    server = start("lab42", tmp_path_factory)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def collaboration(browser, tmp_path_factory):
    """The newest JupyterLab, with jupyter-collaboration."""
    server = start("collaboration", tmp_path_factory)
    yield server
    server.stop()


@pytest.fixture
def shown(page, lab42):
    """A notebook with a new panel in JupyterLab 4.2."""
    shown = PanelNotebook(page, lab42)
    shown.restart_session()
    return shown


def test_versions_are_the_old_ones(shown):
    found = shown.run("import ipykernel; ipykernel.__version__").inner_text()
    assert found.startswith("'6.")
    assert shown.page.evaluate("jupyterapp.version").startswith("4.2.")
    assert not shown.notebook.has_subshells()


def test_choose_change_run_stop_compare_and_save(shown, lab42, shot):
    work_a_day(shown, lab42, shot)


def test_whole_loop_by_keyboard(page, shown):
    use_only_the_keyboard(page, shown, shown.panel)


def test_two_browsers_share_one_panel(browser, page, collaboration):
    first = PanelNotebook(page, collaboration)
    first.restart_session()
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    other, errors = context.new_page(), []
    other.on("pageerror", lambda error: errors.append(str(error)))
    NotebookPage(other, collaboration, "panel.ipynb")
    second = PanelPage(other)
    expect(second.field("Prompt")).to_be_visible(timeout=LOAD_TIMEOUT)
    second.settles()  # what changes while ipywidgets loads a view does not reach it

    first.panel.field("Prompt").fill("Say 'from the first'")
    expect(second.field("Prompt")).to_have_value("Say 'from the first'")
    second.button("Run").click()
    second.ends()
    expect(second.result).to_contain_text("from the first")
    expect(first.panel.result).to_contain_text("from the first")

    second.field("Prompt").fill("Say 'from the second'")
    second.type("max_tokens", "50")
    expect(first.panel.field("Prompt")).to_have_value("Say 'from the second'")
    expect(first.panel.field("max_tokens")).to_have_value("50")
    first.panel.button("Run").click()
    first.panel.ends()
    expect(second.result).to_contain_text("from the second")
    context.close()
    assert [error for error in errors if not NOT_OURS.search(error)] == []
