"""What rate-limit headers say, and which headers a response keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.http.quota import Quota, kept_headers, quota_of

# Azure OpenAI's answer to a request beyond the quota
AZURE_429 = {
    "retry-after": "26",
    "retry-after-ms": "26000",
    "x-ratelimit-limit-requests": "100",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-limit-tokens": "10000",
    "x-ratelimit-remaining-tokens": "0",
    "apim-request-id": "ID",
    "x-ms-region": "East US 2",
    "x-ms-deployment-name": "gpt-5",
}


def test_quotas_of_azure():
    assert quota_of("requests", AZURE_429) == Quota(0, 100)
    assert quota_of("tokens", AZURE_429) == Quota(0, 10_000)


def test_quotas_of_anthropic():
    headers = {
        "date": "Thu, 26 Nov 2026 10:00:00 GMT",
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-26T10:00:12Z",
    }
    assert quota_of("requests", headers) == Quota(49, 50, 12.0)
    assert quota_of("tokens", headers) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("59", 59.0),
        ("1.5", 1.5),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("2m59.5s", 179.5),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1732000000", None),
        ("9" * 5000, None),
        ("2026-11-26T10:00:12", None),
        ("\u0663s", None),
    ],
)
def test_reset_is_read_in_every_form(text, seconds):
    headers = {"x-ratelimit-remaining-tokens": "1", "x-ratelimit-reset-tokens": text}
    assert quota_of("tokens", headers) == Quota(1, None, seconds)


VALUES = st.one_of(
    st.text(max_size=20),
    st.text("0123456789smhd.:-+TZ \x1e\u0663\u00b2", max_size=20),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from(["9" * 5000, "1e309", "\x1e2", "nan", "inf", "[1, 2]", "1, 2"]),
)
NAMES = st.sampled_from(
    [f"x-ratelimit-{part}-tokens" for part in ("remaining", "limit", "reset")]
    + [f"anthropic-ratelimit-tokens-{part}" for part in ("remaining", "limit", "reset")]
    + ["date"]
)


@given(st.dictionaries(NAMES, VALUES))
def test_any_header_gives_a_quota_or_none(headers):
    quota = quota_of("tokens", headers)
    if quota is not None:
        assert quota.remaining >= 0
        assert quota.limit is None or quota.limit >= 0
        assert quota.reset is None or 0 <= quota.reset <= 86_400
        assert quota.per_second is None or quota.per_second > 0


def test_kept_headers_are_limits_region_and_ids():
    others = {"set-cookie": "a=b", "authorization": "Bearer k", "content-type": "text/html", "x-request-id-key": "k"}
    more = {"x-request-id": "r", "request-id": "q", "x-ms-request-id": "m", "azureml-model-deployment": "blue"}
    assert kept_headers({**others, **AZURE_429, **more}) == {**AZURE_429, **more}


def test_kept_header_is_one_short_line():
    assert len(kept_headers({"x-ms-region": "x\r\n" * 1000})["x-ms-region"]) <= 200
