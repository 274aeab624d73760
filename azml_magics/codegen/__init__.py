"""A call as a program: LangChain, an SDK, plain Python or curl. The key is written as a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.client import prepare
from ..core.errors import UnknownNameError
from ..core.request_text import format_request
from .curl_command import write_curl
from .python_program import write_langchain, write_python
from .sdk_program import write_anthropic, write_openai

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message

__all__ = ["LANGUAGES", "format_request", "write_program"]

LANGUAGES = ("langchain", "openai", "anthropic", "python", "curl")


def write_program(
    config: LLMConfig, messages: Sequence[Message], language: str = "langchain", functions: Sequence[str] = ()
) -> str:
    """Write the call as a program.

    The program runs as printed if the key's reference leads to a key; it prompts for a key that a program cannot look
    up.

    Args:
        config: Where the request goes.
        messages: The prompt.
        language: One of `LANGUAGES`.
        functions: Names of functions among the config's tools that were called: Python code calls them, too; the other
            languages send their descriptions.

    Returns:
        The program, ending in a newline.

    Raises:
        UnknownNameError: The language is unknown.
        ConfigError: The config has a user's own formatter that a program cannot import, or one that the language does
            not support.
        AzmlError: The call could not be sent; as `core.client.prepare` raises it.
    """
    writers = {
        "langchain": write_langchain,
        "openai": write_openai,
        "anthropic": write_anthropic,
        "python": write_python,
        "curl": write_curl,
    }
    if language not in writers:
        raise UnknownNameError.of("language", language, LANGUAGES)
    prepared = prepare(config, messages, with_key=False)
    if language == "python":
        return write_python(config, list(prepared.call.messages), functions)
    return writers[language](config, list(prepared.call.messages))
