"""Language models on Azure Machine Learning endpoints as a first-class thing in a notebook.

%load_ext azml_magics, then %%azureml. From Python: `azml_magics.invoke(config, prompt)`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .core.keys import Secret, register_resolver

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from . import errors
    from .core.client import ainvoke as ainvoke
    from .core.client import astream as astream
    from .core.client import invoke as invoke
    from .core.client import stream as stream
    from .core.config import LLMConfig as LLMConfig
    from .core.keys import KeyRef as KeyRef
    from .core.response import Chunk as Chunk
    from .core.response import Response as Response
    from .core.response import Usage as Usage
    from .core.wire import register as register_formatter
    from .documents import load as load_config
    from .documents import save as save_config
    from .rows.api import amap_rows as amap_rows
    from .rows.api import map_rows as map_rows

__version__ = "0.1.0"

# name -> (module, its name there, "" for the module itself); imported on first use, so that %load_ext stays light
_LAZY = {
    "Chunk": ("core.response", "Chunk"),
    "KeyRef": ("core.keys", "KeyRef"),
    "LLMConfig": ("core.config", "LLMConfig"),
    "Response": ("core.response", "Response"),
    "Usage": ("core.response", "Usage"),
    "ainvoke": ("core.client", "ainvoke"),
    "amap_rows": ("rows.api", "amap_rows"),
    "astream": ("core.client", "astream"),
    "errors": ("errors", ""),
    "invoke": ("core.client", "invoke"),
    "load_config": ("documents", "load"),
    "map_rows": ("rows.api", "map_rows"),
    "register_formatter": ("core.wire", "register"),
    "save_config": ("documents", "save"),
    "stream": ("core.client", "stream"),
}

__all__ = [
    "Chunk",
    "KeyRef",
    "LLMConfig",
    "Response",
    "Secret",
    "Usage",
    "__version__",
    "ainvoke",
    "amap_rows",
    "astream",
    "errors",
    "invoke",
    "load_config",
    "load_ipython_extension",
    "map_rows",
    "register_formatter",
    "save_config",
    "stream",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LAZY[name]
    value: Any = importlib.import_module(f"{__name__}.{module}")
    value = getattr(value, attribute) if attribute else value
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _resolver_in(function: str) -> Any:
    """A key resolver of the azure room that is imported when it is first asked."""

    def resolve(name: str, endpoint_url: str, refresh: bool) -> Secret:
        identity = importlib.import_module(f"{__name__}.azure.identity")
        secret: Secret = getattr(identity, function)(name, endpoint_url, refresh)
        return secret

    return resolve


register_resolver("entra", _resolver_in("entra_token"))
register_resolver("keyring", _resolver_in("keyring_key"))


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """What %load_ext azml_magics does: the magics, their completion and the display of responses."""
    from .notebook import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """What %unload_ext azml_magics does: nothing of it stays behind."""
    from .notebook import unload

    unload(ipython)
