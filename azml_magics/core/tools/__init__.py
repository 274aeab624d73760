"""Tools: functions that a model may call, and the loop that calls them until it gives a final response."""

from .loop import ToolLoop
from .stream import AsyncToolStream, ToolStream
from .tool import Tool
from .toolset import Tools, Toolset

__all__ = ["AsyncToolStream", "Tool", "ToolLoop", "ToolStream", "Tools", "Toolset"]
