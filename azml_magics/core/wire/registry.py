"""Formatters by name: the built-in ones, LangChain's older names for them, and those that users register."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import AzmlError, ConfigError, UnknownNameError, UsageError
from .anthropic_messages import AnthropicMessagesWire
from .custom import custom_formatter, is_content_formatter
from .embeddings import OpenAIEmbeddingsWire, ScoreEmbeddingsWire
from .first_generation import DollyWire, GPT2Wire
from .formatter import Formatter
from .huggingface import HuggingFaceListWire, HuggingFaceTextWire
from .input_data import InputDataChatWire, InputDataCompletionWire
from .mistral import MistralChatWire, MistralInputDataWire
from .mlflow import MLflowWire
from .openai_chat import OpenAIChatWire
from .openai_completions import OpenAICompletionsWire
from .openai_responses import OpenAIResponsesWire
from .promptflow import PromptFlowWire
from .tgi import TGIWire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import LLMConfig
    from .base import Wire

# The wire for /score of dedicated endpoints comes first: those for OpenAI routes also take /score of a serverless one.
_BUILT_IN: Mapping[str, Formatter] = {
    formatter.name: formatter
    for formatter in (
        Formatter(
            "openai",
            "completions: prompt on OpenAI routes, input_data on /score of dedicated endpoints",
            (InputDataCompletionWire(), OpenAICompletionsWire()),
        ),
        Formatter(
            "openai-chat",
            "chat: messages on OpenAI routes, input_data on /score of dedicated endpoints",
            (InputDataChatWire(), OpenAIChatWire()),
        ),
        Formatter(
            "openai-responses",
            "the Responses API: every model of Foundry and Azure OpenAI, with reasoning, tools and files",
            (OpenAIResponsesWire(),),
        ),
        Formatter(
            "anthropic-messages",
            "Anthropic's Messages API: Claude in Foundry",
            (AnthropicMessagesWire(),),
        ),
        Formatter(
            "mistral-chat",
            "chat for models without a system role: it joins the first user message",
            (MistralInputDataWire(), MistralChatWire()),
        ),
        Formatter("gpt2", "first-generation GPT-2 style: inputs.input_string, parameters beside it", (GPT2Wire(),)),
        Formatter(
            "dolly", "Dolly and second-generation GPT-2: input_data.input_string, parameters beside it", (DollyWire(),)
        ),
        Formatter("hf", "Hugging Face models: inputs as a list, parameters beside it", (HuggingFaceListWire(),)),
        Formatter("hf-plain", "Hugging Face registry containers: inputs as one text", (HuggingFaceTextWire(),)),
        Formatter(
            "mlflow",
            "MLflow no-code deployments and today's catalogue text models: input_data as a list, params beside it",
            (MLflowWire(),),
        ),
        Formatter("tgi", "Hugging Face Text Generation Inference: /generate and /generate_stream", (TGIWire(),)),
        Formatter(
            "promptflow",
            "a deployed prompt flow: question and chat_history in, answer out; or promptflow(input=…,output=…)",
            (PromptFlowWire(),),
        ),
        Formatter(
            "embeddings",
            "embeddings models: a text in, a vector out, on /embeddings and on /score of MLflow deployments",
            (ScoreEmbeddingsWire(), OpenAIEmbeddingsWire()),
        ),
    )
}
ALIASES: Mapping[str, str] = {"oss": "gpt2", "llama": "openai", "llama-chat": "openai-chat"}
"""The older names, which LangChain has deprecated."""
_WITH_OPTIONS: Mapping[str, tuple[type[MLflowWire | PromptFlowWire], tuple[str, ...]]] = {
    "mlflow": (MLflowWire, ("column",)),
    "promptflow": (PromptFlowWire, ("input", "history", "output")),
}

_registered: dict[str, Formatter] = {}


def names(*, aliases: bool = False) -> list[str]:
    """Return the names that `get` knows: built-in, then registered, then (if requested) the older ones."""
    return [*_BUILT_IN, *sorted(_registered), *(ALIASES if aliases else ())]


def get(name: str) -> Formatter:
    """Return the formatter of that name or older name.

    Args:
        name: The name. Behind `promptflow` the names of the flow's inputs and outputs may follow:
            `promptflow(input=query,history=turns,output=reply)`, each of them optional; behind `mlflow` the name of the
            table's column: `mlflow(column=prompt)`.

    Raises:
        UnknownNameError: There is none, or no such option; the message has the nearest name.
        UsageError: The options cannot be read.
    """
    plain, bracket, options = name.partition("(")
    formatter = _registered.get(plain) or _BUILT_IN.get(ALIASES.get(plain, plain))
    if bracket and plain in _WITH_OPTIONS:
        return _with_options(name, plain, options)
    if formatter is None or bracket:
        raise UnknownNameError.of(
            "formatter",
            name,
            names(),
            "Register your own with azml_magics.register_formatter, or pass the object itself.",
            error_code="unknown-formatter",
        )
    return formatter


@lru_cache(maxsize=64)
def _with_options(name: str, plain: str, text: str) -> Formatter:
    """Return the formatter `plain` with the options in `text`, which is what follows its bracket."""
    wire, known = _WITH_OPTIONS[plain]
    options: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.removesuffix(")").split(","))):
        key, equals, value = map(str.strip, part.partition("="))
        if not text.endswith(")") or not equals or not value:
            example = ",".join(f"{option}=NAME" for option in known)
            raise UsageError(f"{name!r} cannot be read as a formatter", remedy=f"Write it as {plain}({example}).")
        if key not in known:
            raise UnknownNameError.of(f"option of {plain}", key, known)
        options[key] = value
    return Formatter(name, _BUILT_IN[plain].description, (wire(**options),))


def register(name: str, formatter: Any) -> None:
    """Register a formatter of your own, so that configs find it by name.

    Args:
        name: Letters, digits, `-` and `_`; not the name of a built-in formatter.
        formatter: An object with format_request_payload and format_response_payload, or a class of such objects that
            takes no arguments.

    Raises:
        UsageError: The name cannot be used, or the object is not a formatter.
    """
    if not name or name[0] == "-" or not name.replace("-", "_").isidentifier():
        raise UsageError(f"{name!r} cannot name a formatter", remedy="Use letters, digits, - and _.")
    if name in _BUILT_IN or name in ALIASES:
        raise UsageError(f"{name!r} is the name of a built-in formatter", remedy="Choose another name.")
    _registered[name] = as_formatter(_instantiate(formatter) if isinstance(formatter, type) else formatter)


def _instantiate(formatter: type) -> Any:
    try:
        return formatter()
    except TypeError as error:
        raise UsageError(
            f"{formatter.__name__} cannot be made without arguments: {error}",
            remedy="Make the object yourself and register that.",
        ) from error


def unregister(name: str) -> None:
    """Remove a registered formatter; nothing happens if there is none of that name."""
    _registered.pop(name, None)


def as_formatter(candidate: Any) -> Formatter:
    """Return the formatter that `candidate` is, names or can be made into.

    Args:
        candidate: A Formatter, a name, or a user's own object.

    Raises:
        UnknownNameError: No formatter has the name.
        UsageError: The object is not a formatter.
    """
    if isinstance(candidate, Formatter):
        return candidate
    if isinstance(candidate, str):
        return get(candidate)
    if not is_content_formatter(candidate):
        raise UsageError(
            f"{type(candidate).__name__!r} is not a content formatter",
            remedy=f"Give one of {', '.join(names())}, or an object with format_request_payload "
            "and format_response_payload.",
        )
    return custom_formatter(candidate)


def default_for_url(url: str) -> str:
    """Return the name of the formatter that the route of `url` implies; "" if it implies none, as on /score."""
    implied = endpoints.formatters_for(url) if url else ()
    return next((name for name in implied if name in _BUILT_IN), "")


def formatter_for(config: LLMConfig) -> Formatter:
    """Return the formatter that the config names, or else the one that its URL implies.

    Raises:
        ConfigError: The config names none, and the URL implies none.
        UnknownNameError, UsageError: As for `as_formatter`.
    """
    chosen = config.formatter or default_for_url(config.endpoint_url)
    if not chosen:
        raise ConfigError(
            "No formatter: the wire format of /score differs from deployment to deployment",
            remedy=f"Choose one: {', '.join(_BUILT_IN)}.",
            error_code="no-formatter",
            facts={"known": ", ".join(_BUILT_IN)},
        )
    return as_formatter(chosen)


def notices_for(config: LLMConfig) -> tuple[str, ...]:
    """Return what a user should know of the config before its first call: sentences, each of one line."""
    try:
        own = wire_for(config).notices(config)
    except AzmlError:  # the call itself reports it
        own = ()
    return (*endpoints.notices_of(config.endpoint_url), *own)


def wire_for(config: LLMConfig) -> Wire:
    """Return the wire format for the config: its formatter's, for its endpoint type and route.

    Raises:
        ConfigError: There is no formatter, or it does not fit the endpoint. FormatterError if it is the user's own.
        UnknownNameError, UsageError: As for `as_formatter`.
    """
    return formatter_for(config).wire_for(config)
