"""Rows for any LangChain Runnable: a chain gets the row as a dict, a model the prompt filled in."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from ..core.config import LLMConfig
from ..core.errors import AzmlError, JournalError, PromptError, SchemaError, UndefinedVariableError, UsageError
from ..core.http.exchange import HTTPResponse
from ..core.http.permit import Permit
from ..core.http.rate_limiter import RateLimiter
from ..core.http.run_control import RunControl, current_run, in_flight
from ..core.messages import as_messages
from ..core.text import did_you_mean, one_line
from ..runnables.event_loop import Await
from ..runnables.identity import identity_of, keys_in, run_name
from ..runnables.input_variables import InputVariables, input_variables
from ..runnables.outputs import as_data, error_of, status_of
from ..runnables.recognition import bound_configurable, is_model, keeps_threads
from ..runnables.responses import parsing_error, response_of
from .extraction import Extraction
from .prompts import RowPrompt, refuse_problem
from .request_identity import prompt_settings
from .runnable_columns import output_schema
from .table_rows import RESPONSE_COLUMNS, is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.http.exchange import Outcome
    from ..core.messages import Message
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from ..core.secret import Secret
    from .prompts import Prompt
    from .table_rows import Record

_OK = 200


class ChainInput(list[Any]):
    """What one call gets, as messages for whoever shows it.

    Attributes:
        value: The input of the Runnable.
    """

    def __init__(self, messages: Sequence[Message], value: Any) -> None:
        super().__init__(messages)
        self.value = value


class RunnablePrompt(RowPrompt):
    """The calls of a Runnable for every row of a table.

    A model takes the prompt as text or messages. A chain takes a dict of the row's values; with a prompt, that fills
    the chain's only variable that is not a column, or is its whole input if it takes a text. A prompt that is a
    function returns the input itself.
    """

    def __init__(
        self,
        runnable: Any,
        prompt: Prompt | None,
        variables: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
        name: str = "",
    ) -> None:
        """Find out what the Runnable takes and returns.

        Args:
            runnable: The Runnable.
            prompt: A text or messages, a function of a row's values that returns the input, or None.
            variables: Values of names that are not columns.
            schema: The schema that every output must match; by default that of the Runnable's output makes columns.
            name: What messages call it.

        Raises:
            UsageError: It needs a prompt, or does not say what it takes.
        """
        name = name or run_name(runnable) or type(runnable).__name__
        super().__init__(LLMConfig(name=name), "" if prompt is None else prompt, variables)
        self._runnable, self._has_prompt = runnable, prompt is not None
        self._limiter = RateLimiter()
        self._validates = schema is not None
        found = schema if schema is not None else output_schema(runnable)
        self._extraction = Extraction(found) if found is not None else None
        self.columns = (*(self._extraction.columns if self._extraction else ()), *RESPONSE_COLUMNS)
        self._input = InputVariables(None) if is_model(runnable) else input_variables(runnable, name)
        takes_row = self._input.required is not None or self._input.takes_anything
        if prompt is None and (self._input.takes_messages or not takes_row):
            raise UsageError(
                f"{name} takes a text or messages, and there is no prompt",
                remedy="Write one with {NAME} where a value of the row belongs.",
                error_code="runnable-prompt",
            )
        self._open = ""  # the variable that takes the prompt

    @property
    def can_travel(self) -> bool:
        """Whether another process can make the calls: no, the Runnable has its keys and connections here."""
        return False

    @property
    def limiter(self) -> RateLimiter:
        """The pace of the Runnable's calls. Our own classes in it wait for their endpoints' limiters, too."""
        return self._limiter

    @property
    def default_column(self) -> str:
        """The column of rows that are plain texts: the only variable of the prompt or of the chain, else `text`."""
        required = self._input.required or ()
        if self._has_prompt or len(required) != 1:
            return super().default_column
        return required[0]

    def resolve_keys(self) -> Sequence[Secret]:
        """Return the keys that the Runnable holds, which the journal masks."""
        return keys_in(self._runnable)

    # ---- the input

    def check(self, columns: Sequence[str], hint: str = "") -> None:
        """Check that the prompt and the Runnable's variables fit a table.

        Raises:
            UndefinedVariableError: A variable is not a column and has no value.
            PromptError: The Runnable has no single variable for the prompt.
            UsageError: The prompt uses no column.
        """
        given = dict(self._known)
        if self._has_prompt:
            super().check(columns, hint)
        else:
            self._table_columns = tuple(columns)
        required = self._input.required
        if required is None or callable(self.prompt):
            return
        missing = [name for name in required if name not in columns and name not in given]
        if self._has_prompt:
            self._open = self._open_variable(missing)
            missing = [name for name in missing if name != self._open]
        if missing:
            known = f"Its columns are {one_line(', '.join(columns), 200)}."
            raise UndefinedVariableError(
                f"{self.config.name} needs {', '.join(missing)}, and the table has no such column",
                remedy=hint or did_you_mean(missing[0], columns) or known,
                error_code="runnable-columns",
            )
        wanted = {*required, *self._input.optional}
        self.variables |= {name: value for name, value in given.items() if name in wanted and name not in columns}

    def _open_variable(self, missing: Sequence[str]) -> str:
        """The variable that the prompt fills: the only one that is neither a column nor given, or the only one."""
        required = self._input.required or ()
        candidates = missing or (required if len(required) == 1 else ())
        if len(candidates) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else f"{', '.join(required)} are columns"
            raise PromptError(
                f"There is a prompt, and {self.config.name} has no single variable for it: {why}",
                remedy="Leave out the prompt, and each row fills the variables; or rename a column.",
                error_code="runnable-variable",
            )
        return candidates[0]

    def messages(self, record: Record) -> list[Message]:
        """Return the input of the row's call.

        Raises:
            PromptError: A value is missing, or the row has a problem.
            Exception: Any error of a prompt that is a function.
        """
        refuse_problem(record)
        if callable(self.prompt):
            return _shown(self.prompt(_plain_values(record.values)))
        if not self._has_prompt:
            return _shown(self._row_input(record))
        messages = super().messages(record)
        is_text = isinstance(self.prompt, str)
        given: Any = messages[-1]["content"] if is_text else messages
        if self._input.takes_messages:
            return ChainInput(messages, {**self._row_input(record), self._open: messages})
        value = given if self._input.required is None else {**self._row_input(record), self._open: given}
        return ChainInput(messages, value)

    def _row_input(self, record: Record) -> dict[str, Any]:
        """The row's values that the Runnable takes, all of them if it does not say; a required one must be there."""
        required = self._input.required
        values = {**self.variables, **_plain_values(record.values)}
        if required is None:
            return values
        for name in (name for name in required if name != self._open):
            if name not in values:
                raise PromptError(f"Row {record.index!r} has no column {name!r}")
            if name in record.values and is_missing(record.values[name]):
                raise PromptError(
                    f"Row {record.index!r} has no value in the column {name!r}",
                    remedy="Fill it in or drop the row, such as with fillna or dropna.",
                )
        wanted = (*required, *self._input.optional)
        return {name: values[name] for name in wanted if name in values and name != self._open}

    def used_values(self, record: Record) -> dict[str, Any]:
        """Return the row's values that the call uses; all of them if that is not known."""
        if callable(self.prompt) or (not self._has_prompt and self._input.required is None):
            return dict(record.values)
        names = dict.fromkeys((*self.names, *(self._input.required or ())))
        return {name: record.values[name] for name in names if name in record.values}

    # ---- the call

    def format_request(self, messages: Sequence[Message]) -> str:
        """Return what the Runnable would get, as text."""
        value = as_data(_value_of(messages))
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        return f"{self.config.name}.invoke({shown})" if not isinstance(value, str) else f"{self.config.name}: {shown}"

    def send(self, messages: Sequence[Message]) -> Response:
        """Call the Runnable and return its output as a Response. Raises RunnableError or an error of ours."""
        permit = Permit(self._limiter, current_run() or RunControl())
        permit.acquire()
        outcome: Outcome | None = None
        began = time.monotonic()
        try:
            call = Await(self._runnable, _value_of(messages), self._call_config())
            with in_flight(call):
                output = call.result()
            outcome = HTTPResponse(_OK, {})
        except Exception as error:
            outcome = _outcome_of(error)
            raise error_of(error, self.config.name) from error
        finally:
            permit.release(outcome)
        response = response_of(output, config=self.config.name, latency=time.monotonic() - began)
        permit.record_usage(response.usage, len(str(messages)), response.text)
        if (problem := parsing_error(output)) is not None:
            made = SchemaError(f"The response has no such object: {one_line(str(problem), 300)}")
            made.response = response
            raise made.add_context(config=self.config.name) from problem
        return response

    def _call_config(self) -> dict[str, Any] | None:
        """A thread of its own for each row, if the Runnable keeps threads and was bound to none."""
        if not keeps_threads(self._runnable) or "thread_id" in bound_configurable(self._runnable):
            return None
        return {"configurable": {"thread_id": str(uuid.uuid4())}}

    def parse(self, response: Response) -> tuple[Response, Exception | None]:
        """Return the response, checked against the schema if one was given."""
        if self._extraction is None or not self._validates:
            return response, None
        return self._extraction.parse(response)

    def read_fields(self, response: Response | None) -> tuple[Any, ...]:
        """Return the values of the object's columns: a text that is no JSON object or list has none."""
        if self._extraction is None:
            return ()
        text = response.text.lstrip() if response is not None else ""
        parsed: Any = None
        if text.startswith(("{", "[")):
            try:
                parsed = json.loads(text)
            except (ValueError, RecursionError):
                parsed = None
        return self._extraction.values(parsed)

    # ---- identity

    def settings(self) -> dict[str, Any]:
        """Return what is known of the Runnable and everything else that its outputs depend on.

        Raises:
            JournalError: It has parts that tell nothing of themselves, and no name that stands for them.
        """
        known, unknown = identity_of(self._runnable)
        if unknown and not run_name(self._runnable):
            raise JournalError(
                f"A journal cannot tell this chain from another one: it has {one_line(', '.join(unknown), 100)}",
                remedy='Give it a name, and another one whenever you change it: with_config(run_name="letters-1"). '
                "Or run without a journal.",
                error_code="journal-chain",
            )
        prompt = self.prompt if self._has_prompt else None
        return {**known, **prompt_settings(prompt, self.variables, self.schema)}

    @property
    def schema(self) -> Schema | None:
        """The schema that every output must match, None if none was given."""
        return self._extraction.schema if self._extraction is not None and self._validates else None

    def key(self, messages: Sequence[Message]) -> bytes:
        """Return the 16 bytes that identify a call: a hash of the settings and the input."""
        return super().key(_value_of(messages))


def _value_of(messages: Sequence[Message]) -> Any:
    return messages.value if isinstance(messages, ChainInput) else messages


def _shown(value: Any) -> ChainInput:
    """An input, with its text as a message."""
    data = as_data(value)
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return ChainInput(as_messages(text, None), value)


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The row's values; numbers of numpy become Python's, which templates and tools expect."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    is_number = type(value).__module__ == "numpy" and not hasattr(value, "__len__")
    return value.item() if is_number else value


def _outcome_of(error: BaseException) -> Outcome | None:
    """The HTTP response that another provider's error carries, for the pace of the run; None without one."""
    status = status_of(error)
    if status is None or isinstance(error, AzmlError):  # one of ours has told its own limiter
        return None
    response = getattr(error, "response", None)
    headers = {str(name).lower(): str(value) for name, value in dict(getattr(response, "headers", None) or {}).items()}
    return HTTPResponse(status, headers)
