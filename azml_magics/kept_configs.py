"""Kept configs: files in the user's config folder, which every new session loads. They hold references to keys only."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - get_type_hints() needs it
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from .core.errors import DocumentError, KeyRefusedError, UnknownNameError
from .core.paths import user_folder

if TYPE_CHECKING:
    from .core.config import LLMConfig

_SUFFIX = ".json"
_NOT_IN_FILE_NAMES = re.compile(r'[%:*?<>|"]')  # of Windows; a config may be named v1:blue


class KeptConfig(NamedTuple):
    """What `keep` has written.

    Attributes:
        path: The file.
        replaced_other: Whether it replaced a config that this session did not know, such as another kernel's.
    """

    path: Path
    replaced_other: bool = False


def config_folder() -> Path | None:
    """Return the folder of the kept configs; None if there is no home folder."""
    folder = user_folder()
    return folder / "configs" if folder else None


def kept_files() -> list[Path]:
    """The files of the kept configs, in the order of their names."""
    folder = config_folder()
    try:
        return sorted(folder.glob(f"*{_SUFFIX}")) if folder else []
    except OSError:
        return []


def kept_names() -> list[str]:
    """The names of the kept configs, also of those that cannot be read."""
    return [_name_of(path) for path in kept_files()]


def load(path: Path) -> LLMConfig:
    """Return the config in one of the `kept_files`.

    Raises:
        DocumentError: The file cannot be read, or is not a saved config.
    """
    from . import documents

    return documents.load(path, name=_name_of(path))


def check_keepable(config: LLMConfig) -> None:
    """Check that everything in a config can be written to a file.

    Raises:
        KeyRefusedError: A key of the config is in memory only, or the config is of a file that the user does not trust:
            kept configs are trusted.
        DocumentError: Its formatter is an object without a registered name.
    """
    from . import documents
    from .core import trust

    trust.check(config)
    places = {"": config.key_source, **{f"the header {name}": s for name, s in config.header_sources.items()}}
    for place, source in places.items():
        if source.reference is None:
            raise KeyRefusedError(
                f"{config.name} is not kept: its key {f'in {place} ' if place else ''}is in memory only, and a file "
                "holds references",
                remedy="Name a reference, such as env:NAME, keyring:SERVICE/NAME or entra.",
                error_code="key-in-memory",
                facts={"param": config.name},
            )
    try:
        documents.to_document(config)
    except DocumentError as error:
        raise DocumentError(
            f"{config.name} is not kept: {error.cause}", remedy=error.remedy, error_code=error.error_code
        ) from None


def keep(config: LLMConfig, known: LLMConfig | None = None) -> KeptConfig:
    """Write a config to its file, atomically and readable by its owner only.

    Args:
        config: The config.
        known: What the session knows of the file: the config that it has read from it or written to it.

    Raises:
        KeyRefusedError: A key of the config is in memory only.
        DocumentError: The file cannot be written, is not a saved config, or the config has parts that it cannot hold.
    """
    from . import documents

    check_keepable(config)
    path = _path_of(config.name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = path.resolve() if path.is_symlink() else path  # a link into another folder stays one
        _check_case(path)
        there = _read(target)
        documents.save(config, target)
    except DocumentError as error:
        if error.error_code == "overwrite":
            raise DocumentError(f"{config.name} is not kept: {error.cause}", remedy="Repair or remove it.") from None
        raise _not_kept(config.name, error.cause) from None
    except OSError as error:
        raise _not_kept(config.name, f"{path.parent} cannot be made: {error.strerror or error}") from None
    return KeptConfig(path, replaced_other=there is not None and there not in (known, config))


def _not_kept(name: str, reason: str) -> DocumentError:
    return DocumentError(
        f"{name} is not kept: {reason}",
        remedy="Set XDG_CONFIG_HOME to a folder that you can write to, or write the config to a file of your own.",
        error_code="config-not-kept",
        facts={"param": name},
    )


def forget(name: str) -> Path:
    """Delete the file of a kept config, and return its path.

    Raises:
        UnknownNameError: No config of that name is kept.
        DocumentError: The file cannot be deleted.
    """
    path = _path_of(name)
    if path not in kept_files():
        raise UnknownNameError.of("kept config", name, kept_names())
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DocumentError(
            f"{path} cannot be deleted: {error.strerror or error}", remedy="Delete it yourself."
        ) from None
    return path


def _read(path: Path) -> LLMConfig | None:
    """The config in a file; None if it has none, which `documents.save` then refuses to overwrite."""
    try:
        return load(path)
    except DocumentError:
        return None


def _path_of(name: str) -> Path:
    folder = config_folder()
    if folder is None:
        raise _not_kept(name, "there is no home folder")
    return folder / f"{_NOT_IN_FILE_NAMES.sub(lambda found: f'%{ord(found[0]):02X}', name)}{_SUFFIX}"


def _name_of(path: Path) -> str:
    return unquote(path.stem)


def _check_case(path: Path) -> None:
    """Raise DocumentError if the file system takes the path for that of another config, Prod for prod."""
    if path.exists() and path.name not in {each.name for each in path.parent.iterdir()}:
        raise DocumentError(f"{path} is the file of a config whose name differs only in upper and lower case")
