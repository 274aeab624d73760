"""What cells and commands need of the notebook they run in: its variables, session, settings and recent calls."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from azml_magics import session as sessions
from azml_magics.core.errors import UsageError
from azml_magics.core.text import did_you_mean
from azml_magics.history import HISTORY_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from azml_magics.azure.discovered import Discovery
    from azml_magics.emulator import Emulator
    from azml_magics.local_model import LocalModel
    from azml_magics.session import Session

    from .emulated_azure import EmulatedAzure


@dataclass(frozen=True)
class Settings:
    """The values of `%config AzureMLMagics` when they are read.

    Attributes:
        default_config: Name of the config that cells use if they name none and none is in use; "" if unset.
        format: How responses are shown: one of `options.FORMATS`.
        timeout: Seconds without data before giving up; None: the config's own.
        show_reasoning: How a model's thoughts are shown above the response: one of `options.REASONING`.
        save_details: Whether the times, ids, deployment and region of responses are saved in the notebook.
        stream: Whether responses are shown as they arrive.
        concurrency: Largest number of requests at a time in a side-by-side cell.
        history_size: Number of exchanges that the session keeps.
        raise_errors: Whether errors are raised; if not, they are shown and the next cell runs.
        mlflow: Whether cells, `invoke` and rows are traced into MLflow.
    """

    default_config: str = ""
    format: str = "markdown"
    show_reasoning: str = "folded"
    timeout: float | None = None
    save_details: bool = False
    stream: bool = True
    concurrency: int = 8
    history_size: int = HISTORY_SIZE
    raise_errors: bool = True
    mlflow: bool = False


@dataclass
class NotebookState:
    """What outlives one call of the magics, until the extension is unloaded.

    Attributes:
        last_error: The error that `%azureml last --traceback` shows; None if there was none.
        repair: Sends the last call again for `%azureml repair`; None if its response matched its schema.
        demo_endpoint: The demo endpoint that this kernel started; None if it is not running.
        demo_model: The local model that this kernel started; None if it is not running.
        demo_azure: The emulated Azure that this kernel started; None if it is not running.
        discovery: What the last `%azureml discover` found; None before the first.
        exit_callbacks: Called in reverse order when the extension is unloaded or reloaded.
        unload_callbacks: Called after them when the extension is unloaded, and not when it is reloaded.
    """

    last_error: BaseException | None = None
    repair: Callable[[NotebookContext], object] | None = None
    demo_endpoint: Emulator | None = None
    demo_model: LocalModel | None = None
    demo_azure: EmulatedAzure | None = None
    discovery: Discovery | None = None
    exit_callbacks: list[Callable[[], object]] = field(default_factory=list)
    unload_callbacks: list[Callable[[], object]] = field(default_factory=list)


@dataclass(frozen=True)
class NotebookContext:
    """The notebook as one call of the magics sees it.

    Attributes:
        shell: IPython's shell, or an object with its `user_ns` and `user_ns_hidden`.
        read_settings: Returns the settings as they are now.
        local_variables: The variables of the function that called the magic; empty at the top level of a cell.
        state: What outlives the call; shared by all contexts of one loaded extension.
    """

    shell: InteractiveShell
    read_settings: Callable[[], Settings] = Settings
    local_variables: Mapping[str, Any] = field(default_factory=dict)
    state: NotebookState = field(default_factory=NotebookState)

    @property
    def session(self) -> Session:
        """The session of this kernel."""
        return sessions.current()

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self.read_settings()

    @property
    def variables(self) -> dict[str, Any]:
        """Every variable that `$name` can stand for: the notebook's, and over them the caller's locals."""
        return {**self.shell.user_ns, **self.local_variables}

    @property
    def prompt_variables(self) -> dict[str, Any]:
        """The variables that `{name}` can stand for: as `variables`, without those that IPython defines.

        In, Out, exit and the like are left out; the last outputs (_, _3) are not.
        """
        hidden = self.shell.user_ns_hidden
        visible = {
            name: value
            for name, value in self.shell.user_ns.items()
            if name.startswith("_") or hidden.get(name, hidden) is not value
        }
        return {**visible, **self.local_variables}

    def variable(self, reference: str) -> Any:
        """Return the variable that `$name` stands for.

        Args:
            reference: The name with its dollar sign.

        Raises:
            UsageError: There is no such variable. The message suggests the closest name.
        """
        name, variables = reference[1:], self.variables
        if name not in variables:
            known = [known for known in variables if not known.startswith("_")]
            hint = did_you_mean(name, known).strip()
            raise UsageError(f"There is no variable {name!r} for {reference}", remedy=hint or "Define it in a cell.")
        return variables[name]

    def store(self, name: str, value: Any) -> None:
        """Store `value` under `name` in the notebook's namespace.

        Also if the magic was called in a function, whose locals cannot be assigned from outside: IPython's own magics
        (`%%capture`) do the same.
        """
        self.shell.user_ns[name] = value

    def with_locals(self, variables: Mapping[str, Any]) -> NotebookContext:
        """Return a context that also sees `variables`, the locals of the function that called the magic."""
        at_top_level = variables is self.shell.user_ns
        return replace(self, local_variables={} if at_top_level else dict(variables))

    def on_exit(self, callback: Callable[[], object], *, survives_reload: bool = False) -> None:
        """Call `callback` when the extension is unloaded; once, however often it is registered.

        Args:
            callback: The function to call.
            survives_reload: Not when the extension is only reloaded.
        """
        callbacks = self.state.unload_callbacks if survives_reload else self.state.exit_callbacks
        if callback not in callbacks:
            callbacks.append(callback)

    def close(self, *, is_reload: bool = False) -> None:
        """Run the exit callbacks, the latest first; before a reload, without those that survive it."""
        for callbacks in (self.state.exit_callbacks, *([] if is_reload else [self.state.unload_callbacks])):
            while callbacks:
                callbacks.pop()()
