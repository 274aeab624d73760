"""The cell that sends the test cases, and the place where it finds them: a variable or a .csv file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import UsageError

from . import case_source, cell_source, tools
from .case_editor import MATCHES
from .case_table import count_cases
from .option_checks import check_options
from .prompt_draft import strip_blank_lines

if TYPE_CHECKING:
    from pathlib import Path

    from azml_magics.core.config import LLMConfig

    from .case_editor import CaseEditor
    from .case_table import CaseTable
    from .state import PanelState


class CaseCell:
    """Puts cases where a cell finds them, replaces only what it has put there itself, and writes the cell.

    Args:
        state: the panel's state.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self._written: dict[str, object] = {}  # place -> what was put there

    def put_cases(self, cases: CaseEditor) -> str:
        """Write the cases to their place, and return a line that says so.

        Raises:
            UsageError: if something else is there, or the file cannot be written.
        """
        word, path = case_source.place_of(cases.place)
        return self._write_file(path, cases.table) if path else self._store(word.removeprefix("$"), cases.table)

    def _store(self, name: str, table: CaseTable) -> str:
        notebook = self._state.notebook_variables()
        if name in notebook and notebook[name] is not self._written.get(name):
            kind = type(notebook[name]).__name__
            raise UsageError(f"{name} is in use: it is of the type {kind}", remedy="Choose another name for the cases.")
        self._written[name] = rows = table.to_dicts()
        self._state.store(name, rows)
        return f"{name} has {count_cases(len(rows))}."

    def _write_file(self, path: Path, table: CaseTable) -> str:
        text = table.to_csv()
        try:
            if path.exists() and path.read_bytes().decode() not in {text, self._written.get(str(path))}:
                raise UsageError(f"{path} exists", remedy="Choose another name for the cases.")
            path.write_bytes(text.encode())
        except (OSError, UnicodeError) as error:
            raise UsageError(f"{path} cannot be written: {error}", remedy="Choose another place.") from None
        self._written[str(path)] = text
        return f"{path} has {count_cases(len(table))}."

    def build(self, cases: CaseEditor) -> cell_source.CellSource:
        """Return the cell that sends the cases from their place.

        Raises:
            UsageError: if the place is neither a variable nor a .csv file.
        """
        state = self._state
        word, _ = case_source.place_of(cases.place)
        checks = check_options(state.options, state.notebook_variables())
        typed = state.prompt.overrides(cases.system)
        values = {name: text for name, text in typed.items() if name not in cases.table.columns}
        config: LLMConfig = tools.with_tools(state.draft.config, checks.tools_in_json)
        system = cell_source.with_values(cases.system, values)
        expected = ["--expect", cell_source.quote(cases.expect.strip())] if cases.expect.strip() else []
        expected += ["--match", cases.match] if expected and cases.match != MATCHES[0] else []
        words = ["--each", cell_source.quote(word), *expected, *checks.words]
        return cell_source.build_cell(
            config, state.base, strip_blank_lines(state.prompt.text), values, words, system=system
        )
