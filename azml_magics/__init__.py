"""Language models on Azure Machine Learning endpoints as a first-class thing in a notebook.

%load_ext azml_magics, then %%azureml. From Python: `azml_magics.invoke(config, prompt)`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .core.secrets import Secret, register_resolver

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from . import errors as errors
    from .core.config import LLMConfig as LLMConfig
    from .core.invoke import ainvoke as ainvoke
    from .core.invoke import astream as astream
    from .core.invoke import invoke as invoke
    from .core.invoke import stream as stream
    from .core.response import Chunk as Chunk
    from .core.response import Response as Response
    from .core.response import Usage as Usage
    from .core.rows.mapping import amap_rows as amap_rows
    from .core.rows.mapping import map_rows as map_rows
    from .core.secrets import KeyRef as KeyRef
    from .core.wire import register as register_formatter
    from .serialization import load as load_config
    from .serialization import save as save_config

__version__ = "0.1.0"

# name -> (module, its name there, "" for the module itself); imported on first use, so that %load_ext stays light
_LAZY = {
    "Chunk": ("core.response", "Chunk"),
    "KeyRef": ("core.secrets", "KeyRef"),
    "LLMConfig": ("core.config", "LLMConfig"),
    "Response": ("core.response", "Response"),
    "Usage": ("core.response", "Usage"),
    "ainvoke": ("core.invoke", "ainvoke"),
    "amap_rows": ("core.rows.mapping", "amap_rows"),
    "astream": ("core.invoke", "astream"),
    "errors": ("errors", ""),
    "invoke": ("core.invoke", "invoke"),
    "load_config": ("serialization", "load"),
    "map_rows": ("core.rows.mapping", "map_rows"),
    "register_formatter": ("core.wire", "register"),
    "save_config": ("serialization", "save"),
    "stream": ("core.invoke", "stream"),
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
