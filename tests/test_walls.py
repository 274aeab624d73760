"""Who may import whom: the walls between the rooms, and what stays unloaded until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import azml_magics

PACKAGE = Path(azml_magics.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in MODULES]

# room -> the rooms it may import; "function" marks those that may be imported inside a function only
ROOMS = {
    "__init__": {"core"},
    "core": {"core"},
    "session": {"core"},
    "serialization": {"core", "document_text"},
    "document_text": {"core"},
    "codegen": {"core"},
    "cassette": {"core", "cassette_format"},
    "cassette_format": {"core"},
    "azure": {"core"},
    "langchain": {"core", "serialization"},
    "markdown": set(),
    "panel": {"session", "serialization", "codegen", "markdown", "core"},
    "notebook": {"core", "session", "serialization", "codegen", "cassette", "azure", "langchain", "errors", "markdown"},
    "emulator": set(),
    "errors": {"core"},
    "__main__": {"notebook", "emulator", "core"},
}
INSIDE_FUNCTIONS = {
    "notebook": {"panel", "emulator"},
    "panel": {"azure"},
    "__init__": {"core", "session", "serialization", "notebook", "azure", "errors"},
}
# third-party package -> the rooms (or single modules) that may import it, and whether inside functions only
OUTSIDE = {
    "httpx": {"core/http/connection.py"},
    "httpcore": {"core/http/connection.py"},
    "IPython": {"notebook", "__main__.py"},
    "traitlets": {"notebook", "panel/view"},
    "ipywidgets": {"panel/view"},
    "langchain_core": {"langchain"},
    "pydantic": {"langchain"},
    "starlette": {"emulator"},
    "uvicorn": {"emulator", "__main__.py"},
    "pandas": {"compare/comparison.py", "rows/frames.py"},
    "polars": {"rows/frames.py"},
    "dask": {"rows/dask.py"},
    "distributed": {"rows/dask.py", "rows/dask_worker.py"},
    "jsonschema": {"core/prompt/schema.py"},
    "yaml": {"document_text.py", "langchain"},
}
# what may be missing: imported where it is used, and nowhere else
IN_FUNCTIONS_ONLY = {"azure", "keyring", "jsonschema", "nbclient", "nbformat", "jupyterlab"}
IN_FUNCTIONS_ONLY |= {"pandas", "polars", "dask", "distributed"}

# inside core, from the bottom up: a module imports what lies below it, never upwards
CORE_ORDER = (
    {"errors", "differences"},
    {"secrets", "template", "response", "endpoint", "extract", "comparison", "paths"},
    {"config"},
    {"wire"},
    {"faults", "schema"},
    {"policy"},
    {"network", "tape", "rate"},
    {"connection", "gate"},
    {"transport"},
    {"call"},
    {"stream"},
    {"invoke"},
    {"batch"},
    {"side_by_side", "rows"},
)


class Import:
    """One import: the dotted module, whether inside a function, whether for the type checker only."""

    def __init__(self, module: str, line: int, in_function: bool, typing_only: bool) -> None:
        self.module, self.line, self.in_function, self.typing_only = module, line, in_function, typing_only

    def __repr__(self) -> str:
        return f"line {self.line}: {self.module}"


@cache
def imports_of(path: Path) -> list[Import]:
    """Every import of a module, relative ones made absolute; `from . import x` names x where x is a module."""
    found: list[Import] = []
    package = ["azml_magics", *path.relative_to(PACKAGE).parent.parts]

    def add(node: ast.AST, module: str, in_function: bool, typing_only: bool) -> None:
        found.append(Import(module, node.lineno, in_function, typing_only))

    def walk(node: ast.AST, in_function: bool, typing_only: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for statement in child.body:
                    walk(ast.Module([statement], []), in_function, True)
                continue
            if isinstance(child, ast.Import):
                for alias in child.names:
                    add(child, alias.name, inside, typing_only)
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                module = ".".join([*base, *([child.module] if child.module else [])])
                for alias in child.names:
                    whole = PACKAGE.parent / f"{module}.{alias.name}".replace(".", "/")
                    is_module = whole.with_suffix(".py").exists() or (whole / "__init__.py").exists()
                    add(child, f"{module}.{alias.name}" if is_module else module, inside, typing_only)
            walk(child, inside, typing_only)

    walk(ast.parse(path.read_text(encoding="utf-8")), False, False)
    return found


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def test_the_walk_sees_imports_in_functions_relative_ones_and_those_for_types_only():
    seen = {(i.module, i.in_function, i.typing_only) for i in imports_of(PACKAGE / "core" / "invoke.py")}
    assert ("azml_magics.core.http.transport", True, False) in seen
    assert ("azml_magics.core.errors", False, False) in seen
    assert ("azml_magics.core.wire.base", False, True) in seen


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_room_imports_only_the_rooms_below_it(path):
    room = room_of(path)
    assert room in ROOMS, f"{room} is new: say in ROOMS what it may import"
    allowed = {room} | ROOMS[room]
    for imported in imports_of(path):
        if not imported.module.startswith("azml_magics") or imported.typing_only:
            continue
        target = imported.module.split(".")[1] if "." in imported.module else ""
        if imported.in_function and target in INSIDE_FUNCTIONS.get(room, set()):
            continue
        # `from azml_magics import name` takes a public name, and the package itself is only a doorway
        assert target in allowed or (not target and room != "core"), f"{path}: {imported}"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_third_party_packages_stay_in_their_room(path):
    where = path.relative_to(PACKAGE).as_posix()
    for imported in imports_of(path):
        top = imported.module.split(".")[0]
        if imported.typing_only:
            continue
        if top in OUTSIDE:
            assert where in OUTSIDE[top] or room_of(path) in OUTSIDE[top], f"{where}: {imported}"
        if top in IN_FUNCTIONS_ONLY:
            assert imported.in_function, f"{where}: {imported}"


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) == "core"], ids=lambda p: p.name)
def test_the_core_imports_the_standard_library_and_itself(path):
    for imported in imports_of(path):
        top = imported.module.split(".")[0]
        known = top == "azml_magics" or top in sys.stdlib_module_names or top in IN_FUNCTIONS_ONLY
        assert known or imported.typing_only or top in OUTSIDE, f"{path}: {imported}"


def _layer(module: str) -> int:
    found = [index for index, layer in enumerate(CORE_ORDER) if module in layer]
    assert found, f"core/{module}.py is new: give it its place in CORE_ORDER"
    return found[0]


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) == "core"], ids=lambda p: p.name)
def test_inside_the_core_imports_go_downwards(path):
    parts = path.relative_to(PACKAGE / "core").with_suffix("").parts
    if parts == ("__init__",):
        return
    own = _layer(parts[0])
    for imported in imports_of(path):
        pieces = imported.module.split(".")
        if imported.typing_only or pieces[0] != "azml_magics" or len(pieces) < 3:
            continue
        assert pieces[2] == parts[0] or _layer(pieces[2]) < own, f"{path}: {imported}"


def python(code: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_core_works_where_no_notebook_and_no_langchain_is_installed():
    modules = [
        ".".join(["azml_magics", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        for path in MODULES
        if room_of(path) in ("core", "session", "serialization", "document_text", "errors")
    ]
    said = python(
        f"""
import importlib, sys
for name in ("IPython", "ipywidgets", "langchain_core", "traitlets"):
    sys.modules[name] = None  # importing it raises ImportError
for name in {modules!r}:
    importlib.import_module(name)
print("imported", len({modules!r}))
"""
    )
    assert said == f"imported {len(modules)}"


@pytest.mark.parametrize(
    "heavy", ["httpx", "httpcore", "pydantic", "langchain_core", "ipywidgets", "IPython", "yaml", "asyncio"]
)
def test_importing_the_package_is_light(heavy):
    assert python(f"import sys, azml_magics; print({heavy!r} in sys.modules)") == "False"


def test_every_module_of_the_core_is_imported_without_httpcore_apart_from_the_transport():
    modules = [f"azml_magics.core.{path.stem}" for path in (PACKAGE / "core").glob("*.py")]
    modules = [name for name in modules if not name.endswith(("__init__", "transport", "connection", "network"))]
    said = python(
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\nprint('httpcore' in sys.modules)"
    )
    assert said == "False"
