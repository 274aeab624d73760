"""A config while a person works on it: fields as texts, kwargs by control, and what is wrong with each. No widgets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from azml_magics.core import endpoints, wire
from azml_magics.core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from azml_magics.core.errors import AzmlError, KeyRefusedError
from azml_magics.core.keys import NO_KEY, KeyRef
from azml_magics.core.text import one_line

from . import kwargs
from .messages import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

# In the order in which they are read: the URL says which type of endpoint it is, and both which formatters fit.
FIELDS: Final = (
    "endpoint_url",
    "endpoint_api_type",
    "deployment_name",
    "key",
    "model",
    "api_version",
    "timeout",
    "max_retries",
    "system",
    "formatter",
)
IN_MEMORY: Final = "(in memory)"
NOT_KEPT: Final = "(not kept)"
REST: Final = "the other kwargs"
_ONE_LINE: Final = 60
_DIGITS: Final = 10  # of a number of retries


class Draft:
    """A config being edited: what is typed lies over the one it started from, and is never lost.

    saved: what the session has under its name. texts: field -> what its box holds. A text that was not touched stands
    for what the start has, also where that is no text (a formatter object, a key in memory).
    """

    def __init__(self, saved: LLMConfig, start: LLMConfig | None = None) -> None:
        self.begin(saved, start)

    def begin(self, saved: LLMConfig, start: LLMConfig | None = None) -> None:
        """Hold what is saved, or `start` as unsaved changes to it; what was typed before is forgotten."""
        self.saved = saved
        self._start = start or saved
        self.texts = texts_of(self._start)
        self._values: dict[str, Any] = dict(self._start.model_kwargs)
        self._unreadable: dict[str, tuple[Any, str]] = {}  # kwarg -> what was typed, and what is wrong with it
        self._config, self._errors = self._start, dict[str, str]()
        self._read()

    # ---- what it is now

    @property
    def config(self) -> LLMConfig:
        """The config as far as it can be read: a field that is wrong keeps what was saved."""
        return self._config

    @property
    def errors(self) -> dict[str, str]:
        """Field or kwarg -> what is wrong with it, in one line. Empty where all is well.

        What was typed into a control that the chosen formatter has none of waits for one that has.
        """
        shown = {REST, *(kwarg.name for kwarg in self.controls)} if self._unreadable else ()
        unreadable = {name: message for name, (_, message) in self._unreadable.items() if name in shown}
        return {**self._errors, **unreadable}

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what is saved."""
        is_wrong = bool(self._unreadable) or any(
            self.texts[field] != texts_of(self._start)[field] for field in self._errors
        )
        return is_wrong or self._config != self.saved

    def moved(self, saved: LLMConfig) -> None:
        """The session has another config under its name, or it under another name: the draft stays as it is."""
        self.saved, self._start = saved, replace(self._start, name=saved.name)
        self._read()

    # ---- fields

    def set(self, field: str, text: str) -> None:
        """Put `text` into a field's box. What is no key reference may be a key: it is refused, and not kept."""
        self.texts[field] = NOT_KEPT if field == "key" and _is_refused(text) else text
        self._read()
        if REST in self._unreadable:  # another formatter has other controls
            self.set_rest(self.rest)

    def _read(self) -> None:
        """Make the config of all that can be read, and note what cannot."""
        before = texts_of(self._start)
        config, self._errors = replace(self._start, model_kwargs=self._values), {}
        for field in FIELDS:
            text = self.texts[field]
            retyped = field == "endpoint_api_type" and config.endpoint_url != self._start.endpoint_url
            if text == before[field] and not (retyped and text):
                continue
            try:
                config = config.merged(**{field: _value(field, text)})
            except (AzmlError, ValueError) as error:
                self._errors[field] = in_words(error) if isinstance(error, AzmlError) else str(error)
        self._config = config
        if "formatter" not in self._errors and config.endpoint_url:
            try:
                wire.formatter_for(config)
            except AzmlError as error:
                self._errors["formatter"] = in_words(error)

    # ---- kwargs

    @property
    def controls(self) -> Sequence[wire.Kwarg]:
        """The kwargs that the formatter is known to take and that have a control."""
        formatter = formatter_of(self._config)
        return [kwarg for kwarg in formatter.known_kwargs if kwargs.has_control(kwarg)] if formatter else []

    def typed(self, kwarg: wire.Kwarg) -> str | tuple[str, ...]:
        """What the kwarg's control holds, blank where nothing is sent."""
        if kwarg.name in self._unreadable:
            typed: str | tuple[str, ...] = self._unreadable[kwarg.name][0]
            return typed
        blank: str | tuple[str, ...] = () if kwarg.type == "strings" else ""
        return kwargs.typed_of(kwarg, self._values.get(kwarg.name)) or blank

    def note(self, kwarg: wire.Kwarg) -> str:
        """What is to be said beside the kwarg's control: what is wrong, or that its value is unusual."""
        if kwarg.name in self._unreadable:
            return self._unreadable[kwarg.name][1]
        return kwargs.note_on(kwarg, self._values.get(kwarg.name))

    def set_kwarg(self, name: str, typed: str | tuple[str, ...]) -> None:
        """Put what was typed into a kwarg's control; blank is not sent."""
        kwarg = next((kwarg for kwarg in self.controls if kwarg.name == name), None)
        if kwarg is None or (name not in self._unreadable and typed == self.typed(kwarg)):
            return
        self._unreadable.pop(name, None)
        try:
            value = kwargs.value_of(kwarg, typed)
        except kwargs.NotReadable as error:
            self._unreadable[name] = typed, str(error)
            return
        self._values.pop(name, None) if value is None else self._values.update({name: value})
        self._read()

    def reset_kwarg(self, name: str) -> None:
        """Leave a kwarg to the provider's default: it is not sent."""
        self._unreadable.pop(name, None)
        self._values.pop(name, None)
        self._read()

    @property
    def rest(self) -> str:
        """The kwargs without a control, as JSON; or what was typed there, where it cannot be read."""
        if REST in self._unreadable:
            return str(self._unreadable[REST][0])
        others = {name: value for name, value in self._values.items() if name not in self._controlled()}
        short = json.dumps(others, ensure_ascii=False)
        if len(short) > _ONE_LINE:
            return json.dumps(others, ensure_ascii=False, indent=2)
        return short if others else ""

    def set_rest(self, text: str) -> None:
        """Put JSON into the box for the kwargs without a control."""
        controlled = self._controlled()
        self._unreadable.pop(REST, None)
        try:
            others = kwargs.object_of(text, controlled)
            replace(self.saved, model_kwargs=others)  # what JSON has and a request cannot carry
        except (kwargs.NotReadable, AzmlError) as error:
            self._unreadable[REST] = text, str(error)
            return
        self._values = {name: value for name, value in self._values.items() if name in controlled} | others
        self._read()

    def _controlled(self) -> list[str]:
        """The kwargs whose value is in a control: one of another type than its control's is left to the JSON."""
        held = self._values
        return [
            kwarg.name
            for kwarg in self.controls
            if kwarg.name not in held or kwargs.typed_of(kwarg, held[kwarg.name]) is not None
        ]


# ---- fields as texts -------------------------------------------------------------------------------------------


def texts_of(config: LLMConfig) -> dict[str, str]:
    """field -> its text; blank stands for a default."""
    implied = endpoints.api_type_of(config.endpoint_url) if config.endpoint_url else "dedicated"
    return {
        "endpoint_url": config.endpoint_url,
        "endpoint_api_type": "" if config.endpoint_api_type == implied else config.endpoint_api_type,
        "deployment_name": config.deployment_name,
        "key": key_text(config.key),
        "model": config.model or "",
        "api_version": config.api_version or "",
        "timeout": "" if config.timeout == DEFAULT_TIMEOUT else seconds_text(config.timeout),
        "max_retries": "" if config.max_retries == DEFAULT_MAX_RETRIES else str(config.max_retries),
        "system": config.system or "",
        "formatter": formatter_text(config),
    }


def seconds_text(seconds: float) -> str:
    """A number of seconds, as short as it can be written."""
    short = f"{seconds:g}"
    return short if float(short) == seconds else repr(seconds)


def key_text(key: object) -> str:
    """A key as its box shows it: the reference, never the key."""
    if key is None:
        return NO_KEY
    return str(key) if isinstance(key, KeyRef) else IN_MEMORY


def formatter_text(config: LLMConfig) -> str:
    """The formatter's name; for an object its class in brackets."""
    formatter = config.formatter
    if isinstance(formatter, str):
        return wire.ALIASES.get(formatter, formatter)
    theirs = getattr(formatter, "theirs", formatter)
    name = getattr(formatter, "name", "")
    return str(name) if name in wire.names() else f"({type(theirs).__name__})"


def formatter_of(config: LLMConfig) -> wire.Formatter | None:
    """The formatter that the config names or its route implies; None while there is none."""
    chosen = config.formatter or wire.default_for_route(config.endpoint_url)
    try:
        return wire.as_formatter(chosen) if chosen else None
    except AzmlError:  # registered elsewhere
        return None


def _is_refused(text: str) -> bool:
    """Whether a text may be a key itself: it is neither a reference nor one of the words for having none."""
    try:
        KeyRef.parse(text)
    except KeyRefusedError:
        return text.strip() not in {"", NO_KEY, IN_MEMORY}
    except AzmlError:  # a reference that is incomplete
        return False
    return False


def _value(field: str, text: str) -> Any:
    """What the text of a field stands for; ValueError, in words, where it is no such thing."""
    text = text if field == "system" else text.strip()
    if field == "key":
        return None if text == NO_KEY or not text else text
    if field == "timeout":
        return text or DEFAULT_TIMEOUT
    if field == "max_retries":
        if text and not (text.isdecimal() and len(text) < _DIGITS):
            raise ValueError(f"{one_line(text, _ONE_LINE)!r} is no whole number")
        return int(text) if text else DEFAULT_MAX_RETRIES
    if field in {"model", "api_version", "system"}:
        return text or None
    return text
