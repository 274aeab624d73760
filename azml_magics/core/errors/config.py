"""Errors of what the user writes: options, configs, keys, documents, prompts and formatters."""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - get_type_hints() needs it

from ..text import did_you_mean
from .base import AzmlError


class UsageError(AzmlError):
    """An option, verb or argument that cannot be understood."""

    error_code = "usage"


class ConfigError(AzmlError, ValueError):
    """A config that cannot be made or used."""

    error_code = "config"


class UnknownNameError(ConfigError):
    """A name that does not exist."""

    error_code = "unknown-name"

    @classmethod
    def of(
        cls, kind: str, name: str, known: Iterable[str], remedy: str = "", *, error_code: str = ""
    ) -> UnknownNameError:
        """Return the error for an unknown name.

        Args:
            kind: What the name stands for: "config", "formatter", ...
            name: The name that is unknown.
            known: The names that exist; the closest one is suggested and all are listed.
            remedy: What else to do.
            error_code: A more exact code. Facts: `param` (the name), `hint` and `known` (sentences or "").
        """
        names = sorted(known)
        hint = did_you_mean(name, names).strip()
        listed = f"Known: {', '.join(names)}." if names else ""
        facts = {"param": name, "hint": hint, "known": listed}
        whole = " ".join(filter(None, (hint, listed, remedy)))
        return cls(f"No {kind} named {name!r}", remedy=whole, error_code=error_code, facts=facts)


class KeyNotFoundError(ConfigError):
    """A key reference that leads to no key."""

    error_code = "key-not-found"


class KeyRefusedError(ConfigError):
    """A literal key where a reference belongs, or a key that would go to a host it is not for."""

    error_code = "key-refused"


class DocumentError(ConfigError):
    """A saved document that cannot be read or written."""

    error_code = "document"


class MissingPackageError(AzmlError, ImportError):
    """An optional package that is not installed."""

    error_code = "package-missing"


class PromptError(AzmlError, ValueError):
    """A prompt that cannot be rendered or encoded."""

    error_code = "prompt"


class UndefinedVariableError(PromptError):
    """A `{name}` in the prompt without a variable of that name."""

    error_code = "undefined-variable"

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> UndefinedVariableError:
        """Return the error for `{name}` in a prompt, with the closest of the `known` names."""
        return cls._among(known, name, "variable", f"Define it, or write {{{{{name}}}}} for literal braces.", "")

    @classmethod
    def of_rows(cls, name: str, known: Iterable[str]) -> UndefinedVariableError:
        """Return the error for `{name}` in a prompt over a table; `known` are its columns and the variables."""
        ways = f"Name a column, pass it in variables, or write {{{{{name}}}}} for literal braces."
        return cls._among(known, name, "column or variable", ways, "undefined-column")

    @classmethod
    def _among(cls, known: Iterable[str], name: str, thing: str, ways: str, error_code: str) -> UndefinedVariableError:
        hint = did_you_mean(name, known).strip()
        cause = f"The prompt uses {{{name}}}, and there is no {thing} {name!r}"
        facts = {"param": name, "hint": hint}
        return cls(cause, remedy=f"{hint} {ways}".strip(), error_code=error_code, facts=facts)


class FormatterError(AzmlError, ValueError):
    """A custom formatter that raised, or returned something that is not a response."""

    error_code = "formatter"
