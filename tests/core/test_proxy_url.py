"""The URL of a proxy: what a config may hold, and how messages name it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ConfigError
from azml_magics.core.proxy_url import Proxy, check_proxy, proxy_name

from .judge import only_our_errors


@pytest.mark.parametrize("written", ["", "none", "env:COMPANY_PROXY", "company:3128", "socks5://company"])
def test_config_takes_a_url_a_variable_or_none(written):
    assert check_proxy(f" {written} ") == written


def test_config_refuses_a_proxy_with_a_password():
    with pytest.raises(ConfigError, match="holds a user name or password") as caught:
        check_proxy("http://ann:s3cret@company:3128")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name", "password"),
    [
        ("http://ann:s%40cret@company:3128", "company:3128", "s@cret"),
        ("http://company", "company:80", ""),
        ("https://company", "company:443", ""),
        ("socks5://[fd00::1]", "[fd00::1]:1080", ""),
    ],
)
def test_proxy_is_named_by_host_and_port(url, name, password):
    assert Proxy.of(url) == Proxy(name, password)


@pytest.mark.parametrize("written", ["env:", "env:1", "http://p:port"])
def test_incomplete_proxy_is_one_line(written):
    with pytest.raises(ConfigError, match="The proxy's URL cannot be read"):
        check_proxy(written)


@given(st.text(max_size=30) | st.text(max_size=20).map("http://".__add__))
def test_any_text_is_a_proxy_or_one_line(text):
    with only_our_errors(ConfigError):
        check_proxy(text)
    assert "@" not in proxy_name(text)
