"""Where keys may come from: names of variables and packages, and the key sources of configs. Never a value."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from azml_magics import kept_configs
from azml_magics.core.errors import AzmlError

from .report import Fact
from .versions import installed_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from azml_magics.core.config import LLMConfig

# What begins so is read by this package or by azure-identity, or names a key of a provider
_PREFIXES = (
    *("AZUREML_", "AZML_", "AZURE_", "FOUNDRY_", "IDENTITY_", "MSI_", "ARM_", "DATABRICKS_"),
    *("OPENAI_", "ANTHROPIC_", "MISTRAL_", "HF_", "HUGGINGFACE"),
)


def find_keys(configs: Iterable[LLMConfig] = ()) -> list[Fact]:
    """Return where keys may come from.

    Args:
        configs: Configs of a session, beside those that are kept.
    """
    names = sorted(name for name in os.environ if name.upper().startswith(_PREFIXES))
    return [
        Fact("variables that are set", ", ".join(names) or "none of Azure or a provider"),
        Fact("Entra ID", _entra()),
        Fact("keyring", _version_or_missing("keyring")),
        *_configs(configs),
    ]


def _entra() -> str:
    found = "the Azure CLI is on the PATH" if shutil.which("az") else "no Azure CLI on the PATH"
    return f"{_version_or_missing('azure-identity')}, {found}"


def _version_or_missing(package: str) -> str:
    version = installed_version(package)
    return f"{package} {version}" if version else f"{package} is not installed (extra azure)"


def _configs(configs: Iterable[LLMConfig]) -> list[Fact]:
    kept = {path.stem: _key_in(path) for path in kept_configs.kept_files()}
    known = {config.name: _key_of(config) for config in configs}
    return [Fact(f"config {name}", key) for name, key in {**kept, **known}.items()]


def _key_in(path: Path) -> str:
    try:
        return _key_of(kept_configs.load(path))
    except AzmlError as error:  # its message may quote the file
        return f"cannot be read ({type(error).__name__})"


def _key_of(config: LLMConfig) -> str:
    return f"key {config.key_source.summarize(config.endpoint_url)}"
