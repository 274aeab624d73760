"""Run, Compare and Repair: one response or several side by side, streamed in the worker."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from azml_magics.compare.comparison import Batch, Row
from azml_magics.compare.plan import Plan
from azml_magics.compare.side_by_side import BatchRequest, BatchRun
from azml_magics.core.errors import ConfigError, UsageError
from azml_magics.core.prompt import template

from .changes import PROMPT, RESULT, STATE, VARIABLES
from .error_messages import describe_error
from .outcomes import describe_outcome, note_mismatch
from .output_variable import read_output
from .preflight import check_fields, check_plan, check_typed_key, check_types, check_url
from .prompt_draft import PromptDraft
from .reasoning import with_reasoning
from .run_result import Asked, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.exchange import Exchange

    from .asking import Asking
    from .state import PanelState
    from .worker import WorkerTask

    Settings = Sequence[tuple[Mapping[str, Any], LLMConfig]]  # (what is special about a call, its config)

FRAME: Final = 0.05  # seconds: at most 20 updates a second
_FAST_COLUMNS: Final = 4  # more responses get fewer updates each: the page has no more time for them
_SLOWEST: Final = 6  # frames that one update takes at most: Stop waits for it
NEW_NAME: Final = "new config"


class Runs:
    """Sends the prompt in the controls. One run at a time.

    Attributes:
        was_refused: whether the last click could not start a run.
        prompts: history number -> the prompt as it was typed, with its variables.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self._batch_run: BatchRun | None = None
        self.was_refused = False
        self.prompts: dict[int, PromptDraft] = {}

    def run(self) -> None:
        """Send the prompt to the config in the controls."""
        self._start("Running", lambda config: [({}, config)])

    def retry(self, turn_id: str) -> None:
        """Ask the question of a turn of the conversation again; its earlier answers stay as other branches.

        Args:
            turn_id: the question, or an answer to it.
        """
        with self._state.changing(place="run"):
            self._start("Running", lambda config: [({}, config)], self._state.conversation.question_at(turn_id))

    def repair(self, index: int = 0) -> None:
        """Ask for a corrected response in place of one that does not match its schema, saying what is wrong with it.

        Args:
            index: which of the responses.
        """
        state = self._state
        with state.changing(STATE, RESULT, place="run"):
            started = state.result.repair(index) if state.result else None
            if started is None:
                raise ConfigError("There is nothing to repair", remedy="Press Run.")
            self._launch("Repairing", started)
            if started.asked and started.asked.asking:
                state.conversation.resume(started.asked.asking)

    def compare(
        self, names: Sequence[str] = (), sweeps: Mapping[str, Sequence[Any]] = MappingProxyType({}), repeats: int = 1
    ) -> None:
        """Send the prompt several times and show the responses side by side: every combination of the arguments.

        Args:
            names: saved configs, besides the one in the controls.
            sweeps: kwarg -> the values to try.
            repeats: how often each combination is sent.
        """
        plan = Plan(1 + len(names), sweeps, repeats)

        def settings(config: LLMConfig) -> Settings:
            check_plan(plan)
            saved = [self._state.session.get(name) for name in names]
            others = [(other.name, self.with_notebook_timeout(other, other)) for other in saved]
            expanded = plan.expand([(config.name or NEW_NAME, config), *others])
            for setting, changed in expanded:
                check_types(changed, {name: setting[name] for name in sweeps})
            return expanded

        self._start(f"Running {plan}", settings)

    def _start(self, what: str, settings: Callable[[LLMConfig], Settings], asking: Asking | None = None) -> None:
        state = self._state
        self.was_refused = True
        with state.changing(STATE, RESULT, place="run"):
            check_fields(state.draft.errors)
            check_url(state.draft.config)
            config = self.with_notebook_timeout(state.filled_config(), state.base)
            prompt = PromptDraft(template.escape(asking.turn.text)) if asking else state.prompt.copy()
            settled = settings(config)
            self._check_conversation(settled)
            question = asking or state.conversation.new_question(state.prompt_messages(prompt, config))
            requests = self._make_requests(prompt, settled, question)
            asked = Asked(
                *(state.draft.config, state.draft.texts["system"], prompt, state.options),
                *(state.conversation.name, question),
            )
            rows = Batch([Row(each.setting, each.config) for each in requests], is_complete=False)
            self._launch(what, RunResult(requests, rows, is_running=True, asked=asked))
            self.was_refused = False
            if question:
                self._begin(question, prompt)
            state.accept_preview()

    def _launch(self, what: str, started: RunResult) -> None:
        """Send the calls of a click in the worker; call it within `changing`.

        Raises:
            UsageError: if another task is running.
        """
        state = self._state
        state.approvals.reset()
        batch_run = BatchRun([started.requests[index] for index in started.sent])
        if not state.worker.start(f"{what}…", lambda task: self._follow(task, batch_run, started)):
            raise UsageError("Another task is running", remedy="Stop it first.")
        self._batch_run, state.result = batch_run, started
        self._announce(started)
        for place in ("run", "connect", "schema", "output"):
            state.note(place)

    def _begin(self, asking: Asking, prompt: PromptDraft) -> None:
        """Show the question in the conversation, in place of the prompt that it was."""
        state = self._state
        is_from_prompt = state.conversation.tree.find(asking.turn.id) is None
        state.conversation.begin(asking)
        if is_from_prompt:
            with state.changing(PROMPT, VARIABLES):
                state.prompt = prompt.following()

    def _make_requests(self, prompt: PromptDraft, settings: Settings, question: Asking | None) -> list[BatchRequest]:
        state = self._state
        read_output(state.options.output)
        requests = [
            state.with_options(BatchRequest(special, config, self._messages(prompt, config, question)))
            for special, config in settings
        ]
        for request in requests:
            check_typed_key(request.config)
        return requests

    def _messages(self, prompt: PromptDraft, config: LLMConfig, question: Asking | None) -> list[Message]:
        if question is None:
            return self._state.prompt_messages(prompt, config)
        return self._state.conversation.messages_for(question, config.system, config)

    def _check_conversation(self, settings: Settings) -> None:
        if self._state.conversation.name and any(special for special, _ in settings):
            raise UsageError("A conversation takes one response", remedy="Choose One prompt to compare several.")

    def with_notebook_timeout(self, config: LLMConfig, base: LLMConfig) -> LLMConfig:
        """The config with the notebook's timeout, which a cell would use too, unless another one is typed."""
        seconds = self._state.timeout()
        return config if seconds is None or config.timeout != base.timeout else replace(config, timeout=seconds)

    def _follow(self, task: WorkerTask, batch_run: BatchRun, started: RunResult) -> Callable[[], None]:
        """Show the calls while they run; return the callback that records them."""
        batch_run.start()
        frame = FRAME * min(_SLOWEST, max(1, len(started.sent) / _FAST_COLUMNS))
        while not batch_run.wait(frame) and not task.stopping.is_set():
            batch = with_reasoning(batch_run.batch, self._state.show_reasoning())
            waiting = next((row.waiting for row in batch if row.waiting), "")
            with self._state.changing(RESULT, *([STATE] if waiting != task.waiting else [])):
                task.waiting = waiting
                self._state.result = started.with_rows(batch)
        batch_run.stop()
        return lambda: self._finish(batch_run, started)

    def _finish(self, batch_run: BatchRun, started: RunResult) -> None:
        """Record the calls in the history and show how they ended."""
        state, number = self._state, 0
        ended = started.with_rows(with_reasoning(batch_run.batch, state.show_reasoning()))
        batch, ids = ended.batch, dict(enumerate(started.ids))
        with state.changing(STATE, RESULT):
            for index in started.sent:
                row, call = batch[index], started.requests[index].as_recorded()
                exchange_id = started.exchange_id if index == started.sent[0] else ""
                exchange = state.session.record(*call, row.response, row.error, exchange_id=exchange_id)
                number = exchange.number
                ids[index] = exchange.id
                if started.asked:
                    self._remember_controls(exchange, started.asked)
                    self._answer(started.asked.asking, row)
            if len(batch) > 1:
                state.session.record_batch(batch)
            kept = {exchange.number for exchange in state.session.history}
            self.prompts = {number: prompt for number, prompt in self.prompts.items() if number in kept}
            note_mismatch(state, batch)
            if started.asked:
                self._keep_response(started.asked.options.output, batch)
            if self._batch_run is batch_run:  # else the next run has already started
                self._batch_run = None
                state.result = replace(ended, is_running=False, number=number, ids=list(ids.values()))
                state.note("run", *describe_outcome(batch))

    def _announce(self, started: RunResult) -> None:
        """Write the first request to the history file, so that a restart of the kernel does not lose the prompt."""
        config, messages = started.requests[started.sent[0]].as_recorded()
        notes = started.asked.to_notes() if started.asked else {}
        self._state.session.announce_request(started.exchange_id, config, messages, **notes)

    def _answer(self, asking: Asking | None, row: Row) -> None:
        """Add the answer to its conversation."""
        if asking:
            failure = describe_error(row.error) if row.error is not None else ""
            self._state.conversation.answer(asking, row.response, failure, row.config)

    def _remember_controls(self, exchange: Exchange, asked: Asked) -> None:
        """Keep the prompt and the options as they were typed, where the messages do not say them."""
        self.prompts[exchange.number] = asked.prompt
        if notes := asked.to_notes(unless=exchange.prompt):
            self._state.session.annotate(exchange.id, **notes)

    def _keep_response(self, output: str, batch: Batch) -> None:
        """Store the response, or the batch of several, in a variable of the notebook."""
        name = read_output(output)
        kept = batch if len(batch) > 1 else batch[0].response if batch[0].error is None else None
        if name and kept is not None:
            self._state.store(name, kept)
            self._state.note("output", f"{name} has {'the responses' if len(batch) > 1 else 'the response'}.", "good")
