"""What the panel shows as the cell that a person could have typed: the %%azureml line, and the prompt below it."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core import endpoints
from azml_magics.core.config import takes_key_elsewhere
from azml_magics.core.keys import NO_KEY, KeyRef
from azml_magics.core.text import one_line

from .draft import formatter_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azml_magics.core.config import LLMConfig

_OPTIONS = {
    "endpoint_url": "--url",
    "endpoint_api_type": "--type",
    "deployment_name": "--deployment",
    "timeout": "--timeout",
    "max_retries": "--retries",
    "model": "--model",
    "api_version": "--api-version",
    "system": "-s",
}
_LONG = {"-s": "--system", "-p": "--set"}
_NOT_ON_A_LINE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Prompts of Python's and IPython's own, which IPython takes out of a cell before any magic sees it (inputtransformer2).
_TAKEN_OUT = re.compile(r"\s*(>>>|\.{3}|(\[\w+\] )? ?In \[\d+\]:)")


class Cell(NamedTuple):
    """A cell's text, and what it cannot say: "" where it does exactly what the panel would."""

    text: str
    note: str = ""


def cell(
    config: LLMConfig,
    base: LLMConfig,
    prompt: str,
    values: Mapping[str, str],
    further: Sequence[str] = (),
) -> Cell:
    """The cell that asks as the panel does.

    base: what the line starts from: the saved config of that name, or the one in use where the config has no name yet.
    values: prompt variables typed into the panel. further: more words, such as `--repeat 3`.
    """
    unsaid: list[str] = []
    words = ["%%azureml", *([config.name] if config.name else [])]
    words += _changes(config, base, unsaid)
    words += _kwargs(config, base, unsaid)
    for name, value in values.items():
        words += _option("-v", f"{name}={value}")
        if not _fits(value):
            unsaid.append(f"the value of {name}, which has several lines")
    text = "\n".join([" ".join(" ".join([*words, *further]).splitlines()), prompt])
    notes = []
    if unsaid:
        notes.append(f"A line cannot say {_listed(unsaid)}. Save the config first, and the cell can be short.")
    if any(_TAKEN_OUT.match(line) for line in prompt.splitlines()):
        notes.append(
            "IPython takes >>>, ... and In [1]: at the beginning of a line out of a cell; the panel sends them."
        )
    return Cell(text, one_line(" ".join(notes)))


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _fits(text: str) -> bool:
    return not _NOT_ON_A_LINE.search(text)


def _option(option: str, value: str) -> list[str]:
    """The option with its value, as the words of a line; a value that begins with a dash is tied to it."""
    if value.startswith("-"):
        return [shlex.quote(f"{_LONG.get(option, option)}={value}")]
    return [option, shlex.quote(value)]


def _changes(config: LLMConfig, base: LLMConfig, unsaid: list[str]) -> list[str]:
    """The options for the fields that differ; what no option says goes into `unsaid`."""
    words: list[str] = []
    for field, option in _OPTIONS.items():
        now, before = getattr(config, field), getattr(base, field)
        if field == "endpoint_api_type" and config.endpoint_url != base.endpoint_url:
            before = endpoints.api_type_of(config.endpoint_url)  # another URL may be of another type
        if now == before:
            continue
        value = seconds_text(now) if isinstance(now, float) else str("" if now is None else now)
        if field == "system" and value.startswith("$"):
            unsaid.append("a system message that begins with $")
        elif not _fits(value):
            unsaid.append("a system message of several lines" if field == "system" else field)
        else:
            words += _option(option, value)
    if config.extra_parameters != base.extra_parameters:
        unsaid.append("extra_parameters")
    return [*words, *_formatter(config, base, unsaid), *_key(config, base, unsaid)]


def _formatter(config: LLMConfig, base: LLMConfig, unsaid: list[str]) -> list[str]:
    name = formatter_text(config)
    if config.formatter == base.formatter:
        return []
    if name and not name.startswith("("):
        return ["-f", name]
    unsaid.append("the formatter")
    return []


def _key(config: LLMConfig, base: LLMConfig, unsaid: list[str]) -> list[str]:
    if config.key == base.key and not takes_key_elsewhere(base, config):
        return []
    key = NO_KEY if config.key is None else str(config.key) if isinstance(config.key, KeyRef) else ""
    if key and _fits(key):
        return _option("--key", key)
    unsaid.append("the key")
    return []


def _kwargs(config: LLMConfig, base: LLMConfig, unsaid: list[str]) -> list[str]:
    before = base.model_kwargs
    words: list[str] = []
    for name, value in config.model_kwargs.items():
        if name not in before or json.dumps(before[name]) != json.dumps(value):
            if "=" in name or name != name.strip() or not name or not _fits(name):
                unsaid.append(f"the kwarg {name!r}")
            words += _option("-p", f"{name}={_written(value)}")
    unsaid += [f"that {name} is not sent" for name in before if name not in config.model_kwargs]
    return words


def _written(value: Any) -> str:
    """A kwarg's value as -p reads it back: a text as it is, unless it would be read as JSON."""
    if isinstance(value, str) and _fits(value):
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return value
    return json.dumps(value)
