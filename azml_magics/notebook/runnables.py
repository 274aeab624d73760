"""%%azureml $object for any LangChain object - chain, chat model, LLM, of any provider.

Nothing here imports LangChain before such an object is asked: what was given brings it along, and is told by what it
can do.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, Interrupted, PromptError, UsageError
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt import template
from azml_magics.core.text import one_line

from . import cell_config, cell_messages, cell_output, conversation_turns, publishing, runnable_answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response

    from .context import NotebookContext
    from .parsed_options import CellOptions

_FOR_CONFIGS = {
    "-u": "url",
    "--type": "type",
    "--deployment": "deployment",
    "-f": "formatter",
    "--key": "key",
    "--timeout": "timeout",
    "--retries": "retries",
    "--model": "model",
    "--api-version": "api_version",
    "--schema": "schema",
    "--dry-run": "dry_run",
    "--save": "save",
}
_FOR_MODELS = {"-s": "system", "-c": "conversation", "-i": "image", "-p": "set", "-k": "kwargs"}
_DEEPEST = 8  # wrappers around a model: retries, bound kwargs, fallbacks


def is_runnable(found: Any) -> bool:
    """Whether `found` is a LangChain Runnable that is no config of ours: one of another make, a chain, or a wrapper."""
    kind = type(found)
    if isinstance(found, type) or hasattr(kind, "to_config"):  # not hasattr(found, …): a wrapper hands everything on
        return False
    return all(callable(getattr(kind, name, None)) for name in ("invoke", "astream", "get_input_jsonschema"))


def run(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> Response:
    """The answer of a chain or of another provider's model, shown as it arrives and kept in the history."""
    name = options.config or ""
    is_model = _is_model(runnable)
    _check(options, is_model=is_model)
    messages: Sequence[Message]
    if is_model:
        messages = cell_messages.build_messages(
            context, options, body, LLMConfig(name=name, system=_system(context, options))
        )
        given = _prompt_of(messages)
        kwargs = cell_config.model_kwargs(context, options)
        runnable = runnable.bind(**kwargs) if kwargs else runnable
    else:
        given = _input_of(context, options, body, runnable)
        messages = as_messages(given if isinstance(given, str) else cell_messages.prompt_text(body), None)
    context.on_exit(runnable_answer.close)
    live = (
        publishing.live_text(context.shell)
        if context.settings.stream and not (options.no_stream or options.quiet)
        else None
    )
    exchange = (LLMConfig(name=name), messages)
    try:
        response = runnable_answer.Answer(runnable, given, name).read(live)
    except (AzmlError, Interrupted) as error:
        if live:
            live.keep()
        context.session.record(*exchange, error.response, error)
        raise
    response = _formatted(response, options.format or context.settings.format)
    if live:
        live.finish(response)
    context.session.record(*exchange, response)
    if options.conversation:
        conversation_turns.keep_turns(context, options.conversation, messages, response)
    return response


def _check(options: CellOptions, *, is_model: bool) -> None:
    """UsageError for options that mean nothing to what was given."""
    for flag, field in _FOR_CONFIGS.items():
        if getattr(options, field):
            raise UsageError(
                f"{flag} is for configs, and {options.config} is a LangChain object with settings of its own",
                remedy=f"Leave out {flag}.",
            )
    templated = {} if options.template in (None, "none") else {"-t": "template"}
    for flag, field in {} if is_model else (_FOR_MODELS | templated).items():
        if getattr(options, field):
            raise UsageError(
                f"{flag} has no place in a chain", remedy=f"Put it into the chain that {options.config} is."
            )


def _system(context: NotebookContext, options: CellOptions) -> str | None:
    given = options.system
    return str(context.variable(given)) if given and given.startswith("$") else given


def _formatted(response: Response, wanted: str) -> Response:
    """The response as it is to be shown: what a parser made is JSON, where JSON can hold it."""
    if response.parsed is None:
        return cell_output.parse_format(response, wanted)
    try:
        json.loads(response.text)
    except ValueError:
        return replace(response, format="text")
    return replace(response, format="text" if wanted == "text" else "json")


# ---- what goes in ----------------------------------------------------------------------------------------------


def _is_model(runnable: Any) -> bool:
    """Whether it is a chat model or LLM, possibly with retries, fallbacks or kwargs around it."""
    for _ in range(_DEEPEST):
        if callable(getattr(type(runnable), "generate_prompt", None)):
            return True
        inner = vars(runnable).get("bound", vars(runnable).get("runnable")) if hasattr(runnable, "__dict__") else None
        if inner is None:
            return False
        runnable = inner
    return False


def _prompt_of(messages: Sequence[Message]) -> Any:
    """What a model takes: the text of a lone prompt, or LangChain's messages."""
    if len(messages) == 1 and messages[0].get("role") == "user" and isinstance(messages[0].get("content"), str):
        return messages[0]["content"]
    from azml_magics.langchain.message_conversion import messages_from_wire

    return messages_from_wire(messages)


def _input_of(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> Any:
    """What a chain takes: its variables, or the text of the body where it takes one."""
    values = cell_messages.prompt_values(context, options)
    text = cell_messages.prompt_text(body)
    prompt = text if options.template == "none" else template.render(text, values)
    wanted, optional = _variables(runnable, str(options.config))
    if wanted is None:
        if not prompt:
            raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
        return prompt
    given = {key: values[key] for key in (*wanted, *optional) if key in values}
    sole = [key for key in wanted if len(wanted) == 1 and f"{key}=" not in "".join(options.var)]
    return _filled(str(options.config), wanted, given, prompt, sole)


def _filled(
    name: str, wanted: Sequence[str], given: dict[str, Any], prompt: str, sole: Sequence[str]
) -> dict[str, Any]:
    """The variables of the chain `name`, those that are `given` and, with the prompt, the one that is found nowhere
    else; a chain's `sole` variable is the prompt, also where the notebook happens to have one of that name.
    """
    missing = [key for key in wanted if key not in given]
    if prompt:
        open_one = missing or sole
        if len(open_one) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else "all of its variables are defined in the notebook"
            raise PromptError(
                f"The cell has a body, and {name} has no single variable for it: {why}",
                remedy=f"Leave one of its variables to the body, or ask without one: %azureml {name}.",
            )
        given[open_one[0]] = prompt
    elif missing:
        raise PromptError(f"{name} needs {', '.join(missing)}", remedy="Define it, or pass --var NAME=VALUE.")
    return given


def _variables(runnable: Any, name: str) -> tuple[Sequence[str] | None, Collection[str]]:
    """(names that a chain asks for, names that it can do without); None for one that takes a text."""
    first = getattr(runnable, "first", runnable)
    names = getattr(first, "input_variables", None)
    if isinstance(names, list):
        return names, set(getattr(first, "optional_variables", ()))
    try:
        schema = runnable.get_input_jsonschema()
    except Exception as error:
        raise UsageError(
            f"{name} does not tell what it takes: {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Put a prompt template before it.",
        ) from error
    properties = list(schema.get("properties") or ()) if schema.get("type") == "object" else []
    # LangChain names the whole input "root" where a chain passes it on as it is: {"question": RunnablePassthrough()}
    return (None if not properties or properties == ["root"] else properties), ()
