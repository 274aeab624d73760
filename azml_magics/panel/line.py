"""What the panel shows as the cell that a person could have typed: the %%azureml line, and the prompt below it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core import endpoint
from azml_magics.core.secrets import KeyRef

from .draft import formatter_text

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
        words += ["-v", shlex.quote(f"{name}={value}")]
        if not _fits(value):
            unsaid.append(f"the value of {name}, which has several lines")
    text = "\n".join([" ".join(" ".join([*words, *further]).splitlines()), prompt])
    if not unsaid:
        return Cell(text)
    return Cell(text, f"A line cannot say {_listed(unsaid)}. Save the config first, and the cell can be short.")


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _fits(text: str) -> bool:
    return len(text.splitlines()) <= 1 and text.isprintable()


def _changes(config: LLMConfig, base: LLMConfig, unsaid: list[str]) -> list[str]:
    """The options for the fields that differ; what no option says goes into `unsaid`."""
    words: list[str] = []
    for field, option in _OPTIONS.items():
        now, before = getattr(config, field), getattr(base, field)
        if field == "endpoint_api_type" and config.endpoint_url != base.endpoint_url:
            before = endpoint.api_type_of(config.endpoint_url)  # another URL may be of another type
        if now == before:
            continue
        value = f"{now:g}" if isinstance(now, float) else str(now or "")
        if not _fits(value) or (field == "system" and value.startswith("$")):
            unsaid.append("a system message of several lines" if field == "system" else field)
        else:
            words += [option, shlex.quote(value)]
    if config.formatter != base.formatter:
        name = formatter_text(config)
        if not name or name.startswith("("):
            unsaid.append("the formatter")
        else:
            words += ["-f", name]
    if config.key != base.key:
        if isinstance(config.key, KeyRef):
            words += ["--key", shlex.quote(str(config.key))]
        else:
            unsaid.append("the key")
    return words


def _kwargs(config: LLMConfig, base: LLMConfig, unsaid: list[str]) -> list[str]:
    before = base.model_kwargs
    words: list[str] = []
    for name, value in config.model_kwargs.items():
        if name not in before or json.dumps(before[name]) != json.dumps(value):
            if "=" in name or name != name.strip() or not name:
                unsaid.append(f"the kwarg {name!r}")
            words += ["-p", shlex.quote(f"{name}={_written(value)}")]
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
