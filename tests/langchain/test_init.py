"""The public names."""

from __future__ import annotations

import pytest

from azml_magics import langchain


def test_public_names_are_sorted():
    assert langchain.__all__ == sorted(langchain.__all__)


@pytest.mark.parametrize("name", langchain.__all__)
def test_every_public_name_has_a_docstring(name):
    assert getattr(langchain, name).__doc__
