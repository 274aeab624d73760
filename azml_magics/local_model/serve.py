"""The process of a local model: llama.cpp's server until its standard input ends, which it does with the parent.

It is run as a script, with nothing of this package. The first line of standard input is a JSON object with `path`,
`name`, `threads`, `context` and `key`; the first line of standard output is the server's URL. llama.cpp's log goes to
standard error.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_NICENESS = 5
_PARALLEL = 4  # requests at the same time; they share the context
_CACHE_MIB = 256  # of earlier prompts; llama.cpp's own default is 8 GiB
_ERRORS_AND_WARNINGS = 2


def main() -> None:
    """Serve until standard input ends."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as reply:
        os.dup2(2, 1)  # whatever else is printed is part of the log
        given = json.loads(sys.stdin.readline())
        if hasattr(os, "nice"):
            os.nice(_NICENESS)
        server = _start(given)
        reply.write(f"{server.listening_address}\n")
    sys.stdin.read()
    os._exit(0)  # at once: nobody waits for the rest of a response


def _start(given: dict[str, Any]) -> Any:
    import xllamacpp

    options = xllamacpp.CommonParams()
    options.model.path = given["path"]
    options.model_alias = {given["name"]}
    options.port = 0  # any free one
    options.cpuparams.n_threads = options.cpuparams_batch.n_threads = given["threads"]
    wanted = {
        "api_keys": [given["key"]], "n_ctx": given["context"], "n_parallel": _PARALLEL, "kv_unified": True,
        "cache_ram_mib": _CACHE_MIB, "endpoint_slots": False, "ui": False, "verbosity": _ERRORS_AND_WARNINGS,
    }  # fmt: skip
    for name, value in wanted.items():
        if hasattr(options, name):  # they come and go with versions of llama.cpp
            setattr(options, name, value)
    return xllamacpp.Server(options)


if __name__ == "__main__":
    main()
