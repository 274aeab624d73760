"""A prompt and a row become the messages of one request, and the key of its journal entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..core.client import default_client
from ..core.errors import AzmlError, PromptError, UsageError
from ..core.messages import Message, as_messages
from ..core.prompt import template
from ..core.prompt.message_texts import find_prompt_variables, find_texts, render_message
from ..core.prompt.notes import describe_surprises
from ..core.request_text import format_request
from ..core.text import one_line
from ..core.wire import wire_for
from .cell_data import as_prompt_value
from .column_names import fold_name, make_column_error
from .extraction import Extraction
from .request_identity import request_key, settings_digest, settings_of
from .table_rows import EMBEDDING_COLUMN, RESPONSE_COLUMNS, TableRow, is_missing

if TYPE_CHECKING:
    from ..core.client import Client
    from ..core.config import LLMConfig
    from ..core.http.rate_limiter import RateLimiter
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from ..core.secret import Secret
    from .table_rows import Column, Record

Prompt = str | Sequence[Message] | Callable[[Mapping[str, Any]], Any]
"""A text or messages with `{column}` variables, or a function of a row's values that returns either.

For a chain the function returns what the chain takes.
"""

ROW_TOTAL_TIMEOUT = 900.0  # seconds of one request, however slowly its data comes: no row holds a run for ever


def refuse_problem(record: Record) -> None:
    """Refuse a row that could not be read whole.

    Raises:
        PromptError: It has a problem.
    """
    if record.problem:
        raise PromptError(f"Row {record.index!r} cannot be sent: {record.problem}")


class RowPrompt:
    """The prompt for every row of a table.

    Attributes:
        config: The endpoint and its settings.
        prompt: A text or messages, or a function of a row's values.
        names: The variables of the prompt; () for a function.
        variables: The values of variables that are not columns.
        columns: The columns that a response adds to the table.
        surprises: A sentence for everything in the prompt that goes out otherwise than its writer may expect.
    """

    def __init__(
        self,
        config: LLMConfig,
        prompt: Prompt,
        variables: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
        client: Client | None = None,
    ) -> None:
        """Read the variables of the prompt.

        Args:
            config: The endpoint and its settings.
            prompt: A text or messages, whose `{column}`s take the row's values, or a function of the row's values.
            variables: Values of other names in the prompt; a column of the same name has precedence.
            schema: The schema that every response must match.
            client: Sends the requests; None for the default client.
        """
        self.config = config
        self._client = client
        self.prompt = prompt
        self.names: tuple[str, ...] = () if callable(prompt) else tuple(find_prompt_variables(prompt))
        self._known = variables or {}
        self.variables = {name: self._known[name] for name in self.names if name in self._known}
        self._table_columns: tuple[str, ...] = ()
        self.surprises: tuple[str, ...] = ()
        self._extraction = Extraction(schema) if schema is not None else None
        self._embeds = _embeds(config)
        if self._embeds and schema is not None:
            raise UsageError(
                "An embeddings model returns vectors, which match no schema", remedy="Leave out the schema."
            )
        added = self._extraction.columns if self._extraction else (EMBEDDING_COLUMN,) if self._embeds else ()
        self.columns: tuple[Column, ...] = (*added, *RESPONSE_COLUMNS)
        self._digest = b""

    @property
    def client(self) -> Client:
        """What sends the requests."""
        return self._client or default_client()

    @property
    def can_travel(self) -> bool:
        """Whether another process can send the requests, apart from the keys."""
        return True

    @property
    def limiter(self) -> RateLimiter:
        """What the requests wait for."""
        return self.client.limiters.get(self.config)

    def resolve_keys(self) -> Sequence[Secret]:
        """Return the config's keys, which may prompt for one.

        Raises:
            KeyNotFoundError: A key cannot be found.
        """
        return self.client.resolve_keys(self.config)

    @property
    def default_column(self) -> str:
        """The column of rows that are plain texts: the prompt's only variable, else `text`."""
        open_names = [name for name in self.names if name not in self.variables]
        return open_names[0] if len(open_names) == 1 else self.names[0] if len(self.names) == 1 else "text"

    @property
    def schema(self) -> Schema | None:
        """The schema that every response must match, None for free text."""
        return self._extraction.schema if self._extraction else None

    def check(self, columns: Sequence[str], hint: str = "") -> None:
        """Check that the prompt fits a table. An exact name of a column is a variable, whatever it looks like.

        Args:
            columns: The columns of the table.
            hint: What may be wrong with their names.

        Raises:
            UndefinedVariableError: A variable of the prompt is not a column and has no value, or its name differs from
                that of a column by case or blanks only.
            UsageError: The prompt uses no column.
        """
        if callable(self.prompt):
            return
        self._table_columns = tuple(columns)
        self.names = tuple(find_prompt_variables(self.prompt, columns))
        self.variables = {name: self._known[name] for name in self.names if name in self._known}
        self.surprises = tuple(
            sentence for text in find_texts(self.prompt) for sentence in describe_surprises(text, self._known, columns)
        )
        known = [*columns, *(name for name in self._known if not name.startswith("_"))]
        self._known = self.variables  # the others stay here when the prompt goes to another machine
        for name in self.names:
            if name in columns:
                continue
            near = next((column for column in columns if fold_name(column) == fold_name(name)), None)
            if name not in self.variables or near is not None:
                raise make_column_error(name, near, known, hint)
        if not any(name in columns for name in self.names):
            raise UsageError(
                "The prompt uses no column of the table: every row would send the same request",
                remedy=hint
                or f"Write {{NAME}} where a value belongs; the columns are {one_line(', '.join(columns), 200)}.",
            )

    @property
    def outer_variables(self) -> dict[str, Any]:
        """The variables of the prompt that are not columns: they have the same value in every row."""
        return {name: value for name, value in self.variables.items() if name not in self._table_columns}

    def used_values(self, record: Record) -> dict[str, Any]:
        """Return the row's values that the prompt uses; all of them if a function makes it."""
        if callable(self.prompt):
            return dict(record.values)
        return {name: record.values[name] for name in self.names if name in record.values}

    def messages(self, record: Record) -> list[Message]:
        """Return the messages of the row's request.

        Raises:
            PromptError: A value is missing, or the row has a problem.
            Exception: Any error of a prompt that is a function.
        """
        refuse_problem(record)
        prompt = self.prompt
        if callable(prompt):
            return as_messages(prompt(record.values), self.config.system)
        for name in self.names:
            self._check_value(record, name)
        used = {name: as_prompt_value(value) for name, value in self.used_values(record).items()}
        values = {**self.variables, **used}
        render = partial(template.render, values=values, columns=self._table_columns)
        if isinstance(prompt, str):
            return as_messages(render(prompt), self.config.system)
        return as_messages([render_message(message, render) for message in prompt], self.config.system)

    def _check_value(self, record: Record, name: str) -> None:
        if name not in record.values:
            if name not in self.variables:
                raise PromptError(f"Row {record.index!r} has no column {name!r}")
        elif is_missing(record.values[name]):
            raise PromptError(
                f"Row {record.index!r} has no value in the column {name!r}",
                remedy="Fill it in or drop the row, such as with fillna or dropna.",
            )

    # ---- requests and responses

    def request(self, messages: Sequence[Message]) -> tuple[LLMConfig, Sequence[Message]]:
        """Return the config and the messages as they are sent, with what a schema adds."""
        return self._extraction.request(self.config, messages) if self._extraction else (self.config, messages)

    def format_request(self, messages: Sequence[Message]) -> str:
        """Return the request with the messages as text, without the key."""
        config, sent = self.request(messages)
        return format_request(config, sent, client=self.client)

    @cached_property
    def _sent_config(self) -> LLMConfig:
        """The config of the requests, with a limit for all of a response."""
        has_limit = self.config.total_timeout is not None or self.client.total_timeout is not None
        total = max(ROW_TOTAL_TIMEOUT, self.config.timeout)
        return self.config if has_limit else self.config.merged(total_timeout=total)

    def send(self, messages: Sequence[Message]) -> Response:
        """Return the endpoint's response. Raises what `invoke` raises."""
        if self._extraction:
            return self._extraction.send(self.client, self._sent_config, messages)
        return self.client.invoke(self._sent_config, messages)

    def parse(self, response: Response) -> tuple[Response, Exception | None]:
        """Return the response with its object in `parsed`; or unchanged, and why it does not match the schema."""
        return self._extraction.parse(response) if self._extraction else (response, None)

    def make_row(
        self, record: Record, response: Response | None, error: BaseException | None, *, reused: bool = False
    ) -> TableRow:
        """Return the row of a record.

        Args:
            record: The row as it was read.
            response: Its response; one of a journal or a worker is parsed here.
            error: Why there is no response, or no valid one.
            reused: Whether they come from the journal.
        """
        if self.schema is not None and response is not None and response.parsed is None and error is None:
            response, error = self.parse(response)
        fields = self.read_fields(response if error is None else None)
        used = self.used_values(record)
        return TableRow(used, self.config, response, error, record.position, record.index, reused, fields)

    def read_fields(self, response: Response | None) -> tuple[Any, ...]:
        """Return the values of the columns before RESPONSE_COLUMNS; None is a row without a valid response."""
        parsed = response.parsed if response is not None else None
        if self._extraction is not None:
            return self._extraction.values(parsed)
        return (parsed,) if self._embeds else ()

    # ---- identity of a run and of a request

    def settings(self) -> dict[str, Any]:
        """Return everything that a response depends on apart from the rows, as data without the key."""
        return settings_of(self.config, self.prompt, self.variables, self.schema)

    def key(self, messages: Sequence[Message]) -> bytes:
        """Return the 16 bytes that identify a request: a hash of the settings and the messages."""
        if not self._digest:
            self._digest = settings_digest(self.settings())
        return request_key(self._digest, messages)


def _embeds(config: LLMConfig) -> bool:
    """Return whether the config's answers are vectors."""
    try:
        return wire_for(config).embeds
    except AzmlError:  # the call itself reports it
        return False
