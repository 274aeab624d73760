"""The fixture itself: the server is Microsoft's, it listens on loopback and nowhere else, and it ends without a trace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import sockets
from .server import RealServer

if TYPE_CHECKING:
    from .conftest import Serve

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the sockets of processes from Linux's /proc")


@on_linux
@pytest.mark.real_server
def test_listens_on_loopback_and_on_no_other_address(serve: Serve) -> None:
    server = serve("gpt2")
    assert len(sockets.processes(server.group)) >= 2, "master and worker"
    assert sockets.listening(server.group) == {("127.0.0.1", server.port)}


@pytest.mark.real_server
def test_server_is_azureml_inference_server(serve: Serve) -> None:
    server = serve("gpt2")
    assert server.health() == "Healthy"
    assert "Azure ML Inferencing HTTP server v1." in server.log


@pytest.mark.real_server
def test_server_writes_only_into_its_folder(serve: Serve) -> None:
    server = serve("gpt2")
    assert server.log
    assert not list((Path(__file__).parent / "scoring").rglob("*.pyc"))


@on_linux
@pytest.mark.real_server
def test_close_ends_the_master_and_its_workers(real_python: Path, tmp_path: Path) -> None:
    server = RealServer(real_python, "gpt2", tmp_path)
    assert sockets.processes(server.group)
    server.close()
    assert sockets.processes(server.group) == []
    assert server.health() == ""
    server.close()  # closing twice is harmless


@pytest.mark.real_server
def test_unloadable_script_shows_the_log(real_python: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"did not start with no_such_script\.py(?s:.*)UserScriptImportException"):
        RealServer(real_python, "no_such_script", tmp_path)


def test_wildcard_socket_is_detected() -> None:
    """The judge of the loopback test, on a line that the kernel prints for 0.0.0.0:5001 (little-endian words)."""
    heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    listens = "   0: 00000000:1389 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0"
    connected = "   1: 0100007F:1389 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0"
    assert sockets.listeners(f"{heading}\n{listens}\n{connected}\n") == {"4242": ("0.0.0.0", 5001)}


@on_linux
def test_own_socket_is_detected_at_its_address() -> None:
    import os
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        assert one.getsockname() in sockets.listening(os.getpgid(0))
