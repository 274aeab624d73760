"""Control planes over http, and one with a certificate that azure-identity trusts."""

from __future__ import annotations

import pytest
import trustme

from azml_magics.emulator.control_plane import ControlPlane


@pytest.fixture
def azure():
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate with its private key, CA) as files."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    files = folder / "server.pem", folder / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(files[0])
    authority.cert_pem.write_to_path(files[1])
    return files


@pytest.fixture
def secure_azure(certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[1]))  # of azure-identity's HTTP client
    with ControlPlane(certfile=str(certificate[0])) as plane:
        yield plane
