"""The base of all errors."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from typing import Any

from ..text import one_line


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
