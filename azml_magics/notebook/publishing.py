"""The seam to IPython's display system: outputs, live displays and lines for the user."""

from __future__ import annotations

import html
import sys
from typing import TYPE_CHECKING, Any

from azml_magics.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from azml_magics.azure.discovered import Discovery
    from azml_magics.compare.comparison import Batch
    from azml_magics.core.errors import AzmlError
    from azml_magics.core.response import Response
    from azml_magics.display import mime
    from azml_magics.display.live import DisplayHandle
    from azml_magics.display.live_text import LiveText
    from azml_magics.evaluation.evaluation import Evaluation
    from azml_magics.rows.results import Results

_ERROR_STYLE = (  # JupyterLab breaks the words of a <pre> anywhere
    "margin:0;white-space:pre-wrap;word-break:normal;overflow-wrap:break-word;"
    "padding:4px 8px;border-left:4px solid #d32f2f;background-color:rgba(211,47,47,0.12)"
)
_streamed: list[tuple[str, Any, int]] = []  # what a terminal has just shown: text, shell, the cell's number


# ---- how IPython shows our objects -----------------------------------------------------------------------------


def _show_response(response: Response, **_kwargs: Any) -> mime.Bundle:
    from azml_magics.display import mime

    if _take_streamed(response):
        return {"text/plain": mime.response_summary(response)}, {}
    from .code_metadata import call_metadata

    return mime.response_bundle(response, request=call_metadata(response))


def _show_batch(batch: Batch, **_kwargs: Any) -> mime.Bundle:
    from azml_magics.display import mime

    return mime.batch_bundle(batch)


def _show_results(results: Results, **_kwargs: Any) -> mime.Bundle:
    from azml_magics.display import mime

    return mime.results_bundle(results)


def _show_evaluation(evaluation: Evaluation, **_kwargs: Any) -> mime.Bundle:
    from azml_magics.evaluation.section import sections_bundle

    figures = [
        {"setting": each.label, "p50": each.latency_p50, "p95": each.latency_p95} for each in evaluation.summary()
    ]
    return sections_bundle(evaluation.sections()), {"azml": {"evaluation": figures}}


def _show_discovery(found: Discovery, **_kwargs: Any) -> mime.Bundle:
    from azml_magics.display import mime
    from azml_magics.display.table import TableOutput

    from .remedies import with_notebook_remedy

    for problem in found.problems:
        with_notebook_remedy(problem.error)
    note = "\n".join(found.notes())
    if not found.rows:
        return {"text/plain": note}, {}
    table = TableOutput(found.headings, [row.to_texts() for row in found.rows], note)
    return mime.sortable_bundle(table, [row.to_values() for row in found.rows]), {}


# By name, so that %load_ext does not import the classes.
_BUNDLES: Mapping[tuple[str, str], Callable[..., mime.Bundle]] = {
    ("azml_magics.core.response", "Response"): _show_response,
    ("azml_magics.compare.comparison", "Batch"): _show_batch,
    ("azml_magics.rows.results", "Results"): _show_results,
    ("azml_magics.evaluation.evaluation", "Evaluation"): _show_evaluation,
    ("azml_magics.azure.discovered", "Discovery"): _show_discovery,
}


def install(
    ipython: InteractiveShell, note_shown: Callable[[Any], None], should_save_details: Callable[[], bool]
) -> None:
    """Let IPython show a Response, a Batch and Results by their mime bundles.

    Args:
        ipython: The shell.
        note_shown: Called with every such object when it is shown.
        should_save_details: Whether times, ids and the like, which differ in every run, go into the metadata.
    """
    formatter = ipython.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell that displays has it
    for (module, name), make_bundle in _BUNDLES.items():
        for_notebook = _noting(make_bundle, note_shown, should_save_details)
        show = _for_terminal(make_bundle) if is_terminal(ipython) else for_notebook
        formatter.for_type_by_name(module, name, show)  # type: ignore[no-untyped-call,unused-ignore]  # typed later


def _noting(
    make_bundle: Callable[..., mime.Bundle], note_shown: Callable[[Any], None], should_save_details: Callable[[], bool]
) -> Callable[..., mime.Bundle]:
    """`make_bundle` for a notebook, which also notes that its object is shown."""

    def make_noted(value: Any, **kwargs: Any) -> mime.Bundle:
        note_shown(value)
        data, metadata = make_bundle(value, **kwargs)
        return data, metadata if should_save_details() else _without_details(metadata)

    return make_noted


def _without_details(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that is the same in every run: the request."""
    kept = {name: value for name, value in metadata.get("azml", {}).items() if name == "request"}
    return {"azml": kept} if kept else {}


def _for_terminal(make_bundle: Callable[..., mime.Bundle]) -> Callable[..., mime.Bundle]:
    """`make_bundle` for a terminal, which takes control characters in a text for commands."""

    def make_printable(value: Any, **kwargs: Any) -> mime.Bundle:
        data, metadata = make_bundle(value, **kwargs)
        return data | {"text/plain": printable(data["text/plain"])}, metadata

    return make_printable


def uninstall(ipython: InteractiveShell) -> None:
    """Undo `install`."""
    formatter = ipython.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell that displays has it
    for module, name in _BUNDLES:
        formatter.pop(f"{module}.{name}", None)  # type: ignore[no-untyped-call,unused-ignore]  # typed later
    _streamed.clear()


def _take_streamed(response: Response) -> bool:
    """Whether a terminal has just shown this response in this cell. A second call returns False."""
    seen = _streamed.copy()
    _streamed.clear()
    return any(text == response.text and shell.execution_count == cell for text, shell, cell in seen)


# ---- outputs ---------------------------------------------------------------------------------------------------


def is_terminal(shell: Any) -> bool:
    """Whether `shell` is IPython in a terminal, not a notebook's kernel."""
    return not hasattr(shell, "kernel")


class CellOutput:
    """The output area of the cell that runs."""

    def open_display(self) -> DisplayHandle:
        """The handle of a new, empty display."""
        from IPython.display import display

        from azml_magics.display.live import EMPTY

        handle: DisplayHandle = display(dict(EMPTY), raw=True, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]  # typed later
        return handle

    def publish(self, data: Mapping[str, str]) -> None:
        """Show a mime bundle that stays."""
        from IPython.display import display

        display(dict(data), raw=True)  # type: ignore[no-untyped-call,unused-ignore]  # typed later


def show(value: Any) -> None:
    """Show an object as a cell's result would be shown, in a cell whose result is another one or an error."""
    from IPython.display import display

    display(value)  # type: ignore[no-untyped-call,unused-ignore]  # typed later


def live_text(shell: Any, show_reasoning: str = "folded") -> LiveText:
    """The place for a response's text while it arrives: the terminal, or the cell's output.

    Args:
        shell: IPython's shell.
        show_reasoning: How the thoughts are shown: one of `options.REASONING`.
    """
    from azml_magics.display.live_text import NotebookText, TerminalText

    if not is_terminal(shell):
        return NotebookText(CellOutput(), show_reasoning)

    def remember(response: Response) -> None:
        _streamed[:] = [(response.text, shell, shell.execution_count)]

    return TerminalText(remember, show_reasoning)


def show_error(error: AzmlError) -> None:
    """Show an error without raising it: the lines that stand for its traceback, as an output.

    The colours leave the text its own, so that it can be read in a light and in a dark theme; JupyterLab's sanitizer
    lets them pass. In a `<pre>` no frontend takes the text between two $ for mathematics.
    """
    text = printable("\n".join(error._render_traceback_()))
    CellOutput().publish({"text/plain": text, "text/html": f'<pre style="{_ERROR_STYLE}">{html.escape(text)}</pre>'})


def print_line(message: str) -> None:
    """Print one line for the user now."""
    sys.stdout.write(f"{printable(message)}\n")
    sys.stdout.flush()


def print_warning(message: str) -> None:
    """Print one line on standard error that is not an error."""
    sys.stderr.write(f"azureml: {printable(message)}\n")
