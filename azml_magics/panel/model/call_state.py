"""What a call of the panel is made of: a config's draft, the prompt, its options, and the notebook's values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt.attachments import attach_parts

from . import prompt_template, schema, tools
from .approvals import Approvals
from .call_options import NO_OPTIONS, CallOptions
from .changes import ChangeNotifier
from .conversation import PanelConversation
from .drafts import Drafts
from .prompt_draft import PromptDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.session import Session

    from .draft import Draft

    RenderTemplate = Callable[[Any, str, str, Mapping[str, Any]], list[Message]]


class CallState(ChangeNotifier):
    """The controls, and the call that they make.

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
        approvals: the calls of functions that wait until the user allows them.
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
        self.options: CallOptions = NO_OPTIONS
        self.approvals = Approvals(self)
        self.conversation = PanelConversation(session, self)
        self._variables = variables
        self._render_template = render_template
        self._store = store
        self._drafts = Drafts(session, self.values)

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
        return self.with_options(request).as_recorded()

    def with_options(self, request: BatchRequest) -> BatchRequest:
        """The request with the schema and the tools of their fields.

        Raises:
            UsageError: if one of them cannot be read.
        """
        notebook = self._variables()
        wanted = schema.read_schema(self.options.schema, notebook)
        offer = tools.read_offer(self.options.tools, notebook, None if self.options.auto else self.approvals.ask)
        config = tools.with_tools(request.config, offer.described)
        return replace(request, config=config, schema=wanted, toolset=offer.functions)

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
