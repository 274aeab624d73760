"""What https connections trust: the operating system, the environment, and a config's verify."""

from __future__ import annotations

import os
import ssl
import sys
import warnings

import pytest
import trustme

from azml_magics.core.errors import ConfigError
from azml_magics.core.http import tls
from azml_magics.core.http.session_warnings import warn_once


@pytest.fixture(autouse=True)
def no_certificates_of_the_environment(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def company():
    return trustme.CA(organization_name="Contoso")


def subjects(context):
    return str([certificate["subject"] for certificate in context.get_ca_certs()])


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_environment_names_a_file_of_certificates(company, tmp_path, monkeypatch, variable):
    company.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    assert "Contoso" in subjects(tls.ssl_context())


def test_ssl_cert_file_wins_over_requests_ca_bundle(company, tmp_path, monkeypatch):
    company.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trustme.CA(organization_name="Other").cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert "Other" not in subjects(tls.ssl_context())
    assert "Contoso" in subjects(tls.ssl_context())


def test_folder_of_certificates_needs_no_rehash(company, tmp_path, monkeypatch):
    company.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert "Contoso" in subjects(tls.ssl_context())


def test_verify_wins_over_the_environment(company, tmp_path, monkeypatch):
    company.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    assert "Contoso" in subjects(tls.ssl_context(str(tmp_path / "ca.pem")))


def test_context_of_the_caller_is_used_as_it_is():
    context = ssl.create_default_context()
    assert tls.ssl_context(context) is context


def test_contexts_are_kept_until_their_file_changes(company, tmp_path):
    path = tmp_path / "ca.pem"
    company.cert_pem.write_to_path(str(path))
    first = tls.ssl_context(str(path))
    assert tls.ssl_context(str(path)) is first
    trustme.CA(organization_name="Renewed").cert_pem.write_to_path(str(path))
    os.utime(path, ns=(1, 1))
    assert "Renewed" in subjects(tls.ssl_context(str(path)))


@pytest.mark.parametrize("variable", ["verify", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_missing_certificates_are_one_line(variable, monkeypatch):
    if variable != "verify":
        monkeypatch.setenv(variable, "/nowhere/ca.pem")
    with pytest.raises(ConfigError) as caught:
        tls.ssl_context("/nowhere/ca.pem" if variable == "verify" else None)
    assert str(caught.value) == (
        f"The certificates of {variable} cannot be read: /nowhere/ca.pem: No such file or directory. Name an existing "
        f"file or folder of CA certificates in {variable}, or unset it to trust the operating system's."
    )


def test_file_without_certificates_is_one_line(tmp_path):
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(ConfigError, match=r"ca\.pem: it is not a file of PEM certificates\. Name"):
        tls.ssl_context(str(tmp_path / "ca.pem"))


def test_folder_without_certificates_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="the folder holds no certificates"):
        tls.ssl_context(str(tmp_path))


def test_verify_false_checks_nothing_and_warns_once():
    tls._unchecked_context.cache_clear()
    warn_once.cache_clear()
    with pytest.warns(UserWarning, match="verify is False: certificates are not checked"):
        context = tls.ssl_context(False)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tls.ssl_context(False) is context


def test_default_is_the_operating_systems_trust():
    context = tls.ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert tls.ssl_context() is context
    if sys.platform.startswith("linux"):
        assert type(context) is ssl.SSLContext


def test_truststore_asks_the_system_on_windows_and_macos(monkeypatch):
    import truststore

    tls._system.cache_clear()
    monkeypatch.setattr(sys, "platform", "win32")
    try:
        assert isinstance(tls.ssl_context(), truststore.SSLContext)
    finally:
        tls._system.cache_clear()


def test_python_built_for_another_place_finds_the_distributions_file(company, tmp_path, monkeypatch):
    company.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    nowhere = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "/x", "SSL_CERT_DIR", "/x")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(tls, "_SYSTEM_FILES", (str(tmp_path / "none.pem"), str(tmp_path / "ca.pem")))
    tls._system.cache_clear()
    try:
        assert "Contoso" in subjects(tls.ssl_context())
        tls._system.cache_clear()
        monkeypatch.setattr(tls, "_SYSTEM_FILES", ())
        assert tls.ssl_context().cert_store_stats()["x509_ca"] > 50, "certifi's, which httpx brings"
    finally:
        tls._system.cache_clear()
