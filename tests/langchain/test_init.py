"""The public names."""

from __future__ import annotations

import pytest

from azml_magics import langchain


def test_the_public_names_are_sorted():
    assert langchain.__all__ == sorted(langchain.__all__)


@pytest.mark.parametrize("name", langchain.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(langchain, name).__doc__
