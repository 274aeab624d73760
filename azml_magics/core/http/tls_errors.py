"""What OpenSSL says of a failed handshake -> what happened, and what to do."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Numbers of OpenSSL's x509_vfy.h.
_OUT_OF_DATE = {9: "is not valid yet", 10: "has expired"}
_SELF_SIGNED = 18
_OTHER_HOST = {62, 63, 64}

_CA_REMEDY = (
    "If your company's network inspects TLS, or the server has a CA of its own, name the CA file in verify or in "
    "SSL_CERT_FILE."
)


class TLSProblem(NamedTuple):
    """Why no TLS connection was opened.

    Attributes:
        cause: What happened; {host} stands for the server.
        remedy: What to do, in plain Python words.
        error_code: The code for front ends.
        is_permanent: Whether another attempt will fail as well.
    """

    cause: str
    remedy: str
    error_code: str
    is_permanent: bool = True


def tls_problem(error: BaseException) -> TLSProblem | None:
    """Return what failed in a TLS handshake, or None if `error` is about something else."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_problem(cause)
        if isinstance(cause, ssl.SSLError) and (problem := _handshake_problem(cause.reason or str(cause))):
            return problem
    return None


def _certificate_problem(error: ssl.SSLCertVerificationError) -> TLSProblem:
    code = getattr(error, "verify_code", 0)  # truststore's errors have the system's words only
    words = str(getattr(error, "verify_message", "") or error).rstrip(".")
    if code in _OTHER_HOST:
        return TLSProblem(
            f"The certificate of {{host}} is for another host: {words}",
            "Check the host in the URL. If it is right, the server needs a certificate with that name.",
            "certificate-other-host",
        )
    if code in _OUT_OF_DATE:
        return TLSProblem(
            f"The certificate of {{host}} {_OUT_OF_DATE[code]}",
            "It has to be renewed on the server; check this machine's clock, too.",
            "certificate-out-of-date",
        )
    if code == _SELF_SIGNED:
        return TLSProblem(
            "The certificate of {host} is self-signed, so that nothing vouches for it",
            "If it is your server, name its certificate (a PEM file) in verify or in SSL_CERT_FILE.",
            "certificate-self-signed",
        )
    return TLSProblem(f"The certificate of {{host}} is not trusted: {words}", _CA_REMEDY, "certificate-untrusted")


def _handshake_problem(reason: str) -> TLSProblem | None:
    reason = reason.upper().replace(" ", "_")
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")):
        return TLSProblem(
            "{host} does not speak https there",
            "Check the port, or write http:// if the server has no TLS.",
            "not-tls",
            is_permanent=False,  # a load balancer may have one broken node
        )
    if "CERTIFICATE_REQUIRED" in reason:
        return TLSProblem(
            "{host} requires a client certificate",
            "Pass an httpx client whose TLS context has loaded one as http_client.",
            "client-certificate-required",
        )
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
