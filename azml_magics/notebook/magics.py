"""%azureml and %%azureml: the entry points that IPython calls, and the defaults that %config AzureMLMagics changes."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, CaselessStrEnum, Float, Int, Unicode, observe, validate

from azml_magics import session as sessions
from azml_magics.core.errors import AzmlError, EvaluationFailed, Interrupted, UsageError
from azml_magics.core.text import did_you_mean

from . import args, help_text, options, publishing
from .context import NotebookContext, NotebookState, Settings
from .remedies import with_notebook_remedy
from .repeated_interrupts import drop_repeated_interrupts
from .unshown import UnshownResponses

if TYPE_CHECKING:
    from collections.abc import Mapping


@magics_class
class AzureMLMagics(Magics):
    """Prompts for language models on Azure ML endpoints."""

    default_config = Unicode(
        Settings.default_config, help="The config that cells use if they name none and none is in use."
    ).tag(config=True)
    format = CaselessStrEnum(options.FORMATS, Settings.format, help="How responses are shown.").tag(config=True)
    show_reasoning = CaselessStrEnum(
        options.REASONING, Settings.show_reasoning, help="How a model's thoughts are shown above the response."
    ).tag(config=True)
    timeout = Float(
        Settings.timeout, allow_none=True, help="Seconds without data before giving up; None: the config's own."
    ).tag(config=True)
    save_details = Bool(
        Settings.save_details,
        help="Save the time, request id, deployment and region of responses in the notebook: they differ in every run",
    ).tag(config=True)
    stream = Bool(Settings.stream, help="Show responses as they arrive.").tag(config=True)
    concurrency = Int(
        Settings.concurrency, min=1, help="The largest number of requests at a time in a side-by-side cell."
    ).tag(config=True)
    history_size = Int(Settings.history_size, min=1, help="How many exchanges %azureml history keeps.").tag(config=True)
    history_file = Unicode(
        "", help="A file that keeps every exchange, so that %azureml history has it after a restart; '' for none."
    ).tag(config=True)
    raise_errors = Bool(
        Settings.raise_errors, help="Raise errors; if False, they are shown and the next cell runs."
    ).tag(config=True)
    mlflow = Bool(
        Settings.mlflow, help="Trace cells, invoke and rows into MLflow, with their prompts and responses."
    ).tag(config=True)

    def __init__(self, shell: Any = None, state: NotebookState | None = None, **kwargs: Any) -> None:
        """Make the magics of a shell.

        Args:
            shell: IPython's shell.
            state: What magics that are reloaded leave behind.
            **kwargs: Values of the traits.
        """
        super().__init__(shell=shell, **kwargs)
        self.context = NotebookContext(shell, self._settings, state=state or NotebookState())
        self.unshown = UnshownResponses()
        self.context.session.resize_history(self.history_size)
        _open_history(self.history_file)

    def _settings(self) -> Settings:
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})

    @observe("default_config")
    def _use_default(self, change: dict[str, Any]) -> None:
        session, name = sessions.current(), change["new"]
        if name in session.names():
            session.use(name)
        elif name and session.names():
            hint = did_you_mean(name, session.names())
            publishing.print_warning(f"there is no config named {name!r} yet.{hint}")

    @validate("mlflow")
    def _check_mlflow(self, proposal: dict[str, Any]) -> bool:
        """Trace into MLflow, or stop it; a warning says why it cannot."""
        if not proposal["value"] and "azml_magics.core.client" not in sys.modules:
            return False
        from azml_magics.core.client import trace_default_clients

        try:
            trace_default_clients(mlflow=proposal["value"])
        except AzmlError as error:
            publishing.print_warning(str(with_notebook_remedy(error)))
            return False
        return bool(proposal["value"])

    @observe("history_size")
    def _resize_history(self, change: dict[str, Any]) -> None:
        sessions.current().resize_history(change["new"])

    @observe("history_file")
    def _change_history_file(self, change: dict[str, Any]) -> None:
        if not hasattr(self, "context"):  # the value from IPython's configuration: __init__ opens it
            return
        found = _open_history(change["new"])
        if found:
            publishing.print_line(f"{found} earlier {'exchange' if found == 1 else 'exchanges'}: %azureml history")

    @no_var_expand  # else IPython evaluates {expressions} and expands $names in the line: both are ours
    @needs_local_scope
    @line_cell_magic
    def azureml(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Replaced below by the generated help, which `%%azureml?` shows."""
        if cell is not None:  # run_cell_magic always passes the notebook's namespace (IPython 8.12 to 9)
            local_ns = self.context.shell.get_local_scope(2)  # type: ignore[no-untyped-call]  # typed nowhere
        context = self.context.with_locals(local_ns or {})
        with drop_repeated_interrupts(until_cell_ends=not publishing.is_terminal(context.shell)):
            return self._run_line(context, line, cell)

    def _run_line(self, context: NotebookContext, line: str, cell: str | None) -> Any:
        """Run the magic; an error goes to the cell, with the notebook's words for what to do."""
        try:
            if cell is None and line.rstrip().endswith(";") and line.split(None, 1)[0] != "ask":
                _run(context, line.rstrip().removesuffix(";"))  # as with any expression: the result is not shown
                return None
            value = _run(context, line, cell)
            if not publishing.is_terminal(context.shell):  # a terminal has the text already
                self.unshown.add(value)
            return value
        except (AzmlError, Interrupted) as error:
            with_notebook_remedy(error)
            if not isinstance(error, UsageError):  # a typing error must not hide the error before it
                context.state.last_error = error
            if self.raise_errors or isinstance(error, (Interrupted, EvaluationFailed)):  # a test that fails, fails
                raise
            publishing.show_error(error)
            return None
        except KeyboardInterrupt:  # between two steps that handle interrupts themselves
            context.state.last_error = stopped = with_notebook_remedy(Interrupted())
            raise stopped from None

    def close(self, *, is_reload: bool = False) -> None:
        """Stop what the magics started and forget the session; before a reload, the session and its demo stay."""
        self.context.close(is_reload=is_reload)
        if is_reload:
            return
        from azml_magics.core import key_sources

        key_sources.forget_typed_keys()
        if "azml_magics.core.client" in sys.modules:  # nothing was sent otherwise
            client = sys.modules["azml_magics.core.client"]
            client.trace_default_clients(mlflow=False)
            client.close_default_clients()
        sessions.reset()


def _open_history(path: str) -> int:
    """Open the history file, or close it for ""; return how many exchanges it has. A warning says why it cannot."""
    session = sessions.current()
    try:
        if path:
            return session.open_history(path, warn=publishing.print_warning)
    except AzmlError as error:
        publishing.print_warning(str(with_notebook_remedy(error)))
    session.close_history()
    return 0


def _run(context: NotebookContext, line: str, cell: str | None = None) -> Any:
    if cell is not None:
        line, cell = args.join_continued(line, cell)
    # a line of options is a cell without a body, which IPython refuses with two %: $chain, -t $template, --help
    if cell is not None or line.lstrip().startswith(("-", "$")):
        from . import cell as cells
        from .option_values import fill_options

        return cells.run(context, fill_options(context, None, args.parse_cell_line(line)), cell or "")
    from .commands import dispatch

    verb, rest = args.split_verb(line)
    return dispatch.run(context, verb, rest)


AzureMLMagics.azureml.__doc__ = help_text.cell_help()
