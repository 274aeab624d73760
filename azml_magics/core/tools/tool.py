"""Tool: a Python function or a LangChain tool that a model may call."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .arguments import Hint, UnsupportedHintError, convert_arguments, read_hint, type_hints
from .docstrings import Documentation, read_docstring

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MANY = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
_DOCSTRING_TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


class ToolArgumentsError(ValueError):
    """The arguments that a model gave do not fit. The model gets the message."""


@dataclass(frozen=True)
class Tool:
    """A function that a model may call.

    Attributes:
        name: Its name in requests.
        description: What it does, for the model.
        parameters: The JSON schema of its arguments.
        call: Calls it with arguments that `bind` returned; may return an awaitable.
        bind: Returns the arguments that a model gave as Python values. Raises ValueError.
        function: What the user gave.
        untyped: Parameters of which the model gets only the name.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    call: Callable[..., Any] = field(repr=False)
    bind: Callable[[dict[str, Any]], dict[str, Any]] = field(repr=False)
    function: Any = field(repr=False)
    untyped: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Any) -> Tool:
        """Return the tool of a function or of a LangChain tool.

        Raises:
            UsageError: It is something else, or a function that cannot be described to a model.
        """
        if isinstance(given, Tool):
            return given
        if _is_langchain_tool(given):
            return _from_langchain(given)
        if isinstance(given, type) or not callable(given):
            raise UsageError(
                f"A tool is a Python function or a LangChain tool, not {_kind(given)}",
                remedy="Give the function itself, without parentheses.",
            )
        return _from_function(given)

    def to_kwarg(self) -> dict[str, Any]:
        """Return its description as the kwarg `tools` of the chat route has it."""
        described = {"description": self.description} if self.description else {}
        return {"type": "function", "function": {"name": self.name, **described, "parameters": self.parameters}}

    def read_arguments(self, text: str) -> dict[str, Any]:
        """Return the arguments of a call as Python values.

        Raises:
            ToolArgumentsError: They are not a JSON object, or do not fit the parameters.
        """
        try:
            given = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise ToolArgumentsError(f"The arguments are not valid JSON: {error}") from None
        if not isinstance(given, dict):
            raise ToolArgumentsError("The arguments must be a JSON object")
        try:
            return self.bind(given)
        except ValueError as error:
            raise ToolArgumentsError(f"The arguments do not fit {self.name}: {error}") from None


def _kind(given: Any) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__


def _check_name(name: Any, given: Any) -> str:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    shown = "A lambda has no name" if name == "<lambda>" else f"{str(name) or _kind(given)!r} cannot name a tool"
    raise UsageError(shown, remedy="Define the function with def, under a name of letters, digits and _ (at most 64).")


# ---- Python functions ---------------------------------------------------------------------------------------------


def _from_function(function: Callable[..., Any]) -> Tool:
    inner: Any = function
    while isinstance(inner, partial):
        inner = inner.func
    name = _check_name(
        getattr(function, "__name__", None) or getattr(inner, "__name__", type(inner).__name__), function
    )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise UsageError(
            f"The parameters of {name} cannot be read", remedy="Wrap it in a function of your own with type hints."
        ) from None
    is_plain = inspect.isroutine(inner)
    documentation = read_docstring(inspect.getdoc(inner if is_plain else type(inner).__call__) or inspect.getdoc(inner))
    annotated = type_hints(inspect.unwrap(inner) if is_plain else type(inner).__call__)
    hints = {
        parameter.name: hint
        for parameter in signature.parameters.values()
        if (hint := _read_parameter(name, parameter, annotated, documentation)) is not None
    }
    required = {each for each in hints if signature.parameters[each].default is inspect.Parameter.empty}
    untyped = tuple(each for each, hint in hints.items() if not hint.schema.keys() - {"description", "default"})
    untyped = tuple(each for each in untyped if each not in annotated)
    return Tool(
        name,
        documentation.summary,
        _parameters(hints, required),
        _caller(function, signature),
        partial(convert_arguments, hints=hints, required=required),
        function,
        untyped,
    )


def _caller(function: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
    """Return a function that takes every argument by name, also those that `function` takes by position only."""
    by_position = [
        each.name for each in signature.parameters.values() if each.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    if not by_position:
        return function

    def call(**given: Any) -> Any:
        first = [given.pop(name) for name in by_position if name in given]
        return function(*first, **given)

    return call


def _read_parameter(
    tool: str, parameter: inspect.Parameter, annotated: dict[str, Any], documentation: Documentation
) -> Hint | None:
    """Return what the model is told of a parameter; None for one that it is not told of.

    Raises:
        UsageError: The model cannot give the parameter, and it has no default.
    """
    name = parameter.name
    if parameter.kind in _MANY:
        raise UsageError(
            f"{tool} takes {_MANY[parameter.kind]}{name}, any number of arguments, which a model cannot be told",
            remedy=f"Make it a list: {name}: list[str].",
        )
    has_default = parameter.default is not inspect.Parameter.empty
    hint = annotated.get(name, _DOCSTRING_TYPES.get(documentation.types.get(name, ""), Any))
    try:
        read = read_hint(hint)
    except UnsupportedHintError as error:
        if has_default:
            return None  # such as a connection: the function has its own
        raise UsageError(
            f"The parameter {name} of {tool} is of the type {error}, which a model cannot give",
            remedy="Give it a default value, or use text, numbers, lists or dicts.",
        ) from None
    schema = dict(read.schema)
    if described := documentation.parameters.get(name):
        schema.setdefault("description", described)
    if has_default and isinstance(parameter.default, (str, int, float, bool)):
        schema["default"] = parameter.default
    return Hint(schema, read.convert)


def _parameters(hints: dict[str, Hint], required: set[str]) -> dict[str, Any]:
    """Return the schema of all parameters; definitions that schemas of classes refer to move to its top."""
    properties, definitions = {}, {}
    for name, hint in hints.items():
        schema = dict(hint.schema)
        definitions.update(schema.pop("$defs", {}))
        properties[name] = schema
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = [name for name in hints if name in required]
    return {**parameters, "$defs": definitions} if definitions else parameters


# ---- LangChain's tools, recognised by their methods: nothing here imports LangChain -------------------------------


def _is_langchain_tool(given: Any) -> bool:
    has_methods = callable(getattr(given, "invoke", None)) and hasattr(given, "args_schema")
    return has_methods and not isinstance(given, type) and isinstance(getattr(given, "name", None), str)


def _from_langchain(given: Any) -> Tool:
    schema = getattr(given, "tool_call_schema", None) or given.args_schema
    if isinstance(schema, dict):
        parameters = dict(schema)
    elif callable(getattr(schema, "model_json_schema", None)):
        parameters = dict(schema.model_json_schema())
    elif callable(getattr(schema, "schema", None)):  # pydantic 1
        parameters = schema.schema()
    else:
        parameters = {"type": "object", "properties": dict(getattr(given, "args", {}))}
    parameters = {name: value for name, value in parameters.items() if name not in {"title", "description"}}
    parameters.setdefault("properties", {})

    def bind(arguments: dict[str, Any]) -> dict[str, Any]:
        known = parameters["properties"]
        missing = [each for each in parameters.get("required", ()) if each not in arguments]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        if unknown := [each for each in arguments if each not in known]:
            raise ValueError(f"{unknown[0]} is not one of {', '.join(known)}")
        return arguments

    has_async_only = getattr(given, "coroutine", None) is not None and getattr(given, "func", 0) is None
    invoke = given.ainvoke if has_async_only else given.invoke
    name = _check_name(given.name, given)
    return Tool(name, str(given.description or ""), parameters, lambda **values: invoke(values), bind, given)
