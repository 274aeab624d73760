"""The panel without widgets: the state together with every action that a click or a typed text can start."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core.config import LLMConfig
from azml_magics.core.embedded_keys import hide_keys_in_json
from azml_magics.core.errors import AzmlError
from azml_magics.core.prompt.notes import describe_surprises

from . import cell_source, prompt_template, tools
from .attachments import Attachments
from .call_options import CallOptions
from .cases import Cases
from .changes import OPTIONS, PROMPT, STATE, VARIABLES
from .columns import Columns
from .comparison import Comparison
from .config_actions import ConfigActions
from .config_trust import ConfigTrust
from .connection import Connection
from .endpoint_checks import EndpointChecks
from .error_messages import describe_error
from .option_checks import OptionChecks, check_options
from .prompt_draft import strip_blank_lines
from .run_history import History
from .runs import Runs
from .shared_prompt import SharedPrompt
from .versions import Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.session import Session

    from .call_state import RenderTemplate
    from .prompt_draft import PromptVariable


class PanelModel(ConfigActions):
    """The panel's actions. An action that fails changes nothing and leaves a note at its place.

    Takes the arguments of PanelState, and what starts the demo endpoint and a local model. Methods may be called from
    any thread.

    Attributes:
        runs: Run, and several requests side by side.
        cases: the test cases of the prompt, and Run all.
        checks: Test, Detect and Probe.
        connection: the demo, and what leads to a config that works.
        trust: what a config of a file was refused for.
        history: the last calls, and the way back from a restored one.
        shared_prompt: what another browser tab has replaced in the prompt.
        versions: names, ratings, notes, differences and the export of every run.
        comparison: what Compare would send.
        columns: the responses side by side: the selected one, differences, the way into the controls.
        attachments: the pictures and files of the prompt.
        shows_names: whether variables of the notebook are shown even while nothing uses them, to choose from.
    """

    def __init__(
        self,
        session: Session,
        variables: Callable[[], Mapping[str, Any]] = dict,
        timeout: Callable[[], float | None] = lambda: None,
        start_demo: Callable[[], object] | None = None,
        *,
        start_model: Callable[[], object] | None = None,
        render_template: RenderTemplate | None = None,
        store: Callable[[str, Any], object] | None = None,
        show_reasoning: Callable[[], str] = lambda: "folded",
    ) -> None:
        super().__init__(
            session, variables, timeout, render_template=render_template, store=store, show_reasoning=show_reasoning
        )
        self.shows_names = False
        self.connection = Connection(self, start_demo, start_model)
        self.trust = ConfigTrust(self)
        self.runs = Runs(self)
        self.checks = EndpointChecks(self)
        self.shared_prompt = SharedPrompt(self)
        self.history = History(self, self.runs)
        self.versions = Versions(self, self.history)
        self.comparison = Comparison(self, self.runs)
        self.columns = Columns(self, self.versions)
        self.cases = Cases(self, self.runs)
        self.attachments = Attachments(self)
        self.history.restore_last_run()

    def stop(self) -> None:
        """Stop what is running: responses keep the text received so far, a check is abandoned."""
        with self.changing(STATE):
            if self.cases.is_running or (self.result is not None and self.result.is_running):
                self.worker.stop()
            elif self.running:
                place = next((each for each, note in self.notes.items() if note.text == self.running), "endpoint")
                self.worker.abandon()
                self.note(place, "Stopped.")

    def _report_failure(self, error: Exception) -> None:
        self.cases.end_run()
        super()._report_failure(error)

    # ---- the prompt

    def set_prompt(self, text: str, editor: str = "") -> None:
        """Type into the prompt field.

        Args:
            text: the prompt.
            editor: which browser tab it is typed in; "" if that is not known.
        """
        if self.prompt.text != text:
            with self._typing(PROMPT, VARIABLES):
                self.shared_prompt.follow(self.prompt.text, text, editor)
                self.prompt.text = text

    def set_variable(self, name: str, text: str) -> None:
        """Type a value for a variable; if it is empty the notebook's value is used."""
        if self.prompt.typed.get(name, "") != text:
            with self._typing(PROMPT):
                self.prompt.typed[name] = text

    def variables(self) -> list[PromptVariable]:
        """The prompt's variables with the notebook's current values."""
        return self.prompt.variables(self.notebook_variables(), self.draft.texts["system"])

    def surprises(self) -> list[str]:
        """A sentence for everything in the prompt that goes out otherwise than it looks, such as `{rows[0]}`."""
        if self.prompt.template == prompt_template.AS_WRITTEN:
            return []
        return describe_surprises(self.prompt.text, self.notebook_variables())

    def refresh_variables(self) -> None:
        """Redraw what depends on the notebook's variables: a cell has run and may have changed them."""
        has_prompt = self.prompt.text or self.draft.texts["system"] or self.prompt.template
        if has_prompt or self.shows_names or self.options != CallOptions():
            with self.changing(VARIABLES):
                self._find_slots()

    def set_template(self, template: str) -> None:
        """Choose how the prompt's text becomes messages: "" or "none", or "$name" for a template of the notebook."""
        if self.prompt.template != template:
            with self._typing(PROMPT, VARIABLES, OPTIONS):
                self.prompt.template = template
                self._find_slots()

    def describe_template(self) -> str:
        """What the chosen template makes of the prompt, in a line; "" for variables in braces."""
        prompt = self.prompt
        if prompt.template == prompt_template.AS_WRITTEN:
            return "The prompt is sent as written, braces included."
        if not prompt.template:
            return ""
        slots = ", ".join(f"{{{name}}}" for name in prompt.slots)
        body = prompt.body_slot(self.notebook_variables())
        takes = f"{prompt.template} takes {slots}." if slots else f"{prompt.template} takes no variables."
        return f"{takes} The prompt becomes {{{body}}}." if body else takes

    def _find_slots(self) -> None:
        self.prompt.slots = prompt_template.find_slots(self.prompt.template, self.notebook_variables())

    # ---- the options of the call

    def set_option(self, name: str, text: str) -> None:
        """Type into the field of the schema, the tools or the variable for the response; a key in it is not kept."""
        text = hide_keys_in_json(text) if name == "tools" else text
        if getattr(self.options, name) != text:
            with self._typing(OPTIONS):
                self.options = replace(self.options, **{name: text})
                self.note(name)

    def check_options(self) -> OptionChecks:
        """What the fields of the options say, and what is wrong with them."""
        return check_options(self.options, self.notebook_variables())

    def build_cell(self, *further: str) -> cell_source.CellSource:
        """The cell that does what Run does.

        Args:
            further: more words for its first line, such as "--repeat 3".
        """
        draft = self.draft
        system = draft.texts["system"]
        system = cell_source.with_values(system, self.prompt.overrides(system))
        return self._build_cell(draft.config, self.base, further, system)

    def build_comparison_cell(self) -> cell_source.CellSource:
        """The cell that does what Compare does; its note says why there is none."""
        try:
            words = self.comparison.cell_words()
        except AzmlError as error:
            return cell_source.CellSource("", describe_error(error))
        if self.comparison.names:  # --compare names the configs
            return self._build_cell(LLMConfig(), LLMConfig(), words, None)
        return self.build_cell(*words)

    def _build_cell(
        self, config: LLMConfig, base: LLMConfig, further: Sequence[str], system: str | None
    ) -> cell_source.CellSource:
        checks, prompt = self.check_options(), strip_blank_lines(self.prompt.text)
        template = ["-t", self.prompt.template] if self.prompt.template else []
        name = self.conversation.name
        attached = self.attachments.in_cell()
        words = [*template, *(["-c", shlex.quote(name)] if name else []), *attached.words, *checks.words, *further]
        config = tools.with_tools(config, checks.tools_in_json)
        cell = cell_source.build_cell(config, base, prompt, self.prompt.overrides(), words, system=system)
        return cell._replace(note=" ".join(filter(None, [attached.note, cell.note])))
