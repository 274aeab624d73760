"""What makes two Runnables the same, as far as it can be known: their classes, settings and functions' code.

A journal must never answer with the responses of another chain. So everything that decides what a Runnable does is
hashed, step by step; what cannot be seen into (an agent's graph, an object with state of its own) is named.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import operator
import sys
import sysconfig
import types
from pathlib import Path
from typing import Any

from ..core.secret import Secret

_OURS = Path(__file__).parents[1]
_DIGEST_BYTES = 8
_MAX_DEPTH = 40
_ITEMS = (operator.itemgetter, operator.attrgetter, operator.methodcaller)
# Fields of Runnables that do not change what they return
_IGNORED = frozenset(
    {"callbacks", "callback_manager", "cache", "verbose", "metadata", "tags", "name", "rate_limiter", "run_name"}
    | {"custom_get_token_ids", "input_type_", "output_type_", "custom_input_type", "custom_output_type"}
)
_CONFIG = ("configurable", "recursion_limit")  # entries of a bound config that change what a Runnable returns


class _Identity:
    """Collects what is known of one Runnable.

    Attributes:
        unknown: What could not be seen into, by name, in the order in which it was found.
        secrets: The keys that were found, which are not part of the identity.

    Args:
        follows: Whether what functions refer to is part of the identity; else a name stands for it.
    """

    def __init__(self, *, follows: bool = True) -> None:
        self._follows = follows
        self.unknown: dict[str, None] = {}
        self.secrets: list[str] = []
        self._open: list[int] = []  # objects that are being described: one may contain itself

    def describe(self, value: Any) -> Any:
        """Return JSON data that is the same for equal values."""
        if value is None or isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, bytes):
            return value.hex()
        if id(value) in self._open:
            return f"({self._open.index(id(value))})"
        if len(self._open) > _MAX_DEPTH:
            return self._give_up(value)
        self._open.append(id(value))
        try:
            return self._describe_object(value)
        finally:
            self._open.pop()

    def _describe_object(self, value: Any) -> Any:
        if isinstance(value, dict | list | tuple | set | frozenset):
            return self._describe_collection(value)
        if callable(getattr(value, "get_secret_value", None)) and not isinstance(value, type):
            self.secrets.append(str(value.get_secret_value()))
            return "(secret)"
        if isinstance(value, types.ModuleType):
            return value.__name__
        if isinstance(value, type):
            return self._describe_class(value)
        if isinstance(value, types.FunctionType | types.MethodType | functools.partial | types.BuiltinFunctionType):
            return self._describe_function(value)
        if isinstance(value, _ITEMS):
            return self.describe([type(value).__name__, *value.__reduce__()[1:]])
        return self._describe_fields(value)

    def _describe_collection(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {"dict": [[self.describe(name), self.describe(part)] for name, part in value.items()]}
        if isinstance(value, list | tuple):
            return [self.describe(part) for part in value]
        return sorted((self.describe(part) for part in value), key=str)

    def _describe_class(self, kind: type) -> Any:
        parts = [_full_name(kind), self.describe(_constants(kind)), *(self.describe(part) for part in _methods(kind))]
        schema = getattr(kind, "model_json_schema", None)
        if callable(schema):
            try:
                parts.append(self.describe(schema()))
            except Exception:  # noqa: BLE001 - a field without a JSON schema
                return self._give_up(kind)
        return parts

    def _describe_function(self, function: Any) -> Any:
        if isinstance(function, functools.partial):
            return self.describe(["partial", function.func, function.args, function.keywords])
        if isinstance(function, types.MethodType):
            return [self.describe(function.__func__), self.describe(function.__self__)]
        if isinstance(function, types.BuiltinFunctionType):
            owner = function.__self__
            is_free = owner is None or isinstance(owner, types.ModuleType)
            return f"{function.__module__}.{function.__qualname__}" if is_free else self._give_up(function)
        parts = [function.__defaults__, function.__kwdefaults__, _closure(function) if self._follows else {}]
        if not _is_installed(function.__code__.co_filename):
            code = function.__code__
            used = {name: function.__globals__[name] for name in _names(code) if name in function.__globals__}
            parts += [_code(code), used if self._follows else {}]
        return [_full_name(function), self.describe(parts)]

    def _describe_fields(self, value: Any) -> Any:
        """Describe an object by its fields, if it declares them (pydantic), or is one of LangChain's own."""
        kind = type(value)
        name = _full_name(kind)
        fields: Any = getattr(kind, "model_fields", None)
        parts: dict[str, Any]
        if isinstance(fields, dict):
            shown = [field for field, declared in fields.items() if not declared.exclude]
            parts = {field: getattr(value, field, None) for field in shown}
            parts |= getattr(value, "__pydantic_extra__", None) or {}
            if not _is_installed(_file_of(kind)):
                parts |= getattr(value, "__pydantic_private__", None) or {}
        elif kind.__module__.startswith("langchain_core.runnables"):
            parts = {field: part for field, part in vars(value).items() if not _is_cached(kind, field)}
        else:
            return self._give_up(value)
        parts = {field: part for field, part in parts.items() if field not in _IGNORED}
        if isinstance(parts.get("config"), dict):  # bound by with_config: callbacks and names change nothing
            bound: dict[str, Any] = parts["config"]
            parts["config"] = {entry: bound[entry] for entry in _CONFIG if entry in bound}
        code = [self.describe(part) for part in _methods(kind)]
        return [name, code, {field: self.describe(part) for field, part in sorted(parts.items())}]

    def _give_up(self, value: Any) -> str:
        named = value if hasattr(value, "__qualname__") else type(value)
        self.unknown[named.__qualname__] = None
        return _full_name(named)


def identity_of(runnable: Any) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what is known of a Runnable, and what is not.

    Returns:
        For each step its class and a hash, by "chain" or "chain step N"; and the names of what nothing is known of. A
        name that `with_config(run_name=...)` gave is there as "chain name", and stands for what functions refer to.
    """
    name = run_name(runnable)
    identity = _Identity(follows=not name)
    runnable = _unwrap(runnable)
    steps = _steps(runnable)
    named = {f"chain step {number}": step for number, step in enumerate(steps, 1)} or {"chain": runnable}
    known = {}
    for place, step in named.items():
        described = json.dumps(identity.describe(step), sort_keys=True, default=str).encode()
        known[place] = f"{type(step).__name__} {hashlib.blake2b(described, digest_size=_DIGEST_BYTES).hexdigest()}"
    return ({"chain name": name} if name else {}) | known, tuple(identity.unknown)


def keys_in(runnable: Any) -> tuple[Secret, ...]:
    """Return the keys that a Runnable holds as secrets, so that what it returns can be masked."""
    identity = _Identity()
    identity.describe(runnable)
    return tuple(Secret(key) for key in dict.fromkeys(identity.secrets) if key)


def _steps(runnable: Any) -> list[Any]:
    """The steps of a sequence; [] for anything else."""
    return list(runnable.steps) if type(runnable).__name__ == "RunnableSequence" else []


def _unwrap(runnable: Any) -> Any:
    """What `with_config` wrapped, if it bound nothing that changes what comes back."""
    while type(runnable).__name__ == "RunnableBinding" and type(runnable).__module__.startswith("langchain_core"):
        config = getattr(runnable, "config", None) or {}
        if runnable.kwargs or runnable.config_factories or any(entry in config for entry in _CONFIG):
            break
        runnable = runnable.bound
    return runnable


def run_name(runnable: Any) -> str:
    """Return the name that `with_config(run_name=...)` gave a Runnable, "" without one."""
    config = getattr(runnable, "config", None)
    name = config.get("run_name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else ""


def _code(code: types.CodeType) -> Any:
    """What a function's code does, without its place in a file."""
    return [code.co_code.hex(), [_constant(part) for part in code.co_consts], [*code.co_names, *code.co_varnames]]


def _constant(part: Any) -> Any:
    if isinstance(part, types.CodeType):
        return _code(part)
    return sorted(map(repr, part)) if isinstance(part, frozenset) else repr(part)


def _names(code: types.CodeType) -> list[str]:
    """The global names that a function may use, also in the functions within it."""
    inner = [name for part in code.co_consts if isinstance(part, types.CodeType) for name in _names(part)]
    return sorted({*code.co_names, *inner})


def _closure(function: types.FunctionType) -> dict[str, Any]:
    """The variables of outer functions that a function uses."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            found[name] = cell.cell_contents
    return found


def _methods(kind: type) -> list[types.FunctionType]:
    """The methods of a user's class and of its bases, as far as they are in no installed package."""
    return [
        part
        for base in kind.__mro__
        for _, part in sorted(vars(base).items())
        if isinstance(part, types.FunctionType) and not _is_installed(part.__code__.co_filename)
    ]


def _constants(kind: type) -> dict[str, Any]:
    """The plain values in the bodies of a user's class and of its bases."""
    found: dict[str, Any] = {}
    for base in (base for base in kind.__mro__ if not _is_installed(_file_of(base)) and base is not object):
        for name, part in sorted(vars(base).items()):
            if not name.startswith("_") and isinstance(part, str | bool | int | float | list | tuple | dict):
                found.setdefault(name, part)
    return found


def _is_cached(kind: type, field: str) -> bool:
    """Whether a field is there only because it was looked at."""
    return isinstance(getattr(kind, field, None), functools.cached_property)


def _file_of(kind: type) -> str:
    module = sys.modules.get(kind.__module__)
    return getattr(module, "__file__", None) or ""


@functools.cache
def _is_installed(file: str) -> bool:
    """Whether a file belongs to Python or to a package, whose names stand for its code."""
    if file.startswith("<frozen") or {"site-packages", "dist-packages"} & set(Path(file).parts):
        return True
    return file.startswith((sysconfig.get_path("stdlib"), str(_OURS))) or file == "<string>"


def _full_name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', thing)}"
