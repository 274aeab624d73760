"""What the panel holds: the chosen config's draft, the prompt, the last result, and the notebook's values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.messages import as_messages

from .changes import CONFIG, DRAFT, HISTORY, PROMPT, RESULT, STATE, VARIABLES, ChangeNotifier
from .drafts import Drafts
from .error_messages import describe_error
from .prompt_draft import PromptDraft
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.changes import Change
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.session import Session

    from .draft import Draft
    from .run_result import RunResult


class _Snapshot(NamedTuple):
    """The panel before an older call was restored into it."""

    name: str
    prompt: PromptDraft
    result: RunResult | None


class PanelState(ChangeNotifier):
    """The panel's state.

    Args:
        session: the session whose configs and history the panel shows.
        variables: returns the notebook's variables.
        timeout: returns the notebook's timeout in seconds, None if the notebook sets none.

    Attributes:
        prompt: the prompt and the values typed for its variables.
        result: what the result tabs show; None before the first run.
        worker: runs everything that takes time.
    """

    def __init__(
        self,
        session: Session,
        variables: Callable[[], Mapping[str, Any]] = dict,
        timeout: Callable[[], float | None] = lambda: None,
    ) -> None:
        super().__init__()
        self.session = session
        self.timeout = timeout
        self.prompt = PromptDraft()
        self.result: RunResult | None = None
        self.worker = Worker(self._report_failure)
        self._variables = variables
        self._drafts = Drafts(session, self.values)
        self._snapshot: _Snapshot | None = None
        self._unsubscribe = session.subscribe(self._follow)

    def close(self) -> None:
        """End what is running and stop following the session."""
        self._unsubscribe()
        self.worker.abandon()
        self.unsubscribe_all()

    def _follow(self, change: Change) -> None:
        if change.kind in {"recorded", "noted"}:
            with self.changing(HISTORY):
                return
        with self.changing(CONFIG, DRAFT):
            self._drafts.follow(change)
            self.note("config", self._drafts.note)

    def _report_failure(self, error: Exception) -> None:
        with self.changing(STATE, RESULT):
            self.result = replace(self.result, is_running=False) if self.result else None
            self.note("run", f"The panel failed: {describe_error(error)}", "bad")

    def choose_saved(self, name: str) -> None:
        """Choose a config that was just saved; call it within `changing`."""
        self._drafts.choose(name)

    # ---- what it holds

    @property
    def names(self) -> list[str]:
        """The configs to choose from; NEW ("") stands for one without a name."""
        return self._drafts.names

    @property
    def name(self) -> str:
        """The chosen config's name; NEW if it has none yet."""
        return self._drafts.name

    @property
    def draft(self) -> Draft:
        """The chosen config as it is being edited."""
        return self._drafts.current

    @property
    def base(self) -> LLMConfig:
        """The config that a cell starts from: the saved one, or the session's active one if this has no name yet."""
        is_new = not self.name and self.session.active
        return self.session.get() if is_new else self.draft.saved

    @property
    def running(self) -> str:
        """What is running, for the status line; "" while idle."""
        return self.worker.running

    def notebook_variables(self) -> Mapping[str, Any]:
        """The notebook's variables as they are now."""
        return self._variables()

    def values(self) -> dict[str, Any]:
        """What the variables of the prompt and the system message stand for: typed values, else the notebook's."""
        return {**self._variables(), **self.prompt.overrides(self.draft.texts["system"])}

    def filled_config(self) -> LLMConfig:
        """The draft's config as Run would send it: the variables of its system message are filled in.

        Raises:
            UndefinedVariableError: if one of them has no value.
        """
        return replace(self.draft.config, system=self.draft.fill_system(self.values()))

    def messages(self) -> list[Message]:
        """The messages that Run would send.

        Raises:
            PromptError: if the prompt is empty or a variable has no value.
        """
        return as_messages(self.prompt.render(self._variables()), self.filled_config().system)

    @property
    def is_result_stale(self) -> bool:
        """Whether the controls hold something else than what the shown response was the answer to."""
        asked = self.result.asked if self.result else None
        if asked is None:
            return False
        now = (self.draft.config, self.draft.texts["system"], self.prompt.text, self.prompt.overrides())
        return now != (replace(asked.config, name=self.name), asked.system, asked.prompt.text, asked.prompt.overrides())

    # ---- an older call in the controls

    @property
    def has_snapshot(self) -> bool:
        """Whether `restore_snapshot` can bring back an earlier state of the controls."""
        return self._snapshot is not None

    def take_snapshot(self) -> None:
        """Remember the controls and the result, unless an earlier state is remembered already."""
        if self._snapshot is None:
            self._snapshot = _Snapshot(self.name, self.prompt.copy(), self.result)

    def preview(self, config: LLMConfig, prompt: PromptDraft) -> None:
        """Put a config and a prompt into the controls; differences from the saved config are unsaved changes."""
        with self.changing(CONFIG, DRAFT, PROMPT, VARIABLES, place="run"):
            self._drafts.preview(config)
            self.prompt = prompt

    def restore_snapshot(self) -> None:
        """Bring back the controls and the result of the snapshot, and forget it."""
        snapshot = self._snapshot
        if snapshot is not None:
            with self.changing(CONFIG, DRAFT, PROMPT, VARIABLES, RESULT, STATE, place="run"):
                self._snapshot = None
                self._drafts.restore(snapshot.name)
                self.prompt = snapshot.prompt
                self.result = snapshot.result
                self.note("run")

    def accept_preview(self) -> None:
        """Keep the previewed config as the user's own edit, and forget the snapshot."""
        with self.changing():
            self._snapshot = None
            self._drafts.accept()
