"""The panel in Notebook 7: from choosing to saving, by keyboard, and what axe-core finds."""

from __future__ import annotations

import pytest

from .panel_page import PanelNotebook

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')

from .panel_walks import find_violations, use_only_the_keyboard, work_a_day


@pytest.fixture
def shown(page, notebook7):
    """A notebook with a new panel."""
    shown = PanelNotebook(page, notebook7)
    shown.restart_session()
    return shown


def test_choose_change_run_stop_compare_and_save(shown, notebook7, shot):
    work_a_day(shown, notebook7, shot)


def test_whole_loop_by_keyboard(page, shown):
    use_only_the_keyboard(page, shown, shown.panel)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_in_the_panel(page, shown, dark):
    shown.notebook.use_theme(dark=dark)
    assert find_violations(page, shown.panel) == []
