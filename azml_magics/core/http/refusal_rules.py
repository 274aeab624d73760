"""The refusals that are told apart by status, error code and message, and what to say about each. Data.

Sources: the error references of Azure OpenAI, Foundry, Azure ML and Anthropic, and the error bodies of vLLM, TGI,
llama.cpp, LiteLLM and API Management.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    EndpointError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)

SCORING_TIMEOUT = "Scoring timeout after"
"""How azmlinfsrv's message begins if a scoring script took too long."""


class Explanation(NamedTuple):
    """How to report a failure.

    Attributes:
        kind: The class of the error.
        cause: What happened; a template over the facts.
        remedy: What to do; a template over the facts.
        error_code: The error code if a front end's remedy differs from that of the class.
    """

    kind: type[EndpointError]
    cause: str
    remedy: str
    error_code: str = ""


@dataclass(frozen=True)
class Rule:
    """An explanation, and the refusals that it fits: the status, and one of the codes or the words.

    Attributes:
        statuses: The statuses.
        codes: The error codes.
        words: A regular expression for the message; its named groups are facts.
        then: The explanation.
    """

    statuses: frozenset[int]
    then: Explanation
    codes: frozenset[str] = frozenset()
    words: str = r"(?!)"

    def match(self, status: int, codes: frozenset[str], message: str) -> dict[str, str] | None:
        """Return the facts in the message if the rule fits a refusal, else None."""
        if status not in self.statuses:
            return None
        found = re.search(self.words, message, re.IGNORECASE)
        if found is None:
            return None if self.codes.isdisjoint(codes) else {}
        return {name: text for name, text in found.groupdict().items() if text}


_OVERLOADED = Explanation(
    kind=ServiceUnavailableError,
    cause="The model is overloaded",
    remedy="Try again in a minute.",
    error_code="overloaded",
)
_BAD = frozenset({400, 404, 405, 422})
_TOO_LONG = frozenset({400, 413, 422, 424, 500})

# The first rule that fits a refusal explains it.
RULES: tuple[Rule, ...] = (
    # ---- the request
    Rule(
        _BAD,
        Explanation(
            kind=BadRequestError,
            cause="This model takes no max_tokens",
            remedy="Use max_completion_tokens in its place.",
            error_code="max-tokens-renamed",
        ),
        words=r"'max_tokens' is not supported .*max_completion_tokens",
    ),
    Rule(
        _BAD,
        Explanation(
            kind=BadRequestError,
            cause="This deployment has an embeddings model, which takes no prompt",
            remedy="Use the formatter embeddings, or a deployment with a chat model.",
            error_code="embeddings-model",
        ),
        words=r"operation does not work with the specified model, \S*(embed|rerank)",
    ),
    Rule(
        _BAD,
        Explanation(
            kind=BadRequestError,
            cause="This model is not served on the route of this formatter",
            remedy="Use the formatter {formatter}.",
            error_code="wrong-wire",
        ),
        frozenset({"OperationNotSupported"}),
        r"The (?P<operation>\w+) operation does not work with the specified model"
        r"|(use|only supported in|through|via) (the )?(/?v1/responses|Responses API)",
    ),
    Rule(
        _BAD,
        Explanation(
            kind=BadRequestError,
            cause="This model does not take {param} as it was sent",
            remedy="Remove {param}: reasoning models take only their own defaults.",
            error_code="parameter-unsupported",
        ),
        frozenset({"unsupported_parameter", "unsupported_value"}),
        r"^Unsupported (parameter|value): '(?P<param>[\w.]+)'|^(?P<name>[\w.]+): Extra inputs are not permitted",
    ),
    Rule(
        _TOO_LONG,
        Explanation(
            kind=BadRequestError,
            cause="The prompt is longer than the model's context",
            remedy="Shorten the prompt, or ask for fewer tokens{limit}.",
            error_code="prompt-too-long",
        ),
        frozenset({"context_length_exceeded", "string_above_max_length"}),
        r"maximum context length|context window|available context size|prompt is too long|reduce the length of"
        r"|`inputs` must have less than|`inputs` tokens \+|input tokens exceed|max_model_len",
    ),
    Rule(
        _BAD,
        Explanation(
            kind=BadRequestError,
            cause="The resource does not know this api-version",
            remedy="Set api_version to one that it knows, or use a URL that needs none, such as /openai/v1.",
            error_code="api-version",
        ),
        frozenset({"UnsupportedApiVersion", "InvalidApiVersionParameter"}),
        r"api[- ]version (not supported|is not supported|.{0,40}is invalid|query parameter)",
    ),
    # ---- the deployment or the model
    Rule(
        _BAD | {410},
        Explanation(
            kind=NotFoundError,
            cause="The model was retired",
            remedy="Deploy its successor, and name that deployment.",
            error_code="model-retired",
        ),
        frozenset({"model_deprecated", "ModelDeprecated", "DeploymentModelRetired"}),
        r"(model|deployment)\b.{0,80} (has been|is|was) (deprecated|retired)",
    ),
    Rule(
        _BAD,
        Explanation(
            kind=NotFoundError,
            cause="The resource has no deployment of that name",
            remedy="Check deployment_name or model. A new deployment takes up to five minutes.",
            error_code="no-such-deployment",
        ),
        frozenset({"DeploymentNotFound"}),
        r"deployment for this resource does not exist",
    ),
    Rule(
        _BAD,
        Explanation(
            kind=NotFoundError,
            cause="The endpoint has no model of that name",
            remedy="Check the model's name: GET {models} lists them.",
            error_code="no-such-model",
        ),
        frozenset({"unknown_model", "model_not_found", "ModelNotFound"}),
        r"model [`'\"]?\S+[`'\"]? (does not exist|(is )?not found)|unknown model|invalid model name|^model: \S+$",
    ),
    # ---- the key and the rights
    Rule(
        frozenset({401}),
        Explanation(
            kind=AuthenticationError,
            cause="The gateway found no key in the header that it reads",
            remedy="Name that header in key_header, or add it to headers; often it is Ocp-Apim-Subscription-Key or "
            "api-key.",
            error_code="gateway-key-missing",
        ),
        words=r"missing subscription key",  # API Management
    ),
    Rule(
        frozenset({401, 403}),
        Explanation(
            kind=AuthenticationError,
            cause="The token is missing, expired or meant for another service",
            remedy="This host takes tokens of the scope {scope}: the key reference {reference} requests one.",
            error_code="wrong-audience",
        ),
        words=r"\baudience\b",
    ),
    Rule(
        frozenset({400, 401, 403}),
        Explanation(
            kind=AuthenticationError,
            cause="The token is from another tenant than the resource",
            remedy="Sign in to the resource's tenant, or name it: entra:tenant=TENANT.",
            error_code="token-tenant",
        ),
        frozenset({"InvalidAuthenticationTokenTenant"}),
        r"token tenant\b|tenant provided in token|must match the tenant|\bwrong issuer",
    ),
    Rule(
        frozenset({401}),
        Explanation(
            kind=AuthenticationError,
            cause="The token has expired",
            remedy="Get a new one: the key references entra and aml-token renew theirs by themselves.",
            error_code="token-expired",
        ),
        frozenset({"ExpiredAuthenticationToken", "token_expired"}),
        r"\b(token|jwt)\b.{0,40}\bexpired",
    ),
    Rule(
        frozenset({401, 403}),
        Explanation(
            kind=PermissionDeniedError,
            cause="Keys are switched off for this resource",
            remedy="Use the key reference entra.",
            error_code="key-auth-disabled",
        ),
        frozenset({"AuthenticationTypeDisabled"}),
        r"key[- ]based authentication is (disabled|not permitted)|local auth\w* is disabled",
    ),
    Rule(
        frozenset({403}),
        Explanation(
            kind=PermissionDeniedError,
            cause="The quota of calls is used up",
            remedy="Wait as long as it says, or ask the owner of the gateway for a larger quota.",
            error_code="quota-exceeded",
        ),
        words=r"out of call volume quota|quota (has been |is )?exceeded",
    ),
    Rule(
        frozenset({401, 403}),
        Explanation(
            kind=PermissionDeniedError,
            cause="The network of this machine is not allowed",
            remedy="Run this inside the virtual network, or have this machine's address added to the firewall's rules.",
            error_code="network-blocked",
        ),
        words=r"virtual network|firewall|private endpoint|public[ _](network[ _])?access|\bIP( address)?\b"
        r"|^an HTML page",
    ),
    Rule(
        frozenset({401, 403}),
        Explanation(
            kind=PermissionDeniedError,
            cause="The identity has no right to call this endpoint",
            remedy="Have it assigned the role {role} on the resource, and wait five minutes: Owner is not enough.",
            error_code="role-missing",
        ),
        frozenset({"PermissionDenied", "AuthorizationFailed"}),
        r"does not have (access|authorization|permission)|data action|not authorized to perform|lacks the required",
    ),
    # ---- the load
    Rule(
        frozenset({429, 503}),
        Explanation(
            kind=RateLimitError,
            cause="The region has no capacity for this model now",
            remedy="Wait and try again, or use a deployment in another region or of type Global.",
            error_code="no-capacity",
        ),
        frozenset({"NoCapacity"}),
        r"no (available )?capacity|high demand",
    ),
    Rule(
        frozenset({429}),
        Explanation(
            kind=RateLimitError,
            cause="The quota of {quota} a minute is used up",
            remedy="Wait, lower the concurrency, or raise the deployment's quota.",
            error_code="quota-per-minute",
        ),
        codes=frozenset({"RateLimitReached"}),
        words=r"exceeded (the )?(?P<what>token|call|request) rate limit",
    ),
    Rule(
        frozenset({500}),
        Explanation(
            kind=APITimeoutError,
            cause="The scoring script took longer than its server waits",
            remedy="Raise the deployment's request_timeout_ms, or ask for fewer tokens.",
        ),
        words=re.escape(SCORING_TIMEOUT),
    ),
    Rule(frozenset({500, 503}), _OVERLOADED, frozenset({"overloaded_error"})),
    Rule(frozenset({529}), _OVERLOADED, words=""),
    # ---- what gives no reason
    Rule(
        frozenset({401}),
        Explanation(
            kind=AuthenticationError,
            cause="The endpoint did not accept the key",
            remedy="Check that the key belongs to this endpoint and has not been regenerated or expired{or_role}.",
        ),
        words="",
    ),
    Rule(
        frozenset({403}),
        Explanation(
            kind=PermissionDeniedError,
            cause="The endpoint does not allow this",
            remedy="Check {rights} and whether the endpoint accepts calls from this network.",
        ),
        words="",
    ),
)
