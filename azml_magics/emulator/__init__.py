"""The embedded endpoint: a local server with every wire format and every failure of Azure ML endpoints.

It is for demos, tutorials and tests. It is not a language model: it gives prepared responses.

    with Emulator(key="demo-key-not-secret") as endpoint:
        endpoint.url                                         # "http://127.0.0.1:PORT"
        endpoint.script([Fault("429", retry_after=0.1)])     # the next request is told to wait
        endpoint.requests[-1].json()                         # what the last client sent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azml_magics.emulator.faults import Fault
    from azml_magics.emulator.recorded_requests import RecordedRequest
    from azml_magics.emulator.server import Emulator

__all__ = ["Emulator", "Fault", "RecordedRequest"]

_HOME = {"Emulator": "server", "Fault": "faults", "RecordedRequest": "recorded_requests"}


def __getattr__(name: str) -> Any:
    """Return the public class `name`, imported on first use.

    Raises:
        ImportError: uvicorn is not installed; the message says how to install it.
    """
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    try:
        module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "uvicorn":
            raise
        raise ImportError(
            "The embedded endpoint needs uvicorn, which is not installed: pip install uvicorn",
            name="uvicorn",
        ) from None
    return getattr(module, name)


def __dir__() -> list[str]:
    return list(__all__)
