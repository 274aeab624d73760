"""%azureml keep and forget: the configs that outlive the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from azml_magics.display.text_output import TextOutput

from .. import cell_config

if TYPE_CHECKING:
    from azml_magics.session import SavedConfig

    from ..context import NotebookContext
    from ..parsed_options import ForgetOptions, NameOptions


def keep(context: NotebookContext, options: NameOptions) -> TextOutput:
    """Keep a config, by default the active one."""
    return TextOutput(keep_config(context, cell_config.active_config(context, options.name or "").name))


def keep_config(context: NotebookContext, name: str) -> str:
    """Keep a config, and return a line that says where.

    Raises:
        KeyRefusedError: A key of the config is in memory only.
        DocumentError: The file cannot be written, or the config has parts that it cannot hold.
    """
    path, replaced_other = context.session.keep(name)
    other = f" It replaced another config that was kept as {name}." if replaced_other else ""
    return f"Kept {name} for new sessions, in {_shorten(path)}.{other}"


def forget(context: NotebookContext, options: ForgetOptions) -> TextOutput:
    """Delete the file of a kept config."""
    path = context.session.forget(options.name)
    rest = f" {options.name} stays for this session." if options.name in context.session.names() else ""
    return TextOutput(f"Deleted {_shorten(path)}.{rest}")


def describe_source(saved: SavedConfig, *, with_path: bool = False) -> str:
    """Return where a config comes from: "session", "kept", or the path of a file."""
    if saved.kept is None:
        return saved.source
    if saved.is_changed:
        return "kept (changed in this session; keep it again)"
    return f"kept in {_shorten(Path(saved.source))}" if with_path and saved.source != "session" else "kept"


def describe_rest(former: SavedConfig) -> str:
    """Return what remains of a config that was deleted or renamed in this session; "" if nothing does."""
    if former.kept is None:
        return ""
    name = former.config.name
    return f" The kept {name} is back in new sessions, unless you %azureml forget {name}."


def _shorten(path: Path) -> str:
    """The path with ~ for the home folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
