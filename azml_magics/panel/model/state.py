"""What the panel holds: the chosen config's draft, the prompt, the last result, and the notebook's values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt.attachments import attach_parts

from . import prompt_template, schema, tools
from .call_options import NO_OPTIONS, CallOptions
from .changes import CONFIG, DRAFT, HISTORY, OPTIONS, PROMPT, RESULT, STATE, VARIABLES, ChangeNotifier
from .conversation import PanelConversation
from .drafts import Drafts
from .error_messages import describe_error
from .prompt_draft import PromptDraft
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.changes import Change
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.session import Session

    from .conversation_tree import ConversationTree
    from .draft import Draft
    from .run_result import Asked, RunResult

    RenderTemplate = Callable[[Any, str, str, Mapping[str, Any]], list[Message]]


_SETTINGS: Final = ("endpoint_url", "formatter", "deployment_name", "model", "api_version")


class _Snapshot(NamedTuple):
    """The panel before an older call was restored into it."""

    name: str
    prompt: PromptDraft
    options: CallOptions
    result: RunResult | None
    conversation: str
    tree: ConversationTree


class PanelState(ChangeNotifier):
    """The panel's state.

    Args:
        session: the session whose configs and history the panel shows.
        variables: returns the notebook's variables.
        timeout: returns the notebook's timeout in seconds, None if the notebook sets none.
        render_template: returns the messages that a prompt template makes of (the template, its name, the prompt's
            text, the values of its variables).
        store: stores a value under a name in the notebook.
        show_reasoning: returns how a model's thoughts are shown: "folded", "open" or "hidden".

    Attributes:
        prompt: the prompt and the values typed for its variables.
        options: the schema, the tools and the variable for the response, as typed.
        result: what the result tabs show; None before the first run.
        worker: runs everything that takes time.
        conversation: the conversation that the prompt goes on with, or one prompt.
    """

    def __init__(
        self,
        session: Session,
        variables: Callable[[], Mapping[str, Any]] = dict,
        timeout: Callable[[], float | None] = lambda: None,
        *,
        render_template: RenderTemplate | None = None,
        store: Callable[[str, Any], object] | None = None,
        show_reasoning: Callable[[], str] = lambda: "folded",
    ) -> None:
        super().__init__()
        self.show_reasoning = show_reasoning
        self.session = session
        self.timeout = timeout
        self.prompt = PromptDraft()
        self.options = NO_OPTIONS
        self.result: RunResult | None = None
        self.worker = Worker(self._report_failure)
        self.conversation = PanelConversation(session, self)
        self._variables = variables
        self._render_template = render_template
        self._store = store
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

    def store(self, name: str, value: object) -> None:
        """Store a value under a name in the notebook."""
        if self._store is not None:
            self._store(name, value)

    def values(self) -> dict[str, Any]:
        """What the variables of the prompt and the system message stand for: typed values, else the notebook's."""
        return {**self._variables(), **self.prompt.overrides(self.draft.texts["system"])}

    def filled_config(self) -> LLMConfig:
        """The draft's config as Run would send it: the variables of its system message are filled in.

        Raises:
            UndefinedVariableError: if one of them has no value.
        """
        return replace(self.draft.config, system=self.draft.fill_system(self.values()))

    def call(self) -> tuple[LLMConfig, Sequence[Message]]:
        """The config and the messages that Run would send, with its schema and its tools.

        Raises:
            AzmlError: if the prompt is empty, a variable has no value, or a field cannot be read.
        """
        request = BatchRequest({}, self.filled_config(), self.messages())
        return self.with_options(request).as_sent()

    def with_options(self, request: BatchRequest) -> BatchRequest:
        """The request with the schema and the tools of their fields.

        Raises:
            UsageError: if one of them cannot be read.
        """
        notebook = self._variables()
        wanted, offered = (
            schema.read_schema(self.options.schema, notebook),
            tools.read_tools(self.options.tools, notebook),
        )
        return replace(request, config=tools.with_tools(request.config, offered), schema=wanted)

    def messages(self) -> list[Message]:
        """The messages that Run would send, before a schema adds to them.

        Raises:
            PromptError: if the prompt is empty or a variable has no value.
        """
        config = self.filled_config()
        return self.conversation.with_prompt(self.prompt_messages(self.prompt, config), config)

    def prompt_messages(self, prompt: PromptDraft, config: LLMConfig, *, reads_files: bool = True) -> list[Message]:
        """The messages of a prompt for a config, without the conversation that it goes on with.

        Args:
            prompt: the prompt.
            config: the config.
            reads_files: whether its attachments are read; else they are parts without contents, for an estimate.

        Raises:
            PromptError: if the prompt is empty or a variable has no value.
            UsageError: if its template is not in the notebook, or an attachment cannot be read.
        """
        messages = as_messages(self.render_prompt(prompt), config.system)
        notebook = self._variables()
        parts = [each.read(notebook) if reads_files else {"type": "attachment"} for each in prompt.attachments]
        return attach_parts(messages, parts) if parts else messages

    def render_prompt(self, prompt: PromptDraft) -> str | list[Message]:
        """The prompt with its values: a text, or the messages of its template.

        Raises:
            PromptError: if the prompt is empty or a variable has no value.
            UsageError: if its template is not in the notebook.
        """
        notebook, reference = self._variables(), prompt.template
        if self._render_template is None or not reference.startswith("$"):
            return prompt.render(notebook)
        found = prompt_template.find_template(reference, notebook)
        prompt.slots = prompt_template.find_slots(reference, notebook)
        prompt.check_slots(notebook)
        body, values = prompt.render(notebook), {**notebook, **prompt.overrides()}
        return self._render_template(found, reference.removeprefix("$"), body, values)

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
