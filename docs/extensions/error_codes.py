"""The table of error codes: from the places in the source where errors are made, and from the notebook's remedies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from azml_magics.notebook.remedies import REMEDIES

from .error_places import error_classes, error_places, fill_template

_ARGUMENT = (
    r"(?: (?:[\w-]*[A-Z$:=/\d…][^\s;)]*|(?:entra|none|python|curl|ask|aml-token|embeddings|openai-chat)\b)(?<![.,:?]))?"
)
_TYPED = re.compile(
    rf"(?<![\w`/-])(%%?azureml(?: [a-z]+(?:-[a-z]+)*)?{_ARGUMENT}|--?[a-zA-Z][\w-]*{_ARGUMENT}|az [a-z]+)"
)
_MOST_CAUSES = 3

# Codes that are put together, or given to an error afterwards: its class, and what happened.
ADDED = {
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
    found = {code: ErrorCode(code, kind, [cause]) for code, (kind, cause) in ADDED.items()}
    for name, kind in error_classes().items():
        found[kind.error_code] = ErrorCode(kind.error_code, name, *_of_class(name))
    for code, kind, cause, remedy in error_places():
        known = found.setdefault(code, ErrorCode(code))
        known.kind = known.kind or kind
        known.remedy = known.remedy or remedy
        if cause and cause not in known.causes and code not in ADDED:
            known.causes.append(cause)
    for code, remedy in REMEDIES.items():
        found.setdefault(code, ErrorCode(code)).remedy = fill_template(remedy)
    return found


def tables() -> str:
    """Return a section for each class of errors, with its codes, as Markdown."""
    codes = error_codes().values()
    sections = []
    for kind in [*error_classes(), "Interrupted"]:
        own = sorted(
            (code for code in codes if code.kind == kind), key=lambda code: (code.name != _code_of(kind), code.name)
        )
        rows = "\n".join(_row(code) for code in own)
        index = f"```{{index}} {', '.join(f'! {code.name}' for code in own)}\n```"  # with ! search ranks them first
        sections.append(f"## {kind}\n\n{index}\n\n| code | what happened | what to do |\n|---|---|---|\n{rows}")
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


def _code_of(kind: str) -> str:
    return error_classes()[kind].error_code if kind in error_classes() else ""
