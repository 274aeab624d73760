"""Whatever JSON the services send, discovery reads what it knows and raises nothing but errors of ours."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.azure.discovered import Discovery
from azml_magics.azure.foundry_resources import managed_compute_deployment, model_deployment
from azml_magics.azure.ml_workspaces import inference_endpoint, online_deployments, serverless_endpoint
from azml_magics.core.errors import AzmlError
from azml_magics.session import Session

NAMES = st.sampled_from(
    (
        *("id", "name", "kind", "location", "sku", "properties", "model", "format", "version", "capabilities"),
        *(
            "endpoints",
            "endpoint",
            "AI Foundry API",
            "provisioningState",
            "rateLimits",
            "key",
            "count",
            "renewalPeriod",
        ),
        *("traffic", "authMode", "scoringUri", "compute", "inferenceEndpoint", "uri", "headers", "endpointState"),
        *("responses", "chatCompletion", "embeddings", "disableLocalAuth", "customSubDomainName", "endpointUri"),
    )
)
TEXTS = st.sampled_from(
    (
        "",
        "x",
        "true",
        "Succeeded",
        "Failed",
        "Key",
        "AADToken",
        "token",
        "AIServices",
        "OpenAI",
        "Anthropic",
        "a\n\x1b[1m",
    )
) | st.just("https://n.eastus.inference.ml.azure.com/score")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**9) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=5),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)


@given(OBJECTS, OBJECTS, st.lists(OBJECTS, max_size=2))
def test_odd_json_gives_rows_that_can_be_shown(owner, item, inner):
    found = Discovery(
        [
            model_deployment(owner, item, ("entra",)),
            managed_compute_deployment(owner, item, ("entra", "azure-key")),
            *online_deployments("w", item, inner),
            serverless_endpoint("w", item),
            inference_endpoint("w", item),
        ]
    )
    text = repr(found)
    assert len(text.splitlines()) == 1 + len(found)
    assert "\x1b" not in text
    for row in found:
        with contextlib.suppress(AzmlError):
            found.config(row)
    with contextlib.suppress(AzmlError):
        found.save(session=Session(), detect=False)
