"""A prompt and a row become the messages of one request, and the key under which its answer is kept."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..core.client import invoke
from ..core.endpoints import Origin
from ..core.errors import PromptError, UndefinedVariableError, UsageError
from ..core.messages import as_messages
from ..core.prompt import template
from ..core.text import one_line
from .extraction import Extraction
from .records import ANSWER_COLUMNS, TableRow, is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from .records import Column, Record

    Prompt = str | Sequence[Message] | Callable[[Mapping[str, Any]], str | Sequence[Message]]

_KEY_BYTES = 16


class Question:
    """What every row is asked.

    prompt: a text or messages, whose `{column}`s take the row's values; or a function of the row's values that gives
    either. variables: what other names in the prompt stand for; a column goes before them. schema: what every answer is
    to keep to.
    columns: those that an answer adds to the table.
    """

    def __init__(
        self,
        config: LLMConfig,
        prompt: Prompt,
        variables: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
    ) -> None:
        self.config = config
        self.prompt = prompt
        self.names: tuple[str, ...] = () if callable(prompt) else tuple(_names_in(prompt))
        known = variables or {}
        self.variables = {name: known[name] for name in self.names if name in known}
        self._extraction = Extraction(schema) if schema is not None else None
        self.columns: tuple[Column, ...] = (*(self._extraction.columns if self._extraction else ()), *ANSWER_COLUMNS)
        self._digest = b""

    @property
    def alone(self) -> str:
        """The column that rows of plain texts have: the prompt's only variable, else `text`."""
        open_names = [name for name in self.names if name not in self.variables]
        return open_names[0] if len(open_names) == 1 else self.names[0] if len(self.names) == 1 else "text"

    def check(self, columns: Sequence[str]) -> None:
        """UndefinedVariableError or UsageError where the prompt and a table with those columns do not fit."""
        if callable(self.prompt):
            return
        for name in self.names:
            if name not in columns and name not in self.variables:
                raise UndefinedVariableError.of_rows(name, [*columns, *self.variables])
        if not any(name in columns for name in self.names):
            raise UsageError(
                "The prompt uses no column of the table: every row would ask the same",
                remedy=f"Write {{NAME}} where a value belongs; the columns are {one_line(', '.join(columns), 200)}.",
            )

    def used(self, record: Record) -> dict[str, Any]:
        """The row's values that the prompt uses; all of them where a function makes it."""
        if callable(self.prompt):
            return dict(record.values)
        return {name: record.values[name] for name in self.names if name in record.values}

    def messages(self, record: Record) -> list[Message]:
        """The messages of the row's request; PromptError where it cannot be asked."""
        if record.problem:
            raise PromptError(f"Row {record.index!r} cannot be asked: {record.problem}")
        prompt: Any = self.prompt
        if callable(prompt):
            made = prompt(record.values)
            return as_messages(made, self.config.system)
        for name in self.names:
            self._check_value(record, name)
        values = {**self.variables, **record.values}
        if isinstance(prompt, str):
            return as_messages(template.render(prompt, values), self.config.system)
        return as_messages([_filled(message, values) for message in prompt], self.config.system)

    def _check_value(self, record: Record, name: str) -> None:
        if name not in record.values:
            if name not in self.variables:
                raise PromptError(f"Row {record.index!r} has no column {name!r}")
        elif is_missing(record.values[name]):
            raise PromptError(f"Row {record.index!r} has no value in the column {name!r}")

    # ---- asked, and answered

    @property
    def schema(self) -> Schema | None:
        """What every answer is to keep to; None where any text will do."""
        return self._extraction.schema if self._extraction else None

    def request(self, messages: Sequence[Message]) -> tuple[LLMConfig, Sequence[Message]]:
        """(config, messages) as they are sent."""
        return self._extraction.request(self.config, messages) if self._extraction else (self.config, messages)

    def ask(self, messages: Sequence[Message]) -> Response:
        """The endpoint's answer; the errors are those of `invoke`."""
        return self._extraction.ask(self.config, messages) if self._extraction else invoke(self.config, messages)

    def read(self, response: Response) -> tuple[Response, Exception | None]:
        """The answer, with its object in `parsed`; or as it is, and why it does not keep to the schema."""
        return self._extraction.read(response) if self._extraction else (response, None)

    def answered(
        self, record: Record, response: Response | None, error: BaseException | None, *, reused: bool = False
    ) -> TableRow:
        """The row of a record; an answer that comes from elsewhere - a journal, a worker - is read here."""
        fields: tuple[Any, ...] = ()
        if self._extraction is not None:
            if response is not None and response.parsed is None and error is None:
                response, error = self._extraction.read(response)
            fields = self._extraction.values(response.parsed if response and error is None else None)
        used = self.used(record)
        return TableRow(used, self.config, response, error, record.position, record.index, reused, fields)

    # ---- what makes two runs the same

    def asks(self) -> dict[str, Any]:
        """What the run asks, as data: everything that an answer depends on, apart from the rows. No key is in it."""
        config = self.config
        url = urlsplit(config.endpoint_url)
        formatter: Any = config.formatter
        fields = {
            "endpoint": f"{Origin.of(config.endpoint_url)}{url.path}",
            "query": hashlib.blake2b(url.query.encode(), digest_size=8).hexdigest() if url.query else "",
            "endpoint_api_type": config.endpoint_api_type,
            "deployment": config.deployment_name,
            "formatter": formatter if isinstance(formatter, str) else _named(formatter),
            "model": config.model,
            "api_version": config.api_version,
            "extra_parameters": config.extra_parameters,
            "system": config.system,
            **{f"model kwarg {name}": value for name, value in config.model_kwargs.items()},
            "prompt": _named(self.prompt) if callable(self.prompt) else self.prompt,
            **{f"variable {name}": str(value) for name, value in self.variables.items()},
            "schema": self.schema.json_schema if self.schema else None,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def key(self, messages: Sequence[Message]) -> bytes:
        """The 16 bytes that stand for this config, its kwargs and these messages."""
        if not self._digest:
            self._digest = hashlib.blake2b(_canonical(self.asks()), digest_size=_KEY_BYTES).digest()
        return hashlib.blake2b(_canonical(messages), digest_size=_KEY_BYTES, key=self._digest).digest()


def _canonical(value: Any) -> bytes:
    """`value` as the one JSON text that it has; what is no JSON by its str()."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


def _named(thing: Any) -> str:
    """The name of a function or of an object's class, with its module."""
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"


def _texts_of(prompt: str | Sequence[Message]) -> list[str]:
    """Every text of the prompt in which variables may stand."""
    if isinstance(prompt, str):
        return [prompt]
    contents = [message.get("content") for message in prompt]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [text for text in (*contents, *(part.get("text") for part in parts)) if isinstance(text, str)]


def _names_in(prompt: str | Sequence[Message]) -> dict[str, None]:
    return dict.fromkeys(name for text in _texts_of(prompt) for name in template.variables(text))


def _filled(message: Message, values: Mapping[str, Any]) -> Message:
    """The message with its variables' values in its texts."""
    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": template.render(content, values)}
    if not isinstance(content, list):
        return message
    parts = [{**part, "text": template.render(part["text"], values)} if "text" in part else part for part in content]
    return {**message, "content": parts}
