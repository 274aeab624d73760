"""What is loaded when: the core needs no front end, and importing the package loads nothing heavy.

Who may import whom is in pyproject.toml, [tool.importlinter].
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import azml_magics

PACKAGE = Path(azml_magics.__file__).parent
WITHOUT_FRONT_ENDS = ("core", "compare", "rows", "cassettes", "documents", "session", "codegen", "display", "errors")
FRONT_ENDS = ("IPython", "ipywidgets", "langchain_core", "traitlets")
# Installed by an extra, or slow to import: loaded by the function that needs it.
OPTIONAL = ("azure", "keyring", "jsonschema", "nbclient", "nbformat", "pandas", "polars", "dask", "distributed", "yaml")


def find_modules(*packages: str) -> list[str]:
    """Return the dotted names of the modules in these packages, without programs (__main__)."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] in packages and parts[-1] != "__main__":
            names.append(".".join(["azml_magics", *parts]).removesuffix(".__init__"))
    return names


def run_python(code: str) -> str:
    """Return what a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def import_with_blocked(modules: list[str], blocked: tuple[str, ...]) -> str:
    return run_python(
        "import importlib, sys\n"
        f"for name in {blocked!r}: sys.modules[name] = None  # importing it raises ImportError\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print('imported', {len(modules)})"
    )


def test_core_loads_without_front_ends():
    modules = find_modules(*WITHOUT_FRONT_ENDS)
    assert len(modules) > 50
    assert import_with_blocked(modules, FRONT_ENDS) == f"imported {len(modules)}"


def test_package_loads_without_optional_packages():
    modules = [
        *find_modules(*WITHOUT_FRONT_ENDS, "azure", "notebook", "panel"),
        "azml_magics.langchain",
    ]
    modules = [name for name in modules if not name.startswith("azml_magics.rows.dask")]
    # langchain_core itself imports yaml
    blocked = tuple(name for name in OPTIONAL if name != "yaml")
    assert import_with_blocked(modules, blocked) == f"imported {len(modules)}"


@pytest.mark.parametrize(
    "heavy", ["httpx", "httpcore", "pydantic", "langchain_core", "ipywidgets", "IPython", "yaml", "asyncio"]
)
def test_importing_the_package_is_light(heavy):
    assert run_python(f"import sys, azml_magics; print({heavy!r} in sys.modules)") == "False"


def test_core_does_not_load_httpcore_before_the_transport():
    modules = [name for name in find_modules("core") if not name.startswith("azml_magics.core.http")]
    code = f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
    assert run_python(f"{code}print('httpcore' in sys.modules)") == "False"


def test_load_ext_imports_only_what_it_registers():
    late = (
        "compare",
        "core.config",
        "core.wire",
        "display",
        "notebook.commands",
        "panel",
        "rows",
        "langchain",
        "emulator",
    )
    code = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'azml_magics')\n"
        f"print([name for name in sys.modules if name.startswith({tuple(f'azml_magics.{name}' for name in late)!r})])"
    )
    assert run_python(code) == "[]"
