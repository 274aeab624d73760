"""%azureml export and import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics import serialization
from azml_magics.core.errors import DocumentError, UsageError

from . import display

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .magics import AzureMLMagics


def export(magics: AzureMLMagics, options: Mapping[str, Any]) -> display.Note:
    """Write one config to a file, or all to a folder."""
    words = options["words"]
    settings = {"langchain": options["langchain"], "force": options["force"]}
    if options["every"]:
        if len(words) != 1:
            raise UsageError("%azureml export --all takes one folder", remedy="Write %azureml export --all FOLDER.")
        names = magics.session.names()
        targets = [Path(words[0]) / f"{name}.json" for name in names]
        for name, target in zip(names, targets, strict=True):
            serialization.save(magics.session.get(name), target, **settings)
        return display.Note(f"Exported {len(names)} configs to {words[0]}: {', '.join(names)}.")
    if len(words) != 2:  # noqa: PLR2004 - NAME and PATH
        raise UsageError("%azureml export takes a config and a path", remedy="Write %azureml export NAME FILE.json.")
    name, path = words
    serialization.save(magics.session.get(name), path, **settings)
    return display.Note(f"Exported {name} to {path}. The key is not in it, only where to find it.")


def import_(magics: AzureMLMagics, options: Mapping[str, Any]) -> display.Note:
    """Read one config, or every one in a folder: all of them or, where one is bad, none."""
    path = Path(options["path"]).expanduser()
    if path.is_dir():
        if options["as_name"]:
            raise UsageError("--as names a single config, and this is a folder")
        configs = serialization.load_all(path)
        if not configs:
            raise DocumentError(f"{path} holds no .json or .yaml file", remedy="Check the path.")
    else:
        configs = [serialization.load(path, name=options["as_name"] or "")]
    for config in configs:
        magics.session.save(config.name, config, source=str(path))
    return display.Note(f"Imported {', '.join(config.name for config in configs)}.")
