"""The Python code of README.md and docs/**/*.md as one module per page, for type checkers.

`python -m tests.typing.documented_code FOLDER` writes the modules; .ci/run checks them with pyright.

Cells with magics are left out. What such a cell makes (`-o drafts`) is declared in MADE_BY_CELLS.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
_FENCE = re.compile(r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
# page -> the variables that its magic cells make or the reader has, with their types
MADE_BY_CELLS = {
    "first-cell.md": {"answer": "azml_magics.Response"},
    "compare.md": {"drafts": "azml_magics.Batch"},
    "structured-output.md": {"recipe": "azml_magics.Response"},
    "prompts.md": {"get_ipython": "typing.Any"},  # IPython puts it into every notebook
    "proxies-and-certificates.md": {"config": "azml_magics.LLMConfig"},
    "install.md": {"c": "traitlets.config.Config"},  # the object that IPython gives its config files
    "evaluation.md": {"config": "azml_magics.LLMConfig", "runs": "azml_magics.Evaluation"},
}
# What the tests do not have: the block that imports it is run with it (tests/real_components, tests/browser).
OTHER_PACKAGES = re.compile(
    r"^(import (?:ray|piplite|mlflow)|from opentelemetry\.exporter|from azure\.monitor|from langchain\.agents)\b",
    re.MULTILINE,
)
# A cell shows the value of its last line; in a module pyright would call that an unused expression.
PYRIGHT_CONFIG = """{"typeCheckingMode": "standard", "reportUnusedExpression": false}"""


def extract_code(page: Path) -> str:
    """Return the Python code of a page without its magic cells, or "" if there is none."""
    blocks = []
    for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
        code = re.sub(rf"^{found['indent']}", "", found["code"], flags=re.MULTILINE)
        if not re.search(r"^%", code, re.MULTILINE) and not OTHER_PACKAGES.search(code):
            blocks.append(code)
    if not blocks:
        return ""
    declared = "".join(
        f"import typing\n\nimport {kind.rpartition('.')[0]}\n\n{name} = typing.cast({kind}, None)\n\n"
        for name, kind in MADE_BY_CELLS.get(page.name, {}).items()
    )
    return f"from __future__ import annotations\n\n{declared}" + "\n\n".join(blocks)


def write_modules(folder: Path) -> list[Path]:
    """Write one module per page with code into `folder` and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyrightconfig.json").write_text(PYRIGHT_CONFIG, encoding="utf-8")
    modules = []
    for page in PAGES:
        if code := extract_code(page):
            kind = "" if page.parent == ROOT else f"{page.parent.name}_"  # two folders may have an errors.md
            modules.append(folder / f"page_{kind}{page.stem}.py".lower().replace("-", "_"))
            modules[-1].write_text(code, encoding="utf-8")
    return modules


if __name__ == "__main__":
    write_modules(Path(sys.argv[1]))
