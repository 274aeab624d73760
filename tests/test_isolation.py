"""The tests' own walls: no other machine, no stray variables, no real home."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import pytest

from .conftest import NetworkRefused


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443), ("2001:db8::1", 80, 0, 0)])
def test_other_machines_are_unreachable(address):
    family = socket.AF_INET6 if len(address) == 4 else socket.AF_INET
    with socket.socket(family) as own:
        for connect in (own.connect, own.connect_ex):
            with pytest.raises(NetworkRefused):
                connect(address)


def test_name_servers_are_unreachable():
    with pytest.raises(NetworkRefused, match=r"asked for the address of example\.com"):
        socket.getaddrinfo("example.com", 443)
    with pytest.raises(NetworkRefused):
        httpx.get("http://example.com")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_loopback_is_reachable(host):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection((host, server.getsockname()[1])):
        pass


def test_environment_is_isolated(tmp_path):
    assert [name for name in os.environ if name.startswith(("AZUREML_", "AZURE_"))] == []
    assert Path.home() == tmp_path / "home"
