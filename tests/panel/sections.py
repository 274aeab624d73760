"""A panel over two configs, for the tests of its sections."""

from __future__ import annotations

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.session import Session

from .widgets import open_panel, within

URL = "http://127.0.0.1:9/v1/chat/completions"


@pytest.fixture(name="session")
def two_configs():
    """A session with the configs main and other."""
    session = Session()
    session.save("main", LLMConfig(endpoint_url=URL, formatter="openai-chat", key=None))
    session.save("other", LLMConfig(endpoint_url="http://127.0.0.1:9/score", formatter="gpt2", key="env:OTHER_KEY"))
    return session


@pytest.fixture(name="panel")
def panel_over(session):
    """A panel over that session."""
    with open_panel(session) as panel:
        yield panel


def options_of(choice):
    """The values of a list."""
    return [name for _, name in choice.options]


def titles(panel):
    """The headings of all folds."""
    return [title for each in within(panel.panel.widget) if isinstance(each, w.Accordion) for title in each.titles]
