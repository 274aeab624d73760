"""What Compare would send: configs, the values of their parameters, and how often; announced before it is sent."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

from azml_magics.compare.plan import Plan
from azml_magics.compare.side_by_side import parse_values
from azml_magics.core.errors import AzmlError, UsageError
from azml_magics.core.text import one_line

from . import cell_source
from .changes import COMPARISON
from .error_messages import describe_error
from .estimates import describe_prompts, estimate_prompt
from .preflight import MAX_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .runs import Runs
    from .state import PanelState

ASK_ABOVE: Final = 12
"""More requests than these are sent only after a second click."""
_MAX_QUOTED: Final = 40  # characters of a wrong line in its message


class Comparison:
    """The choices of the Compare fold. They are kept while other things are done, and after they were sent.

    Args:
        state: the panel's state.
        runs: sends the prompt.

    Attributes:
        sweeps: what was typed: a kwarg and its values on each line, such as "temperature=0, 0.5, 1".
        repeats: how often each combination is sent.
        is_asking: whether Compare waits for a confirmation.
    """

    def __init__(self, state: PanelState, runs: Runs) -> None:
        self._state = state
        self._runs = runs
        self._names: tuple[str, ...] = ()
        self.sweeps = ""
        self.repeats = 1
        self.is_asking = False

    # ---- the choices

    @property
    def choices(self) -> list[str]:
        """The saved configs besides the one in the controls."""
        return [name for name in self._state.names if name and name != self._state.name]

    @property
    def names(self) -> list[str]:
        """The chosen ones of them."""
        return [name for name in self.choices if name in self._names]

    def set_names(self, names: Sequence[str]) -> None:
        """Choose the configs that are compared with the one in the controls."""
        with self._state.changing(COMPARISON):
            self._names, self.is_asking = tuple(names), False

    def set_sweeps(self, text: str) -> None:
        """Type the kwargs and their values."""
        with self._state.changing(COMPARISON):
            self.sweeps, self.is_asking = text, False

    def add_kwarg(self, name: str) -> None:
        """Add a line for a kwarg with the value that it has now, unless there is one."""
        lines = self.sweeps.splitlines()
        if name not in [line.partition("=")[0].strip() for line in lines]:
            value = self._state.draft.config.model_kwargs.get(name)
            now = "" if value is None else _text_of(value)
            self.set_sweeps("\n".join([*filter(str.strip, lines), f"{name}={now}"]))

    def set_repeats(self, repeats: int) -> None:
        """Choose how often each combination is sent."""
        with self._state.changing(COMPARISON):
            self.repeats, self.is_asking = repeats, False

    # ---- what they mean

    def parse_sweeps(self) -> dict[str, list[Any]]:
        """The values of each kwarg.

        Raises:
            UsageError: if a line cannot be read.
        """
        swept: dict[str, list[Any]] = {}
        for line in filter(str.strip, self.sweeps.splitlines()):
            name, sign, text = line.partition("=")
            name, values = name.strip(), parse_values(text.strip())
            if not name or not sign or not values:
                raise UsageError(
                    f"{one_line(line, _MAX_QUOTED)!r} has no values", remedy="Write temperature=0, 0.5, 1, for example."
                )
            if name in swept:
                raise UsageError(f"{name} stands there twice", remedy="Put all its values on one line.")
            swept[name] = values
        return swept

    @property
    def plan(self) -> Plan:
        """The requests that Compare would send.

        Raises:
            UsageError: if a line of the sweeps cannot be read.
        """
        return Plan(1 + len(self.names), self.parse_sweeps(), self.repeats)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was chosen that would make more than one request."""
        return not self.names and not self.sweeps.strip() and self.repeats == 1

    def describe(self) -> tuple[str, str]:
        """(what Compare would send, in one line; its mood)."""
        try:
            plan = self.plan
        except AzmlError as error:
            return describe_error(error), "bad"
        if self.is_empty:
            return "Choose configs, parameters or a number of times to compare.", "plain"
        if plan.size > MAX_REQUESTS:
            return f"{plan}: one click sends at most {MAX_REQUESTS}.", "bad"
        return ", ".join(filter(None, [str(plan), self._describe_size(plan)])), "plain"

    def _describe_size(self, plan: Plan) -> str:
        """The tokens and, where prices are known, the cost of the prompts; "" if they cannot be sent as they are."""
        try:
            configs = [self._state.filled_config(), *(self._state.session.get(name) for name in self.names)]
            estimates = [estimate_prompt(self._state, config) for config in configs]
        except AzmlError:  # Compare will say it
            return ""
        return describe_prompts(estimates, plan.size // len(configs))

    def cell_words(self) -> list[str]:
        """The words of a cell's line that compare the same.

        Raises:
            UsageError: if a line of the sweeps cannot be read, or a cell cannot say it.
        """
        state, names = self._state, self.names
        if names and (not state.name or state.draft.is_changed):
            raise UsageError("A cell compares saved configs", remedy="Save this one first.")
        compared = ["--compare", shlex.quote(",".join([state.name, *names]))] if names else []
        swept = [word for name, values in self.parse_sweeps().items() for word in _sweep_words(name, values)]
        return [*compared, *swept, *(["-n", str(self.repeats)] if self.repeats > 1 else [])]

    # ---- sending

    def send(self) -> None:
        """Send the requests; many of them only when called a second time."""
        with self._state.changing(COMPARISON, place="run"):
            plan = self.plan
            if ASK_ABOVE < plan.size <= MAX_REQUESTS and not self.is_asking:
                self.is_asking = True
                return
            self.is_asking = False
            self._runs.compare(self.names, plan.sweeps, plan.repeats)

    def cancel(self) -> None:
        """Do not send what Compare asked about."""
        with self._state.changing(COMPARISON):
            self.is_asking = False


def _sweep_words(name: str, values: Sequence[Any]) -> list[str]:
    """The words of a cell's line that try the values of a kwarg."""
    if any(isinstance(value, str) and cell_source.is_reference(value) for value in values):
        raise UsageError(f"A cell would read a value of {name} as a variable")
    texts = ",".join(cell_source.kwarg_text(value) for value in values)
    escaped = cell_source.escape_strings(list(values))
    return ["--sweep", shlex.quote(f"{name}={texts if parse_values(texts) == escaped else json.dumps(escaped)}")]


def _text_of(value: Any) -> str:
    """A kwarg's value as a line of the sweeps has it."""
    texts = [value] if isinstance(value, str) else []
    texts += [json.dumps(value, ensure_ascii=False), json.dumps([value], ensure_ascii=False)]
    return next(text for text in texts if text == texts[-1] or parse_values(text) == [value])
