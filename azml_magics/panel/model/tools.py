"""The tools that the model may call: functions of the notebook, or descriptions in a variable or JSON."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import UsageError
from azml_magics.core.tools import Toolset

from .kwargs import KwargValueError, parse_json
from .notebook_names import find_variable, names_of, variable_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from azml_magics.core.response import ToolRun

    from .call_options import CallOptions

KWARG = "tools"


class Offer(NamedTuple):
    """What the field offers to the model.

    Attributes:
        described: tools by their descriptions alone; None if it has functions or nothing.
        functions: functions that are run; None if it has descriptions or nothing.
    """

    described: list[dict[str, Any]] | None = None
    functions: Toolset | None = None


def find_tools(notebook: Mapping[str, Any]) -> list[str]:
    """Return the names of the notebook's functions, LangChain tools, and lists of tools."""
    return names_of(notebook, lambda value: _are_described(value) or _are_functions(value))


def _are_functions(value: Any) -> bool:
    """Whether it is a function of the notebook's own, a LangChain tool, or a list of them."""
    if type(value) is list:
        return bool(value) and all(map(_are_functions, value))
    is_own = isinstance(value, types.FunctionType) and value.__module__ == "__main__" and value.__name__ != "<lambda>"
    return is_own or (hasattr(value, "args_schema") and not isinstance(value, type))


def _are_described(value: Any) -> bool:
    return type(value) is list and bool(value) and all(isinstance(tool, dict) and _name_of(tool) for tool in value)


def read_offer(
    text: str, notebook: Mapping[str, Any], approve: Callable[[ToolRun], Awaitable[bool]] | None = None
) -> Offer:
    """Return the tools that the field names.

    Args:
        text: `tools` or `$tools` for a variable, several of them with commas between, or a JSON list as the endpoint's
            route takes it.
        notebook: the notebook's variables.
        approve: asked before a function runs; None runs all of them.

    Raises:
        UsageError: if it has something else; for JSON the message has the line and the column.
        KeyRefusedError: if a description holds a key.
    """
    names = function_names(text, notebook)
    if names:
        return Offer(functions=Toolset([find_variable(name, notebook) for name in names], approve=approve))
    return Offer(described=_read_descriptions(text, notebook))


def read_described(text: str, notebook: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return tools by their descriptions, for runs that call no functions; None if the field is empty.

    Raises:
        UsageError: as `read_offer` does, and if the field has functions.
    """
    if function_names(text, notebook):
        raise UsageError("Test cases call no functions", remedy="Clear Tools, or send the prompt with Run.")
    return _read_descriptions(text, notebook)


def function_names(text: str, notebook: Mapping[str, Any]) -> list[str]:
    """Return the names of the variables in the field; none if it is empty, JSON, or a variable with descriptions."""
    names = [variable_name(word) for word in text.split(",")] if text.strip() else []
    if not all(names):
        return []
    return [] if len(names) == 1 and not _is_tool(notebook.get(names[0])) else names


def _is_tool(value: Any) -> bool:
    return callable(value) or _are_functions(value)


def _read_descriptions(text: str, notebook: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    if not text.strip():
        return None
    if name := variable_name(text):
        tools = find_variable(name, notebook)
        what = f"{name} is of the type {type(tools).__name__}"
    else:
        tools, what = _parse(text), "The JSON is not a list of objects"
    if not isinstance(tools, list) or not tools or not all(isinstance(tool, dict) for tool in tools):
        raise UsageError(
            f"Tools are a list of objects. {what}",
            remedy='Name a function, or write [{"type": "function", "function": {"name": …, "parameters": {…}}}].',
        )
    with_tools(LLMConfig(), tools)  # refuses what JSON cannot hold, and keys
    return tools


def with_tools(config: LLMConfig, tools: Sequence[Mapping[str, Any]] | None) -> LLMConfig:
    """Return the config with the tools among its kwargs; unchanged without any."""
    return config if tools is None else config.merged(model_kwargs={KWARG: list(tools)})


def without_tools(kwargs: Mapping[str, Any], options: CallOptions) -> Mapping[str, Any]:
    """Return the kwargs of a call without what its options have added."""
    return {name: value for name, value in kwargs.items() if name != KWARG or not options.tools.strip()}


def tools_words(text: str, notebook: Mapping[str, Any], *, auto: bool = False) -> list[str]:
    """Return the words of a cell's line that say the tools, if they are variables; JSON is one of the kwargs."""
    if names := function_names(text, notebook):
        words = [word for name in names for word in ("--tool", f"${name}")]
        return [*words, *(["--auto"] if auto else [])]
    name = variable_name(text)
    return ["-p", f"{KWARG}=${name}"] if name else []


def describe_tools(tools: Sequence[Mapping[str, Any]]) -> str:
    """Return how many tools there are, and their names."""
    names = [_name_of(tool) or "?" for tool in tools]
    return f"{len(names)} tool{'' if len(names) == 1 else 's'}: {', '.join(names)}"


def _name_of(tool: Mapping[str, Any]) -> str:
    """The name of a tool in the form of any route; for one that the endpoint runs itself, its type."""
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else tool.get("name")
    kind = tool.get("type")
    return name if isinstance(name, str) else kind if isinstance(kind, str) and kind != "function" else ""


def _parse(text: str) -> Any:
    try:
        return parse_json(text)
    except KwargValueError as error:
        raise UsageError(f"The tools are {error}" if str(error).startswith("not ") else f"The tools: {error}") from None
