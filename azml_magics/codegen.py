"""A call as code that a person can take away: LangChain Python, plain Python, curl. The key stays a reference."""

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
from .core.keys import DEFAULT_KEY, KeyRef
from .core.redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_MOST_ON_A_LINE = 100_000  # bytes: Linux takes no argument of more than 128 KiB


def code(config: LLMConfig, messages: Sequence[Message], language: str = "langchain") -> str:
    """The call as a program in `language`, ending in a newline.

    It runs as printed where the key's reference leads to a key: keys that no program can look up are typed in. Raises
    UnknownNameError for another language, ConfigError for a custom formatter that a program cannot import, and what
    `prepare` raises for a call that could not be sent.
    """
    writers = {"langchain": _langchain, "python": _python, "curl": _curl}
    if language not in writers:
        raise UnknownNameError.of("language", language, LANGUAGES)
    prepared = prepare(config, messages, with_key=False)
    return writers[language](config, list(prepared.call.messages))


def request(config: LLMConfig, messages: Sequence[Message], *, stream: bool = False) -> str:
    """The exact HTTP request as text, its key masked and not even looked up; with `stream`, the one that streams.

    Raises what `prepare` raises for a call that could not be sent.
    """
    prepared = prepare(config, messages, stream=stream, with_key=False).request
    headers = dict(prepared.headers)
    if config.key is not None:
        headers["Authorization"] = f"Bearer {MASK}  ({config.key})"
    try:
        body = json.dumps(json.loads(prepared.body), indent=2, ensure_ascii=False)
    except ValueError:
        body = prepared.body.decode("utf-8", "replace")
    lines = [f"POST {prepared.url}", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return "\n".join(lines)


def _prompt_of(messages: Sequence[Message]) -> str | None:
    """The prompt of a lone user message; None where there is more to it."""
    lone = messages[0] if len(messages) == 1 else {}
    content = lone.get("content")
    return content if isinstance(content, str) and lone == {"role": "user", "content": content} else None


def _literal(value: Any, indent: int = 4) -> str:
    """`value` as Python, its further lines indented to stand in a call."""
    return pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n" + " " * indent)


def _call(name: str, arguments: dict[str, str]) -> str:
    inside = "".join(f"    {key}={value},\n" for key, value in arguments.items() if value)
    return f"{name}(\n{inside})"


def _asking(asked: str, prompt: Any) -> list[str]:
    """The line that asks, and before it the prompt where it is long."""
    written = _literal(prompt, len("prompt = "))
    if "\n" in written:
        return [f"prompt = {written}", f"response = {asked.format('prompt')}"]
    return [f"response = {asked.format(written)}"]


def _program(imports: Sequence[str], *lines: str) -> str:
    """The lines below the imports, the standard library's first."""
    standard = [line for line in imports if line.startswith("import ")]
    others = [line for line in imports if line not in standard]
    blocks = ["\n".join(block) for block in (standard, others, lines) if block]
    return "\n\n".join(blocks) + "\n"


def _settings(config: LLMConfig) -> dict[str, str]:
    """The arguments that LLMConfig and the LangChain classes have under the same names, where they are set."""
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


class _Own(NamedTuple):
    """A formatter of the person's own in a program: what imports it, and what makes it."""

    imports: list[str]
    made: str


def _own(formatter: Formatter) -> _Own | None:
    """How a program gets a formatter that is none of this package's dialects; None for one that is.

    A class of a module is imported; one of the notebook is expected there. ConfigError where neither will do.
    """
    own = formatter.content_formatter
    if own is None:
        return None
    kind = type(own)
    remedy = "Ask for --as curl, or give it a class of its own, at the top of a module, that is made without arguments."
    if getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is not kind:
        raise ConfigError(f"The formatter {kind.__name__} cannot be imported by a program", remedy=remedy)
    if getattr(own, "__dict__", None) or not _needs_nothing(kind):
        raise ConfigError(f"The formatter {kind.__name__} was made with settings that code cannot show", remedy=remedy)
    if kind.__module__ == "__main__":
        return _Own([f"# {kind.__name__} is your own class: take it along from the notebook"], f"{kind.__name__}()")
    return _Own([f"from {kind.__module__} import {kind.__name__}"], f"{kind.__name__}()")


def _needs_nothing(kind: type) -> bool:
    try:
        inspect.signature(kind).bind()
    except TypeError:
        return False
    except ValueError:  # a built-in, whose signature nobody knows
        return True
    return True


# ---- Python --------------------------------------------------------------------------------------------------


def _langchain(config: LLMConfig, messages: Sequence[Message]) -> str:
    formatter = wire.formatter_for(config)
    own = _own(formatter)
    if own is None and formatter.name not in _LANGCHAIN_FORMATTERS:
        raise ConfigError(
            f"LangChain has no formatter for {formatter.name!r}",
            remedy="Ask for --as python, which speaks every dialect.",
        )
    is_chat = formatter.chat or callable(getattr(formatter.content_formatter, "format_messages_request_payload", None))
    model = "AzureMLChatOnlineEndpoint" if is_chat else "AzureMLOnlineEndpoint"
    known = "" if own else _LANGCHAIN_FORMATTERS[formatter.name]
    imports, key = _key_for_langchain(config)
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        **key,
        "content_formatter": own.made if own else f"{known}()",
        **_settings(config),
    }
    prompt = (_prompt_of(messages) or list(messages)) if is_chat else wire.Call(config, messages).text
    imports.append(f"from azml_magics.langchain import {', '.join(filter(None, [model, known]))}")
    return _program(
        [*imports, *(own.imports if own else ())],
        f"llm = {_call(model, arguments)}",
        *_asking("llm.invoke({})", prompt),
        f"print({'response.content' if is_chat else 'response'})",
    )


def _key_for_langchain(config: LLMConfig) -> tuple[list[str], dict[str, str]]:
    """(imports, argument) for the key: read from the environment in sight, any other by its reference."""
    key = config.key
    if isinstance(key, KeyRef) and key.scheme == "env":
        return ["import os"], {"endpoint_api_key": f"os.environ[{key.name!r}]"}
    return [], {"key": repr("" if key is None else _reference(key))}


def _reference(key: Any) -> str:
    """A key's reference; a literal one is in nobody's code, so that it is asked for."""
    return str(key) if isinstance(key, KeyRef) else "ask"


def _python(config: LLMConfig, messages: Sequence[Message]) -> str:
    formatter = wire.formatter_for(config)
    own = _own(formatter)
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        "formatter": own.made if own else repr(formatter.name),
        **_settings(config),
        "key": "None" if config.key is None else repr(_reference(config.key)),
    }
    if arguments["key"] == repr(DEFAULT_KEY):
        del arguments["key"]
    return _program(
        ["from azml_magics import LLMConfig, invoke", *(own.imports if own else ())],
        f"config = {_call('LLMConfig', arguments)}",
        *_asking("invoke(config, {})", _prompt_of(messages) or list(messages)),
        "print(response.text)",
    )


# ---- curl ----------------------------------------------------------------------------------------------------


def _curl(config: LLMConfig, messages: Sequence[Message]) -> str:
    request = prepare(config, messages, with_key=False).request
    lines = ["curl -sS " + shlex.quote(request.url)]
    if config.key is not None:
        asking, key = _key_in_shell(config)
        lines[:0] = asking
        is_token = isinstance(config.key, KeyRef) and config.key.is_token
        auth = endpoints.auth_headers(request.url, key, is_token=is_token)
        lines += [f'-H "{name}: {value}"' for name, value in auth.items()]
    # the whole answer is asked for: what a stream would be accepted as does not matter
    headers = {name: value for name, value in request.headers.items() if "event-stream" not in value}
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        body = "\0"
    if "\0" in body:
        raise ConfigError("The request's body is no text, which curl could be given", remedy="Ask for --as python.")
    if len(request.body) <= _MOST_ON_A_LINE:
        return " \\\n  ".join([*lines, f"--data-raw {shlex.quote(body)}"]) + "\n"
    mark = "BODY"
    while mark in body.splitlines():
        mark += "_"
    return " \\\n  ".join([*lines, f"--data-binary @- <<'{mark}'"]) + f"\n{body}\n{mark}\n"


def _key_in_shell(config: LLMConfig) -> tuple[list[str], str]:
    """(what is to be done before, what a shell puts in the key's place inside double quotes)."""
    key = config.key
    if isinstance(key, KeyRef) and key.scheme == "env":
        return [], f"${key.name}"
    if isinstance(key, KeyRef) and key.scheme == "keyring":
        service, _, user = key.name.partition("/")
        return [], f"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"
    if isinstance(key, KeyRef) and key.scheme == "entra":
        resource = endpoints.entra_resource(config.endpoint_url)
        return [], f"$(az account get-access-token --resource {resource} --query accessToken -o tsv)"
    return ["printf 'Key: ' >&2 && read -rs KEY && echo >&2 &&"], "$KEY"
