"""The panel's way back: what was asked in this session, put into the controls again. No widgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azml_magics.compare.comparison import Batch, Row
from azml_magics.compare.side_by_side import Ask
from azml_magics.core.errors import ConfigError
from azml_magics.core.text import one_line

from .events import ANSWER, STATE
from .prompt import Prompt, spoken
from .runs import Result

if TYPE_CHECKING:
    from azml_magics.session import Exchange

    from .model import PanelModel

SHOWN = 50
_LONGEST = 48


class _State(NamedTuple):
    """What the controls held before an older state went into them."""

    name: str
    prompt: Prompt
    result: Result | None


class Past:
    """The history's last entries. An older one that is restored can be left again: nothing is lost by looking."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._before: _State | None = None

    def entries(self) -> list[tuple[str, int]]:
        """(label, number) of the last exchanges, newest first."""
        return [(_label(each), each.number) for each in reversed(self._model.session.history[-SHOWN:])]

    @property
    def can_go_back(self) -> bool:
        """Whether there is a state from before the first restoring."""
        return self._before is not None

    def restore(self, number: int) -> None:
        """Put an exchange's config and prompt into the controls, and show its answer."""
        model = self._model
        with model.changing(ANSWER, STATE, place="run"):
            if model.runs.doing:
                raise ConfigError("Something is running", remedy="Stop it first.")
            exchange = next((each for each in model.session.history if each.number == number), None)
            if exchange is None:
                raise ConfigError(f"Number {number} is not in the history any more")
            if self._before is None:
                prompt = Prompt(model.prompt.text, model.prompt.typed)
                self._before = _State(model.name, prompt, model.runs.result)
            note = self._put(exchange)
            model.runs.result = _result(exchange)
            model.note("run", f"Number {number} is shown. {note}".rstrip())

    def _put(self, exchange: Exchange) -> str:
        """What of the exchange fits goes into the controls; returns a line about what does not."""
        if exchange.config.name.startswith("$"):
            return f"{exchange.config.name} is a LangChain object: the controls stay as they are."
        text, system, note = spoken(list(exchange.messages))
        typed = self._model.runs.prompts.get(exchange.number)
        prompt = Prompt(typed.text, typed.typed) if typed else Prompt(text)
        self._model.show(replace(exchange.config, system=system), prompt)
        return "" if typed else note

    def back(self) -> None:
        """The controls as they were before an older state went into them."""
        model, before = self._model, self._before
        if before is not None:
            with model.changing(ANSWER, STATE, place="run"):
                self._before = None
                model.show_again(before.name, before.prompt)
                model.runs.result = before.result
                model.note("run")

    def forget(self) -> None:
        """The restored state is the person's own now: it was asked again."""
        self._before = None
        self._model.settle()


def _label(exchange: Exchange) -> str:
    outcome = "failed" if exchange.error else f"{exchange.response.latency:.1f} s" if exchange.response else ""
    prompt = one_line(exchange.prompt, _LONGEST)
    return " · ".join(filter(None, [str(exchange.number), exchange.config.name, outcome, prompt]))


def _result(exchange: Exchange) -> Result:
    row = Row({}, exchange.config, exchange.response, exchange.error)
    return Result([Ask({}, exchange.config, exchange.messages)], Batch([row]), number=exchange.number)
