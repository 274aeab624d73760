"""How the prompt's text becomes messages: with variables in braces, as it is, or through a prompt template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azml_magics.core.errors import UsageError

from .notebook_names import find_variable, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

BRACES: Final = ""
AS_WRITTEN: Final = "none"  # as -t writes it


def template_choices(notebook: Mapping[str, Any], chosen: str) -> list[tuple[str, str]]:
    """Return (label, value) of the ways to choose from; a chosen template that is gone is the last of them."""
    names = [f"${name}" for name in names_of(notebook, _is_template)]
    gone = [chosen] if chosen not in {BRACES, AS_WRITTEN, *names} else []
    return [("{name} is a variable", BRACES), ("none: send it as written", AS_WRITTEN)] + [
        (name, name) for name in [*names, *gone]
    ]


def _is_template(value: Any) -> bool:
    """Whether it is a prompt template of LangChain; its class is asked, because objects may answer to any name."""
    kind = type(value)
    return callable(getattr(kind, "format_prompt", None)) and callable(getattr(kind, "invoke", None))


def find_template(reference: str, notebook: Mapping[str, Any]) -> Any:
    """Return the template that `$name` refers to.

    Raises:
        UsageError: if the notebook has no such variable, or it is not a prompt template.
    """
    name = reference.removeprefix("$")
    found = find_variable(name, notebook)
    if not _is_template(found):
        raise UsageError(
            f"{name} is not a LangChain prompt template: it is of the type {type(found).__name__}",
            remedy="Choose another Template.",
        )
    return found


def find_slots(reference: str, notebook: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the variables of the template that `$name` refers to; () for other ways and for one that is gone."""
    found = notebook.get(reference.removeprefix("$")) if reference.startswith("$") else None
    names = getattr(found, "input_variables", ()) if _is_template(found) else ()
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list | tuple) else ()
