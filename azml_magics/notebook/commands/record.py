"""%azureml record, replay and stop-recording."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from azml_magics.cassettes import cassette
from azml_magics.core.errors import DocumentError
from azml_magics.core.http import recording
from azml_magics.display.outputs import TextOutput

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import FileOptions


def record(context: NotebookContext, options: FileOptions) -> TextOutput:
    """Keep every exchange from now on in a cassette."""
    cassette.record(options.path)
    _stop_on_exit(context)
    return TextOutput(f"Recording to {options.path}; no key goes into it. %azureml stop-recording ends it.")


def replay(context: NotebookContext, options: FileOptions) -> TextOutput:
    """Answer from a cassette from now on: no network, no key."""
    player = cassette.replay(options.path)
    _stop_on_exit(context)
    return TextOutput(f"Replaying {len(player)} exchanges from {options.path}: nothing goes over the network.")


def stop_recording(_context: NotebookContext) -> TextOutput:
    """End the recording or the replay."""
    current = recording.current()
    cassette.stop()
    if isinstance(current, cassette.Recorder):
        return TextOutput(f"Recorded {current.count} exchanges to {current.path}.")
    return TextOutput("The replay has ended." if current else "Nothing was being recorded or replayed.")


def _stop_on_exit(context: NotebookContext) -> None:
    """See that unloading the extension ends it, too."""
    context.on_exit(_stop_quietly)


def _stop_quietly() -> None:
    """End it; what could not be written has been warned of, and must not keep the rest from being unloaded."""
    with contextlib.suppress(DocumentError):
        cassette.stop()
