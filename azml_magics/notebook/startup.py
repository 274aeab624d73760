"""What %load_ext finds: the project's [tool.azml_magics] in pyproject.toml, and the user's saved configs.

    [tool.azml_magics]
    default_config = "prod"
    format = "text"

    [tool.azml_magics.configs.prod]
    endpoint_url = "https://NAME.REGION.inference.ml.azure.com/score"
    formatter = "openai-chat"
    key = "env:PROD_KEY"

A warning names each file that cannot be read; the extension loads anyway.
"""

from __future__ import annotations

import importlib.util
from copy import copy
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, TraitError

from azml_magics import kept_configs
from azml_magics.core import trust
from azml_magics.core.errors import AzmlError
from azml_magics.core.install_hint import package_command
from azml_magics.core.text import did_you_mean, one_line
from azml_magics.project_file import find_project_file, may_be_read

from . import publishing
from .context import Settings
from .remedies import notebook_line

if TYPE_CHECKING:
    from pathlib import Path

    from traitlets.config import Config, Configurable

    from azml_magics.core.config import LLMConfig

    from .context import NotebookContext

_OWN = ("history_file", "mlflow")  # where prompts are written is the user's choice, not a repository's
_DEFAULTS = tuple(field.name for field in fields(Settings) if field.name not in _OWN)


def load(context: NotebookContext, defaults: HasTraits) -> None:
    """Save the configs that are found, and set the defaults.

    Args:
        context: The notebook.
        defaults: The object whose traits are the defaults.
    """
    for path in kept_configs.kept_files():
        _load_file(context, path)
    project = _project_file()
    if project is not None:
        _load_project(context, defaults, project)
    use_default(context)


def drop_invalid_settings(config: Config, settings: type[Configurable]) -> None:
    """Take values that a setting does not accept out of IPython's config, with a warning for each.

    A wrong `%config` would otherwise stop the extension from being loaded again.

    Args:
        config: IPython's config, which has what `%config` and configuration files set.
        settings: The class whose traits are the settings.
    """
    section = config.get(settings.__name__, {})
    traits = {name: copy(trait) for name, trait in settings.class_traits(config=True).items()}
    probe = type("Probe", (HasTraits,), traits)()
    for name in [name for name in section if name in traits]:
        try:
            setattr(probe, name, section[name])
        except TraitError:  # noqa: PERF203 - a few settings
            value = section.pop(name)
            publishing.print_warning(
                f"AzureMLMagics.{name} cannot be {one_line(repr(value), 40)}; it is {getattr(probe, name)!r} again."
            )


def use_default(context: NotebookContext) -> None:
    """Make the default config the active one if it is saved and no other is active."""
    session, name = context.session, context.settings.default_config
    if name in session.names() and not session.active:
        session.use(name)


def _load_file(context: NotebookContext, path: Path) -> None:
    try:
        config = kept_configs.load(path)
        context.session.add_kept(config, path)
    except AzmlError as error:
        publishing.print_warning(notebook_line(error))


def _project_file() -> Path | None:
    """The project's file if it is this user's; a warning if it is not."""
    path = find_project_file()
    try:
        if path is None or may_be_read(path):
            return path
    except OSError:  # it was deleted just now
        return None
    publishing.print_warning(
        f"{path} is not read: it belongs to another user. If you trust it, name it in {trust.VARIABLE}."
    )
    return None


def _load_project(context: NotebookContext, defaults: HasTraits, path: Path) -> None:
    toml: Any = _toml()
    if toml is None:
        from azml_magics.display.cell_commands import as_cell_commands

        publishing.print_warning(
            as_cell_commands(f"{path} is not read: Python 3.10 needs tomli for it. Run {package_command('tomli')}.")
        )
        return
    try:
        table = toml.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("azml_magics", {})
        configs = dict(table.pop("configs", {}))
    except (OSError, ValueError) as error:
        publishing.print_warning(f"{path} cannot be read: {one_line(str(error), 200)}")
        return
    except (AttributeError, TypeError):
        publishing.print_warning(f"{path}: [tool.azml_magics] and its configs must be tables.")
        return
    for name, document in configs.items():
        _save(context, name, document, f"{path} [tool.azml_magics.configs.{name}]", path)
    for name, value in table.items():
        _set_default(defaults, name, value, path)


def _toml() -> Any:
    """tomllib, or tomli on Python 3.10; None without either."""
    found = next((name for name in ("tomllib", "tomli") if importlib.util.find_spec(name)), None)
    return importlib.import_module(found) if found else None


def _save(context: NotebookContext, name: str, document: Any, place: str, path: Path) -> None:
    from azml_magics import documents

    try:
        full = {"_type": "azureml_endpoint", **document} if isinstance(document, dict) else document
        config = documents.from_document(full, name=name, source=place, file=str(path))
        for key in config.extras:  # in a saved file they belong to another program; here they are mistakes
            publishing.print_warning(f"{place}: a config has no key {key!r}.{did_you_mean(key, documents.KEYS)}")
        _save_unless_changed(context, name, config, str(path))
    except AzmlError as error:
        publishing.print_warning(notebook_line(error))


def _save_unless_changed(context: NotebookContext, name: str, config: LLMConfig, source: str) -> None:
    """Save a config, unless the user has saved one of that name in this session: reloading loses nothing."""
    session = context.session
    if name not in session.names() or session.get_saved(name).source != "session":
        session.save(name, config, source=source, activate=False)


def _set_default(defaults: HasTraits, name: str, value: Any, path: Path) -> None:
    if name not in _DEFAULTS:
        hint = did_you_mean(name, (*_DEFAULTS, "configs"))
        publishing.print_warning(f"{path}: [tool.azml_magics] has no key {name!r}.{hint}")
        return
    try:
        setattr(defaults, name, value)
    except TraitError as error:
        publishing.print_warning(f"{path}: {name}: {one_line(str(error), 200)}")
