"""The public API: one sorted list, every name exists, and every type hint resolves at run time."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing

import pytest
from pydantic import BaseModel

import azml_magics
from azml_magics import errors, langchain
from azml_magics.core import errors as tree


def test_all_is_sorted_without_duplicates():
    assert list(azml_magics.__all__) == sorted(set(azml_magics.__all__))


@pytest.mark.parametrize("name", azml_magics.__all__)
def test_every_public_name_exists(name):
    assert getattr(azml_magics, name) is not None


def test_dir_is_all():
    assert dir(azml_magics) == azml_magics.__all__


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = azml_magics.nonsense


def test_every_exception_is_exported():
    exceptions = {
        name for name, value in vars(tree).items() if isinstance(value, type) and issubclass(value, BaseException)
    }
    assert exceptions == set(errors.__all__)
    assert list(errors.__all__) == sorted(errors.__all__)
    for name in exceptions:
        assert getattr(errors, name) is getattr(tree, name)


def test_exception_tree_in_docstring_is_complete():
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


def test_errors_need_no_import_of_their_own():
    code = "import azml_magics; print(issubclass(azml_magics.errors.RateLimitError, azml_magics.errors.AzmlError))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "True", done.stderr


def public_callables():
    """Every public function, class and public method, with its dotted name."""
    for module in (azml_magics, langchain, errors):
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            if not (inspect.isclass(value) and issubclass(value, BaseModel)):  # hints of old LangChain's fields do not
                yield f"{module.__name__}.{name}", value
            for method, member in vars(value).items() if inspect.isclass(value) else ():
                function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                is_public = method == "__init__" or not method.startswith("_")
                is_ours = inspect.isfunction(function) and function.__module__.startswith("azml_magics")
                if is_public and is_ours:  # pydantic wraps model_post_init in a function of its own
                    yield f"{module.__name__}.{name}.{method}", function


@pytest.mark.parametrize(("name", "value"), [pytest.param(*each, id=each[0]) for each in public_callables()])
def test_type_hints_resolve_at_run_time(name, value):
    assert typing.get_type_hints(value) is not None, name


def test_public_methods_are_found():
    names = {name for name, _ in public_callables()}
    assert {"azml_magics.map_rows", "azml_magics.langchain.AzureMLChatOnlineEndpoint.bind_tools"} <= names


def test_model_with_fallbacks_binds_tools():
    def get_weather(city: str) -> str:
        """Return the weather of a city."""
        return city

    chat = langchain.AzureMLChatOnlineEndpoint(endpoint_url="https://x.models.ai.azure.com", key="")
    bound = chat.with_fallbacks([chat]).bind_tools([get_weather])
    assert bound.runnable.kwargs["tools"][0]["function"]["name"] == "get_weather"
