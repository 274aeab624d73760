"""Tools and structured output of the chat class: the parameters of a call, and the parser of its response."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from ..core.errors import ConfigError, UnknownNameError
from ..core.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_core.output_parsers import BaseOutputParser
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

METHODS = ("function_calling", "json_schema", "json_mode")
_CHOICES = ("auto", "none", "required")


def make_tool_kwargs(
    tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], tool_choice: Any, strict: bool | None
) -> dict[str, Any]:
    """Return the `tools` and `tool_choice` of a request.

    Args:
        tools: Functions, pydantic classes, LangChain tools, or dicts in OpenAI's form. Dicts of other types, such as
            tools that the server runs, are sent as they are.
        tool_choice: "auto", "none", "required" or "any", the name of a tool, a dict in OpenAI's form, True for any, or
            None to leave the choice to the endpoint.
        strict: Whether the endpoint shall follow the schemas exactly; None leaves it to the endpoint.

    Raises:
        ConfigError: `tool_choice` names a tool that is not in `tools`.
    """
    described = [describe_tool(tool, strict) for tool in tools]
    choice = _normalize_tool_choice(tool_choice, [tool["function"]["name"] for tool in described if "function" in tool])
    return {"tools": described, **({"tool_choice": choice} if choice is not None else {})}


def describe_tool(tool: Any, strict: bool | None = None) -> dict[str, Any]:
    """Return a tool as a request has it: in OpenAI's form, unless it is a dict of another type."""
    if isinstance(tool, dict) and tool.get("type") not in (None, "function", "object"):  # "object": a JSON schema
        return tool
    return convert_to_openai_tool(tool, strict=strict)


def _normalize_tool_choice(given: Any, names: list[str]) -> Any:
    if given is None or given is False:
        return None
    if given is True or given == "any":
        return "required"
    if isinstance(given, str):
        if given in _CHOICES and given not in names:
            return given
        return {"type": "function", "function": {"name": _check_tool_name(given, names)}}
    if isinstance(given, dict):
        function = given.get("function")
        if given.get("type") == "function" and isinstance(function, dict):
            _check_tool_name(str(function.get("name")), names)
        return given
    raise ConfigError(
        f"tool_choice cannot be {type(given).__name__}",
        remedy=f'Use "{_CHOICES[0]}", "any", a tool\'s name, or a dict.',
    )


def _check_tool_name(name: str, names: list[str]) -> str:
    if name not in names:
        hint = did_you_mean(name, names).strip()
        raise ConfigError(
            f"tool_choice names {name!r}, which is not one of the tools", remedy=hint or f"Given: {names}."
        )
    return name


def make_structured_output_kwargs(schema: Any, method: str, strict: bool | None) -> dict[str, Any]:
    """Return the call parameters for structured output; LangChain's tracing reads ls_structured_output_format.

    Raises:
        UnknownNameError: There is no such method.
        ConfigError: The schema is missing.
    """
    if method not in METHODS:
        raise UnknownNameError.of("structured output method", method, METHODS)
    if schema is None and method != "json_mode":
        raise ConfigError(f"The method {method!r} needs a schema", remedy="Give one, or use method='json_mode'.")
    options = {"method": method, **({} if strict is None else {"strict": strict})}
    traced = {"ls_structured_output_format": {"kwargs": options, "schema": schema}} if schema is not None else {}
    if method == "function_calling":
        return {**make_tool_kwargs([schema], _get_tool_name(schema), strict), **traced}
    if method == "json_mode":
        return {"response_format": {"type": "json_object"}, **traced}
    function = convert_to_openai_function(schema, strict=strict)
    described = {"name": function["name"], "schema": function.get("parameters", {})}
    if function.get("description"):
        described["description"] = function["description"]
    if strict is not None:
        described["strict"] = strict
    return {"response_format": {"type": "json_schema", "json_schema": described}, **traced}


def _get_tool_name(schema: Any) -> str:
    return str(convert_to_openai_tool(schema)["function"]["name"])


def make_output_parser(schema: Any, method: str) -> BaseOutputParser[Any]:
    """Return the parser of a message: it gives an instance of a pydantic class, else a dict."""
    is_model = isinstance(schema, type) and is_basemodel_subclass(schema)
    if method == "function_calling":
        if is_model:
            return PydanticToolsParser(tools=[schema], first_tool_only=True)
        return JsonOutputKeyToolsParser(key_name=_get_tool_name(schema), first_tool_only=True)
    return PydanticOutputParser(pydantic_object=schema) if is_model else JsonOutputParser()


def include_raw_message(model: Runnable[Any, Any], parser: BaseOutputParser[Any]) -> Runnable[Any, Any]:
    """Return a runnable that gives `{"raw": message, "parsed": object or None, "parsing_error": exception or None}`."""
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | parsed.with_fallbacks([failed], exception_key="parsing_error")
