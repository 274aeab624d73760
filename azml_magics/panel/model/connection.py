"""The first minute: the demo, what a sign-in can see, and an endpoint that is tested and detected by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import endpoints, wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ConfigError, UsageError
from azml_magics.core.text import one_line

from .changes import CONFIG, DRAFT, FOUND, PROMPT, STATE, VARIABLES
from .endpoint_checks import CheckResult, detect_endpoint, test_endpoint
from .error_messages import describe_error
from .preflight import check_typed_key, check_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.azure.deployment import Deployment
    from azml_magics.azure.discovery import Discovery

    from .state import PanelState
    from .worker import WorkerTask

FIRST_PROMPT = "Write a haiku about sparkling water."


class Connection:
    """Leads to a config that works. Everything slow runs in the worker; what it says is the note at "connect".

    Args:
        state: the panel's state.
        start_demo: starts the demo endpoint and saves its configs; None where there is none.
        start_model: starts a small model on this computer and saves its config; None where there is none.

    Attributes:
        found: what `discover` has found; empty before.
        labels: a line for each of them; one that cannot be asked says why.
        problems: what was refused, with the missing role, and what was left out; one line each.
        has_connected: whether the last attempt to connect has led to a config.
    """

    def __init__(
        self,
        state: PanelState,
        start_demo: Callable[[], object] | None = None,
        start_model: Callable[[], object] | None = None,
    ) -> None:
        self._state = state
        self._start_demo = start_demo
        self._start_model = start_model
        self.has_connected = False
        self.found: Discovery | tuple[()] = ()
        self.labels: list[str] = []
        self.problems: list[str] = []

    @property
    def has_demo(self) -> bool:
        """Whether the demo can be started from here."""
        return self._start_demo is not None

    @property
    def has_model(self) -> bool:
        """Whether a model can be started from here."""
        return self._start_model is not None

    def begin(self) -> None:
        """Start anew: what came of the last attempt goes."""
        with self._state.changing(STATE):
            self.has_connected = False
            self._state.note("connect")

    def try_demo(self) -> None:
        """Start the demo endpoint, choose its config, and write a prompt if there is none."""
        start = self._start_demo
        if start is not None:
            self._run("Starting the demo", lambda: self._begin(start, "The demo"))

    def try_model(self) -> None:
        """Load a small model, choose its config, and write a prompt if there is none."""
        start = self._start_model
        if start is not None:
            self._run("Loading the model", lambda: self._begin(start, "The model"))

    def _begin(self, start: Callable[[], object], what: str) -> Callable[[], None]:
        start()

        def show() -> None:
            state = self._state
            with state.changing(PROMPT, VARIABLES, STATE):
                state.prompt.text = state.prompt.text or FIRST_PROMPT
                state.note("connect", f"{what} runs: press Run, or Ctrl+Enter in the prompt.", "good")

        return show

    def discover(self) -> None:
        """Look for what the user's sign-in can see."""
        self._run("Looking for your endpoints", self._look)

    def _look(self) -> Callable[[], None]:
        from azml_magics.azure import discovery

        found = discovery.discover()
        usable = sum(row.is_askable for row in found)
        said = f"{usable} found: choose one, then press Connect." if usable else "Nothing was found that can be asked."

        def show() -> None:
            with self._state.changing(FOUND, STATE):
                self.found, self.labels, self.problems = found, [_label(row) for row in found], found.notes()
                self._state.note("connect", said, "good" if usable else "bad")

        return show

    def pick(self, index: int) -> Deployment | None:
        """Return the deployment of a label; None if it cannot be asked, and the note says why."""
        row, state = self.found[index], self._state
        with state.changing():
            if row.is_askable:
                state.note("connect", f"{row.name} accepts {row.auth}. Press Connect.")
                return row
            reason = one_line(row.reason_not_askable).rstrip(".")
            state.note("connect", f"{row.name} cannot be asked: {reason}. Choose another one.", "bad")
            return None

    def config_of(self, row: Deployment, key: str = "") -> LLMConfig:
        """A config for a deployment that was found.

        Args:
            row: one of `found`.
            key: a key reference; "" for the one that was found.
        """
        from azml_magics.azure.discovery import Discovery

        found = self.found if isinstance(self.found, Discovery) else Discovery([row])
        return found.config(row, **({"key": key} if key else {}))

    def connect(self, config: LLMConfig) -> None:
        """Detect the endpoint's formatter, with short prompts if it must, test it, and save the config.

        Args:
            config: a config without a formatter if that is to be found.
        """
        state = self._state
        with state.changing(place="connect"):
            check_url(config)
            check_typed_key(config)
            self._run("Connecting", lambda: self._check(config))

    def _check(self, config: LLMConfig) -> Callable[[], None]:
        is_known = config.formatter or wire.default_for_url(config.endpoint_url)
        found = config if is_known else _with_formatter(config)
        result = test_endpoint(found) if isinstance(found, LLMConfig) else found

        def show() -> None:
            state = self._state
            with state.changing(CONFIG, DRAFT, STATE, place="connect"):
                if result.mood == "bad" or not isinstance(found, LLMConfig):
                    state.note("connect", result.text, "bad", result.error_code)
                    return
                name = _free_name(found, state.session.names())
                state.session.save(name, replace(found, name=name))
                state.choose_saved(name)
                self.has_connected = True
                speaks = f" Formatter: {found.formatter or wire.default_for_url(found.endpoint_url)}."
                state.note("connect", f"{result.text}{speaks} Saved as {name} for this session.", "good")

        return show

    def _run(self, what: str, work: Callable[[], Callable[[], None]]) -> None:
        state = self._state

        def run(task: WorkerTask) -> Callable[[], None]:  # noqa: ARG001 - it cannot be stopped, only abandoned
            try:
                return work()
            except (AzmlError, OSError, ImportError) as error:
                said, code = describe_error(error), getattr(error, "error_code", "")
                return lambda: self._show_failure(said, code)

        with state.changing(STATE, place="connect"):
            self.has_connected = False
            if not state.worker.start(f"{what}…", run):
                raise UsageError("Another task is running", remedy="Stop it first.")
            state.note("connect", f"{what}…")

    def _show_failure(self, said: str, error_code: str) -> None:
        with self._state.changing(STATE):
            self._state.note("connect", said, "bad", error_code)


def _label(row: Deployment) -> str:
    named = one_line(" · ".join(text for text in (row.name, row.model or row.kind, row.owner) if text))
    return named if row.is_askable else f"✗ {named}: {one_line(row.reason_not_askable)}"


def config_from(url: str, key: str) -> LLMConfig:
    """A config for a URL as it was pasted, and a key reference.

    Raises:
        ConfigError: if one of them cannot be read.
    """
    if not url.strip():
        raise ConfigError("There is no URL", remedy="Paste the endpoint's URL, or press Find.")
    return LLMConfig(endpoint_url=url, key=key)


def _with_formatter(config: LLMConfig) -> LLMConfig | CheckResult:
    """The config with the fields that were detected, with short prompts if nothing else tells; else what failed."""
    result = detect_endpoint(config, probe=False)
    if result.mood == "bad":
        result = detect_endpoint(config, probe=True)
    return result if result.mood == "bad" else config.merged(**dict[str, Any](result.fields))


def _free_name(config: LLMConfig, taken: list[str]) -> str:
    host = endpoints.Origin.of(config.endpoint_url).host
    base = config.name or ("local" if host in {"127.0.0.1", "localhost", "::1"} else host.split(".")[0])
    return next(name for name in [base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))] if name not in taken)
