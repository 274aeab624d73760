"""Language models on Azure in a notebook: %load_ext azml_magics, then %%azureml.

The same from Python:

    >>> import azml_magics
    >>> config = azml_magics.LLMConfig(endpoint_url="https://NAME.REGION.inference.ml.azure.com/score")
    >>> azml_magics.invoke(config, "Name three kinds of clouds.").text
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .core.key_sources import set_fetcher
from .core.secret import Secret
from .core.version import __version__

if TYPE_CHECKING:
    from . import errors
    from .azure.discovery import Discovery as Discovery
    from .azure.discovery import discover as discover
    from .cassettes.cassette import record as record
    from .cassettes.cassette import replay as replay
    from .compare.comparison import Batch as Batch
    from .compare.comparison import Row as Row
    from .core.client import AsyncClient as AsyncClient
    from .core.client import Client as Client
    from .core.client import ainvoke as ainvoke
    from .core.client import astream as astream
    from .core.client import invoke as invoke
    from .core.client import stream as stream
    from .core.config import LLMConfig as LLMConfig
    from .core.http.rate_limiter import RateLimiter as RateLimiter
    from .core.key_sources import KeySource as KeySource
    from .core.key_sources import register_key_source as register_key_source
    from .core.keys import KeyRef as KeyRef
    from .core.response import Chunk as Chunk
    from .core.response import Response as Response
    from .core.response import ToolRun as ToolRun
    from .core.response import Usage as Usage
    from .core.tools import Toolset as Toolset
    from .core.wire import register as register_formatter
    from .documents import load as load_config
    from .documents import save as save_config
    from .evaluation.api import aevaluate as aevaluate
    from .evaluation.api import evaluate as evaluate
    from .evaluation.evaluation import Evaluation as Evaluation
    from .evaluation.outcome import Outcome as Outcome
    from .evaluation.outcome import Score as Score
    from .granting import revoke_trust as revoke_trust
    from .granting import trust as trust
    from .rows.api import map_rows as map_rows
    from .rows.async_api import amap_rows as amap_rows

# name -> (module, its name there, "" for the module itself); imported on first use, so that %load_ext stays light
_LAZY = {
    "AsyncClient": ("core.client", "AsyncClient"),
    "Batch": ("compare.comparison", "Batch"),
    "Chunk": ("core.response", "Chunk"),
    "Client": ("core.client", "Client"),
    "Discovery": ("azure.discovery", "Discovery"),
    "Evaluation": ("evaluation.evaluation", "Evaluation"),
    "KeyRef": ("core.keys", "KeyRef"),
    "KeySource": ("core.key_sources", "KeySource"),
    "LLMConfig": ("core.config", "LLMConfig"),
    "Outcome": ("evaluation.outcome", "Outcome"),
    "RateLimiter": ("core.http.rate_limiter", "RateLimiter"),
    "Response": ("core.response", "Response"),
    "Row": ("compare.comparison", "Row"),
    "Score": ("evaluation.outcome", "Score"),
    "ToolRun": ("core.response", "ToolRun"),
    "Toolset": ("core.tools", "Toolset"),
    "Usage": ("core.response", "Usage"),
    "aevaluate": ("evaluation.api", "aevaluate"),
    "ainvoke": ("core.client", "ainvoke"),
    "amap_rows": ("rows.async_api", "amap_rows"),
    "astream": ("core.client", "astream"),
    "discover": ("azure.discovery", "discover"),
    "errors": ("errors", ""),
    "evaluate": ("evaluation.api", "evaluate"),
    "invoke": ("core.client", "invoke"),
    "load_config": ("documents", "load"),
    "map_rows": ("rows.api", "map_rows"),
    "record": ("cassettes.cassette", "record"),
    "register_formatter": ("core.wire", "register"),
    "register_key_source": ("core.key_sources", "register_key_source"),
    "replay": ("cassettes.cassette", "replay"),
    "save_config": ("documents", "save"),
    "stream": ("core.client", "stream"),
    "revoke_trust": ("granting", "revoke_trust"),
    "trust": ("granting", "trust"),
}

__all__ = [
    "AsyncClient",
    "Batch",
    "Chunk",
    "Client",
    "Discovery",
    "Evaluation",
    "KeyRef",
    "KeySource",
    "LLMConfig",
    "Outcome",
    "RateLimiter",
    "Response",
    "Row",
    "Score",
    "Secret",
    "ToolRun",
    "Toolset",
    "Usage",
    "__version__",
    "aevaluate",
    "ainvoke",
    "amap_rows",
    "astream",
    "discover",
    "errors",
    "evaluate",
    "invoke",
    "load_config",
    "load_ipython_extension",
    "map_rows",
    "record",
    "register_formatter",
    "register_key_source",
    "replay",
    "revoke_trust",
    "save_config",
    "stream",
    "trust",
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
    return list(__all__)


def _fetcher_in(module: str) -> Any:
    """Return a fetcher of keys that imports its module when it is first called."""

    def fetch(source: Any, endpoint_url: str, refused: Secret | None) -> Secret:
        key: Secret = importlib.import_module(f"{__name__}.azure.{module}").fetch(source, endpoint_url, refused)
        return key

    return fetch


set_fetcher("entra", _fetcher_in("identity"))
set_fetcher("keyring", _fetcher_in("keyring_keys"))
set_fetcher("keyvault", _fetcher_in("keyvault"))
set_fetcher("databricks", _fetcher_in("databricks"))
set_fetcher("azure-key", _fetcher_in("azure_keys"))
set_fetcher("aml-token", _fetcher_in("azure_keys"))


# Any stands for IPython's InteractiveShell: importing it for a type hint would load IPython into every program.
def load_ipython_extension(ipython: Any) -> None:
    """Register the magics, their completion and the display of responses: what %load_ext azml_magics calls."""
    from .notebook import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Remove all that load_ipython_extension registered: what %unload_ext azml_magics calls."""
    from .notebook import unload

    unload(ipython)
