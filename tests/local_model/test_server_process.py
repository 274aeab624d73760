"""The process of a local model: it answers with a key, says why it cannot load, and ends with its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from azml_magics.core.errors import ConfigError
from azml_magics.local_model import LocalModel, cores, find_weights
from azml_magics.local_model import server_process as server_processes

PATIENCE = 30


def ask(model, key=None):
    headers = {"authorization": f"Bearer {model.key if key is None else key}"}
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        return client.post(model.url, json=body, headers=headers)


def wait_until_gone(pid):
    """Wait until a process that is not ours to wait for has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if _is_zombie(pid):
            return True
        time.sleep(0.05)
    return False


def _is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def test_model_answers_with_its_key_only(xllamacpp, gguf):
    with LocalModel(find_weights(str(gguf())), threads=3) as model:
        assert model.running
        answer = ask(model).json()
        assert answer["model"] == "Tiny-1B"
        assert json.loads(answer["choices"][0]["message"]["content"])["threads"] == 3
        assert ask(model, "another").status_code == 401
        url = model.url
        assert model.start() is model
        assert model.url == url
    assert not model.running
    assert model.url == ""
    model.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_key_is_not_in_the_command_line(xllamacpp, gguf):
    with LocalModel(find_weights(str(gguf()))) as model:
        assert model.key not in " ".join(model._process.args)
        assert model.key not in str(dict(os.environ))


def test_waiting_is_reported(xllamacpp, gguf):
    waited = []
    model = LocalModel(find_weights(str(gguf(text="slow")))).start(waited.append)
    model.stop()
    assert waited
    assert waited == sorted(waited)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("refuse", "tensor 'a' is out of bounds"),
        pytest.param(
            "crash",
            "its process was ended by SIGKILL, probably for want of memory",
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows has no signals"),
        ),
    ],
)
def test_model_that_cannot_be_loaded_is_one_line(xllamacpp, gguf, text, reason):
    model = LocalModel(find_weights(str(gguf(text=text))))
    with pytest.raises(ConfigError) as raised:
        model.start()
    assert str(raised.value) == (
        f"llama.cpp cannot load Tiny-1B.Q4_1.gguf: {reason}. Download it again, or give the path of another one."
    )
    assert not model.running
    model.stop()


def test_broken_package_is_one_line(xllamacpp, gguf):
    (xllamacpp / "xllamacpp.py").write_text("raise ImportError('GLIBC_2.38 not found')")
    with pytest.raises(ConfigError, match=r"cannot load Tiny.*: ImportError: GLIBC_2\.38 not found\."):
        LocalModel(find_weights(str(gguf()))).start()


def test_too_slow_a_model_is_given_up(xllamacpp, gguf, monkeypatch):
    monkeypatch.setattr(server_processes, "_LOAD_SECONDS", 0.5)
    model = LocalModel(find_weights(str(gguf(text="slow"))))
    with pytest.raises(ConfigError, match=r"Tiny-1B is not loaded after \d+ s"):
        model.start()
    assert not model.running


def test_process_ends_with_a_parent_that_is_killed(xllamacpp, gguf):
    code = (
        "import sys, time\nfrom azml_magics.local_model import LocalModel, find_weights\n"
        "model = LocalModel(find_weights(sys.argv[1])).start()\nprint(model._process.pid, flush=True)\ntime.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(gguf())], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline())
    finally:
        parent.kill()
        parent.communicate()
    assert wait_until_gone(pid)


def test_process_ends_with_the_interpreter(xllamacpp, gguf):
    code = (
        "import sys\nfrom azml_magics.local_model import LocalModel, find_weights\n"
        "print(LocalModel(find_weights(sys.argv[1])).start()._process.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(gguf())], capture_output=True, text=True, timeout=PATIENCE * 2
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert wait_until_gone(int(done.stdout))


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX's")
def test_interrupt_of_the_parent_does_not_reach_the_process(xllamacpp, gguf):
    with LocalModel(find_weights(str(gguf()))) as model:
        assert os.getpgid(model._process.pid) != os.getpgid(0)
        assert model.running


def test_threads_leave_a_core_and_are_at_least_one(monkeypatch, tmp_path):
    limit = tmp_path / "cpu.max"
    monkeypatch.setattr(cores, "_QUOTA", limit)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    assert cores.choose_threads() == 7
    for text, threads in (("max 100000", 7), ("400000 100000", 3), ("200000 100000", 1), ("50000 100000", 1), ("x", 7)):
        limit.write_text(text)
        assert cores.choose_threads() == threads, text
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert cores.choose_threads() == 1


def test_forked_process_does_not_end_the_model(xllamacpp, gguf):
    with LocalModel(find_weights(str(gguf()))) as model:
        model._owner = os.getpid() + 1  # what a fork sees
        process = model._process
        model.stop()
        assert process.poll() is None
        process.kill()
        process.communicate()
        model._log.close()
