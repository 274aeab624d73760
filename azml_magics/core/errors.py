"""Everything that can go wrong, as exceptions that say cause, place and remedy in one line.

* AzmlError
  + UsageError              an option, verb or line cannot be understood
  + ConfigError             a config cannot be made or used           (also a ValueError)
    + UnknownNameError           no such config, formatter or verb; names the nearest
    + KeyNotFoundError            the key reference leads to no key
    + KeyRefusedError            a literal key where a reference belongs, or a key for another host
    + DocumentError         a saved JSON or YAML document cannot be read or written
  + PromptError             a prompt cannot be rendered or encoded    (also a ValueError)
    + UndefinedVariableError     {name} in the prompt, and no such variable
  + FormatterError          a person's own formatter raised or returned nonsense
  + EndpointError           the endpoint said no
    + AuthenticationError  401, 403
    + NotFoundError         404, or 424 around the container's 404
    + BadRequestError       400, 405, 413, 415, 422, 431, or 424 around one of them
    + ContentFilterError       the content filter stopped the prompt or the answer
    + RateLimitError           429: too many requests or tokens
    + APITimeoutError       408, 504, or no byte within the timeout   (also a TimeoutError)
    + ServiceUnavailableError   500, 502, 503, or no instance ready
    + ModelError           the scoring script or model failed, also behind a 200
  + ResponseFormatError              a 200 that cannot be read: HTML, empty, another dialect
    + StreamInterruptedError          the stream ended before the answer did
  + APIConnectionError        no connection, or it broke                (also a ConnectionError)
  + SchemaError          the answer does not keep to the schema that was asked for
  + NotRecordedError             a replayed cassette has no answer for this request
  + RunnableError          a LangChain object that a cell asked raised
  + JournalError            a journal of rows cannot be used: unwritable, in use, or another run's
  + RowsError             a run over rows ended before its last row; `batch` holds what came
* Interrupted               a KeyboardInterrupt that keeps the text so far
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .text import did_you_mean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..compare.comparison import Batch
    from .response import Response


class AzmlError(Exception):
    """An error with a cause, a remedy, and the place where it happened.

    `str(error)` is one line; in a notebook that line is all that shows. Attributes: `cause`, `remedy`, `config`
    (name), `deployment`, `request_id`, `response`: what had arrived before it failed, or None, and `reply`: the text of
    a 200 that could not be read (at most 64 KiB, key masked), or "".
    """

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "",
        config: str = "",
        deployment: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(cause)
        self.cause = one_line(cause)
        self.remedy = one_line(remedy)
        self.config = config
        self.deployment = deployment
        self.request_id = request_id
        self.response: Response | None = None
        self.reply = ""

    def at(self, *, config: str = "", deployment: str = "", request_id: str = "") -> AzmlError:
        """This error, with those parts of its place filled in that it does not know yet."""
        self.config = self.config or config
        self.deployment = self.deployment or deployment
        self.request_id = self.request_id or request_id
        return self

    @property
    def place(self) -> str:
        """Where it happened, as "config 'prod', deployment 'blue', request id 1c7f…", or ""."""
        parts = []
        if self.config:
            parts.append(f"config {self.config!r}")
        if self.deployment:
            parts.append(f"deployment {self.deployment!r}")
        if self.request_id:
            parts.append(f"request id {one_line(self.request_id)}")
        return ", ".join(parts)

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        cause = self.cause.rstrip(".") if place or self.remedy else self.cause
        end = "" if cause.endswith(("?", "!", "…", ".")) and not place else "."
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{cause}{place}{end}{remedy}" if place or remedy else cause

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows in place of a traceback (its protocol for exceptions)."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(AzmlError):
    """An option, verb or line that cannot be understood."""


class ConfigError(AzmlError, ValueError):
    """A config that cannot be made or used."""


class UnknownNameError(ConfigError):
    """A name that nothing answers to."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str], remedy: str = "") -> UnknownNameError:
        """The error for `name`, a `kind` ("config", "formatter", …) that is not among `known`."""
        names = sorted(known)
        hint = did_you_mean(name, names)
        listed = f" Known: {', '.join(names)}." if names else ""
        return cls(f"No {kind} named {name!r}", remedy=f"{hint.strip()}{listed} {remedy}".strip())


class KeyNotFoundError(ConfigError):
    """A key reference that leads to no key."""


class KeyRefusedError(ConfigError):
    """A literal key where a reference to one belongs, or a key that a line would send to a host it is not for."""


class DocumentError(ConfigError):
    """A saved document that cannot be read or written."""


class PromptError(AzmlError, ValueError):
    """A prompt that cannot be rendered or encoded."""


class UndefinedVariableError(PromptError):
    """A `{name}` in the prompt without a variable of that name."""

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> UndefinedVariableError:
        """The error for `{name}`, with the nearest of the `known` names and every way out."""
        ways = f"Define it, pass --var {name}=…, write {{{{{name}}}}} for literal braces, "
        return cls._among(known, name, "variable", f"{ways}or use -t none to send the prompt untouched.")

    @classmethod
    def of_rows(cls, name: str, known: Iterable[str]) -> UndefinedVariableError:
        """The error for `{name}` in a prompt over a table; `known` are its columns and the variables."""
        ways = f"Name a column, define it (a cell takes --var {name}=…, map_rows variables), "
        return cls._among(known, name, "column or variable", f"{ways}or write {{{{{name}}}}} for literal braces.")

    @classmethod
    def _among(cls, known: Iterable[str], name: str, thing: str, ways: str) -> UndefinedVariableError:
        hint = did_you_mean(name, known).strip()
        return cls(f"The prompt uses {{{name}}}, and there is no {thing} {name!r}", remedy=f"{hint} {ways}".strip())


class FormatterError(AzmlError):
    """A person's own formatter that raised, or returned something that is no answer."""


class EndpointError(AzmlError):
    """The endpoint answered with a failure.

    Beyond AzmlError: `status` (HTTP, of the front door), `inner_status` (of the container behind a 424, else None),
    `headers` (lower-case names), `body` (text, at most 64 KiB, key masked), `retry_after` (seconds or None).
    """

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "",
        status: int = 0,
        inner_status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        retry_after: float | None = None,
        **place: Any,
    ) -> None:
        super().__init__(cause, remedy=remedy, **place)
        self.status = status
        self.inner_status = inner_status
        self.headers = dict(headers or {})
        self.body = body
        self.retry_after = retry_after


class AuthenticationError(EndpointError):
    """401 or 403: no key, a wrong or expired one, or no right to use it."""


class NotFoundError(EndpointError):
    """404: no deployment with traffic, no such deployment, or no such route."""


class BadRequestError(EndpointError):
    """The request was understood and refused: its parameters, size, type or shape."""


class ContentFilterError(EndpointError):
    """The content filter stopped the prompt or the answer."""


class RateLimitError(EndpointError):
    """429, or 424 with too many pending requests."""


class APITimeoutError(EndpointError, TimeoutError):
    """The model took longer than the endpoint or this client waits."""


class ServiceUnavailableError(EndpointError):
    """The endpoint cannot answer now: failing, restarting or without a ready instance."""


class ModelError(EndpointError):
    """The scoring script or the model failed."""


class ResponseFormatError(AzmlError):
    """A successful reply that cannot be read."""


class StreamInterruptedError(ResponseFormatError):
    """A stream that ended before the answer did; `response` holds what came."""


class APIConnectionError(AzmlError, ConnectionError):
    """No connection to the endpoint, or it broke before an answer came."""


class SchemaError(AzmlError):
    """An answer that does not keep to the schema; `response` holds it."""


class NotRecordedError(AzmlError):
    """A request that a replayed cassette has no answer for."""


class RunnableError(AzmlError):
    """An error that a chain or another provider's model raised, in one line; the original is its cause."""


class JournalError(AzmlError):
    """A journal that cannot be used: not writable, in use by another run, or the journal of other questions."""


class RowsError(AzmlError):
    """A run over rows that ended before its last row; `batch` holds the rows with what came, its cause is the error."""

    def __init__(self, cause: str, *, remedy: str = "", batch: Batch | None = None, **place: str) -> None:
        super().__init__(cause, remedy=remedy, **place)
        self.batch = batch


class Interrupted(KeyboardInterrupt):
    """A kernel interrupt; `response` holds what had arrived, or None; `batch` the rows of a side-by-side run."""

    def __init__(self, response: Response | None = None, batch: Batch | None = None) -> None:
        super().__init__("interrupted")
        self.response = response
        self.batch = batch

    def __str__(self) -> str:
        if self.batch is not None:
            whole = sum(row.error is None and row.response is not None for row in self.batch)
            return f"Stopped; {whole} of {len(self.batch)} answers were whole. All that arrived is in %azureml last."
        if self.response is None or not self.response.text:
            return "Stopped before the first token; nothing had arrived."
        return f"Stopped; the {len(self.response.text):,} characters that had arrived are kept in %azureml last."

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]
