"""The tools that the model may call: a variable of the notebook by its name, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import UsageError

from .kwargs import KwargValueError, parse_json
from .notebook_names import find_variable, names_of, variable_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .call_options import CallOptions

KWARG = "tools"


def find_tools(notebook: Mapping[str, Any]) -> list[str]:
    """Return the names of the notebook's lists of tools."""
    return names_of(notebook, _are_tools)


def _are_tools(value: Any) -> bool:
    return type(value) is list and bool(value) and all(isinstance(tool, dict) and _name_of(tool) for tool in value)


def read_tools(text: str, notebook: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the tools that the field names; None if it is empty.

    Args:
        text: `tools` or `$tools` for a variable, or a JSON list as the endpoint's route takes it.
        notebook: the notebook's variables.

    Raises:
        UsageError: if it is not a list of objects; for JSON the message has the line and the column.
        KeyRefusedError: if a tool holds a key.
    """
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
            remedy='Write [{"type": "function", "function": {"name": …, "parameters": {…}}}].',
        )
    with_tools(LLMConfig(), tools)  # refuses what JSON cannot hold, and keys
    return tools


def with_tools(config: LLMConfig, tools: Sequence[Mapping[str, Any]] | None) -> LLMConfig:
    """Return the config with the tools among its kwargs; unchanged without any."""
    return config if tools is None else config.merged(model_kwargs={KWARG: list(tools)})


def without_tools(kwargs: Mapping[str, Any], options: CallOptions) -> Mapping[str, Any]:
    """Return the kwargs of a call without what its options have added."""
    return {name: value for name, value in kwargs.items() if name != KWARG or not options.tools.strip()}


def tools_words(text: str) -> list[str]:
    """Return the words of a cell's line that say the tools, if they are a variable; JSON is one of the kwargs."""
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
