"""The loop of tools for a LangChain model: its calls are run, and their results sent, until a final response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError
from azml_magics.core.text import one_line
from azml_magics.core.tools import ToolLoop

from .runnable_input import model_input
from .runnable_stream import RunnableStream
from .tools import load_toolset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response
    from azml_magics.core.tools import Toolset
    from azml_magics.display.live_text import LiveText

    from .context import NotebookContext
    from .parsed_options import CellOptions


def bind_tools(context: NotebookContext, options: CellOptions, model: Any) -> tuple[Any, Toolset | None]:
    """Return the model with the tools of --tool, and the tools; the model itself without --tool.

    Raises:
        UsageError: Something is not a tool, or the model takes none.
    """
    toolset = load_toolset(context, options)
    if toolset is None:
        return model, None
    try:
        return model.bind_tools([tool.to_kwarg() for tool in toolset.known.values()]), toolset
    except (AttributeError, NotImplementedError) as error:
        reason = one_line(str(error), 100)
        raise UsageError(
            f"{options.config} takes no tools{f': {reason}' if reason else ''}",
            remedy="Use a chat model with bind_tools.",
        ) from None


def receive(runnable: Any, toolset: Toolset, messages: Sequence[Message], name: str, live: LiveText | None) -> Response:
    """Return the final response of a model with tools, with the steps that led to it.

    Args:
        runnable: The model, with the tools bound.
        toolset: The tools.
        messages: The prompt.
        name: What the cell calls the model.
        live: Shows the text and the calls as they come.

    Raises:
        RunnableError: The model raised. What had arrived is in the error's `response`.
        Interrupted: The user interrupted the kernel. What had arrived is kept likewise.
    """
    loop = ToolLoop(toolset, messages)
    with loop.keep_steps():
        while loop.is_open:
            response = RunnableStream(runnable, model_input(loop.messages), name).receive(live)
            for call in loop.take(response):
                if live:
                    live.show_tool_run(call)
                run = loop.run(call)
                if live:
                    live.show_tool_run(run)
    return loop.response
