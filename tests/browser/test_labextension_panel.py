"""The side panel: it shows the current notebook's panel, whatever happens to its kernel."""

from __future__ import annotations

import pytest

from .notebook_page import NotebookPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

# A small panel instead of azml_magics' own, because these tests are about the side panel only
COUNTER = """
import ipywidgets

label = ipywidgets.Label("not clicked")
button = ipywidgets.Button(description="Count")
clicks = []

def click(_):
    clicks.append(1)
    label.value = f"clicked {len(clicks)}"

button.on_click(click)
panel = ipywidgets.VBox([button, label])

def show():
    from IPython.display import display
    display(panel)
"""
OPEN = 'jp-button[data-command="azml-magics:open-panel"]:visible, button[data-command="azml-magics:open-panel"]:visible'

# Kernels that a user may choose
WITHOUT_PACKAGE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "azml_magics":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from ipykernel.kernelapp import launch_new_instance
launch_new_instance()
"""
OTHER_LANGUAGE = """
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

class Other(Kernel):
    implementation, implementation_version, banner = "other", "1", "other"
    language_info = {"name": "julia", "mimetype": "text/x-julia", "file_extension": ".jl"}

    async def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}

IPKernelApp.launch_instance(kernel_class=Other)
"""


@pytest.fixture
def counting(lab):
    """The server, whose side panel shows the counter."""
    (lab.root / "counter_panel.py").write_text(COUNTER)
    lab.set_setting("azml-magics:panel", code='__import__("counter_panel").show()')
    yield lab
    lab.set_setting("azml-magics:panel")


class Side:
    """The side panel as the user sees it."""

    def __init__(self, page):
        self.page = page
        self.panel = page.locator("#azml-magics-panel")

    def open(self):
        self.page.locator(OPEN).click()
        expect(self.panel).to_be_visible()
        return self

    def says(self, text):
        expect(self.panel.get_by_text(text).locator("visible=true")).to_have_count(1, timeout=30_000)

    def count(self):
        self.panel.get_by_role("button", name="Count").locator("visible=true").click()


def test_kernel_runs_nothing_before_the_panel_is_opened(page, lab):
    lab.write("a.ipynb", "import sys; 'azml_magics' in sys.modules", "%azureml version", "'azml_magics' in globals()")
    notebook = NotebookPage(page, lab, "a.ipynb")
    expect(notebook.run(0)).to_have_text("False")
    side = Side(page).open()
    expect(side.panel.locator(".azml-panel")).to_be_visible(timeout=60_000)
    expect(notebook.run(1)).to_contain_text("azml-magics")  # the extension is loaded
    expect(notebook.prompt(1)).to_have_text("[2]:")  # the panel did not count
    expect(notebook.run(2)).to_have_text("False")


def test_panel_responds_without_counting_cells(page, counting):
    counting.write("b.ipynb", "1 + 1")
    notebook = NotebookPage(page, counting, "b.ipynb")
    side = Side(page).open()
    side.says("not clicked")
    side.count()
    side.says("clicked 1")
    notebook.run(0)
    expect(notebook.prompt(0)).to_have_text("[1]:")


def test_panel_responds_while_a_cell_runs(page, counting):
    # the cell ends when the click arrives; if clicks waited for the cell, it would run forever
    counting.write("c.ipynb", "import time, counter_panel\nwhile not counter_panel.clicks: time.sleep(0.05)")
    notebook = NotebookPage(page, counting, "c.ipynb")
    if not notebook.has_subshells():
        pytest.skip("this kernel, or this JupyterLab, has no subshells")
    side = Side(page).open()
    side.says("not clicked")
    notebook.start(0)
    expect(notebook.prompt(0)).to_have_text("[*]:")
    side.count()
    side.says("clicked 1")
    expect(notebook.prompt(0)).to_have_text("[1]:")


def test_panel_survives_restart_switching_closing_and_reload(page, counting):
    counting.write("d.ipynb", "1")
    counting.write("e.ipynb", "2")
    notebook = NotebookPage(page, counting, "d.ipynb")
    side = Side(page).open()
    side.count()
    side.says("clicked 1")

    notebook.restart_kernel()
    side.says("not clicked")
    side.count()
    side.says("clicked 1")

    page.locator(".jp-DirListing-item", has_text="e.ipynb").dblclick()  # another notebook, another kernel
    side.says("not clicked")
    page.locator(".lm-TabBar-tab", has_text="d.ipynb").click()
    side.says("clicked 1")

    notebook.close()
    side.says("not clicked")  # e.ipynb is the current one
    page.locator(".jp-DirListing-item", has_text="d.ipynb").dblclick()  # its kernel is still running
    side.says("clicked 1")
    side.count()
    side.says("clicked 2")

    notebook.reload()
    if not side.panel.is_visible():
        side.open()
    side.says("clicked 2")
    side.count()
    side.says("clicked 3")


def test_panel_without_a_notebook_asks_for_one(page, counting):
    counting.write("f.ipynb", "1")
    notebook = NotebookPage(page, counting, "f.ipynb")
    side = Side(page).open()
    side.says("not clicked")
    notebook.close()
    side.says("Open a notebook to use Azure ML in it.")


def test_panel_follows_a_change_of_kernel(page, counting):
    counting.write("g.ipynb", "1", kernel="")
    notebook = NotebookPage(page, counting, "g.ipynb", with_kernel=False)
    side = Side(page).open()
    side.says("This notebook has no kernel. Choose one to use Azure ML in it.")
    notebook.change_kernel("python3")
    side.count()
    side.says("clicked 1")
    counting.add_kernel("second", "from ipykernel.kernelapp import launch_new_instance\nlaunch_new_instance()\n")
    notebook.change_kernel("second")
    side.says("not clicked")
    notebook.change_kernel("")
    side.says("This notebook has no kernel. Choose one to use Azure ML in it.")


def test_kernel_without_the_package_gets_install_instructions(page, lab, shot):
    lab.add_kernel("bare", WITHOUT_PACKAGE)
    lab.write("h.ipynb", "import sys; sys.meta_path.pop(0);", kernel="bare")
    notebook = NotebookPage(page, lab, "h.ipynb")
    side = Side(page).open()
    side.says("azml-magics is not installed for this kernel's Python.")
    side.says("%pip install azml-magics")
    expect(side.panel.locator(".jp-OutputArea-output")).to_have_count(0)  # and no traceback
    shot("missing")
    notebook.run(0)  # as good as installed
    side.panel.get_by_role("button", name="Try again").click()
    expect(side.panel.locator(".azml-panel")).to_be_visible(timeout=60_000)


def test_kernel_of_another_language_is_refused(page, lab):
    lab.add_kernel("julia", OTHER_LANGUAGE, language="julia")
    lab.write("i.ipynb", "1 + 1", kernel="julia")
    NotebookPage(page, lab, "i.ipynb")
    Side(page).open().says("This notebook's kernel runs julia. The Azure ML panel needs a Python kernel.")


def test_error_is_shown_with_a_retry_button(page, lab):
    (lab.root / "failing.py").write_text(
        "tries = []\ndef show():\n    tries.append(1)\n    print(1 / (len(tries) - 1))\n"
    )
    lab.set_setting("azml-magics:panel", code='__import__("failing").show()')
    lab.write("j.ipynb", "1")
    NotebookPage(page, lab, "j.ipynb")
    side = Side(page).open()
    side.says("The panel could not be loaded:")
    expect(side.panel).to_contain_text("ZeroDivisionError")
    side.panel.get_by_role("button", name="Try again").click()
    expect(side.panel.locator(".jp-OutputArea-output")).to_have_text("1.0")
    lab.set_setting("azml-magics:panel")
