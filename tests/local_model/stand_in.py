"""A stand-in for xllamacpp whose server is a real HTTP server in the child process, and files that look like weights."""

from __future__ import annotations

import os
import sys

import pytest

XLLAMACPP = '''
"""CommonParams and Server as xllamacpp has them; the "model" is a file whose text says what happens."""
import http.server, json, os, pathlib, sys, threading, time


class Threads:
    n_threads = -1


class CommonParams:
    def __init__(self):
        self.model = type("Model", (), {"path": ""})()
        self.model_alias, self.api_keys = set(), []
        self.port, self.n_ctx, self.n_parallel = 8080, 0, 1
        self.cpuparams, self.cpuparams_batch = Threads(), Threads()


class Server:
    def __init__(self, options):
        text = pathlib.Path(options.model.path).read_bytes().decode()
        print("0.00.001 I srv init: loading model")
        if "refuse" in text:
            print("0.00.002 E common_fit_params: encountered an error while trying to fit params", file=sys.stderr)
            print("0.00.003 E llama_model_load: error loading model: tensor 'a' is out of bounds", file=sys.stderr, flush=True)
            raise RuntimeError("Failed to init server, please check the input params.")
        if "crash" in text:
            os.kill(os.getpid(), 9)
        if "slow" in text:
            time.sleep(3)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply({"status": "ok"})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                good = self.headers["authorization"] == f"Bearer {options.api_keys[0]}"
                said = {"prompt": body["messages"][-1]["content"], "pid": os.getpid(), "threads": options.cpuparams.n_threads}
                choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(said)}}
                usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
                self.reply({"model": min(options.model_alias), "choices": [choice], "usage": usage} if good else {}, 200 if good else 401)

            def reply(self, content, status=200):
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *given):
                pass

        served = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
        threading.Thread(target=served.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{served.server_port}"
'''


@pytest.fixture
def xllamacpp(tmp_path, monkeypatch):
    """The stand-in, installed for this process and for those that it starts."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "xllamacpp.py").write_text(XLLAMACPP, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH", "")))))
    yield folder
    sys.modules.pop("xllamacpp", None)


@pytest.fixture
def gguf(tmp_path):
    """Make a file that begins as GGUF files do."""

    def make(name="Tiny-1B.Q4_1.gguf", text=""):
        path = tmp_path / name
        path.write_text(f"GGUF{text}", encoding="utf-8")
        return path

    return make
