"""The panel's state: the controls, the last result, what is running, and the way back from a restored call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import tools
from .call_options import NO_OPTIONS, CallOptions
from .call_state import CallState
from .changes import CONFIG, DRAFT, HISTORY, OPTIONS, PROMPT, RESULT, STATE, VARIABLES
from .error_messages import describe_error
from .worker import Worker

if TYPE_CHECKING:
    from azml_magics.changes import Change
    from azml_magics.core.config import LLMConfig

    from .conversation_tree import ConversationTree
    from .prompt_draft import PromptDraft
    from .run_result import Asked, RunResult

_SETTINGS: Final = ("endpoint_url", "formatter", "deployment_name", "model", "api_version")


class _Snapshot(NamedTuple):
    """The panel before an older call was restored into it."""

    name: str
    prompt: PromptDraft
    options: CallOptions
    result: RunResult | None
    conversation: str
    tree: ConversationTree


class PanelState(CallState):
    """The panel's state. Takes the arguments of CallState.

    Attributes:
        result: what the result tabs show; None before the first run.
        worker: runs everything that takes time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.result: RunResult | None = None
        self.worker = Worker(self._report_failure)
        self._snapshot: _Snapshot | None = None
        self._unsubscribe = self.session.subscribe(self._follow)

    def close(self) -> None:
        """End what is running and stop following the session."""
        self._unsubscribe()
        self.worker.abandon()
        self.unsubscribe_all()

    def _follow(self, change: Change) -> None:
        if change.kind in {"recorded", "noted"}:
            with self.changing(HISTORY):
                return
        if change.kind == "conversation":
            self.conversation.follow(change.name)
            return
        with self.changing(CONFIG, DRAFT):
            self._drafts.follow(change)
            self.note("config", self._drafts.note)

    def _report_failure(self, error: Exception) -> None:
        with self.changing(STATE, RESULT):
            self.result = replace(self.result, is_running=False) if self.result else None
            self.conversation.asking = None
            self.note("run", f"The panel failed: {describe_error(error)}", "bad")

    def choose_saved(self, name: str) -> None:
        """Choose a config that was just saved; call it within `changing`."""
        self._drafts.choose(name)

    @property
    def running(self) -> str:
        """What is running, for the status line; "" while idle."""
        return self.worker.running

    @property
    def is_result_stale(self) -> bool:
        """Whether the controls hold something else than what the shown response was the answer to."""
        asked = self.result.asked if self.result else None
        if asked is None:
            return False
        now = (self.draft.config, self.draft.texts["system"])
        is_as_asked = now == (replace(asked.config, name=self.name), asked.system) or self._has_column_of(asked)
        is_same_call = asked.options.is_same_call(self.options) and asked.conversation == self.conversation.name
        is_next = asked.asking is not None  # the prompt's field has the next prompt of the conversation
        return not (is_as_asked and is_same_call and (is_next or asked.prompt.is_same(self.prompt)))

    def _has_column_of(self, asked: Asked) -> bool:
        """Whether one of several responses is the answer to the settings in the controls."""
        requests = self.result.requests if self.result else ()
        draft, is_same_system = self.draft.config, self.draft.texts["system"] == asked.system
        return len(requests) > 1 and any(
            all(getattr(sent.config, field) == getattr(draft, field) for field in _SETTINGS)
            and tools.without_tools(sent.config.model_kwargs, asked.options) == draft.model_kwargs
            and (is_same_system or sent.config.system == draft.system)
            for sent in requests
        )

    # ---- an older call in the controls

    @property
    def has_snapshot(self) -> bool:
        """Whether `restore_snapshot` can bring back an earlier state of the controls."""
        return self._snapshot is not None

    def take_snapshot(self) -> None:
        """Remember the controls and the result, unless an earlier state is remembered already."""
        if self._snapshot is None:
            prompt, conversation = self.prompt.copy(), self.conversation
            self._snapshot = _Snapshot(
                self.name, prompt, self.options, self.result, conversation.name, conversation.tree
            )

    def preview(self, config: LLMConfig, prompt: PromptDraft, options: CallOptions = NO_OPTIONS) -> None:
        """Put a config, a prompt and options into the controls; differences from the saved config are unsaved changes.

        The variable for the response stays as it is.
        """
        with self.changing(CONFIG, DRAFT, PROMPT, OPTIONS, VARIABLES, place="run"):
            self._drafts.preview(config)
            self.prompt = prompt
            self.options = replace(options, output=self.options.output)

    def restore_snapshot(self) -> None:
        """Bring back the controls and the result of the snapshot, and forget it."""
        snapshot = self._snapshot
        if snapshot is not None:
            with self.changing(CONFIG, DRAFT, PROMPT, OPTIONS, VARIABLES, RESULT, STATE, place="run"):
                self._snapshot = None
                self._drafts.restore(snapshot.name)
                self.prompt = snapshot.prompt
                self.options = snapshot.options
                self.result = snapshot.result
                self.conversation.go_back(snapshot.conversation, snapshot.tree)
                self.note("run")

    def accept_preview(self) -> None:
        """Keep the previewed config as the user's own edit, and forget the snapshot."""
        with self.changing():
            self._snapshot = None
            self._drafts.accept()
