"""Run and Compare: one response or several side by side, streamed in the worker."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from azml_magics.compare.plan import Plan
from azml_magics.compare.side_by_side import BatchRequest, BatchRun
from azml_magics.core.errors import Interrupted, SchemaError, UsageError
from azml_magics.core.prompt import template
from azml_magics.core.text import one_line
from azml_magics.core.wire.kwarg_types import find_texts_for_numbers

from .attachment import names_of
from .changes import PROMPT, RESULT, STATE, VARIABLES
from .error_messages import describe_error
from .output_variable import read_output
from .preflight import check_fields, check_typed_key, check_url
from .prompt_draft import PromptDraft, strip_blank_lines
from .reasoning import with_reasoning
from .run_result import Asked, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.compare.comparison import Batch, Row
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
MAX_REQUESTS: Final = 100  # of one click
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
            _check_plan(plan)
            saved = [self._state.session.get(name) for name in names]
            others = [(other.name, self.with_notebook_timeout(other, other)) for other in saved]
            expanded = plan.expand([(config.name or NEW_NAME, config), *others])
            for setting, changed in expanded:
                _check_types(changed, {name: setting[name] for name in sweeps})
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
            batch_run = BatchRun(requests)
            asked = Asked(
                *(state.draft.config, state.draft.texts["system"], prompt, state.options),
                *(state.conversation.name, question),
            )
            started = RunResult(requests, batch_run.batch, is_running=True, asked=asked)
            if not state.worker.start(f"{what}…", lambda task: self._follow(task, batch_run, started)):
                raise UsageError("Another task is running", remedy="Stop it first.")
            self._batch_run, state.result = batch_run, started
            self._announce(started, asked)
            self.was_refused = False
            if question:
                self._begin(question, prompt)
            state.accept_preview()
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
        frame = FRAME * min(_SLOWEST, max(1, len(started.requests) / _FAST_COLUMNS))
        while not batch_run.wait(frame) and not task.stopping.is_set():
            batch = with_reasoning(batch_run.batch, self._state.show_reasoning())
            waiting = next((row.waiting for row in batch if row.waiting), "")
            with self._state.changing(RESULT, *([STATE] if waiting != task.waiting else [])):
                task.waiting = waiting
                self._state.result = replace(started, batch=batch)
        batch_run.stop()
        return lambda: self._finish(batch_run, started)

    def _finish(self, batch_run: BatchRun, started: RunResult) -> None:
        """Record the calls in the history and show how they ended."""
        state, number = self._state, 0
        batch = with_reasoning(batch_run.batch, state.show_reasoning())
        requests, ids = started.requests, list[str]()
        with state.changing(STATE, RESULT):
            for index, (request, row) in enumerate(zip(requests, batch, strict=True)):
                exchange_id = "" if index else started.exchange_id
                exchange = state.session.record(*request.as_sent(), row.response, row.error, exchange_id=exchange_id)
                number = exchange.number
                ids.append(exchange.id)
                if started.asked:
                    self._remember_controls(exchange, started.asked)
                    self._answer(started.asked.asking, row)
            if len(requests) > 1:
                state.session.record_batch(batch)
            kept = {exchange.number for exchange in state.session.history}
            self.prompts = {number: prompt for number, prompt in self.prompts.items() if number in kept}
            _note_mismatch(state, batch)
            if started.asked:
                self._keep_response(started.asked.options.output, batch)
            if self._batch_run is batch_run:  # else the next run has already started
                self._batch_run = None
                state.result = replace(started, batch=batch, is_running=False, number=number, ids=ids)
                state.note("run", *_summary(batch))

    def _announce(self, started: RunResult, asked: Asked) -> None:
        """Write the first request to the history file, so that a restart of the kernel does not lose the prompt."""
        config, messages = started.requests[0].as_sent()
        self._state.session.announce_request(started.exchange_id, config, messages, **_notes_of(asked))

    def _answer(self, asking: Asking | None, row: Row) -> None:
        """Add the answer to its conversation."""
        if asking:
            failure = describe_error(row.error) if row.error is not None else ""
            self._state.conversation.answer(asking, row.response, failure, row.config)

    def _remember_controls(self, exchange: Exchange, asked: Asked) -> None:
        """Keep the prompt and the options as they were typed, where the messages do not say them."""
        self.prompts[exchange.number] = asked.prompt
        if notes := _notes_of(asked, unless=exchange.prompt):
            self._state.session.annotate(exchange.id, **notes)

    def _keep_response(self, output: str, batch: Batch) -> None:
        """Store the response, or the batch of several, in a variable of the notebook."""
        name = read_output(output)
        kept = batch if len(batch) > 1 else batch[0].response if batch[0].error is None else None
        if name and kept is not None:
            self._state.store(name, kept)
            self._state.note("output", f"{name} has {'the responses' if len(batch) > 1 else 'the response'}.", "good")


def _notes_of(asked: Asked, *, unless: str = "") -> dict[str, Any]:
    """The prompt and the options as they were typed, as notes of an exchange; no prompt that is just `unless`."""
    prompt, options = asked.prompt, asked.options.to_notes()
    notes: dict[str, Any] = {"options": options} if options else {}
    notes |= {"conversation": asked.conversation} if asked.conversation else {}
    notes |= {"attachments": names_of(prompt.attachments)} if prompt.attachments else {}
    if prompt.template or strip_blank_lines(prompt.text) != unless:
        notes |= {"prompt": prompt.text, "variables": prompt.overrides()}
        notes |= {"template": prompt.template} if prompt.template else {}
    return notes


def _note_mismatch(state: PanelState, batch: Batch) -> None:
    """Say below the field of the schema what does not match it."""
    wrong = [row.error for row in batch if isinstance(row.error, SchemaError)]
    if wrong:
        of = f"{len(wrong)} of {len(batch)} responses. " if len(batch) > 1 else ""
        state.note("schema", f"{of}{describe_error(wrong[0])}", "bad", wrong[0].error_code)


def _check_plan(plan: Plan) -> None:
    """Raise UsageError if there is nothing to compare, or if it is too much: a mistyped number costs tokens."""
    if plan.repeats < 1:
        raise UsageError(f"Repeat takes a number of at least 1, not {plan.repeats}")
    if plan.size > MAX_REQUESTS:
        raise UsageError(f"That would be {plan}", remedy=f"One click sends at most {MAX_REQUESTS} requests.")
    if plan.size == 1 and not plan.sweeps:
        raise UsageError(
            "There is nothing to compare", remedy="Choose another config, values of a parameter, or a number of times."
        )


def _check_types(config: LLMConfig, values: Mapping[str, Any]) -> None:
    """Raise UsageError for a text in place of a number or a switch: it is a typing error."""
    for name, kind in find_texts_for_numbers(config, values).items():
        article = {"integer": "a whole number", "boolean": "true or false"}.get(kind, "a number")
        raise UsageError(f"{name} takes {article}, not the text {one_line(values[name], 40)!r}")


def _summary(batch: Batch) -> tuple[str, str, str]:
    """(a line about how the calls ended, its mood, the code of the error that it describes)."""
    if len(batch) > 1:
        failed = any(row.error is not None for row in batch)
        return f"{batch.summary()}.", "bad" if failed else "good", ""
    row = batch[0]
    if row.error is not None:
        mood = "plain" if isinstance(row.error, Interrupted) else "bad"
        return describe_error(row.error), mood, getattr(row.error, "error_code", "")
    response = row.response
    if response is not None and response.finish_reason == "length":
        return "The response was cut at its token limit: raise max_tokens for more.", "plain", ""
    return "", "plain", ""
