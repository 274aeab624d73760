"""A call as a Python program, with the LangChain classes or with azml_magics alone."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core import wire
from ..core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from ..core.errors import ConfigError
from ..core.key_sources import EnvKey, NoKey
from ..core.keys import DEFAULT_KEY, key_source
from ..core.tools.toolset import names_of
from .python_source import call_expression, join_program, literal, send_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.key_sources import KeySource
    from ..core.messages import Message
    from ..core.wire import Formatter

LANGCHAIN_FORMATTERS = {  # the others are named
    "openai": "CustomOpenAIContentFormatter",
    "openai-chat": "CustomOpenAIChatContentFormatter",
    "mistral-chat": "MistralChatContentFormatter",
    "gpt2": "GPT2ContentFormatter",
    "dolly": "DollyContentFormatter",
    "hf": "HFContentFormatter",
}


def _prompt_of(messages: Sequence[Message]) -> str | None:
    """The text if the prompt is a single user message of text alone, else None."""
    single = messages[0] if len(messages) == 1 else {}
    content = single.get("content")
    return content if isinstance(content, str) and single == {"role": "user", "content": content} else None


def _settings(config: LLMConfig) -> dict[str, str]:
    """The arguments that LLMConfig and the LangChain classes have in common, as Python; "" for one that is not set."""
    given: dict[str, Any] = {
        "deployment_name": config.deployment_name,
        "model_kwargs": dict(config.model_kwargs),
        "model": config.model,
        "api_version": config.api_version,
        "extra_parameters": config.extra_parameters,
    }
    return {
        **{name: literal(value) for name, value in given.items() if value},
        "timeout": _seconds(config.timeout) if config.timeout != DEFAULT_TIMEOUT else "",
        "max_retries": repr(config.max_retries) if config.max_retries != DEFAULT_MAX_RETRIES else "",
        **_network_settings(config),
    }


def _seconds(value: float) -> str:
    return repr(int(value) if value == int(value) else value)


def _network_settings(config: LLMConfig) -> dict[str, str]:
    """The arguments that say how the endpoint is reached, as Python; "" for one that is not set."""
    headers = {
        name: value if isinstance(value, str) else _key_reference(key_source(value))
        for name, value in config.headers.items()
    }
    return {
        "headers": literal(headers) if headers else "",
        "key_header": repr(config.key_header) if config.key_header else "",
        "total_timeout": "" if config.total_timeout is None else _seconds(config.total_timeout),
        "verify": repr(config.verify) if config.verify is not None else "",
        "proxy": repr(config.proxy) if config.proxy else "",
        "allow_http": "True" if config.allow_http else "",
    }


# ---- formatters ----------------------------------------------------------------------------------------------


class _OwnFormatter(NamedTuple):
    """A user's own formatter in a program.

    Attributes:
        imports: The lines that import its class.
        expression: The expression that makes it.
    """

    imports: list[str]
    expression: str


def _own_formatter(formatter: Formatter) -> _OwnFormatter | None:
    """How a program gets a user's own formatter; None for one of this package.

    A class of a module is imported; for a class of the notebook, a comment says to copy it.

    Raises:
        ConfigError: A program cannot import the class, or cannot make the formatter without arguments.
    """
    own = formatter.content_formatter
    if own is None:
        return None
    kind = type(own)
    remedy = "Write it as curl, or make it a class at the top level of a module that needs no arguments."
    if getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is not kind:
        raise ConfigError(
            f"A program cannot import the formatter {kind.__name__}",
            remedy=remedy,
            error_code="formatter-not-importable",
        )
    if getattr(own, "__dict__", None) or not _needs_no_arguments(kind):
        raise ConfigError(
            f"The formatter {kind.__name__} has settings that a program cannot show",
            remedy=remedy,
            error_code="formatter-not-importable",
        )
    if kind.__module__ == "__main__":
        return _OwnFormatter([f"# {kind.__name__} is your own class: copy it from the notebook"], f"{kind.__name__}()")
    return _OwnFormatter([f"from {kind.__module__} import {kind.__name__}"], f"{kind.__name__}()")


def _needs_no_arguments(kind: type) -> bool:
    try:
        inspect.signature(kind).bind()
    except TypeError:
        return False
    except ValueError:  # a built-in without a signature
        return True
    return True


# ---- Python --------------------------------------------------------------------------------------------------


def write_langchain(config: LLMConfig, messages: Sequence[Message]) -> str:
    """Write the call with the classes of azml_magics.langchain.

    Raises:
        ConfigError: A program cannot import the config's formatter, or the answer is a vector.
    """
    formatter = wire.formatter_for(config)
    own = _own_formatter(formatter)
    if wire.wire_for(config).embeds:
        raise ConfigError(
            "The LangChain classes answer in words, and this is a vector",
            remedy="Write it as Python.",
            error_code="no-langchain-embeddings",
        )
    is_chat = formatter.chat or callable(getattr(formatter.content_formatter, "format_messages_request_payload", None))
    model = "AzureMLChatOnlineEndpoint" if is_chat else "AzureMLOnlineEndpoint"
    known = "" if own else LANGCHAIN_FORMATTERS.get(formatter.name, "")
    imports, key = _key_for_langchain(config)
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        **key,
        "content_formatter": own.expression if own else f"{known}()" if known else repr(formatter.name),
        **_settings(config),
    }
    prompt = (_prompt_of(messages) or list(messages)) if is_chat else wire.Call(config, messages).text
    imports.append(f"from azml_magics.langchain import {', '.join(filter(None, [model, known]))}")
    return join_program(
        [*imports, *(own.imports if own else ())],
        f"llm = {call_expression(model, arguments)}",
        *send_lines("llm.invoke({})", prompt),
        f"print({'response.content' if is_chat else 'response'})",
    )


def _key_for_langchain(config: LLMConfig) -> tuple[list[str], dict[str, str]]:
    """(imports, argument) for the key: os.environ for a variable, otherwise the reference."""
    key = config.key_source
    if isinstance(key, EnvKey):
        return ["import os"], {"endpoint_api_key": f"os.environ[{key.name!r}]"}
    return [], {"key": repr("" if isinstance(key, NoKey) else _key_reference(key))}


def _key_reference(key: KeySource) -> str:
    """The reference of a key. Literal keys are never written: the program prompts for them."""
    return key.reference or "ask"


def write_python(config: LLMConfig, messages: Sequence[Message], functions: Sequence[str] = ()) -> str:
    """Write the call with azml_magics alone.

    Args:
        config: Where the request goes.
        messages: The prompt.
        functions: Names of functions among the config's tools that the program calls.

    Raises:
        ConfigError: A program cannot import the config's formatter.
    """
    config = _without_functions(config, functions)
    formatter = wire.formatter_for(config)
    own = _own_formatter(formatter)
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        "formatter": own.expression if own else repr(formatter.name),
        **_settings(config),
        "key": "None" if config.key is None else repr(_key_reference(config.key_source)),
    }
    if arguments["key"] == repr(DEFAULT_KEY):
        del arguments["key"]
    offered = f", tools=[{', '.join(functions)}]" if functions else ""
    return join_program(
        ["from azml_magics import LLMConfig, invoke", *(own.imports if own else ())],
        *([f"# Define or import here what the model may call: {', '.join(functions)}"] if functions else []),
        f"config = {call_expression('LLMConfig', arguments)}",
        *send_lines(f"invoke(config, {{}}{offered})", _prompt_of(messages) or list(messages)),
        f"print(response.{'parsed' if wire.wire_for(config).embeds else 'text'})",
    )


def _without_functions(config: LLMConfig, functions: Sequence[str]) -> LLMConfig:
    """Return the config without the descriptions of functions, which `invoke` adds itself."""
    if not functions:
        return config
    described = [
        tool for tool in config.model_kwargs.get("tools", ()) if names_of([tool]) not in ([f] for f in functions)
    ]
    kwargs = {name: value for name, value in config.model_kwargs.items() if name != "tools"}
    return replace(config, model_kwargs={**kwargs, **({"tools": described} if described else {})})
