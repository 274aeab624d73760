"""%azureml export and import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from azml_magics import documents
from azml_magics.core.errors import ConfigError, DocumentError, UsageError
from azml_magics.core.keys import KeyRef
from azml_magics.core.paths import is_folder, path_of
from azml_magics.display.outputs import TextOutput
from azml_magics.session import check_name

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import ExportOptions, ImportOptions


def export_configs(context: NotebookContext, options: ExportOptions) -> TextOutput:
    """Write one config to a file, or all to a folder."""
    words = options.words
    settings = {"langchain": options.langchain, "force": options.force}
    if options.all_configs:
        if len(words) != 1:
            raise UsageError("%azureml export --all takes one folder", remedy="Write %azureml export --all FOLDER.")
        names = context.session.names()
        if not names:
            raise ConfigError("There is no config to export", remedy="%azureml save NAME --url URL makes one.")
        configs = [context.session.get(name) for name in names]
        for config in configs:  # all of them or, where one cannot be written down, none
            documents.to_document(config, langchain=options.langchain)
        for config in configs:
            documents.save(config, Path(words[0]) / f"{config.name}.json", **settings)
        return TextOutput(f"Exported {len(names)} configs to {words[0]}: {', '.join(names)}.")
    if len(words) != 2:  # noqa: PLR2004 - NAME and PATH
        raise UsageError("%azureml export takes a config and a path", remedy="Write %azureml export NAME FILE.json.")
    name, path = words
    config = context.session.get(name)
    documents.save(config, path, **settings)
    where = ", only where to find it" if isinstance(config.key, KeyRef) and not options.langchain else ""
    return TextOutput(f"Exported {name} to {path}. The key is not in it{where}.")


def import_configs(context: NotebookContext, options: ImportOptions) -> TextOutput:
    """Read one config, or every one in a folder: all of them or, where one is bad, none."""
    path = options.path.strip()
    if not path:
        raise DocumentError("No file is named", remedy="Write %azureml import FILE.json, or a folder.")
    if is_folder(path):
        if options.as_name:
            raise UsageError("--as names a single config, and this is a folder")
        configs = documents.load_all(path)
        if not configs:
            raise DocumentError(f"{path} holds no .json or .yaml file", remedy="Check the path.")
    else:
        configs = [documents.load(path, name=options.as_name or "")]
    for config in configs:
        _check_name(config.name)
    source = str(path_of(path))
    for config in configs:
        context.session.save(config.name, config, source=source, activate=not context.settings.default_config)
    return TextOutput(f"Imported {', '.join(config.name for config in configs)}.")


def _check_name(name: str) -> None:
    try:
        check_name(name)
    except UsageError as error:
        raise UsageError(error.cause, remedy="Import the file alone, with --as NAME.") from None
