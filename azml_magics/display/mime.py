"""The mime bundles of a Response, a Batch and the Results of rows.

nbval compares outputs and skips metadata: so the data is the same whenever the same responses come, and times and ids
are in the metadata.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..core.prompt import extract
from ..core.response import Response
from ..core.text import one_line, replace_surrogates
from .batch_html import batch_to_html
from .markdown import fence_code, make_inert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..compare.comparison import Batch, Row
    from ..rows.results import Results

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""The data of an output by mime type, and its metadata."""

RESPONSE_MIME = "application/vnd.azml.response.v1+json"
_MAX_VALUE = 200  # characters of a row's value beside its response


def response_bundle(response: Response, *, request: Mapping[str, Any] | None = None) -> Bundle:
    """The data and metadata that show a response.

    Args:
        response: What to show: as its exact text, as Markdown, and as JSON under `RESPONSE_MIME`.
        request: The call behind the response, kept in the metadata.
    """
    data: dict[str, Any] = {"text/plain": replace_surrogates(response.text)}
    markdown = response_markdown(response)
    if markdown is not None:
        data["text/markdown"] = replace_surrogates(markdown)
    data[RESPONSE_MIME] = {
        "version": 1,
        **response.to_dict("text", "config", "model", "finish_reason", "usage", "tool_calls", "reasoning"),
        "text": replace_surrogates(response.text),
        "reasoning": replace_surrogates(response.reasoning),
    }
    details = response.to_dict("latency", "time_to_first_token", "request_id", "deployment")
    return data, {"azml": details | ({"request": request} if request else {})}


def batch_bundle(batch: Batch) -> Bundle:
    """The data and metadata that show a batch: tables as text and HTML, and JSON under `RESPONSE_MIME`."""
    rows = [{"setting": dict(row.setting), **_row_facts(row)} for row in batch]
    data = {
        "text/plain": replace_surrogates(batch.to_text()),
        "text/html": replace_surrogates(batch_to_html(batch)),
        RESPONSE_MIME: {"version": 1, "rows": rows},
    }
    return data, {"azml": {"latencies": [row.response.latency if row.response else None for row in batch]}}


def results_bundle(results: Results) -> Bundle:
    """The data and metadata that show the results of rows: their counts and first rows, not all of them."""
    rows = [
        {
            "index": one_line(str(row.index), _MAX_VALUE),
            "setting": {name: one_line(text, _MAX_VALUE) for name, text in row.shown.items()},
            **_row_facts(row),
        }
        for row in results.preview()
    ]
    data = {
        "text/plain": replace_surrogates(results.to_text()),
        "text/html": replace_surrogates(batch_to_html(results)),
        RESPONSE_MIME: {"version": 1, "rows": rows, "summary": results.counts(), "rest": results.rest()},
    }
    facts = ("done", "failed", "reused", "tokens", "seconds", "rate")
    return data, {"azml": {name: getattr(results.progress, name) for name in facts}}


def _row_facts(row: Row) -> dict[str, Any]:
    facts = (row.response or Response("")).to_dict("finish_reason", "usage")
    return {"text": replace_surrogates(row.text), **facts, "error": row.failure or None}


def response_markdown(response: Response) -> str | None:
    """The response as Markdown in the format that its cell named; None for the format "text"."""
    if response.format == "text":
        return None
    if response.format == "json" and response.parsed is not None:
        return fence_code(json.dumps(_to_json(response.parsed), indent=2, ensure_ascii=False), "json")
    if response.format == "code" and isinstance(response.parsed, str):
        return make_inert(fence_code(response.parsed, extract.find_code(response.text).language or "python"))
    if response.text:
        return make_inert(response.text)
    calls = [
        f"- `{call.get('function', {}).get('name', '?')}({call.get('function', {}).get('arguments', '')})`"
        for call in response.tool_calls
    ]
    return make_inert("The model asks for:\n\n" + "\n".join(calls)) if calls else "*(no text)*"


def _to_json(parsed: Any) -> Any:
    """The JSON value of a pydantic object; JSON itself unchanged."""
    return parsed.model_dump(mode="json") if callable(getattr(parsed, "model_dump", None)) else parsed


def response_summary(response: Response) -> str:
    """One short line about a response, for a terminal that has shown its text already."""
    tokens = f"{response.usage.completion_tokens} tokens" if response.usage and response.usage.completion_tokens else ""
    parts = (response.config, response.finish_reason or "", tokens, f"{response.latency:.1f} s")
    return f"[{' · '.join(part for part in parts if part)}]"
