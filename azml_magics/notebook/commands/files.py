"""%azureml export and import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from azml_magics import documents
from azml_magics.core import endpoints, headers, trust
from azml_magics.core.errors import ConfigError, DocumentError, UsageError
from azml_magics.core.key_sources import CredentialKey
from azml_magics.core.keys import KeyRef
from azml_magics.core.paths import is_folder, path_of
from azml_magics.display.text_output import TextOutput
from azml_magics.session import check_name

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig

    from ..context import NotebookContext
    from ..parsed_options import ExportOptions, ImportOptions


def export_configs(context: NotebookContext, options: ExportOptions) -> TextOutput:
    """Write one config to a file, or all to a folder.

    Raises:
        UsageError: Words are missing.
        ConfigError: There is no config to export.
        DocumentError: A config cannot be written.
    """
    if options.all_configs:
        return _export_all(context, options)
    if len(options.words) != 2:  # noqa: PLR2004 - NAME and PATH
        raise UsageError("%azureml export takes a config and a path", remedy="Write %azureml export NAME FILE.json.")
    name, path = options.words
    config = context.session.get(name)
    documents.save(config, path, langchain=options.langchain, force=options.force)
    reference = ", only its reference" if isinstance(config.key, KeyRef) and not options.langchain else ""
    if isinstance(config.key, CredentialKey) and not options.langchain:
        reference = f": {config.key} exists in this kernel only, and is written as {config.key.reference}"
    return TextOutput(f"Exported {name} to {path}. The key is not in it{reference}.")


def _export_all(context: NotebookContext, options: ExportOptions) -> TextOutput:
    if len(options.words) != 1:
        raise UsageError("%azureml export --all takes one folder", remedy="Write %azureml export --all FOLDER.")
    folder, names = options.words[0], context.session.names()
    if not names:
        raise ConfigError("There is no config to export", remedy="%azureml save NAME --url URL makes one.")
    configs = [context.session.get(name) for name in names]
    for config in configs:  # write none if one cannot be written
        documents.to_document(config, langchain=options.langchain)
    for config in configs:
        path = Path(folder) / f"{config.name}.json"
        documents.save(config, path, langchain=options.langchain, force=options.force)
    return TextOutput(f"Exported {len(names)} configs to {folder}: {', '.join(names)}.")


def import_configs(context: NotebookContext, options: ImportOptions) -> TextOutput:
    """Read one config, or all in a folder; none if one of them is not valid.

    Raises:
        DocumentError: A file cannot be read or is not a config.
        UsageError: A file's name cannot name a config.
    """
    path = options.path.strip()
    if not path:
        raise DocumentError("No file is named", remedy="Write %azureml import FILE.json, or a folder.")
    if is_folder(path):
        if options.as_name:
            raise UsageError("--as names a single config, and this is a folder")
        configs = documents.load_all(path, is_trusted=False)
        if not configs:
            raise DocumentError(f"{path} has no .json or .yaml file", remedy="Check the path.")
    else:
        configs = [documents.load(path, name=options.as_name or "", is_trusted=False)]
    for config in configs:
        _check_name(config.name)
    source = str(path_of(path))
    for config in configs:
        context.session.save(config.name, config, source=source, activate=not context.settings.default_config)
    return TextOutput("\n".join(_describe_imported(context.session.get(config.name)) for config in configs))


def _describe_imported(config: LLMConfig) -> str:
    """Return what was imported, and where it sends which key."""
    host = endpoints.Origin.of(config.endpoint_url).netloc or "no host yet"
    line = f"Imported {config.name}: {host}, key {config.key_source}"
    secret = [f"{name} {value}" for name, value in config.headers.items() if headers.is_secret(value)]
    line = f"{line}, headers {', '.join(secret)}." if secret else f"{line}."
    asked = trust.grant_for(config)
    if asked is None or trust.is_granted(asked):
        return line
    return f"{line} Before it is sent: `%azureml trust {config.name}`."


def _check_name(name: str) -> None:
    try:
        check_name(name)
    except UsageError as error:
        raise UsageError(error.cause, remedy="Import this file with --as NAME.") from None
