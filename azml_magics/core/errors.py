"""The exceptions of azml_magics. Each one says in a line what happened, where, and what to do.

* AzmlError
  + UsageError                  an option, verb or argument cannot be understood
  + ConfigError                 a config cannot be made or used (also a ValueError)
    + UnknownNameError          no config, formatter or verb has that name
    + KeyNotFoundError          the key reference leads to no key
    + KeyRefusedError           a literal key where a reference belongs, or a key for another host
    + DocumentError             a saved JSON or YAML document cannot be read or written
  + PromptError                 a prompt cannot be rendered or encoded (also a ValueError)
    + UndefinedVariableError    {name} in the prompt, and no variable of that name
  + FormatterError              a custom formatter raised or returned something unusable (also a ValueError)
  + EndpointError               the endpoint reported a failure (also a urllib.error.HTTPError)
    + AuthenticationError       401
    + PermissionDeniedError     403
    + NotFoundError             404, or 424 around the container's 404
    + BadRequestError           400, 405, 413, 415, 422, 431, or 424 around one of them
    + ContentFilterError        the content filter stopped the prompt or the response
    + RateLimitError            429: too many requests or tokens
    + APITimeoutError           408, 504, or no data within the timeout (also a TimeoutError)
    + ServiceUnavailableError   500, 502, 503, or no instance ready
    + ModelError                the scoring script or model failed, also behind a 200
  + ResponseFormatError         a 200 that cannot be read: HTML, empty, another wire format (also a ValueError)
    + StreamInterruptedError    the stream ended before the response was complete
  + APIConnectionError          no connection, or it broke (also a ConnectionError)
  + SchemaError                 the response does not fit the schema
  + NotRecordedError            a replayed cassette has no response for this request
  + RunnableError               a LangChain object raised an error
  + JournalError                a journal of rows cannot be used
  + RowsError                   a run over rows ended early; `batch` holds the finished rows
* Interrupted                   a KeyboardInterrupt that keeps what had arrived

Remedies here are plain Python words. A front end has a table from `error_code` to a remedy in its own words, and
`remedy_from` puts the error's facts into it.
"""

from __future__ import annotations

import io
import urllib.error
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .text import did_you_mean, one_line


class _Text(Protocol):
    """A response: this module must not import the class."""

    @property
    def text(self) -> str: ...


class _Row(Protocol):
    """A row of a batch."""

    @property
    def error(self) -> BaseException | None: ...
    @property
    def response(self) -> Any: ...


class AzmlError(Exception):
    """The base of all errors. `str(error)` is one line: cause, place and remedy.

    Attributes:
        error_code: what went wrong, in kebab-case. Each class has a default; a raise site may give a more exact one.
        cause: what happened.
        remedy: what to do, in plain Python words; "" if nothing is known.
        config: name of the config; "" if unnamed or unknown.
        deployment: the deployment that was called, or "".
        request_id: the id under which the service logs the request: its own, or else the one that we gave it
            (x-ms-client-request-id); "" if nothing was sent, or only to this machine.
        facts: what the error is about, for a front end's remedy: `param`, `status`, `wait`, ...; config, deployment
            and request_id are always in it.
        response: what had arrived before the failure, or None.
        reply: the text of a 200 that could not be read (at most 64 KiB, keys masked), or "".
    """

    error_code: str = "error"

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "",
        error_code: str = "",
        config: str = "",
        deployment: str = "",
        request_id: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the error.

        Args:
            cause: What happened; folded into one line of at most 600 characters.
            remedy: What to do, in plain Python words.
            error_code: A more exact code than the class's.
            config: Name of the config.
            deployment: Name of the deployment.
            request_id: Id of the request.
            facts: What front ends put into their remedies for this code.
        """
        Exception.__init__(self, cause)  # not super(): next may be HTTPError, whose arguments are others
        self.cause = one_line(cause)
        self.remedy = one_line(remedy)
        if error_code:
            self.error_code = error_code
        self.config = config
        self.deployment = deployment
        self.request_id = request_id
        self.response: Any = None  # a Response, which this module must not import
        self.reply = ""
        self._facts = dict(facts or {})

    @property
    def facts(self) -> dict[str, Any]:
        """What the error is about, by name."""
        return {
            **self._facts,
            "config": self.config,
            "deployment": self.deployment,
            "request_id": self.request_id,
        }

    def add_context(self, *, config: str = "", deployment: str = "", request_id: str = "") -> AzmlError:
        """Fill in where the error happened, as far as the error does not know it yet, and return the error."""
        self.config = self.config or config
        self.deployment = self.deployment or deployment
        self.request_id = self.request_id or request_id
        return self

    def add_facts(self, **facts: Any) -> AzmlError:
        """Add what a front end's remedy names, and return the error."""
        self._facts.update(facts)
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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.cause!r})"

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows in place of a traceback (its protocol for exceptions)."""
        return [f"{type(self).__name__}: {self}"]


class _KnownFacts(dict[str, Any]):
    """Facts for `str.format_map`; a fact that is not known is left out."""

    def __missing__(self, name: str) -> str:
        return ""


def remedy_from(table: Mapping[str, str], error: AzmlError | Interrupted) -> str:
    """Return the remedy of `error` in a front end's words.

    Args:
        table: code -> template over the error's facts, such as "Wait {wait} seconds.".
        error: the error.

    Returns:
        The filled template, or the error's own remedy if the table has none for its code.
    """
    if isinstance(error, RowsError) and isinstance(error.__cause__, AzmlError):
        return f"{remedy_from(table, error.__cause__)} {error.kept}".strip()
    template = table.get(error.error_code)
    return error.remedy if template is None else one_line(template.format_map(_KnownFacts(error.facts)))


class UsageError(AzmlError):
    """An option, verb or argument that cannot be understood."""

    error_code = "usage"


class ConfigError(AzmlError, ValueError):
    """A config that cannot be made or used."""

    error_code = "config"


class UnknownNameError(ConfigError):
    """A name that does not exist."""

    error_code = "unknown-name"

    @classmethod
    def of(
        cls, kind: str, name: str, known: Iterable[str], remedy: str = "", *, error_code: str = ""
    ) -> UnknownNameError:
        """Return the error for an unknown name.

        Args:
            kind: What the name stands for: "config", "formatter", ...
            name: The name that is unknown.
            known: The names that exist; the closest one is suggested and all are listed.
            remedy: What else to do.
            error_code: A more exact code. Facts: `param` (the name), `hint` and `known` (sentences or "").
        """
        names = sorted(known)
        hint = did_you_mean(name, names).strip()
        listed = f"Known: {', '.join(names)}." if names else ""
        facts = {"param": name, "hint": hint, "known": listed}
        whole = " ".join(filter(None, (hint, listed, remedy)))
        return cls(f"No {kind} named {name!r}", remedy=whole, error_code=error_code, facts=facts)


class KeyNotFoundError(ConfigError):
    """A key reference that leads to no key."""

    error_code = "key-not-found"


class KeyRefusedError(ConfigError):
    """A literal key where a reference belongs, or a key that would go to a host it is not for."""

    error_code = "key-refused"


class DocumentError(ConfigError):
    """A saved document that cannot be read or written."""

    error_code = "document"


class PromptError(AzmlError, ValueError):
    """A prompt that cannot be rendered or encoded."""

    error_code = "prompt"


class UndefinedVariableError(PromptError):
    """A `{name}` in the prompt without a variable of that name."""

    error_code = "undefined-variable"

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> UndefinedVariableError:
        """Return the error for `{name}` in a prompt, with the closest of the `known` names."""
        return cls._among(known, name, "variable", f"Define it, or write {{{{{name}}}}} for literal braces.", "")

    @classmethod
    def of_rows(cls, name: str, known: Iterable[str]) -> UndefinedVariableError:
        """Return the error for `{name}` in a prompt over a table; `known` are its columns and the variables."""
        ways = f"Name a column, pass it in variables, or write {{{{{name}}}}} for literal braces."
        return cls._among(known, name, "column or variable", ways, "undefined-column")

    @classmethod
    def _among(cls, known: Iterable[str], name: str, thing: str, ways: str, error_code: str) -> UndefinedVariableError:
        hint = did_you_mean(name, known).strip()
        cause = f"The prompt uses {{{name}}}, and there is no {thing} {name!r}"
        facts = {"param": name, "hint": hint}
        return cls(cause, remedy=f"{hint} {ways}".strip(), error_code=error_code, facts=facts)


class FormatterError(AzmlError, ValueError):
    """A custom formatter that raised, or returned something that is not a response."""

    error_code = "formatter"


class EndpointError(AzmlError, urllib.error.HTTPError):
    """The endpoint reported a failure.

    It is also a `urllib.error.HTTPError`, which callers of langchain_community's classes catch: `code` is the HTTP
    status, as there (our own code is `error_code`), `reason` the cause, and `read()` gives the body.

    Attributes:
        status: HTTP status of the endpoint's front door; 0 if no response arrived.
        inner_status: status of the container behind a 424, or None.
        headers: response headers, names in lower case.
        body: text of the response, at most 64 KiB, keys masked.
        retry_after: seconds that the service asks to wait, or None.
    """

    error_code = "endpoint"

    def __init__(
        self,
        cause: str,
        *,
        status: int = 0,
        inner_status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        retry_after: float | None = None,
        **context: Any,
    ) -> None:
        """Make the error.

        Args:
            cause: What happened.
            status: HTTP status; 0 if no response arrived.
            inner_status: Status of the container behind a 424.
            headers: Response headers, names in lower case.
            body: Text of the response.
            retry_after: Seconds that the service asks to wait.
            context: AzmlError's other arguments: remedy, error_code, config, ...
        """
        AzmlError.__init__(self, cause, **context)
        self.code = status
        self.inner_status = inner_status
        self.hdrs: Any = dict(headers or {})
        self.body = body
        self.retry_after = retry_after
        self.filename = self.url = ""

    @property
    def status(self) -> int:
        """The HTTP status; 0 if no response arrived."""
        return self.code

    @property
    def reason(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The cause, under urllib's name."""
        return self.cause

    @property  # type: ignore[override]  # urllib's headers are an email.message.Message
    def headers(self) -> dict[str, str]:
        """The response headers, names in lower case."""
        headers: dict[str, str] = self.hdrs
        return headers

    @headers.setter
    def headers(self, headers: dict[str, str]) -> None:
        self.hdrs = headers

    @property
    def facts(self) -> dict[str, Any]:
        """What the error is about, with `status`, `inner_status` and `wait` (seconds, or "")."""
        wait = "" if self.retry_after is None else f"{self.retry_after:g}"
        return {**super().facts, "status": self.status, "inner_status": self.inner_status or "", "wait": wait}

    def read(self, size: int = -1) -> bytes:
        """Return the body as bytes, as urllib's errors do; `size` limits them."""
        body = self.body.encode()
        return body if size is None or size < 0 else io.BytesIO(body).read(size)

    def close(self) -> None:
        """Do nothing: the body has been read already."""

    def __getattr__(self, name: str) -> Any:
        # HTTPError is a wrapper around an open file, and would look up the attribute there.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __enter__(self) -> EndpointError:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AuthenticationError(EndpointError):
    """401: no key, or a wrong or expired one."""

    error_code = "authentication"


class PermissionDeniedError(EndpointError):
    """403: the key is known, and has no right to do this."""

    error_code = "permission-denied"


class NotFoundError(EndpointError):
    """404: no deployment with traffic, no such deployment, or no such route."""

    error_code = "not-found"


class BadRequestError(EndpointError):
    """The request was refused: its parameters, size, type or shape."""

    error_code = "bad-request"


class ContentFilterError(EndpointError):
    """The content filter stopped the prompt or the response.

    Attributes:
        filters: what it says, one Verdict for each category; empty if the service does not tell.
    """

    error_code = "content-filter"

    def __init__(self, cause: str, *, filters: Sequence[Any] = (), **context: Any) -> None:
        """Make the error; `filters` are Verdicts, and `context` are EndpointError's other arguments."""
        super().__init__(cause, **context)
        self.filters: tuple[Any, ...] = tuple(filters)  # Verdicts, which this module must not import


class RateLimitError(EndpointError):
    """429, or 424 with too many pending requests."""

    error_code = "rate-limit"


class APITimeoutError(EndpointError, TimeoutError):
    """The model took longer than the endpoint or this client waits."""

    error_code = "timeout"


class ServiceUnavailableError(EndpointError):
    """The endpoint cannot respond now: failing, restarting or without a ready instance."""

    error_code = "service-unavailable"


class ModelError(EndpointError):
    """The scoring script or the model failed."""

    error_code = "model"


class ResponseFormatError(AzmlError, ValueError):
    """A successful response that cannot be read."""

    error_code = "response-format"


class StreamInterruptedError(ResponseFormatError):
    """A stream that ended before the response was complete; `response` holds what arrived."""

    error_code = "stream-interrupted"


class APIConnectionError(AzmlError, ConnectionError):
    """No connection to the endpoint, or it broke before a response arrived."""

    error_code = "connection"


class SchemaError(AzmlError):
    """A response that does not fit the schema; `response` holds it."""

    error_code = "schema"


class NotRecordedError(AzmlError):
    """A request that a replayed cassette has no response for."""

    error_code = "not-recorded"


class RunnableError(AzmlError):
    """An error that a chain or another provider's model raised; the original is its cause."""

    error_code = "runnable"


class JournalError(AzmlError):
    """A journal that cannot be used: not writable, in use by another run, or the journal of other prompts."""

    error_code = "journal"


class RowsError(AzmlError):
    """A run over rows that ended before its last row.

    Attributes:
        batch: the rows with what arrived, or None. The error that ended the run is `__cause__`.
        kept: what happens to the finished rows, as a sentence; it follows the remedy.
    """

    error_code = "rows"

    def __init__(
        self, cause: str, *, remedy: str = "", kept: str = "", batch: Sequence[_Row] | None = None, **context: Any
    ) -> None:
        """Make the error; `context` are AzmlError's other arguments."""
        super().__init__(cause, remedy=f"{remedy} {kept}".strip(), **context)
        self.kept = kept
        self.batch: Any = batch  # a Batch, which this module must not import


class Interrupted(KeyboardInterrupt):
    """A kernel interrupt that keeps what had arrived.

    Attributes:
        response: what had arrived, or None.
        batch: the rows of a side-by-side run, or None.
        error_code: "interrupted", or "interrupted-empty" if nothing had arrived.
        remedy: where to find what had arrived; "" if nothing had.
    """

    def __init__(self, response: _Text | None = None, batch: Sequence[_Row] | None = None) -> None:
        """Make the interrupt with what had arrived."""
        super().__init__("interrupted")
        self.response: Any = response  # a Response and a Batch, which this module must not import
        self.batch: Any = batch
        self.error_code = "interrupted" if self._has_arrived else "interrupted-empty"
        self.remedy = f"See the error's {'batch' if batch is not None else 'response'}." if self._has_arrived else ""

    @property
    def _has_arrived(self) -> bool:
        return self.batch is not None or bool(self.response is not None and self.response.text)

    @property
    def cause(self) -> str:
        """What was stopped, and how much had arrived."""
        if self.batch is not None:
            whole = sum(row.error is None and row.response is not None for row in self.batch)
            return f"Stopped; {whole} of {len(self.batch)} responses were complete."
        if self.response is None or not self.response.text:
            return "Stopped before the first token; nothing had arrived."
        return f"Stopped; {len(self.response.text):,} characters had arrived and are kept."

    @property
    def facts(self) -> dict[str, Any]:
        """Nothing: the cause says it all."""
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.response, self.batch), {"remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".strip()

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]
