"""Every error speaks plain Python, and each front end gives it a remedy in its own words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator  # noqa: TC003 - annotations of helpers
from pathlib import Path

import pytest

import azml_magics
from azml_magics.core import errors
from azml_magics.core.errors import AzmlError, remedy_from
from azml_magics.langchain import remedies as langchain
from azml_magics.notebook import remedies as notebook
from azml_magics.panel import remedies as panel

PACKAGE = Path(azml_magics.__file__).parent
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"]
FRONT_ENDS = ("notebook", "panel", "langchain", "emulator", "demo", "doctor")
COMMON = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] not in FRONT_ENDS]
TABLES = {"notebook": notebook.REMEDIES, "panel": panel.REMEDIES, "langchain": langchain.REMEDIES}

FACTS = {"param": "name", "hint": "", "known": "a, b", "routes": "/a", "timeout": 190}
MAGIC = r"%azureml|(?<![\w-])--[a-z]|(?<![\w-])-[a-zF]\b(?!-)"  # a magic, a long or a short option
PYTHON = r"LLMConfig\(|\b[a-z_]+=[…\w\"'(]"  # a constructor, a keyword argument
PANEL = r"(?i:\b(button|box|under endpoint|press)\b)"
FOREIGN = {
    "plain Python": f"{MAGIC}|{PANEL}",
    "notebook": f"LLMConfig\\(|{PANEL}",
    "panel": f"{MAGIC}|{PYTHON}",
    "langchain": f"{MAGIC}|LLMConfig\\(|{PANEL}",
}
# LangChain's classes have no session, so its errors never reach them; the panel calls no chains.
UNREACHED = {"langchain": {"no-config", "unknown-config"}, "panel": {"journal-chain"}}
# An option with the same spelling belongs to another program: these commands are typed into a terminal.
TERMINAL = re.compile(r"az [a-z -]+|#[^\n]*")


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Every text in a module, docstrings among them; what is put into an f-string shows as X."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, text_of(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def text_of(node: ast.AST) -> str:
    """The text that an expression makes, as far as it can be read: X for what is only known when it runs."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return "X"


def raise_sites() -> Iterator[tuple[str, str, str]]:
    """(place, code, plain remedy) of every call in the common packages that gives a remedy or a code."""
    for path in COMMON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = {keyword.arg: text_of(keyword.value) for keyword in node.keywords}
            if {"remedy", "error_code"} & set(given):
                kind = ast.unparse(node.func).split(".")[0]
                code = given.get("error_code", "X").replace("X", class_codes().get(kind, ""))
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", code, given.get("remedy", "")


def class_codes() -> dict[str, str]:
    return {
        name: kind.error_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, AzmlError)
    }


def known_codes() -> set[str]:
    """Every code that an error can have: texts in the common packages that look like one, and are used as one."""
    words = {text for path in COMMON for _, text in strings_of(path)}
    given = {code for _, code, _ in raise_sites()}
    return set(class_codes().values()) | given | {word for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)+", word)}


def foreign(front_end: str, text: str) -> bool:
    return re.search(FOREIGN[front_end], TERMINAL.sub("", text)) is not None


def test_each_exception_class_has_its_own_code():
    codes = class_codes()
    assert len(set(codes.values())) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes.values())


def test_common_packages_contain_no_word_of_a_magic():
    # two write shell commands; the package's own docstring says what %load_ext does
    exempt = {PACKAGE / name for name in ("codegen/curl_command.py", "core/install_hint.py", "__init__.py")}
    modules = [path for path in COMMON if path not in exempt]
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in modules
        for line, text in strings_of(path)
        if re.search(MAGIC, TERMINAL.sub("", text))
    ]
    assert not found


@pytest.mark.parametrize("front_end", TABLES)
def test_a_table_has_no_stale_code(front_end):
    assert set(TABLES[front_end]) <= known_codes() | {"interrupted", "interrupted-empty"}


@pytest.mark.parametrize("front_end", [*TABLES, "plain Python"])
def test_every_error_has_only_the_words_of_its_front_end(front_end):
    found = []
    for place, code, plain in raise_sites():
        error = AzmlError("It failed", remedy=plain, error_code=code, facts=FACTS)
        shown = remedy_from(TABLES.get(front_end, {}), error)
        if foreign(front_end, shown) and code not in UNREACHED.get(front_end, set()):
            found.append(f"{place}: {code}: {shown}")
    assert not found


@pytest.mark.parametrize("front_end", TABLES)
def test_a_table_has_only_the_words_of_its_front_end(front_end):
    for code in TABLES[front_end]:
        shown = remedy_from(TABLES[front_end], AzmlError("It failed", error_code=code, facts=FACTS))
        assert not foreign(front_end, shown), (code, shown)
        assert not re.search(r"[{}]", shown.replace("{{name}}", "")), (code, shown)
