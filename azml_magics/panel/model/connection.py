"""The first minute: the demo, what a sign-in can see, and an endpoint that is tested and detected by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import endpoints, wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ConfigError, UsageError

from .changes import CONFIG, DRAFT, FOUND, PROMPT, STATE, VARIABLES
from .endpoint_checks import CheckResult, detect_endpoint, test_endpoint
from .error_messages import describe_error
from .preflight import check_typed_key, check_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from .state import PanelState
    from .worker import WorkerTask

FIRST_PROMPT = "Write a haiku about sparkling water."


class Connection:
    """Leads to a config that works. Everything slow runs in the worker; what it says is the note at "connect".

    Args:
        state: the panel's state.
        start_demo: starts the demo endpoint and saves its configs; None where there is none.

    Attributes:
        found: (label, config) of what `discover` has found.
        has_connected: whether the last attempt to connect has led to a config.
    """

    def __init__(self, state: PanelState, start_demo: Callable[[], object] | None = None) -> None:
        self._state = state
        self._start_demo = start_demo
        self.has_connected = False
        self.found: list[tuple[str, LLMConfig]] = []

    @property
    def has_demo(self) -> bool:
        """Whether the demo can be started from here."""
        return self._start_demo is not None

    def try_demo(self) -> None:
        """Start the demo endpoint, choose its config, and write a prompt if there is none."""
        start = self._start_demo
        if start is not None:
            self._run("Starting the demo", lambda: self._begin_demo(start))

    def _begin_demo(self, start: Callable[[], object]) -> Callable[[], None]:
        start()

        def show() -> None:
            state = self._state
            with state.changing(PROMPT, VARIABLES, STATE):
                state.prompt.text = state.prompt.text or FIRST_PROMPT
                state.note("connect", "The demo runs: press Run, or Ctrl+Enter in the prompt.", "good")

        return show

    def discover(self) -> None:
        """Look for what the user's sign-in can see."""
        self._run("Looking for your endpoints", self._look)

    def _look(self) -> Callable[[], None]:
        from azml_magics.azure import discovery

        rows = discovery.discover()
        usable = [row for row in rows if row.is_askable]
        found = [(f"{row.name} · {row.model or row.kind}", rows.config(row)) for row in usable]
        said = f"{len(found)} found: choose one, then press Connect." if found else "Nothing was found that answers."
        said = " ".join([said, *rows.notes()[:2]])

        def show() -> None:
            with self._state.changing(FOUND, STATE):
                self.found = found
                self._state.note("connect", said, "good" if found else "bad")

        return show

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
                    state.note("connect", result.text, "bad")
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
                said = describe_error(error)
                return lambda: self._show_failure(said)

        with state.changing(STATE, place="connect"):
            self.has_connected = False
            if not state.worker.start(f"{what}…", run):
                raise UsageError("Another task is running", remedy="Stop it first.")
            state.note("connect", f"{what}…")

    def _show_failure(self, said: str) -> None:
        with self._state.changing(STATE):
            self._state.note("connect", said, "bad")


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
