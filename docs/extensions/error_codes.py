"""The table of error codes, read from the places in the source where errors are made and from the notebook's remedies.

A place names a code beside a sentence about what happened, in a call or in a tuple of data:

    raise ConfigError(f"No URL for {name}", remedy="Pass one.", error_code="no-endpoint-url")
    Explanation(NotFoundError, "No such route", "Check the URL's path.", "no-route")
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import azml_magics
from azml_magics import errors
from azml_magics.core.http.connection_errors import _MESSAGES as CONNECTION_MESSAGES
from azml_magics.notebook.remedies import REMEDIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = Path(azml_magics.__file__).parent
_FRONT_ENDS = {"notebook", "panel", "display", "emulator"}  # they give errors of others their own words
_WORD = re.compile(r"[a-z]+(-[a-z]+)*")
_OMITTED = re.compile(r"[ :]*\{(?:hint|notice|known)\}|(?<=\w)\{\w+\}")  # parts that may be empty
_FACT = re.compile(r"\{\w*(?:[!:][^{}]*)?\}")
_PATTERN = re.compile(r"[|\\]|AADSTS")  # a regular expression, not a sentence
_ARGUMENT = (
    r"(?: (?:[\w-]*[A-Z$:=/\d…][^\s;)]*|(?:entra|none|python|curl|ask|aml-token|embeddings|openai-chat)\b)(?<![.,:?]))?"
)
_TYPED = re.compile(
    rf"(?<![\w`/-])(%%?azureml(?: [a-z]+(?:-[a-z]+)*)?{_ARGUMENT}|--?[a-zA-Z][\w-]*{_ARGUMENT}|az [a-z]+)"
)
_MOST_CAUSES = 3

# The class of errors that a module builds for others, by the module.
_KINDS = {
    "core/http/connection_errors.py": "APIConnectionError",
    "core/http/proxy_errors.py": "APIConnectionError",
    "core/http/tls_errors.py": "APIConnectionError",
    "core/key_sources/sign_in_errors.py": "KeyNotFoundError",
}
# Codes that are put together, or given to an error afterwards: its class, and what happened.
_ADDED = {
    "chat-kwarg": ("BadRequestError", "The request has a model kwarg that this route does not know"),
    "column-hint": ("UndefinedVariableError", "The prompt uses {name}, and the table has a column of a similar name"),
    "entra-only": ("AuthenticationError", "The endpoint does not accept the key"),
    "interrupted": ("Interrupted", "The kernel was interrupted; a part of the response had arrived"),
    "overwrite": ("DocumentError", "The file exists already"),
    "near-column": ("UndefinedVariableError", "The prompt uses {name}, and the table has a column of a similar name"),
    "no-key-sent": ("AuthenticationError", "The endpoint wants a key"),
    "no-model": ("BadRequestError", "The endpoint does not know which model is meant"),
    "no-token": ("KeyNotFoundError", "The sign-in gave no token"),
    "placeholder-url": ("EndpointError", "The endpoint refused the request, or there is none"),
    "prompt-shield": ("ContentFilterError", "The prompt shield stopped the prompt"),
    "row-schema": ("SchemaError", "The response for a row does not match the schema"),
    "undefined-column": ("UndefinedVariableError", "The prompt uses {name}, which is neither a column nor a variable"),
    "unknown-config": ("UnknownNameError", "There is no config of that name"),
    "unknown-formatter": ("UnknownNameError", "There is no formatter of that name"),
    "unknown-path": ("EndpointError", "The endpoint refused the request, and its path is an unusual one"),
    "unknown-subscription": ("UnknownNameError", "Your sign-in has no subscription of that name"),
}


@dataclass
class ErrorCode:
    """What is known of a code.

    Attributes:
        name: The code.
        kind: The name of the class of the error.
        causes: What happened, as sentences.
        remedy: What to do.
    """

    name: str
    kind: str = ""
    causes: list[str] = field(default_factory=list)
    remedy: str = ""


def error_codes() -> dict[str, ErrorCode]:
    """Return every error code by its name."""
    found = {code: ErrorCode(code, kind, [cause]) for code, (kind, cause) in _ADDED.items()}
    for name, kind in _classes().items():
        found[kind.error_code] = ErrorCode(kind.error_code, name, *_of_class(name))
    for code, kind, cause, remedy in _all_places():
        known = found.setdefault(code, ErrorCode(code))
        known.kind = known.kind or kind
        known.remedy = known.remedy or remedy
        if cause and cause not in known.causes and code not in _ADDED:
            known.causes.append(cause)
    for code, remedy in REMEDIES.items():
        found.setdefault(code, ErrorCode(code)).remedy = _filled(remedy)
    return found


def tables() -> str:
    """Return a section for each class of errors, with its codes, as Markdown."""
    codes = error_codes().values()
    sections = []
    for kind in [*_classes(), "Interrupted"]:
        own = sorted(
            (code for code in codes if code.kind == kind), key=lambda code: (code.name != _code_of(kind), code.name)
        )
        rows = "\n".join(_row(code) for code in own)
        sections.append(f"## {kind}\n\n| code | what happened | what to do |\n|---|---|---|\n{rows}")
    return "\n\n".join(sections)


def _row(code: ErrorCode) -> str:
    causes = ". Or: ".join(cause.rstrip(".") for cause in code.causes[:_MOST_CAUSES])
    return f"| `{code.name}` | {_cell(causes)} | {_cell(code.remedy or 'See its message')} |"


def _cell(text: str) -> str:
    """The text as Markdown: what can be typed is code."""
    if "](" in text:
        return text  # Markdown already
    parts = re.split(r"(`[^`]*`)", text.replace("HINT ", ""))
    marked = "".join(part if part.startswith("`") else _TYPED.sub(r"`\1`", part) for part in parts)
    parts = re.split(r"(`[^`]*`)", marked)
    return "".join(part if part.startswith("`") else re.sub(r"([<*_\[\]|{}])", r"\\\1", part) for part in parts)


def _of_class(name: str) -> tuple[list[str], str]:
    """What happened and what to try first if an error has the code of its class: as the guide on errors has it."""
    if name in {"AzmlError", "EndpointError"}:
        return ["An error without a code of its own"], ""
    guide = (Path(__file__).parents[1] / "how-to" / "errors.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{name}` \| (.*?) \| (.*?) ?\|$", guide, re.MULTILINE)
    assert row is not None, f"how-to/errors.md has no row for {name}"
    when, remedy = (re.sub(r"\]\((?=[\w-]+\.md)", "](../how-to/", text[0].upper() + text[1:]) for text in row.groups())
    return [when], remedy


# ---- what the source says --------------------------------------------------------------------------------------


def _all_places() -> Iterator[tuple[str, str, str, str]]:
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
        yield code or f"connection-{reason}", kind, _filled(cause), _filled(remedy)


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
    kinds = [name for name in (kind, *map(_class_name, [*parts, *named.values()])) if name in _classes()]
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
            return _filled(text)
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


def _filled(template: str) -> str:
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


def _classes() -> dict[str, type[errors.AzmlError]]:
    return {name: kind for name in errors.__all__ if hasattr(kind := getattr(errors, name), "error_code")}


def _class_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _code_of(kind: str) -> str:
    return _classes()[kind].error_code if kind in _classes() else ""
