"""A call as code that a person can take away: LangChain Python, plain Python, curl. The key stays a reference."""

from __future__ import annotations

import json
import pprint
import shlex
from typing import TYPE_CHECKING, Any

from .core import wire
from .core.call import prepare
from .core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from .core.errors import ConfigError, UnknownName
from .core.secrets import DEFAULT_KEY, KeyRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .core.wire import Message

LANGUAGES = ("langchain", "python", "curl")
_LANGCHAIN_FORMATTERS = {
    "openai": "CustomOpenAIContentFormatter",
    "openai-chat": "CustomOpenAIChatContentFormatter",
    "mistral-chat": "MistralChatContentFormatter",
    "gpt2": "GPT2ContentFormatter",
    "dolly": "DollyContentFormatter",
    "hf": "HFContentFormatter",
}


def code(config: LLMConfig, messages: Sequence[Message], language: str = "langchain") -> str:
    """The call as a program in `language`, ending in a newline.

    It runs as printed where the key's reference leads to a key. UnknownName for another language, ConfigError where
    the formatter has no name that a program could use.
    """
    writers = {"langchain": _langchain, "python": _python, "curl": _curl}
    if language not in writers:
        raise UnknownName.of("language", language, LANGUAGES)
    return writers[language](config, messages)


def _formatter_name(config: LLMConfig) -> str:
    formatter = wire.formatter_for(config)
    if formatter.name not in wire.names():
        raise ConfigError(
            "A formatter of your own has no name to be used in code",
            remedy="Register it with azml_magics.register_formatter, and use it by that name.",
        )
    return formatter.name


def _prompt_of(messages: Sequence[Message]) -> str | None:
    """The prompt of a lone user message; None where there is more to it."""
    if len(messages) == 1 and messages[0].get("role") == "user" and isinstance(messages[0].get("content"), str):
        return str(messages[0]["content"])
    return None


def _literal(value: Any, indent: int = 4) -> str:
    """`value` as Python, its further lines indented to stand in a call."""
    return pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n" + " " * indent)


def _call(name: str, arguments: dict[str, str]) -> str:
    inside = "".join(f"    {key}={value},\n" for key, value in arguments.items())
    return f"{name}(\n{inside})"


def _key_in_python(config: LLMConfig) -> tuple[list[str], str]:
    """(imports, expression) for the key itself."""
    key = config.key
    if not isinstance(key, KeyRef):
        return ["import getpass"], 'getpass.getpass("Key: ")'
    if key.scheme == "env":
        return ["import os"], f"os.environ[{key.name!r}]"
    if key.scheme == "keyring":
        service, _, user = key.name.partition("/")
        return ["import keyring"], f"keyring.get_password({service!r}, {user!r})"
    return ["from azml_magics import KeyRef"], f"KeyRef.parse({str(key)!r}).resolve({config.endpoint_url!r}).reveal()"


def _langchain(config: LLMConfig, messages: Sequence[Message]) -> str:
    name = _formatter_name(config)
    if name not in _LANGCHAIN_FORMATTERS:
        raise ConfigError(
            f"LangChain has no formatter for {name!r}", remedy="Ask for --as python, which speaks every dialect."
        )
    chat = wire.get(name).chat
    model = "AzureMLChatOnlineEndpoint" if chat else "AzureMLOnlineEndpoint"
    imports, key = _key_in_python(config)
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        "endpoint_api_key": key,
        "deployment_name": repr(config.deployment_name) if config.deployment_name else "",
        "content_formatter": f"{_LANGCHAIN_FORMATTERS[name]}()",
        "model_kwargs": _literal(dict(config.model_kwargs)) if config.model_kwargs else "",
        "timeout": repr(_plain(config.timeout)) if config.timeout != DEFAULT_TIMEOUT else "",
        "max_retries": repr(config.max_retries) if config.max_retries != DEFAULT_MAX_RETRIES else "",
    }
    if chat:
        prompt = _literal(_prompt_of(messages) or list(messages), 0)
    else:
        prompt = _literal(wire.Call(config, messages).text, 0)
    show = "response.content" if chat else "response"
    return "\n".join(
        [
            *imports,
            "",
            f"from azml_magics.langchain import {model}, {_LANGCHAIN_FORMATTERS[name]}",
            "",
            f"llm = {_call(model, {key: value for key, value in arguments.items() if value})}",
            f"response = llm.invoke({prompt})",
            f"print({show})",
            "",
        ]
    )


def _plain(seconds: float) -> float | int:
    return int(seconds) if seconds == int(seconds) else seconds


def _python(config: LLMConfig, messages: Sequence[Message]) -> str:
    optional = {
        "deployment_name": config.deployment_name,
        "model_kwargs": dict(config.model_kwargs),
        "model": config.model,
        "api_version": config.api_version,
        "extra_parameters": config.extra_parameters,
    }
    arguments = {
        "endpoint_url": repr(config.endpoint_url),
        "endpoint_api_type": repr(config.endpoint_api_type),
        "formatter": repr(_formatter_name(config)),
        **{name: _literal(value) for name, value in optional.items() if value},
    }
    if isinstance(config.key, KeyRef) and str(config.key) != DEFAULT_KEY:
        arguments["key"] = repr(str(config.key))
    prompt = _literal(_prompt_of(messages) or list(messages), 0)
    return "\n".join(
        [
            "from azml_magics import LLMConfig, invoke",
            "",
            f"config = {_call('LLMConfig', arguments)}",
            f"response = invoke(config, {prompt})",
            "print(response.text)",
            "",
        ]
    )


def _curl(config: LLMConfig, messages: Sequence[Message]) -> str:
    request = prepare(config, messages, with_key=False).request
    headers = {name: value for name, value in request.headers.items() if name != "Accept"}
    lines = ["curl -sS " + shlex.quote(request.url)]
    if config.key is not None:
        lines.append(f'-H "Authorization: Bearer {_key_in_shell(config)}"')
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    try:
        body = json.dumps(json.loads(request.body), ensure_ascii=False)
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    lines.append(f"--data-binary {shlex.quote(body)}")
    return " \\\n  ".join(lines) + "\n"


def _key_in_shell(config: LLMConfig) -> str:
    """What a shell puts in the key's place inside double quotes."""
    key = config.key
    if isinstance(key, KeyRef) and key.scheme == "env":
        return f"${key.name}"
    if isinstance(key, KeyRef) and key.scheme == "keyring":
        service, _, user = key.name.partition("/")
        return f"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"
    if isinstance(key, KeyRef) and key.scheme == "entra":
        return "$(az account get-access-token --resource https://ml.azure.com --query accessToken -o tsv)"
    return "$KEY"
