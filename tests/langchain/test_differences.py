"""The migration page shows what both packages do, as they do it today."""

from __future__ import annotations

import importlib.metadata

import pytest

community = pytest.importorskip("langchain_community", reason="the original is compared with")

from . import differences  # noqa: E402 - it needs langchain-community

VERSION = tuple(int(part) for part in importlib.metadata.version("langchain-community").split(".")[:2])


@pytest.mark.skipif(VERSION < (0, 4), reason="the page is about langchain-community 0.4")
def test_migration_page_shows_what_both_packages_do():
    page = differences.PAGE.read_text(encoding="utf-8")
    assert differences.refreshed(page) == page, "run: python -m tests.langchain.differences"


@pytest.mark.skipif(VERSION < (0, 4), reason="the page is about langchain-community 0.4")
def test_every_act_of_the_page_works_here():
    failed = ("ValidationError", "TypeError", "KeyError", "AttributeError")
    for does, act in differences.BEHAVIOUR.items():
        theirs, ours = differences.observe(act)
        assert theirs != ours, does
        assert not ours.startswith(tuple(f"`{name}`" for name in failed)), does
