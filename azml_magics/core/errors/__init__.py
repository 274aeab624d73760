"""The exceptions of azml_magics. Each one says in a line what happened, where, and what to do.

* AzmlError
  + UsageError                  an option, verb or argument cannot be understood
  + ConfigError                 a config cannot be made or used (also a ValueError)
    + UnknownNameError          no config, formatter or verb has that name
    + KeyNotFoundError          the key reference leads to no key
    + KeyRefusedError           a literal key where a reference belongs, or a key for another host
    + DocumentError             a saved JSON or YAML document cannot be read or written
  + MissingPackageError         an optional package is not installed (also an ImportError)
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
  + EvaluationFailed            an evaluation does not meet its requirements (also an AssertionError)
* Interrupted                   a KeyboardInterrupt that keeps what had arrived

Remedies here are plain Python words. A front end has a table from `error_code` to a remedy in its own words, and
`remedy_from` puts the error's facts into it.
"""

from __future__ import annotations

from .base import (
    AzmlError,
)
from .config import (
    ConfigError,
    DocumentError,
    FormatterError,
    KeyNotFoundError,
    KeyRefusedError,
    MissingPackageError,
    PromptError,
    UndefinedVariableError,
    UnknownNameError,
    UsageError,
)
from .endpoint import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    ModelError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from .remedies import (
    remedy_from,
)
from .response import (
    APIConnectionError,
    NotRecordedError,
    ResponseFormatError,
    RunnableError,
    SchemaError,
    StreamInterruptedError,
)
from .run import (
    EvaluationFailed,
    Interrupted,
    JournalError,
    RowsError,
)

__all__ = [
    "APIConnectionError",
    "APITimeoutError",
    "AuthenticationError",
    "AzmlError",
    "BadRequestError",
    "ConfigError",
    "ContentFilterError",
    "DocumentError",
    "EndpointError",
    "EvaluationFailed",
    "FormatterError",
    "Interrupted",
    "JournalError",
    "KeyNotFoundError",
    "KeyRefusedError",
    "MissingPackageError",
    "ModelError",
    "NotFoundError",
    "NotRecordedError",
    "PermissionDeniedError",
    "PromptError",
    "RateLimitError",
    "ResponseFormatError",
    "RowsError",
    "RunnableError",
    "SchemaError",
    "ServiceUnavailableError",
    "StreamInterruptedError",
    "UndefinedVariableError",
    "UnknownNameError",
    "UsageError",
    "remedy_from",
]
