"""The emulator as an object: starting, stopping, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import warnings

import httpx
import pytest

from azml_magics.emulator import Emulator
from azml_magics.emulator.__main__ import greeting, main

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def test_start_and_stop_can_be_called_twice():
    endpoint = Emulator()
    assert endpoint.start() is endpoint
    url = endpoint.url
    assert endpoint.start().url == url
    assert repr(endpoint) == f"<Emulator {url}>"
    endpoint.stop()
    endpoint.stop()
    assert repr(endpoint) == "<Emulator, stopped>"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    with pytest.raises(RuntimeError, match="call start"):
        _ = endpoint.port
    with endpoint:
        assert httpx.get(endpoint.url).text == "Healthy"


def test_stop_restores_threads_loggers_and_warnings():
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.INFO)
    before = (
        threading.active_count(),
        logging.root.handlers[:],
        logging.root.level,
        warnings.filters[:],
        logging.getLogger("uvicorn.access").propagate,
    )
    with Emulator() as endpoint:
        httpx.get(endpoint.url)
    assert before == (
        threading.active_count(),
        logging.root.handlers[:],
        logging.root.level,
        warnings.filters[:],
        logging.getLogger("uvicorn.access").propagate,
    )
    assert logger.level == logging.INFO


def test_stop_does_not_wait_for_a_stalled_stream():
    endpoint = Emulator().start()
    headers = {"authorization": f"Bearer {endpoint.key}", "x-emulator-fault": "stalled;after=1"}
    with httpx.stream(
        "POST", f"{endpoint.url}/v1/chat/completions", json={**HELLO, "stream": True}, headers=headers
    ) as response:
        next(response.iter_raw())
        endpoint.stop()
        assert not endpoint.running


def test_host_must_be_loopback():
    for host in ("0.0.0.0", "192.168.1.1", "example.com", ""):
        with pytest.raises(ValueError, match="listens on loopback only"):
            Emulator(host=host)
    with Emulator(host="localhost") as endpoint:
        assert httpx.get(endpoint.url).status_code == 200


def test_taken_port_raises_os_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Emulator(port=taken.getsockname()[1]).start()


async def test_emulator_runs_beside_an_event_loop():
    with Emulator() as endpoint:
        async with httpx.AsyncClient() as client:
            responses = await asyncio.gather(*(client.get(endpoint.url) for _ in range(5)))
    assert [response.text for response in responses] == ["Healthy"] * 5


def test_two_emulators_run_at_once():
    with Emulator(key="a") as one, Emulator(key="b") as two:
        assert one.port != two.port
        assert httpx.get(f"{two.url}/info", headers={"api-key": "a"}).status_code == 401


def test_rate_and_latency_can_change_while_running():
    with Emulator(latency=30) as endpoint:
        endpoint.latency, endpoint.rate = 0.0, 10_000.0
        assert httpx.get(f"{endpoint.url}/info", headers={"api-key": endpoint.key}).status_code == 200
        assert (endpoint.latency, endpoint.rate) == (0.0, 10_000.0)


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_interpreter_exits_silently_while_running():
    done = run(
        "from azml_magics.emulator import Emulator\ne = Emulator().start()\nimport urllib.request\nprint(urllib.request.urlopen(e.url).read())"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "b'Healthy'\n", "")


def test_missing_uvicorn_error_has_the_remedy():
    done = run(
        "import sys\nsys.modules['uvicorn'] = None\ntry:\n    from azml_magics.emulator import Emulator\nexcept ImportError as error:\n    print(error)"
    )
    assert done.stdout == "The embedded endpoint needs uvicorn, which is not installed: pip install uvicorn\n"


def test_import_does_not_load_uvicorn():
    done = run(
        "import sys, azml_magics.emulator\nprint(sorted({'uvicorn', 'starlette', 'asyncio'} & set(sys.modules)))"
    )
    assert done.stdout == "[]\n"


def test_command_line_serves_until_stopped(capsys):
    stop = threading.Event()
    stop.set()
    assert main(["--port", "0", "--key", "k"], stop) == 0
    printed = capsys.readouterr().out
    assert "It is not a language model" in printed
    assert "curl http://127.0.0.1:" in printed
    assert "Key  k" in printed


def test_command_line_reports_taken_port(capsys):
    with Emulator() as endpoint:
        assert main(["--port", str(endpoint.port)]) == 1
    assert "Choose another with --port" in capsys.readouterr().out


def test_printed_curl_command_works():
    with Emulator() as endpoint:
        assert f"Authorization: Bearer {endpoint.key}" in greeting(endpoint)
        body = greeting(endpoint).split("-d '")[1].split("'")[0]
        headers = {"authorization": f"Bearer {endpoint.key}", "content-type": "application/json"}
        assert httpx.post(f"{endpoint.url}/v1/chat/completions", content=body, headers=headers).status_code == 200
