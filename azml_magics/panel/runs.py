"""What the panel runs: one answer or several, a test, a detection. All of it in the panel's worker. No widgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azml_magics.compare import side_by_side
from azml_magics.compare.side_by_side import Ask, SideBySide
from azml_magics.core import keys
from azml_magics.core.errors import AzmlError, ConfigError, Interrupted, UsageError
from azml_magics.core.http import recording
from azml_magics.core.keys import KeyRef
from azml_magics.core.messages import as_messages

from .events import ANSWER, CONFIG, DRAFT, STATE
from .messages import in_words
from .prompt import Prompt
from .worker import Job, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.compare.comparison import Batch, Row
    from azml_magics.core.config import LLMConfig

    from .draft import Draft
    from .model import PanelModel

FRAME: Final = 0.05  # seconds: at most 20 updates a second
_MOST: Final = 100  # requests of one click


@dataclass(frozen=True)
class Result:
    """What the result tabs are about: calls, and how far they came. number: the last one's in the history."""

    asks: Sequence[Ask]
    batch: Batch
    is_running: bool = False
    number: int = 0

    @property
    def row(self) -> Row:
        """The row of a single answer, the first of several."""
        return self.batch[0]


class Found(NamedTuple):
    """What a look at the endpoint came to: a line, its mood, and what the fields of the config become."""

    words: str
    mood: str
    fields: Mapping[str, str] = {}


class Runs:
    """The panel's worker and its last result. One thing runs at a time."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._work = Work(self._failed)
        self._calls: SideBySide | None = None
        self.result: Result | None = None
        self.refused = False  # what was clicked last could not be begun
        self.prompts: dict[int, Prompt] = {}  # history number -> the prompt as it was typed

    @property
    def doing(self) -> str:
        """What is running, in words; "" while nothing is."""
        return self._work.doing

    def wait(self, seconds: float) -> bool:
        """Whether nothing runs, after at most that long."""
        return self._work.wait(seconds)

    def close(self) -> None:
        """End what runs, and show nothing of it."""
        self._work.leave()

    def stop(self) -> None:
        """Stop: answers keep what had arrived; a test or a detection is left behind."""
        with self._model.changing(STATE):
            if self._calls is not None:
                self._work.stop()
            elif self._work.doing:
                self._work.leave()
                self._model.note("endpoint", "Stopped.")

    # ---- answers

    def run(self) -> None:
        """Ask the config in the controls."""
        self._ask("Asking", lambda config: [({}, config)])

    def repeat(self, times: int) -> None:
        """Ask the same several times, side by side."""
        if times < 1:
            self._refuse(UsageError(f"Repeat takes a number of at least 1, not {times}"))
            return

        def asked(config: LLMConfig) -> list[tuple[dict[str, Any], LLMConfig]]:
            _check_count(times)
            return [({"answer": n}, config) for n in range(1, times + 1)]

        self._ask(f"Asking {times} times", asked)

    def compare(self, names: Sequence[str]) -> None:
        """Ask the config in the controls and the other ones, side by side."""

        def asked(config: LLMConfig) -> list[tuple[dict[str, Any], LLMConfig]]:
            if not names:
                raise UsageError("There is nothing to compare with", remedy="Choose another config, or save one.")
            saved = [self._model.session.get(name) for name in names]
            others = [self._timed(each, each) for each in saved]
            own = config.name or "new config"
            return [({"config": own}, config), *(({"config": other.name}, other) for other in others)]

        self._ask("Comparing", asked)

    def sweep(self, settings: Mapping[str, str]) -> None:
        """Ask with every combination of the values that are listed for the kwargs, side by side."""

        def asked(config: LLMConfig) -> list[tuple[dict[str, Any], LLMConfig]]:
            listed = {name: side_by_side.values_of(text) for name, text in settings.items()}
            if not listed or not all(listed.values()):
                raise UsageError("A sweep needs values", remedy="Write them with commas between, such as 0, 0.5, 1.")
            _check_count(math.prod(map(len, listed.values())))
            return side_by_side.sweep(config, listed)

        self._ask("Sweeping", asked)

    def _ask(self, what: str, settings: Callable[[LLMConfig], Sequence[tuple[Mapping[str, Any], LLMConfig]]]) -> None:
        model = self._model
        self.refused = True
        with model.changing(STATE, ANSWER, place="run"):
            config = _ready(model.draft.errors, model.draft.config)
            asked = settings(self._timed(config, model.base))
            _check_count(len(asked))
            prompt, values = Prompt(model.prompt.text, model.prompt.typed), model.values()
            asks = [Ask(s, each, as_messages(prompt.rendered(values), each.system)) for s, each in asked]
            for ask in asks:
                _check_key(ask.config)
            calls = SideBySide(asks)
            if not self._work.start(f"{what}…", lambda job: self._follow(job, calls, asks, prompt)):
                raise UsageError("Something is running already", remedy="Stop it first.")
            self._calls, self.result = calls, Result(asks, calls.batch, is_running=True)
            self.refused = False
            model.past.forget()
            model.note("run")

    def _timed(self, config: LLMConfig, base: LLMConfig) -> LLMConfig:
        """The config with the notebook's own timeout, where none is typed: what a cell would ask."""
        seconds = self._model.timeout()
        return config if seconds is None or config.timeout != base.timeout else replace(config, timeout=seconds)

    def _follow(self, job: Job, calls: SideBySide, asks: Sequence[Ask], prompt: Prompt) -> Callable[[], None]:
        """Show the calls while they run; what comes back records and shows how they ended."""
        calls.start()
        while not calls.wait(FRAME) and not job.stopping.is_set():
            with self._model.changing(ANSWER):
                self.result = Result(asks, calls.batch, is_running=True)
        calls.stop()
        return lambda: self._ended(calls, asks, prompt)

    def _ended(self, calls: SideBySide, asks: Sequence[Ask], prompt: Prompt) -> None:
        model, batch, number = self._model, calls.batch, 0
        with model.changing(STATE, ANSWER):
            for ask, row in zip(asks, batch, strict=True):
                exchange = model.session.record(row.config, ask.messages, row.response, row.error)
                number = exchange.number
                self.prompts[number] = prompt
            if len(asks) > 1:
                model.session.keep_batch(batch)
            kept = {each.number for each in model.session.history}
            self.prompts = {each: typed for each, typed in self.prompts.items() if each in kept}
            if self._calls is calls:  # else somebody has clicked between its end and here
                self._calls, self.result = None, Result(asks, batch, number=number)
                model.note("run", *_said(batch))

    def _failed(self, error: Exception) -> None:
        with self._model.changing(STATE, ANSWER):
            self._calls = None
            self.result = replace(self.result, is_running=False) if self.result else None
            self._model.note("run", f"The panel failed: {in_words(error)}", "bad")

    def _refuse(self, error: AzmlError) -> None:
        with self._model.changing(place="run"):
            raise error

    # ---- the endpoint

    def test(self) -> None:
        """Check the endpoint step by step; the first step that fails is said, with what to do."""
        self._look("Testing", self._tested)

    def _tested(self, config: LLMConfig) -> Found:
        from azml_magics.azure import check

        found = check.check(config, said=in_words)
        for step in check.STEPS:
            state, words = found[step]
            if state == check.BAD:
                return Found(f"{step}: {words}", "bad")
        return Found(f"It works: it answered {found['answer'][1]}.", "good")

    def detect(self, *, probe: bool = False) -> None:
        """Find out which dialect the deployment speaks, and put it into the controls."""
        self._look("Detecting", lambda config: self._detected(config, probe=probe))

    def _detected(self, config: LLMConfig, *, probe: bool) -> Found:
        from azml_magics.azure import detect

        found = detect.detect(config, probe=probe)
        if found.best is None:
            more = "" if probe else " Probe sends a short prompt in every dialect."
            return Found(f"{found.note}{more}", "bad")
        fields = {"endpoint_url": found.url} if found.url else {}
        fields["formatter"] = found.best.formatter
        return Found(f"It speaks {found.best.formatter}: {found.best.because}.", "good", fields)

    def _look(self, what: str, look: Callable[[LLMConfig], Found]) -> None:
        model = self._model
        with model.changing(STATE, place="endpoint"):
            draft, config = model.draft, model.draft.config
            problem = draft.errors.get("endpoint_url") or draft.errors.get("key")
            if problem:
                raise ConfigError(problem)
            _check_url(config)
            _check_key(config)

            def task(job: Job) -> Callable[[], None]:  # noqa: ARG001 - it cannot be stopped, only left behind
                try:
                    found = look(config)
                except Exception as error:  # noqa: BLE001 - whatever it was, the person is told
                    found = Found(in_words(error), "bad")
                return lambda: self._looked(draft, found)

            if not self._work.start(f"{what}…", task):
                raise UsageError("Something is running already", remedy="Stop it first.")
            model.note("endpoint", f"{what}…")

    def _looked(self, draft: Draft, found: Found) -> None:
        with self._model.changing(STATE, CONFIG, DRAFT):
            for field, text in found.fields.items():
                draft.set(field, text)
            self._model.note("endpoint", found.words, found.mood)


def _ready(errors: Mapping[str, str], config: LLMConfig) -> LLMConfig:
    """The config, whose fields are all readable; ConfigError names the first that is not."""
    for field, message in errors.items():
        raise ConfigError(f"{field}: {message}")
    _check_url(config)
    return config


def _check_url(config: LLMConfig) -> None:
    if not config.endpoint_url:
        raise ConfigError("There is no endpoint", remedy="Type its URL, or choose a config.")


def _check_count(requests: int) -> None:
    """UsageError where one click would send that many: a slip of the finger costs tokens."""
    if requests > _MOST:
        raise UsageError(f"That would be {requests} requests", remedy=f"At most {_MOST} go out at one click.")


def _check_key(config: LLMConfig) -> None:
    """ConfigError where a person would have to be asked for the key, which a worker cannot do."""
    is_asked = isinstance(config.key, KeyRef) and config.key.scheme == "ask"
    if is_asked and not recording.is_replaying() and not keys.is_answered(config.endpoint_url):
        raise ConfigError(
            f"No key was typed for {config.name or 'this endpoint'} in this session",
            remedy="Type it into the one-time key box, under Endpoint.",
        )


def _said(batch: Batch) -> tuple[str, str]:
    """(a line about how the calls ended, its mood)."""
    if len(batch) > 1:
        failed = any(row.error is not None for row in batch)
        return f"{batch.summary()}.", "bad" if failed else "good"
    row = batch[0]
    if row.error is not None:
        return in_words(row.error), "plain" if isinstance(row.error, Interrupted) else "bad"
    response = row.response
    if response is not None and response.finish_reason == "length":
        return "The answer was cut at its token limit: raise max_tokens for more.", "plain"
    return "", "plain"
