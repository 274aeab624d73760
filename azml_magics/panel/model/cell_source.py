"""The panel's state as a cell to type: the %%azureml line, and the prompt below it."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core import endpoints
from azml_magics.core.config import takes_key_elsewhere
from azml_magics.core.key_sources import NO_KEY
from azml_magics.core.keys import KeyRef
from azml_magics.core.pricing import NO_PRICE
from azml_magics.core.prompt import template
from azml_magics.core.prompt.values import parse_value
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line
from azml_magics.core.wire.kwarg_types import find_texts_for_numbers

from .field_texts import VERIFY_OFF, formatter_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azml_magics.core.config import LLMConfig

_OPTIONS = {
    "endpoint_url": "--url",
    "endpoint_api_type": "--type",
    "deployment_name": "--deployment",
    "timeout": "--timeout",
    "total_timeout": "--total-timeout",
    "max_retries": "--retries",
    "key_header": "--key-header",
    "proxy": "--proxy",
    "model": "--model",
    "api_version": "--api-version",
}
_LONG = {"-s": "--system", "-p": "--set"}
_REFERENCE = re.compile(r"\$[^\W\d]\w*")  # a variable in place of a text
_NOT_ON_A_LINE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Prompts of Python and IPython. IPython removes them from a cell before a magic sees it (inputtransformer2.py).
_REMOVED_BY_IPYTHON = re.compile(r"\s*(>>>|\.{3}|(\[\w+\] )? ?In \[\d+\]:)")


class CellSource(NamedTuple):
    """The text of a cell.

    Attributes:
        text: the %%azureml line and the prompt.
        note: what the cell cannot express; "" if it does exactly what the panel does.
    """

    text: str
    note: str = ""


def build_cell(
    config: LLMConfig,
    base: LLMConfig,
    prompt: str,
    values: Mapping[str, str],
    further: Sequence[str] = (),
    *,
    system: str | None = None,
) -> CellSource:
    """The cell that does what Run does.

    Args:
        config: the config in the controls.
        base: what the line starts from: the saved config of that name, or the active one if the config has no name yet.
        prompt: the prompt with its variables.
        values: prompt variables typed in the panel.
        further: more words, such as `--repeat 3`.
        system: the system message with its variables; by default the config's, without any.
    """
    line = _MagicLine(config, base)
    line.add_fields()
    line.add_network()
    line.add_system(template.escape(config.system or "") if system is None else system)
    line.add_formatter()
    line.add_key()
    line.add_kwargs()
    line.add_variables(values)
    notes = []
    if line.missing:
        missing = _join_with_and(line.missing)
        notes.append(f"A line cannot express {missing}. Save the config first to get a short cell.")
    if any(_REMOVED_BY_IPYTHON.match(line) for line in prompt.splitlines()):
        notes.append("IPython removes >>>, ... and In [1]: at the start of a line from a cell; the panel sends them.")
    return CellSource("\n".join([line.text(further), prompt]), one_line(" ".join(notes)))


class _MagicLine:
    """The words of a %%azureml line, and the changes that no option can express (`missing`)."""

    def __init__(self, config: LLMConfig, base: LLMConfig) -> None:
        self._config, self._base = config, base
        self._words = ["%%azureml", *([config.name] if config.name else [])]
        self.missing: list[str] = []

    def text(self, further: Sequence[str]) -> str:
        """The line; line breaks within the words become spaces."""
        return " ".join(" ".join([*self._words, *further]).splitlines())

    def _add(self, option: str, value: str) -> None:
        """Add an option; a value that begins with a dash is tied to it by "="."""
        if value.startswith("-"):
            self._words.append(shlex.quote(f"{_LONG.get(option, option)}={value}"))
        else:
            self._words += [option, shlex.quote(value)]

    def add_fields(self) -> None:
        """Add the fields that differ from the base."""
        config, base = self._config, self._base
        for field, option in _OPTIONS.items():
            now, before = getattr(config, field), getattr(base, field)
            if field == "endpoint_api_type" and config.endpoint_url != base.endpoint_url:
                before = endpoints.api_type_of(config.endpoint_url)  # --url implies a type
            if now == before:
                continue
            value = seconds_text(now) if isinstance(now, float) else str("" if now is None else now)
            if not _fits_on_line(value):
                self.missing.append(field)
            elif not _is_text_on_line(value):
                self.missing.append(f"{field} that would be read as a variable")
            else:
                self._add(option, template.escape(value))
        if config.price != base.price:
            self._add("--price", str(config.price or NO_PRICE))
        if config.extra_parameters != base.extra_parameters:
            self.missing.append("extra_parameters")

    def add_network(self) -> None:
        """Add the headers and the connection's settings that differ from the base."""
        config, base = self._config, self._base
        for name, value in config.headers.items():
            if name in base.headers and base.headers[name] == value:
                continue
            if isinstance(value, Secret):
                self.missing.append(f"the header {name}, whose key is in memory")
            elif not _is_text_on_line(str(value)):
                self.missing.append(f"the header {name}, which would be read as a variable")
            else:
                self._add("--header", f"{name}={template.escape(str(value))}")
        for name in base.headers.keys() - config.headers.keys():
            self._add("--header", f"{name}={NO_KEY}")
        if config.verify != base.verify:
            if config.verify is None or not _fits_on_line(str(config.verify)):
                self.missing.append("verify")
            else:
                self._add("--verify", template.escape(str(config.verify)) if config.verify else VERIFY_OFF)
        if config.allow_http and not base.allow_http:
            self._words.append("--allow-http")
        elif base.allow_http and not config.allow_http:
            self.missing.append("that plain http is not allowed")

    def add_system(self, system: str) -> None:
        """Add the system message, a text with variables, if it differs from the base's."""
        before = self._base.system or ""
        if system == template.escape(before):
            return
        if not _fits_on_line(system):
            self.missing.append("a system message of several lines")
        elif _REFERENCE.fullmatch(system):
            self.missing.append("a system message that would be read as a variable")
        else:
            self._add("-s", system)

    def add_formatter(self) -> None:
        """Add the formatter if it differs and has a name."""
        if self._config.formatter == self._base.formatter:
            return
        name = formatter_text(self._config)
        if name and not name.startswith("("):
            self._words += ["-f", name]
        else:
            self.missing.append("the formatter")

    def add_key(self) -> None:
        """Add the key reference if it differs, or if the base's key would not go to the new host."""
        config, base = self._config, self._base
        if takes_key_elsewhere(base, config, by_line=True):
            self.missing.append("the key in a header, for another host")
        if config.key == base.key and not takes_key_elsewhere(base, config):
            return
        key = NO_KEY if config.key is None else str(config.key) if isinstance(config.key, KeyRef) else ""
        if key and _fits_on_line(key):
            self._add("--key", key)
        else:
            self.missing.append("the key")

    def add_kwargs(self) -> None:
        """Add the kwargs that differ from the base."""
        before, wrong = self._base.model_kwargs, find_texts_for_numbers(self._config, self._config.model_kwargs)
        for name, value in self._config.model_kwargs.items():
            if name in wrong:
                self.missing.append(f"the text of {name}, which takes a {wrong[name]}")
            if name not in before or json.dumps(before[name]) != json.dumps(value):
                if "=" in name or name != name.strip() or not name or not _fits_on_line(name):
                    self.missing.append(f"the kwarg {name!r}")
                self._add("-p", f"{name}={kwarg_text(value)}")
        self.missing += [f"that {name} is not sent" for name in before if name not in self._config.model_kwargs]

    def add_variables(self, values: Mapping[str, str]) -> None:
        """Add the values typed for prompt variables."""
        for name, value in values.items():
            self._add("-v", f"{name}={template.escape(value)}")
            if not _is_text_on_line(value):
                self.missing.append(f"the value of {name}, which would be read as a variable")
            elif not _fits_on_line(value):
                self.missing.append(f"the value of {name}, which has several lines")


def quote(word: str) -> str:
    """A word of a line in quotes if it needs them; `$name` needs none."""
    return word if _REFERENCE.fullmatch(word) else shlex.quote(word)


def with_values(text: str, values: Mapping[str, str]) -> str:
    """A text with some of its variables replaced; the others stay variables."""
    parts, at = [], 0
    for name, start, end in template.find_spans(text):
        if name in values:
            parts += [text[at:start], template.escape(values[name])]
            at = end
    return "".join([*parts, text[at:]])


def _join_with_and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _fits_on_line(text: str) -> bool:
    return not _NOT_ON_A_LINE.search(text)


def _is_text_on_line(text: str) -> bool:
    """Whether an option reads the text back, its variables escaped: `$name` and doubled braces mean something else."""
    return not is_reference(text) and template.render(template.escape(text), {}) == text


def kwarg_text(value: Any) -> str:
    """A kwarg's value as -p reads it back: a text as it is, unless it would be read as another value."""
    if isinstance(value, str) and _fits_on_line(value) and parse_value(value) == value and value[:1] != "$":
        return template.escape(value)
    return json.dumps(escape_strings(value))


def is_reference(text: str) -> bool:
    """Whether an option reads the text as the name of a variable, such as `$name`."""
    return bool(_REFERENCE.fullmatch(text))


def escape_strings(value: Any) -> Any:
    """A JSON value with the braces of its texts doubled, as options read them."""
    if isinstance(value, str):
        return template.escape(value)
    if isinstance(value, list):
        return [escape_strings(item) for item in value]
    return {name: escape_strings(item) for name, item in value.items()} if isinstance(value, dict) else value
