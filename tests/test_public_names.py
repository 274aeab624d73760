"""The public face of the package: one sorted list, and every name in it is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import azml_magics
from azml_magics import errors
from azml_magics.core import errors as tree


def test_all_is_sorted_and_has_no_doubles():
    assert list(azml_magics.__all__) == sorted(set(azml_magics.__all__))


@pytest.mark.parametrize("name", azml_magics.__all__)
def test_every_public_name_is_there(name):
    assert getattr(azml_magics, name) is not None


def test_dir_shows_what_is_public():
    assert set(azml_magics.__all__) <= set(dir(azml_magics))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = azml_magics.nonsense


def test_every_exception_of_the_tree_is_exported():
    exceptions = {
        name for name, value in vars(tree).items() if isinstance(value, type) and issubclass(value, BaseException)
    }
    assert exceptions == set(errors.__all__)
    assert list(errors.__all__) == sorted(errors.__all__)
    for name in exceptions:
        assert getattr(errors, name) is getattr(tree, name)


def test_the_drawing_of_the_tree_names_every_exception_under_its_parent():
    drawn = {}
    parents: list[tuple[int, str]] = []
    for line in (tree.__doc__ or "").splitlines():
        stripped = line.lstrip()
        if stripped.startswith(("* ", "+ ")):
            depth, name = len(line) - len(stripped), stripped[2:].split()[0]
            parents = [(d, n) for d, n in parents if d < depth]
            drawn[name] = parents[-1][1] if parents else None
            parents.append((depth, name))
    assert set(drawn) == set(errors.__all__)
    for name, parent in drawn.items():
        assert parent is None or getattr(tree, parent) in getattr(tree, name).__bases__


def test_errors_are_reachable_without_importing_them_first():
    code = "import azml_magics; print(issubclass(azml_magics.errors.RateLimitError, azml_magics.errors.AzmlError))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "True", done.stderr
