"""The migration page shows what both packages do, as they do it today."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

community = pytest.importorskip("langchain_community", reason="the original is compared with")

from . import differences  # noqa: E402 - it needs langchain-community

VERSION = tuple(int(part) for part in importlib.metadata.version("langchain-community").split(".")[:2])


@pytest.mark.skipif(VERSION < (0, 4), reason="the page is about langchain-community 0.4")
def test_migration_page_shows_what_both_packages_do():
    page = differences.PAGE.read_text(encoding="utf-8")
    assert differences.refreshed(page) == page, "run: python -m tests.langchain.differences"


def test_every_row_of_the_page_works_here_and_differs():
    page = differences.PAGE.read_text(encoding="utf-8")
    table = page.partition("<!-- behaviour:")[2].partition("<!-- /behaviour")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)[2:]
    assert [does for does, _, _ in rows] == list(differences.BEHAVIOUR)
    for does, theirs, ours in rows:
        assert theirs != ours, does
        assert not re.match("`(ValidationError|TypeError|KeyError|AttributeError)`", ours), does
