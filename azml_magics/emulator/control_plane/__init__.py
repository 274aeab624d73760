"""An emulated control plane of Azure: sign-in, managed identity, Resource Manager, a Foundry project, a key vault.

It is for tests, tutorials and demos: the real azure-identity signs in to it, and discovery finds resources whose
endpoints respond on this machine.

    with ControlPlane() as azure:
        os.environ.update(azure.environment)    # the variables of a managed identity, and of Resource Manager
        azure.requests[-1].path                 # what the last client asked for
        azure.faults.denied = ["*/listKeys/action"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.faults import ControlPlaneFaults
    from azml_magics.emulator.control_plane.server import ControlPlane

__all__ = ["ControlPlane", "ControlPlaneFaults"]

_HOME = {"ControlPlane": "server", "ControlPlaneFaults": "faults"}


def __getattr__(name: str) -> Any:
    """Return the public class `name`, imported on first use.

    Raises:
        ImportError: uvicorn is not installed; the message names the extra.
    """
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    try:
        module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "uvicorn":
            raise
        raise ImportError("The emulated control plane needs uvicorn, of the extra demo", name="uvicorn") from None
    return getattr(module, name)


def __dir__() -> list[str]:
    return list(__all__)
