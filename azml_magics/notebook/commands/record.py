"""%azureml record, replay and stop-recording."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from azml_magics.cassettes import cassette
from azml_magics.cassettes.recorder import CassetteRecorder
from azml_magics.core.errors import DocumentError
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from azml_magics.cassettes.player import CassettePlayer

    from ..context import NotebookContext
    from ..parsed_options import FileOptions


def record(context: NotebookContext, options: FileOptions) -> TextOutput:
    """Write every exchange from now on to a cassette. This ends the recording or replay before it.

    Raises:
        DocumentError: The file cannot be written.
    """
    _start(context, cassette.record(options.path))
    return TextOutput(f"Recording to {options.path}, without keys. %azureml stop-recording ends it.")


def replay(context: NotebookContext, options: FileOptions) -> TextOutput:
    """Take responses from a cassette from now on, without network or key. This ends the one before it.

    Raises:
        DocumentError: The file is not a cassette.
    """
    player = cassette.replay(options.path)
    _start(context, player)
    return TextOutput(f"Replaying {len(player)} exchanges from {options.path}: nothing is sent over the network.")


def stop_recording(_context: NotebookContext) -> TextOutput:
    """End the recording or the replay."""
    stopped = cassette.stop_innermost()
    if isinstance(stopped, CassetteRecorder):
        return TextOutput(f"Recorded {stopped.count} exchanges to {stopped.path}.")
    return TextOutput("The replay has ended." if stopped is not None else "Nothing was being recorded or replayed.")


def _start(context: NotebookContext, following: CassetteRecorder | CassettePlayer) -> None:
    cassette.stop_innermost()
    following.start()
    context.on_exit(_stop_quietly)


def _stop_quietly() -> None:
    """End it when the extension is unloaded; a file that cannot be written has been reported before."""
    with contextlib.suppress(DocumentError):
        cassette.stop_innermost()
