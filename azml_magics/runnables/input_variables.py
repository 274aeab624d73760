"""What a Runnable takes: variables, a text, a conversation, or anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import UsageError
from ..core.text import one_line
from .recognition import find_graph

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class InputVariables(NamedTuple):
    """The names of what a chain takes.

    Attributes:
        required: The names that it needs; None if it takes one value, such as a text.
        optional: The names that it takes besides.
        takes_anything: Whether nothing is known of what it takes: a function without a type.
        takes_messages: Whether its only variable is a conversation, as that of an agent.
    """

    required: Sequence[str] | None
    optional: Collection[str] = ()
    takes_anything: bool = False
    takes_messages: bool = False


def input_variables(runnable: Any, name: str) -> InputVariables:
    """Return what a chain takes.

    Args:
        runnable: The chain.
        name: What messages call it.

    Raises:
        UsageError: It does not say.
    """
    runnable = find_graph(runnable) or runnable  # retries around it hide what it takes
    first = getattr(runnable, "first", runnable)
    names = getattr(first, "input_variables", None)
    if isinstance(names, list):
        return InputVariables(names, set(getattr(first, "optional_variables", ())))
    try:
        schema = runnable.get_input_jsonschema()
    except Exception as error:
        raise UsageError(
            f"{name} does not say what it takes: {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Put a prompt template before it.",
        ) from error
    properties = schema.get("properties") if schema.get("type") == "object" else None
    # LangChain names the whole input "root" if a chain passes it on: {"question": RunnablePassthrough()}
    if not properties or list(properties) == ["root"]:
        is_known = any(key in schema for key in ("type", "anyOf", "oneOf", "allOf", "$ref"))
        return InputVariables(None, takes_anything=not is_known or schema.get("type") == "object")
    takes_messages = "messages" in properties and _is_list(properties["messages"])
    return InputVariables(["messages"] if takes_messages else list(properties), takes_messages=takes_messages)


def _is_list(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "array"
