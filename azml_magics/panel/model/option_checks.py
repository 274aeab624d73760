"""What the fields of a call's options say: a line for each, errors in place, and the words of the equivalent cell."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.errors import AzmlError
from azml_magics.core.text import one_line

from . import output_variable, schema, tools
from .error_messages import describe_error
from .notebook_names import variable_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .call_options import CallOptions

_MAX_NAMES = 200  # characters


class FieldLine(NamedTuple):
    """The line below a field.

    Attributes:
        text: what the field says, or what is wrong with it; "" shows nothing.
        is_error: whether Run refuses it.
    """

    text: str = ""
    is_error: bool = False


@dataclass
class OptionChecks:
    """The options of a call as they were read.

    Attributes:
        lines: option -> the line below its field.
        words: what a cell's line says for them.
        tools_in_json: tools that were pasted, which a cell's line says as a kwarg; None for those of a variable.
        summary: the options that are set, for the heading of the fold.
        has_functions: whether the tools are functions, which are run.
        runs_without_asking: whether they run without asking.
    """

    lines: dict[str, FieldLine] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    tools_in_json: Sequence[Mapping[str, Any]] | None = None
    summary: list[str] = field(default_factory=list)
    has_functions: bool = False
    runs_without_asking: bool = False

    @contextlib.contextmanager
    def catching(self, name: str) -> Iterator[None]:
        """Make an error that is raised within the block the line of an option."""
        try:
            yield
        except AzmlError as error:
            self.lines[name] = FieldLine(describe_error(error), is_error=True)
            self.summary.append(f"{name} ✗")


def check_options(options: CallOptions, notebook: Mapping[str, Any]) -> OptionChecks:
    """Read every option. One that cannot be read has an error in its line and is not among the words."""
    checks = OptionChecks(runs_without_asking=bool(options.auto))
    for name, check in (("schema", _check_schema), ("tools", _check_tools), ("output", _check_output)):
        with checks.catching(name):
            check(checks, getattr(options, name), notebook)
    return checks


def _check_schema(checks: OptionChecks, text: str, notebook: Mapping[str, Any]) -> None:
    wanted = schema.read_schema(text, notebook)
    if wanted is None:
        return
    properties = wanted.json_schema.get("properties")
    fields = ", ".join(map(str, properties)) if isinstance(properties, dict) else ""
    said = f"{wanted.name}: {fields}" if fields else wanted.name
    checks.lines["schema"] = FieldLine(one_line(said, _MAX_NAMES))
    checks.words += schema.schema_words(text, notebook)
    checks.summary.append(f"schema {wanted.name}")


def _check_tools(checks: OptionChecks, text: str, notebook: Mapping[str, Any]) -> None:
    offer = tools.read_offer(text, notebook)
    functions = offer.functions
    offered = [tool.to_kwarg() for tool in functions.known.values()] if functions else offer.described
    if offered is None:
        return
    said = tools.describe_tools(offered)
    checks.lines["tools"] = FieldLine(one_line(said, _MAX_NAMES))
    checks.has_functions = functions is not None
    checks.words += tools.tools_words(text, notebook, auto=checks.runs_without_asking)
    checks.tools_in_json = None if functions or variable_name(text) else offered
    checks.summary.append(said.partition(":")[0])


def _check_output(checks: OptionChecks, text: str, notebook: Mapping[str, Any]) -> None:
    name = output_variable.read_output(text)
    if name:
        checks.lines["output"] = FieldLine(output_variable.describe_output(name, notebook))
        checks.words += ["-o", name]
        checks.summary.append(f"kept as {name}")
