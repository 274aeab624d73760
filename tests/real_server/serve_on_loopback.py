"""Starts azmlinfsrv, Microsoft's scoring server, on 127.0.0.1: run by the Python of its own environment.

The server binds `constants.DEFAULT_HOST` (0.0.0.0) and neither its options nor GUNICORN_CMD_ARGS can change that: it
passes gunicorn a `-b` of its own, and a command line wins. So the constant is changed before the command reads it;
everything else is the server's own command line.
"""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h


def main() -> None:
    if sys.platform == "linux":  # if the tests are killed, close() is not called: end with them
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    from azureml_inference_server_http import constants

    if constants.DEFAULT_HOST != "0.0.0.0":  # the value to replace, not one to bind
        sys.exit(f"azmlinfsrv has another DEFAULT_HOST now: {constants.DEFAULT_HOST!r}. See that it stays on loopback.")
    constants.DEFAULT_HOST = "127.0.0.1"

    from azureml_inference_server_http import amlserver

    amlserver.run()


if __name__ == "__main__":
    main()
