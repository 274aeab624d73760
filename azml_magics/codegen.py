"""A call as a program: LangChain Python, plain Python or curl. The key is written as a reference."""

from __future__ import annotations

import inspect
import json
import pprint
import shlex
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from .core import endpoints, wire
from .core.client import prepare
from .core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from .core.errors import ConfigError, UnknownNameError
from .core.key_sources import EntraToken, EnvKey, KeyringKey, LiteralKey, NoKey
from .core.keys import DEFAULT_KEY
from .core.redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .core.key_sources import KeySource
    from .core.messages import Message
    from .core.wire import Formatter

LANGUAGES = ("langchain", "python", "curl")
_LANGCHAIN_FORMATTERS = {
    "openai": "CustomOpenAIContentFormatter",
    "openai-chat": "CustomOpenAIChatContentFormatter",
    "mistral-chat": "MistralChatContentFormatter",
    "gpt2": "GPT2ContentFormatter",
    "dolly": "DollyContentFormatter",
    "hf": "HFContentFormatter",
}
_MAX_ARGUMENT = 100_000  # bytes: Linux allows 128 KiB for one argument


def write_program(config: LLMConfig, messages: Sequence[Message], language: str = "langchain") -> str:
    """Write the call as a program.

    The program runs as printed if the key's reference leads to a key; it prompts for a key that a program cannot look
    up.

    Args:
        config: Where the request goes.
        messages: The prompt.
        language: One of `LANGUAGES`.

    Returns:
        The program, ending in a newline.

    Raises:
        UnknownNameError: The language is unknown.
        ConfigError: The config has a user's own formatter that a program cannot import, or one that the language does
            not support.
        AzmlError: The call could not be sent; as `core.client.prepare` raises it.
    """
    writers = {"langchain": _write_langchain, "python": _write_python, "curl": _write_curl}
    if language not in writers:
        raise UnknownNameError.of("language", language, LANGUAGES)
    prepared = prepare(config, messages, with_key=False)
    return writers[language](config, list(prepared.call.messages))


def format_request(config: LLMConfig, messages: Sequence[Message], *, stream: bool = False) -> str:
    """Format the exact HTTP request as text. Its key is not looked up; its reference is shown.

    Args:
        config: Where the request goes.
        messages: The prompt.
        stream: Whether the request asks for a stream.

    Raises:
        AzmlError: The call could not be sent; as `core.client.prepare` raises it.
    """
    prepared = prepare(config, messages, stream=stream, with_key=False).request
    headers = dict(prepared.headers)
    if config.key is not None:
        headers["Authorization"] = f"Bearer {MASK}  ({config.key_source})"
    try:
        body = json.dumps(json.loads(prepared.body), indent=2, ensure_ascii=False)
    except ValueError:
        body = prepared.body.decode("utf-8", "replace")
    lines = [f"POST {prepared.url}", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return "\n".join(lines)


def _prompt_of(messages: Sequence[Message]) -> str | None:
    """The text if the prompt is a single user message of text alone, else None."""
    single = messages[0] if len(messages) == 1 else {}
    content = single.get("content")
    return content if isinstance(content, str) and single == {"role": "user", "content": content} else None


def _literal(value: Any, indent: int = 4) -> str:
    """`value` as Python; all lines but the first are indented."""
    return pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n" + " " * indent)


def _call(name: str, arguments: dict[str, str]) -> str:
    inside = "".join(f"    {key}={value},\n" for key, value in arguments.items() if value)
    return f"{name}(\n{inside})"


def _send_lines(call: str, prompt: Any) -> list[str]:
    """The line that sends the prompt; a long prompt gets a line of its own. `call` has {} for the prompt."""
    literal = _literal(prompt, len("prompt = "))
    if "\n" in literal:
        return [f"prompt = {literal}", f"response = {call.format('prompt')}"]
    return [f"response = {call.format(literal)}"]


def _program(imports: Sequence[str], *lines: str) -> str:
    """The lines below the imports; those of the standard library come first."""
    standard = [line for line in imports if line.startswith("import ")]
    others = [line for line in imports if line not in standard]
    blocks = ["\n".join(block) for block in (standard, others, lines) if block]
    return "\n\n".join(blocks) + "\n"


def _settings(config: LLMConfig) -> dict[str, str]:
    """The arguments that LLMConfig and the LangChain classes have in common, as Python; "" for one that is not set."""
    given: dict[str, Any] = {
        "deployment_name": config.deployment_name,
        "model_kwargs": dict(config.model_kwargs),
        "model": config.model,
        "api_version": config.api_version,
        "extra_parameters": config.extra_parameters,
    }
    seconds = int(config.timeout) if config.timeout == int(config.timeout) else config.timeout
    return {
        **{name: _literal(value) for name, value in given.items() if value},
        "timeout": repr(seconds) if config.timeout != DEFAULT_TIMEOUT else "",
        "max_retries": repr(config.max_retries) if config.max_retries != DEFAULT_MAX_RETRIES else "",
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


def _write_langchain(config: LLMConfig, messages: Sequence[Message]) -> str:
    formatter = wire.formatter_for(config)
    own = _own_formatter(formatter)
    if own is None and formatter.name not in _LANGCHAIN_FORMATTERS:
        raise ConfigError(
            f"LangChain has no formatter for {formatter.name!r}",
            remedy="Write it as Python, which has every formatter.",
            error_code="no-langchain-formatter",
        )
    is_chat = formatter.chat or callable(getattr(formatter.content_formatter, "format_messages_request_payload", None))
    model = "AzureMLChatOnlineEndpoint" if is_chat else "AzureMLOnlineEndpoint"
    known = "" if own else _LANGCHAIN_FORMATTERS[formatter.name]
    imports, key = _key_for_langchain(config)
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        **key,
        "content_formatter": own.expression if own else f"{known}()",
        **_settings(config),
    }
    prompt = (_prompt_of(messages) or list(messages)) if is_chat else wire.Call(config, messages).text
    imports.append(f"from azml_magics.langchain import {', '.join(filter(None, [model, known]))}")
    return _program(
        [*imports, *(own.imports if own else ())],
        f"llm = {_call(model, arguments)}",
        *_send_lines("llm.invoke({})", prompt),
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
    return "ask" if isinstance(key, LiteralKey) else str(key)


def _write_python(config: LLMConfig, messages: Sequence[Message]) -> str:
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
    return _program(
        ["from azml_magics import LLMConfig, invoke", *(own.imports if own else ())],
        f"config = {_call('LLMConfig', arguments)}",
        *_send_lines("invoke(config, {})", _prompt_of(messages) or list(messages)),
        "print(response.text)",
    )


# ---- curl ----------------------------------------------------------------------------------------------------


def _write_curl(config: LLMConfig, messages: Sequence[Message]) -> str:
    request = prepare(config, messages, with_key=False).request
    lines = ["curl -sS " + shlex.quote(request.url)]
    if config.key is not None:
        before, key = _key_in_shell(config)
        lines[:0] = before
        is_token = config.key_source.is_token
        auth = endpoints.auth_headers(request.url, key, is_token=is_token)
        lines += [f'-H "{name}: {value}"' for name, value in auth.items()]
    # the response comes whole: the Accept header of a stream is not needed
    headers = {name: value for name, value in request.headers.items() if "event-stream" not in value}
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        body = "\0"
    if "\0" in body:
        raise ConfigError(
            "The request's body is not text, so it cannot be an argument of curl",
            remedy="Write it as Python.",
            error_code="body-not-text",
        )
    if len(request.body) <= _MAX_ARGUMENT:
        return " \\\n  ".join([*lines, f"--data-raw {shlex.quote(body)}"]) + "\n"
    mark = "BODY"
    while mark in body.splitlines():
        mark += "_"
    return " \\\n  ".join([*lines, f"--data-binary @- <<'{mark}'"]) + f"\n{body}\n{mark}\n"


def _key_in_shell(config: LLMConfig) -> tuple[list[str], str]:
    """(lines before the command, what stands for the key inside double quotes)."""
    key = config.key_source
    if isinstance(key, EnvKey):
        return [], f"${key.name}"
    if isinstance(key, KeyringKey):
        service, _, user = key.name.partition("/")
        return [], f"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"
    if isinstance(key, EntraToken):
        resource = endpoints.entra_resource(config.endpoint_url)
        return [], f"$(az account get-access-token --resource {resource} --query accessToken -o tsv)"
    return ["printf 'Key: ' >&2 && read -rs KEY && echo >&2 &&"], "$KEY"
