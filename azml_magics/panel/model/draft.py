"""A config while it is being edited: its fields as texts, its kwargs by control, and the errors in both."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from azml_magics.core import wire
from azml_magics.core.embedded_keys import hide_keys_in_json, hide_keys_in_query
from azml_magics.core.errors import AzmlError, UndefinedVariableError
from azml_magics.core.prompt import template

from . import kwargs
from .error_messages import describe_error
from .field_texts import (
    FIELDS,
    NOT_KEPT,
    formatter_of,
    may_be_key,
    parse_field,
    parse_header_lines,
    texts_of,
    without_keys,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azml_magics.core.config import LLMConfig

OTHER_KWARGS: Final = "the other kwargs"
_ONE_LINE: Final = 60  # characters of JSON that are written on one line


class Draft:
    """A config being edited. Typed texts are kept even if they cannot be read.

    A text that was not edited stands for the value at the start, which need not be a text (a formatter object, a key
    in memory).

    Args:
        saved: what the session has under the config's name.
        start: what editing starts from, if not `saved`.

    Attributes:
        saved: what the session has under the config's name.
        texts: field -> the text in its control.
    """

    def __init__(self, saved: LLMConfig, start: LLMConfig | None = None) -> None:
        self.begin(saved, start)

    def begin(self, saved: LLMConfig, start: LLMConfig | None = None) -> None:
        """Start over from `saved`, or from `start` as unsaved changes to it; discard what was typed before."""
        self.saved = saved
        self._start = start or saved
        self.texts = texts_of(self._start)
        self._values: dict[str, Any] = dict(self._start.model_kwargs)
        self._unreadable: dict[str, tuple[Any, str]] = {}  # kwarg -> (what was typed, what is wrong with it)
        self._config, self._errors = self._start, dict[str, str]()
        self._update_config()

    # ---- what it is now

    @property
    def config(self) -> LLMConfig:
        """The config as far as it can be read: a field with an error keeps the value at the start."""
        return self._config

    @property
    def errors(self) -> dict[str, str]:
        """Field or kwarg -> what is wrong with it, in one line.

        An unreadable kwarg counts only if the chosen formatter has a control for it.
        """
        shown = {OTHER_KWARGS, *(kwarg.name for kwarg in self.controls)} if self._unreadable else ()
        unreadable = {name: message for name, (_, message) in self._unreadable.items() if name in shown}
        return {**self._errors, **unreadable}

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what is saved."""
        is_wrong = bool(self._unreadable) or any(
            self.texts[field] != texts_of(self._start)[field] for field in self._errors
        )
        return is_wrong or self._config != self.saved

    def rebase(self, saved: LLMConfig) -> None:
        """Take over what the session has now as the saved config, or a new name; the edits stay."""
        self.saved, self._start = saved, replace(self._start, name=saved.name)
        self._update_config()

    # ---- fields

    def set(self, field: str, text: str) -> None:
        """Set a field's text. What may be a key itself is refused and not kept: in the key field, in a URL's query."""
        self.texts[field] = _without_key(field, text)
        self._update_config()
        if OTHER_KWARGS in self._unreadable:  # another formatter has other controls
            self.set_other_kwargs(self.other_kwargs_json)

    def _update_config(self) -> None:
        """Build the config from the texts, and collect the errors."""
        before = texts_of(self._start)
        config, self._errors = replace(self._start, model_kwargs=self._values), {}
        for field in FIELDS:
            text = self.texts[field]
            retyped = field == "endpoint_api_type" and config.endpoint_url != self._start.endpoint_url
            if text == before[field] and not (retyped and text):
                continue
            try:
                config = self._with_field(config, field, text)
            except (AzmlError, ValueError) as error:
                self._errors[field] = describe_error(error) if isinstance(error, AzmlError) else str(error)
        self._config = config
        if "formatter" not in self._errors and config.endpoint_url:
            try:
                wire.wire_for(config)
            except AzmlError as error:
                self._errors["formatter"] = describe_error(error)

    def _with_field(self, config: LLMConfig, field: str, text: str) -> LLMConfig:
        if field == "headers":
            return replace(config, headers=parse_header_lines(text, self._start.headers))
        return config.merged(**{field: parse_field(field, text)})

    @property
    def has_typed_system(self) -> bool:
        """Whether the system message was edited, so that its `{name}`s are variables."""
        return self.texts["system"] != texts_of(self._start)["system"]

    def fill_system(self, values: Mapping[str, Any]) -> str | None:
        """The system message with its variables filled in, as a cell's -s is.

        Raises:
            UndefinedVariableError: a variable has no value.
        """
        text = self.texts["system"]
        if not self.has_typed_system:
            return self._start.system
        try:
            return template.render(text, values) or None
        except UndefinedVariableError as error:
            error.cause = f"The system message uses {{{error.facts['param']}}}, which is not defined"
            error.args = (error.cause,)
            raise

    # ---- kwargs

    @property
    def controls(self) -> Sequence[wire.Kwarg]:
        """The kwargs that the formatter is known to take and that have a control."""
        formatter = formatter_of(self._config)
        return [kwarg for kwarg in formatter.kwargs_for(self._config) if kwargs.has_control(kwarg)] if formatter else []

    def control_value(self, kwarg: wire.Kwarg) -> str | tuple[str, ...]:
        """What the kwarg's control holds; empty if the kwarg is not sent."""
        if kwarg.name in self._unreadable:
            typed: str | tuple[str, ...] = self._unreadable[kwarg.name][0]
            return typed
        blank: str | tuple[str, ...] = () if kwarg.type == "strings" else ""
        return kwargs.control_value(kwarg, self._values.get(kwarg.name)) or blank

    def note(self, kwarg: wire.Kwarg) -> str:
        """The line below the kwarg's control: an error, or a warning about an unusual value; "" if neither applies."""
        if kwarg.name in self._unreadable:
            return self._unreadable[kwarg.name][1]
        return kwargs.range_note(kwarg, self._values.get(kwarg.name))

    def set_kwarg(self, name: str, typed: str | tuple[str, ...]) -> None:
        """Set what a kwarg's control holds; an empty value is not sent."""
        kwarg = next((kwarg for kwarg in self.controls if kwarg.name == name), None)
        if kwarg is None or (name not in self._unreadable and typed == self.control_value(kwarg)):
            return
        self._unreadable.pop(name, None)
        try:
            value = kwargs.parse_control(kwarg, typed)
        except kwargs.KwargValueError as error:
            self._unreadable[name] = typed, str(error)
            return
        self._values.pop(name, None) if value is None else self._values.update({name: value})
        self._update_config()

    def reset_kwarg(self, name: str) -> None:
        """Stop sending a kwarg; the model's default applies."""
        self._unreadable.pop(name, None)
        self._values.pop(name, None)
        self._update_config()

    @property
    def other_kwargs_json(self) -> str:
        """The kwargs without a control as JSON, or what was typed there if it cannot be read."""
        if OTHER_KWARGS in self._unreadable:
            return str(self._unreadable[OTHER_KWARGS][0])
        others = {name: value for name, value in self._values.items() if name not in self._names_in_controls()}
        short = json.dumps(others, ensure_ascii=False)
        if len(short) > _ONE_LINE:
            return json.dumps(others, ensure_ascii=False, indent=2)
        return short if others else ""

    def set_other_kwargs(self, text: str) -> None:
        """Set the JSON for the kwargs without a control."""
        controlled = self._names_in_controls()
        self._unreadable.pop(OTHER_KWARGS, None)
        try:
            others = kwargs.parse_other_kwargs(text, controlled)
            replace(self.saved, model_kwargs=others)  # refuses what JSON can express and a request cannot
        except (kwargs.KwargValueError, AzmlError) as error:
            said = describe_error(error) if isinstance(error, AzmlError) else str(error)
            self._unreadable[OTHER_KWARGS] = hide_keys_in_json(text), said
            return
        self._values = {name: value for name, value in self._values.items() if name in controlled} | others
        self._update_config()

    def _names_in_controls(self) -> list[str]:
        """The kwargs that have a control, except those whose value does not fit it: they are in the JSON."""
        held = self._values
        return [
            kwarg.name
            for kwarg in self.controls
            if kwarg.name not in held or kwargs.control_value(kwarg, held[kwarg.name]) is not None
        ]


def _without_key(field: str, text: str) -> str:
    """Return a field's text as it is kept: saved notebooks hold what a control shows."""
    if field == "endpoint_url":
        return hide_keys_in_query(text)
    if field == "headers":
        return without_keys(text)
    is_secret = (field == "key" and may_be_key(text)) or (field == "proxy" and "@" in text)
    return NOT_KEPT if is_secret else text
