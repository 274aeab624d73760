"""The panel's Test, Detect and Probe buttons: look at the endpoint in the worker, and say what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azml_magics.core.errors import ConfigError, UsageError

from .changes import CONFIG, DRAFT, STATE
from .error_messages import describe_error
from .preflight import check_typed_key, check_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.errors import AzmlError

    from .draft import Draft
    from .state import PanelState
    from .worker import WorkerTask


class CheckResult(NamedTuple):
    """What a look at the endpoint found.

    Attributes:
        text: a line for the user.
        mood: "good" or "bad".
        fields: field of the config -> its new text.
        error_code: the code of what failed, if it was an error.
    """

    text: str
    mood: str
    fields: Mapping[str, str] = {}
    error_code: str = ""


class EndpointChecks:
    """Tests the endpoint of the config in the controls, and detects its wire format."""

    def __init__(self, state: PanelState) -> None:
        self._state = state

    def test(self) -> None:
        """Check the endpoint step by step; the note at "endpoint" names the first step that fails, with a remedy."""
        self._start("Testing", test_endpoint)

    def detect(self, *, probe: bool = False, place: str = "endpoint") -> None:
        """Find out the deployment's wire format and put it into the controls.

        Args:
            probe: whether to send short prompts with several formatters as well.
            place: where the note stands.
        """
        what = "Sending at most 12 short prompts" if probe else "Detecting"
        self._start(what, lambda config: detect_endpoint(config, probe=probe), place)

    def _start(self, what: str, check: Callable[[LLMConfig], CheckResult], place: str = "endpoint") -> None:
        state = self._state
        with state.changing(STATE, place=place):
            draft, config = state.draft, state.draft.config
            problem = draft.errors.get("endpoint_url") or draft.errors.get("key")
            if problem:
                raise ConfigError(problem)
            check_url(config)
            check_typed_key(config)

            def work(task: WorkerTask) -> Callable[[], None]:  # noqa: ARG001 - it cannot be stopped, only abandoned
                try:
                    result = check(config)
                except Exception as error:  # noqa: BLE001 - any failure is shown to the user
                    result = CheckResult(describe_error(error), "bad", error_code=getattr(error, "error_code", ""))
                return lambda: self._show(draft, result, place)

            if not state.worker.start(f"{what}…", work):
                raise UsageError("Another task is running", remedy="Stop it first.")
            state.note(place, f"{what}…")

    def _show(self, draft: Draft, result: CheckResult, place: str) -> None:
        with self._state.changing(STATE, CONFIG, DRAFT):
            for field, text in result.fields.items():
                draft.set(field, text)
            self._state.note(place, result.text, result.mood, result.error_code)


def test_endpoint(config: LLMConfig) -> CheckResult:
    """Check an endpoint step by step; the first step that fails is the result."""
    from azml_magics.azure import check

    codes: list[str] = []

    def describe(error: AzmlError) -> str:
        codes.append(error.error_code)
        return describe_error(error)

    found = check.check(config, describe=describe)
    for step in check.STEPS:
        state, text = found[step]
        if state == check.BAD:
            return CheckResult(f"{step}: {text}", "bad", error_code=codes[0] if codes else "")
    return CheckResult(f"It works: the response was {found['answer'][1]}.", "good")


def detect_endpoint(config: LLMConfig, *, probe: bool) -> CheckResult:
    """Find out a deployment's formatter; `probe` sends it short prompts as well."""
    from azml_magics.azure import detect

    found = detect.detect(config, probe=probe)
    if found.best is None:
        more = "" if probe else " Probe sends at most 12 short prompts."
        return CheckResult(f"{found.note}{more}", "bad")
    fields = {"endpoint_url": found.url} if found.url else {}
    fields["formatter"] = found.best.formatter
    fields |= {"endpoint_api_type": found.best.api_type} if found.best.api_type else {}
    fields |= {"model": found.best.model} if found.best.model else {}
    return CheckResult(f"Detected {found.best.formatter}: {found.best.reason}.", "good", fields)
