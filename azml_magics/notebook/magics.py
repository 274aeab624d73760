"""%azureml and %%azureml: where IPython calls in, and the defaults that %config AzureMLMagics changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, CaselessStrEnum, Float, Int, Unicode, observe

from azml_magics import session as sessions
from azml_magics.core.errors import AzmlError, Interrupted, UsageError
from azml_magics.core.text import did_you_mean

from . import args, display, help_text, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.session import Session


@magics_class
class AzureMLMagics(Magics):
    """Prompts for language models on Azure ML endpoints."""

    default_config = Unicode("", help="The config that answers where a cell names none and none is in use.").tag(
        config=True
    )
    format = CaselessStrEnum(options.FORMATS, "markdown", help="How answers are shown.").tag(config=True)
    timeout = Float(
        None, allow_none=True, help="Seconds to wait for the next byte; by default what the config says."
    ).tag(config=True)
    stream = Bool(True, help="Show answers as they arrive.").tag(config=True)
    concurrency = Int(8, min=1, help="How many requests of a side-by-side cell are under way at once.").tag(config=True)
    history_size = Int(sessions.HISTORY_SIZE, min=1, help="How many exchanges %azureml history keeps.").tag(config=True)
    raise_errors = Bool(True, help="Raise errors; if not, they are shown, and the next cell runs.").tag(config=True)

    def __init__(self, shell: Any = None, **kwargs: Any) -> None:
        super().__init__(shell=shell, **kwargs)
        self.at_exit: list[Callable[[], None]] = []
        self.demo_endpoint: Any = None
        self.matcher: Any = None
        self.repairable: Any = None
        self.last_error: BaseException | None = None
        self.session.resize_history(self.history_size)

    @property
    def session(self) -> Session:
        """The session of this kernel."""
        return sessions.current()

    @property
    def variables(self) -> dict[str, Any]:
        """The notebook's variables."""
        namespace: dict[str, Any] = self.shell.user_ns  # type: ignore[union-attr]  # magics live in a shell
        return namespace

    def own_variables(self) -> dict[str, Any]:
        """The notebook's variables, the last outputs (_, _3) among them, without In, Out, exit and their like."""
        hidden = self.shell.user_ns_hidden  # type: ignore[union-attr]  # magics live in a shell
        return {
            name: value
            for name, value in self.variables.items()
            if name.startswith("_") or hidden.get(name, hidden) is not value
        }

    @observe("default_config")
    def _use_default(self, change: dict[str, Any]) -> None:
        known = self.session.names()
        if change["new"] in known:
            self.session.use(change["new"])
        elif change["new"] and known:
            hint = did_you_mean(change["new"], known)
            display.warn(f"there is no config named {change['new']!r} yet.{hint}")

    def use_default(self) -> None:
        """Make the default config the active one, where it is there and none is."""
        if self.default_config in self.session.names() and not self.session.active:
            self.session.use(self.default_config)

    @observe("history_size")
    def _resize_history(self, change: dict[str, Any]) -> None:
        self.session.resize_history(change["new"])

    @no_var_expand  # else IPython evaluates {expressions} and expands $names in the line: both are ours
    @line_cell_magic
    def azureml(self, line: str, cell: str | None = None) -> Any:
        """Replaced below by the generated help, which `%%azureml?` shows."""
        try:
            if cell is None and line.rstrip().endswith(";") and line.split(None, 1)[0] != "ask":
                self._run(line.rstrip().removesuffix(";"))  # as after any expression: it is done, and not shown
                return None
            return self._run(line, cell)
        except (AzmlError, Interrupted) as error:
            if not isinstance(error, UsageError):  # a slip on the line hides nothing, not the error before it either
                self.last_error = error
            if self.raise_errors or isinstance(error, Interrupted):
                raise
            display.show_error(error)
            return None
        except KeyboardInterrupt:  # between two steps that know how to be interrupted
            self.last_error = stopped = Interrupted()
            raise stopped from None

    def _run(self, line: str, cell: str | None = None) -> Any:
        # a line of options is a cell without a body, which IPython refuses with two %: $chain, -t $template, --help
        if cell is not None or line.lstrip().startswith(("-", "$")):
            from . import cell as cells

            return cells.run(self, args.cell_options(line), cell or "")
        from .commands import dispatch

        verb, rest = args.verb_of(line)
        return dispatch.run(self, verb, rest)

    def close(self) -> None:
        """End what the magics started - the demo endpoint, connections - and forget the session."""
        while self.at_exit:
            self.at_exit.pop()()
        from azml_magics.core import keys

        keys.forget_asked_keys()
        if "azml_magics.core.http.transport" in sys.modules:
            sys.modules["azml_magics.core.http.transport"].close()
        sessions.reset()


AzureMLMagics.azureml.__doc__ = help_text.cell_help()
