"""The mime bundles of a Response, a Batch and the Results of rows.

nbval compares outputs and skips metadata: so the data is the same whenever the same responses come, and times and ids
are in the metadata.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ..compare.comparison import Batch, Row
from ..core.config import LLMConfig
from ..core.prompt import extract
from ..core.response import Response
from ..core.text import escape_controls, one_line, printable, printable_data
from .batch_html import batch_to_html, cell_reasoning
from .facts import filter_note, notable_facts, response_facts
from .markdown import fence_code, make_inert
from .reasoning import fold_reasoning, inert_html
from .tool_runs import asked_calls, fold_steps, steps_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.pricing import PriceSource
    from ..rows.results import Results
    from ..rows.table_rows import TableRow
    from .table import TableOutput

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""The data of an output by mime type, and its metadata."""

ANSWER_MARK = "<!-- answer -->"
RESPONSE_MIME = "application/vnd.azml.response.v1+json"
_MAX_VALUE = 200  # characters of a row's value beside its response


def response_bundle(response: Response, *, request: Mapping[str, Any] | None = None) -> Bundle:
    """The data and metadata that show a response.

    Args:
        response: What to show: as its exact text, as Markdown, and as JSON under `RESPONSE_MIME`. Several choices are
            shown side by side.
        request: The call behind the response, kept in the metadata.
    """
    if len(response.choices) > 1:
        return _choices_bundle(response)
    data: dict[str, Any] = {"text/plain": printable(response.text)}
    markdown = response_markdown(response)
    if markdown is not None:
        data["text/markdown"] = printable(_add_surroundings(markdown, response))
    data[RESPONSE_MIME] = _response_document(response)
    details = response.to_dict("latency", "time_to_first_token", "request_id", "deployment")
    details |= {"region": region} if (region := response.headers.get("x-ms-region")) else {}
    details |= {"attempts": response.attempts} if response.attempts > 1 else {}
    return data, {"azml": details | ({"request": request} if request else {})}


def _response_document(response: Response) -> dict[str, Any]:
    document = {
        "version": 1,
        **response.to_dict("text", "config", "model", "finish_reason", "usage", "tool_calls", "reasoning"),
        "reasoning": "" if response.show_reasoning == "hidden" else response.reasoning,
    }
    optional = {
        "reasoning_open": response.show_reasoning == "open" and bool(response.reasoning),
        "filters": filter_note(response.filters),
        "notices": list(response.notices),
        "steps": steps_data(response),
    }
    document |= {name: value for name, value in optional.items() if value}
    return cast("dict[str, Any]", printable_data(document))


def _choices_bundle(response: Response) -> Bundle:
    data, metadata = batch_bundle(choices_batch(response))
    if facts := " · ".join(response_facts(response)):
        data["text/html"] += facts_html(response, always=True)
        data[RESPONSE_MIME] |= {"summary": "", "rest": facts}
    return data, metadata


def choices_batch(response: Response) -> Batch:
    """The choices of a response as a batch. Tokens and time, which are those of all together, are left out."""
    config = LLMConfig(name=response.config)
    alone = [replace(choice, usage=None, latency=0.0) for choice in response.choices]
    batch = Batch(Row({"choice": n}, config, choice) for n, choice in enumerate(alone, 1))
    batch.show_reasoning = response.show_reasoning
    return batch


def batch_bundle(batch: Batch) -> Bundle:
    """The data and metadata that show a batch: tables as text and HTML, and JSON under `RESPONSE_MIME`."""
    rows = [{"setting": dict(row.setting), **_row_facts(row, batch)} for row in batch]
    data = {
        "text/plain": printable(batch.to_text()),
        "text/html": batch_to_html(batch),
        RESPONSE_MIME: {"version": 1, **_table(batch, rows)},
    }
    return data, {"azml": {"latencies": [(row.response.latency or None) if row.response else None for row in batch]}}


def sortable_bundle(table: TableOutput, values: Sequence[Sequence[str | float | None]]) -> dict[str, Any]:
    """The data that shows a table which our viewer can sort: as text and HTML, and JSON under `RESPONSE_MIME`.

    Args:
        table: The table.
        values: The values of its cells, numbers as such; None for an empty cell.
    """
    rows = [
        {"setting": {name: value for name, value in zip(table.headings, row, strict=True) if value not in {None, ""}}}
        for row in values
    ]
    document = {"version": 1, "columns": list(table.headings), "rows": printable_data(rows), "rest": table.note}
    return {**table.to_bundle(), RESPONSE_MIME: document}


def results_bundle(results: Results) -> Bundle:
    """The data and metadata that show the results of rows: their counts and first rows, not all of them."""
    rows = [
        {
            "index": one_line(str(row.index), _MAX_VALUE),
            "setting": {name: one_line(text, _MAX_VALUE) for name, text in row.shown.items()},
            **({"fields": _fields(results, row)} if results.fields else {}),
            **_row_facts(row, results),
        }
        for row in results.preview()
    ]
    failures = results.failures()
    summary = printable(" ".join([f"{results.counts()}.", *failures])) if failures else results.counts()
    data = {
        "text/plain": printable(results.to_text()),
        "text/html": batch_to_html(results),
        RESPONSE_MIME: {"version": 1, **_table(results, rows), "summary": summary, "rest": results.rest()},
    }
    facts = ("done", "failed", "reused", "tokens", "seconds", "rate")
    return data, {"azml": {name: getattr(results.progress, name) for name in facts}}


def _table(batch: Batch, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The rows, and the order of their settings and fields: notebook files sort the names of every object."""
    names = [*(name for row in rows for name in row["setting"]), *getattr(batch, "fields", ())]
    return {"columns": printable_data(list(dict.fromkeys(names))), "rows": printable_data(rows)}


def _fields(results: Results, row: TableRow) -> dict[str, Any]:
    """The values of a schema's columns by name: numbers as such, so that they can be sorted, and texts; all columns."""
    cells = zip(results.fields, row.fields or [None] * len(results.fields), results.cells(row), strict=False)
    return {name: value if _is_number(value) else text for name, value, text in cells}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _row_facts(row: Row, batch: Batch) -> dict[str, Any]:
    facts = (row.response or Response("")).to_dict("finish_reason", "usage")
    thoughts = cell_reasoning(row, batch)
    facts |= {"reasoning": thoughts, "reasoning_open": batch.show_reasoning == "open"} if thoughts else {}
    facts |= {"note": row.note} if row.note else {}
    return {"text": row.text, **facts, "error": row.failure or None}


def response_markdown(response: Response) -> str | None:
    """The response as Markdown in the format that its cell named; None for the format "text"."""
    if response.format == "text":
        return None
    if response.format == "json" and response.parsed is not None:
        return fence_code(escape_controls(json.dumps(_to_json(response.parsed), indent=2, ensure_ascii=False)), "json")
    if response.format == "code" and isinstance(response.parsed, str):
        return make_inert(fence_code(response.parsed, extract.find_code(response.text).language or "python"))
    if response.text:
        return make_inert(response.text)
    return _asked_markdown(response) or "*(no text)*"


def _asked_markdown(response: Response) -> str:
    calls = "\n".join(f"- `{call}`" for call in asked_calls(response))
    return make_inert(f"The model asks for:\n\n{calls}") if calls else ""


def _to_json(parsed: Any) -> Any:
    """The JSON value of a pydantic object; JSON itself unchanged."""
    return parsed.model_dump(mode="json") if callable(getattr(parsed, "model_dump", None)) else parsed


def _add_surroundings(markdown: str, response: Response) -> str:
    """Add to a response's Markdown its thoughts and its steps above it, and the facts out of the ordinary below it."""
    above = "\n\n".join(filter(None, [reasoning_html(response), fold_steps(response)]))
    asked = _asked_markdown(response) if response.text else ""
    below = "\n\n".join(filter(None, [asked, facts_html(response)]))
    if not above and not below:
        return markdown
    # The marks let our own viewer show the answer apart from the rest; other readers ignore them.
    return "\n\n".join(part for part in (above, ANSWER_MARK, markdown, ANSWER_MARK, below) if part)


def reasoning_html(response: Response) -> str:
    """The thoughts of a response as an HTML element, folded or open; "" if there are none, or if they are hidden."""
    if response.show_reasoning == "hidden":
        return ""
    tokens = response.usage.reasoning_tokens if response.usage else 0
    return fold_reasoning(response.reasoning, tokens=tokens, is_open=response.show_reasoning == "open")


def facts_html(response: Response, *, always: bool = False, times: bool = False, price: PriceSource = None) -> str:
    """The quiet line below a response, and its notices, as an HTML element.

    Args:
        response: The response.
        always: Whether the facts are shown even if none of them is out of the ordinary.
        times: Whether to add the time that it took, the region and an ordinary finish reason.
        price: That of its config, for what it cost.
    """
    facts = (
        response_facts(response, times=times, always_finish=times, price=price) if always else notable_facts(response)
    )
    lines = [one_line(notice) for notice in response.notices] + ([" · ".join(facts)] if facts else [])
    return f'<small style="opacity:0.7">{"<br>".join(map(inert_html, lines))}</small>' if lines else ""


def response_summary(response: Response) -> str:
    """What a terminal shows below a response: the calls that it asks for, a short line of facts, and its notices."""
    facts = [response.config, *response_facts(response, times=True)]
    line = " · ".join(fact for fact in facts if fact)
    asked = [f"The model asks for {call}" for call in asked_calls(response)]
    return "\n".join([*asked, f"[{line}]" if line else "", *(one_line(notice) for notice in response.notices)])
