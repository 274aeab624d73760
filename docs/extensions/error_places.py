"""The places in the source where errors are made: each error code with its class, cause and remedy.

A place names a code beside a sentence about what happened, in a call or in a tuple of data:

    raise ConfigError(f"No URL for {name}", remedy="Pass one.", error_code="no-endpoint-url")
    Explanation(NotFoundError, "No such route", "Check the URL's path.", "no-route")
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import azml_magics
from azml_magics import errors
from azml_magics.core.http.connection_errors import _MESSAGES as CONNECTION_MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = Path(azml_magics.__file__).parent
_FRONT_ENDS = {"notebook", "panel", "display", "emulator"}  # they give errors of others their own words
_WORD = re.compile(r"[a-z]+(-[a-z]+)*")
_OMITTED = re.compile(r"[ :]*\{(?:hint|notice|known)\}|(?<=\w)\{\w+\}")  # parts that may be empty
_FACT = re.compile(r"\{\w*(?:[!:][^{}]*)?\}")
_PATTERN = re.compile(r"[|\\]|AADSTS")  # a regular expression, not a sentence

# The class of errors that a module builds for others, by the module.
_KINDS = {
    "core/http/connection_errors.py": "APIConnectionError",
    "core/http/proxy_errors.py": "APIConnectionError",
    "core/http/tls_errors.py": "APIConnectionError",
    "core/key_sources/sign_in_errors.py": "KeyNotFoundError",
}


def error_classes() -> dict[str, type[errors.AzmlError]]:
    """Return the classes of errors that have a code, by name."""
    return {name: kind for name in errors.__all__ if hasattr(kind := getattr(errors, name), "error_code")}


def error_places() -> Iterator[tuple[str, str, str, str]]:
    """Yield (code, class, cause, remedy) of every place that names a code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if place.parts[0] in _FRONT_ENDS:
            continue
        kind_of_module = _KINDS.get(place.as_posix(), "")
        for code, kind, cause, remedy in _places(ast.parse(path.read_text(encoding="utf-8"))):
            yield code, kind or kind_of_module, cause, remedy
    for reason, (cause, remedy) in CONNECTION_MESSAGES.items():
        code = {"timeout": "no-data", "total-timeout": "total-timeout", "too-large": "response-too-large"}.get(reason)
        kind = "" if code else "APIConnectionError"
        yield code or f"connection-{reason}", kind, fill_template(cause), fill_template(remedy)


def _places(module: ast.Module) -> Iterator[tuple[str, str, str, str]]:
    """Yield (code, class, cause, remedy) of every place that names a code."""
    of_module: dict[str, ast.expr] = {}
    for node in module.body:
        _note_assignment(node, of_module)
    for scope in ast.walk(module):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            texts = dict(of_module)
            for node in _own_nodes(scope):
                _note_assignment(node, texts)
                yield from _place(node, texts)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what a function or module contains, in the order of the source, without the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own_nodes(child)


def _note_assignment(node: ast.AST, texts: dict[str, ast.expr]) -> None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name):
            texts[target.id] = node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=False)
            texts.update({name.id: value for name, value in pairs if isinstance(name, ast.Name)})


def _place(node: ast.AST, texts: Mapping[str, ast.expr]) -> Iterator[tuple[str, str, str, str]]:
    if isinstance(node, ast.Call):
        parts, named = list(node.args), {each.arg: each.value for each in node.keywords if each.arg}
        kind = ast.unparse(node.func).split(".")[0]
    elif isinstance(node, ast.Tuple):
        parts, named, kind = list(node.elts), {}, ""
    else:
        return
    sentences = [text for text in (_text(part, texts) for part in parts) if " " in text and not _PATTERN.search(text)]
    cause = _text(named["cause"], texts) if "cause" in named else next(iter(sentences), "")
    remedy = _text(named["remedy"], texts) if "remedy" in named else next(iter(sentences[1:]), "")
    kinds = [name for name in (kind, *map(_class_name, [*parts, *named.values()])) if name in error_classes()]
    remedy = "" if remedy.isupper() else remedy
    if "error_code" in named:
        codes = list(_words(named["error_code"], texts))
    else:  # among other texts, a code is known by its hyphen
        codes = [word for part in parts for word in _words(part, texts) if "-" in word] if cause and remedy else []
    for code in codes:
        yield code, next(iter(kinds), ""), cause, remedy


def _words(node: ast.expr, texts: Mapping[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Name) and node.id in texts:
        node = texts[node.id]
    for each in [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]:
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and _WORD.fullmatch(each.value):
            yield each.value


def _text(node: ast.expr, texts: Mapping[str, ast.expr], depth: int = 0) -> str:
    """The text that an expression makes; NAME stands for what is only known when it runs."""
    match node:
        case ast.Constant(value=str(text)):
            return fill_template(text)
        case ast.JoinedStr(values=parts):
            return re.sub(r"(?<=[a-z])(?:[A-Z_]{3,}|…)$", "", "".join(_part(part, texts, depth) for part in parts))
        case ast.FormattedValue(value=value):
            return _text(value, texts, depth) or "…"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, texts, depth) + _text(right, texts, depth)
        case ast.IfExp(body=body):
            return _text(body, texts, depth)
        case ast.Name(id=name) if name in texts and depth < 2:  # noqa: PLR2004 - no circles
            return _text(texts[name], texts, depth + 1) or name.upper()
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").upper()
        case _:
            return ""


def _part(node: ast.expr, texts: Mapping[str, ast.expr], depth: int) -> str:
    """The text of a part of an f-string."""
    return _with_facts(str(node.value)) if isinstance(node, ast.Constant) else _text(node, texts, depth)


def fill_template(template: str) -> str:
    """The template with names in capitals in the place of its facts."""
    try:
        return _OMITTED.sub("", template).format_map(_Names()).strip()
    except (ValueError, IndexError, TypeError, AttributeError):  # not a template
        return template


class _Names(dict[str, "_Name"]):
    """Facts for `str.format_map`: each one's name in capitals."""

    def __missing__(self, name: str) -> _Name:
        return _Name(name.upper())


class _Name(str):
    """A text that no format changes."""

    __slots__ = ()

    def __format__(self, _specification: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


def _with_facts(text: str) -> str:
    return _FACT.sub(lambda found: re.split("[!:]", found[0].strip("{}"))[0].upper() or "…", text)


def _class_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
