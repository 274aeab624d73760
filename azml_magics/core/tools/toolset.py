"""Toolset: the tools of a call, and the rules for calling them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..config import LLMConfig  # noqa: TC001 - get_type_hints() needs it
from ..errors import UsageError
from ..response import ToolRun  # noqa: TC001 - get_type_hints() needs it
from ..text import format_seconds
from ..wire.registry import formatter_for, wire_for
from .tool import Tool

MAX_STEPS = 5
TIMEOUT = 120.0  # seconds


@dataclass(frozen=True)
class Toolset:
    """The tools of a call, and the rules for calling them.

    Examples:
        invoke(config, "How is the weather in Lisbon?", tools=[get_weather]).text
        invoke(config, prompt, tools=Toolset([get_weather], max_steps=3, approve=ask_me))

    Attributes:
        tools: Python functions, LangChain tools, or lists of them. Type hints and the docstring tell the model what
            they are for: Google's `Args:` describe the parameters.
        max_steps: How many requests may be sent until the model gives a final response.
        timeout: Seconds that one call of a tool may take; None for no limit.
        approve: Called before a tool runs, with its call; if it returns False, the model is told that the call was not
            allowed. It may be asynchronous for an AsyncClient. By default every call runs.
        known: The same tools, by name.
    """

    tools: Any
    max_steps: int = MAX_STEPS
    timeout: float | None = TIMEOUT
    approve: Callable[[ToolRun], bool | Awaitable[bool]] | None = None
    known: Mapping[str, Tool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the tools.

        Raises:
            UsageError: One is not a tool, two have the same name, or a limit cannot be used.
        """
        if isinstance(self.max_steps, bool) or not isinstance(self.max_steps, int) or self.max_steps < 1:
            raise UsageError(f"max_steps must be a positive integer, not {self.max_steps!r}")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"timeout must be a positive number of seconds, not {self.timeout!r}")
        known: dict[str, Tool] = {}
        for tool in map(Tool.of, _flatten(self.tools)):
            if tool.name in known:
                raise UsageError(
                    f"There are two tools named {tool.name}", remedy="Give one of the functions another name."
                )
            known[tool.name] = tool
        if not known:
            raise UsageError("There is no tool", remedy="Give a function, or a list of functions.")
        object.__setattr__(self, "known", known)  # frozen

    @classmethod
    def of(cls, given: Any) -> Toolset:
        """Return a toolset as it is; tools as one with the default rules."""
        return given if isinstance(given, Toolset) else cls(given)

    def add_to(self, config: LLMConfig) -> LLMConfig:
        """Return the config with the tools among its kwargs, after those that it has, such as tools of the server.

        Raises:
            UsageError: The config has a tool of the same name, or its wire format has no place for tools.
        """
        wire = wire_for(config)
        if not wire.chat and wire.known_kwargs:  # a formatter of the user's own, which has none, may have a place
            raise UsageError(
                f"The formatter {formatter_for(config).name!r} cannot offer tools to a model",
                remedy="Use one for chat, such as openai-chat, openai-responses or anthropic-messages.",
            )
        given = config.model_kwargs.get("tools")
        own = list(given) if isinstance(given, (list, tuple)) else []
        if twice := next((name for name in names_of(own) if name in self.known), None):
            raise UsageError(f"The config's kwarg tools has a tool named {twice}, too", remedy="Leave one of them out.")
        return config.merged(model_kwargs={"tools": [*own, *(tool.to_kwarg() for tool in self.known.values())]})

    def describe_timeout(self) -> str:
        """Return the limit of one call in words."""
        return format_seconds(self.timeout or 0.0)


Tools: TypeAlias = Toolset | Callable[..., Any] | Sequence[Any]
"""What `tools=` takes: a function, LangChain tools, lists of them, or a Toolset with limits of its own."""


def names_of(tools: Iterable[Any]) -> list[str]:
    """Return the names of the functions among described tools, in the form of any route."""
    names = []
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        name = (
            function.get("name") if isinstance(function, dict) else tool.get("name") if isinstance(tool, dict) else ""
        )
        names += [name] if isinstance(name, str) and name else []
    return names


def _flatten(given: Any) -> Iterable[Any]:
    """Yield the tools in a list of tools and lists; a LangChain toolkit gives its own."""
    if isinstance(given, (list, tuple, set)):
        for each in given:
            yield from _flatten(each)
    elif callable(get_tools := getattr(given, "get_tools", None)) and not isinstance(given, type):
        yield from _flatten(get_tools())
    else:
        yield given
