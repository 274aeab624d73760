"""Responses that match a JSON schema: how to request one in each wire format, and whether a response matches."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import BadRequestError, SchemaError, UsageError
from ..install_hint import package_command
from ..text import one_line
from ..wire.registry import wire_for
from .extract import find_last_json_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..config import LLMConfig
    from ..messages import Message
    from ..response import Response

_FORMAT_ROUTES = ("chat/completions", "responses", "messages")
_FORMAT_NAMES = ("response_format", "text.format", "output_config", "output_format")  # in refusals of those routes
_MAX_VALUES = 20  # JSON values of a response that are tried
_MAX_PROBLEMS = 3  # problems of a value in a message


@dataclass(frozen=True)
class Schema:
    """A JSON schema, and the pydantic model that it comes from, if any.

    Attributes:
        name: The schema's name in requests: letters, digits, - and _.
        json_schema: The schema as JSON.
        model: The pydantic model class; None if the schema was given as JSON.
    """

    name: str
    json_schema: dict[str, Any]
    model: Any = None

    @classmethod
    def from_source(cls, source: Any) -> Schema:
        """Return the schema of `source`.

        Args:
            source: A pydantic model class, a JSON schema as a dict, or its JSON text.

        Raises:
            UsageError: It is none of them, is not a valid schema, or cannot be checked because jsonschema is missing.
        """
        if isinstance(source, type) and callable(getattr(source, "model_json_schema", None)):
            return cls(_make_identifier(source.__name__), _json_schema_of(source), source)
        if isinstance(source, str):
            try:
                source = json.loads(source)
            except (ValueError, RecursionError) as error:
                raise UsageError(f"The schema is not valid JSON: {one_line(str(error), 100)}") from None
        if isinstance(source, dict):
            _check_schema(source)
            return cls(_make_identifier(source.get("title")), source)
        raise UsageError(
            f"A schema is a pydantic model class, a dict, or JSON in a text or a file, not {type(source).__name__}",
            remedy="Pass the class itself, not an object of it.",
        )

    def parse(self, response: Response, remedy: str = "", error_code: str = "") -> Any:
        """Return the response as an object of the model, or as JSON if there is no model.

        Args:
            response: The response. Of several JSON values in it, the last that matches the schema counts: drafts and
                quotations come before it. The schema itself, which some models repeat, never does.
            remedy: The remedy of the error, unless the response was truncated; by default one in Python words.
            error_code: The code of the error, unless the response was truncated; by default that of SchemaError.

        Raises:
            SchemaError: No value matches. The error names the problem of the last value and keeps the response.
        """
        values = list(itertools.islice(find_last_json_values(response.text), _MAX_VALUES))
        last_problem = "it repeats the schema and gives no answer" if values else "it contains no JSON"
        for at, value in enumerate(each for each in values if not self._is_schema(each)):
            parsed, problem = self._validate(value)
            if not problem:
                return parsed
            last_problem = problem if at == 0 else last_problem
        raise self._make_error(last_problem, response, remedy, error_code)

    def _is_schema(self, value: Any) -> bool:
        """Return whether a value is the schema itself, or what is left of it without its title and the like."""
        if value in (self.json_schema, self.response_format):
            return True
        own = self.json_schema.get("properties")
        if not isinstance(value, dict) or not isinstance(own, dict) or not own or "properties" in own:
            return False
        return isinstance(value.get("properties"), dict) and set(value["properties"]) == set(own)

    def _make_error(self, problem: str, response: Response, remedy: str, error_code: str) -> SchemaError:
        if response.is_truncated:
            remedy, error_code = "It was cut off: raise max_tokens.", "schema-truncated"
        error = SchemaError(
            f"The response does not match {self.name}: {problem}",
            remedy=remedy or "The error has the response; send make_repair_messages(response, error) to correct it.",
            error_code=error_code,
        )
        error.response = response
        return error

    def _validate(self, value: Any) -> tuple[Any, str]:
        """Return (object, "") for a value that matches the schema, (None, problem) for one that does not."""
        try:
            if self.model is None:
                return value, _find_problem(value, self.json_schema)
            return self.model.model_validate_json(json.dumps(value)), ""
        except Exception as error:  # noqa: BLE001 - the user's own validator may raise anything; the response is kept
            return None, describe_validation_error(error)

    def add_to(
        self, config: LLMConfig, messages: Sequence[Message], *, by_instruction: bool = False, in_words: bool = False
    ) -> tuple[LLMConfig, list[Message]]:
        """Return a config and messages that request a response that matches the schema.

        Chat, Responses and Messages routes get `response_format`, which their wire formats write in their own way.
        Other routes get an instruction after the last user message.

        Args:
            config: The config of the call.
            messages: The messages of the call.
            by_instruction: Give the instruction on those routes in its place: for servers that refuse the kwarg.
            in_words: Give the instruction on those routes as well: for servers that took the kwarg and ignored it.

        Raises:
            ConfigError: The config has no formatter, or it does not fit the endpoint.
        """
        wire = wire_for(config)
        takes_kwarg = endpoints.route_of(wire.url(config, stream=False)) in _FORMAT_ROUTES
        if takes_kwarg and wire.takes_response_format and not by_instruction:
            config = config.merged(model_kwargs={"response_format": self.response_format})
            if not in_words:
                return config, list(messages)
        *earlier, last = [dict(message) for message in messages]
        content = last.get("content")
        if last.get("role") != "user":
            return config, [*earlier, last, {"role": "user", "content": self.instruction}]
        if isinstance(content, str):
            last["content"] = f"{content}\n\n{self.instruction}"
        else:
            last["content"] = [*(content or ()), {"type": "text", "text": f"\n\n{self.instruction}"}]
        return config, [*earlier, last]

    @property
    def response_format(self) -> dict[str, Any]:
        """The kwarg of OpenAI routes."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "schema": self.json_schema}}

    @property
    def instruction(self) -> str:
        """The text that requests it from models without such a kwarg."""
        schema = json.dumps(self.json_schema, ensure_ascii=False)
        return f"Answer with JSON alone, no prose and no fences, valid for this JSON schema:\n{schema}"


def parsed_data(parsed: Any) -> Any:
    """Return the object of a schema as JSON data: the fields of a pydantic object, anything else unchanged."""
    if not callable(getattr(parsed, "model_dump", None)):
        return parsed
    try:
        return parsed.model_dump(mode="json", warnings=False)
    except Exception:  # noqa: BLE001 - the user's own serialiser failed, or a value has no JSON form
        return dict(parsed)


def is_response_format_refused(error: BadRequestError) -> bool:
    """Return whether the server refuses `response_format`, so that an instruction has to be sent."""
    return any(name in error.body for name in _FORMAT_NAMES)


def _make_identifier(title: Any) -> str:
    """Return a name that OpenAI routes accept: at most 64 letters, digits, - and _."""
    name = "".join(ch if ch.isascii() and (ch.isalnum() or ch in "-_") else "_" for ch in str(title or "answer"))
    return name[:64]


def _json_schema_of(model: Any) -> dict[str, Any]:
    try:
        json_schema: dict[str, Any] = model.model_json_schema()
    except Exception as error:  # pydantic's errors, and those of the model's own methods
        raise UsageError(
            f"{model.__name__} has no JSON schema: {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Use fields that JSON can hold.",
        ) from error
    return json_schema


def describe_validation_error(error: Exception) -> str:
    """Return a pydantic ValidationError as "minutes: Input should be a valid integer", any other error by its name."""
    try:
        problems = [(".".join(map(str, problem["loc"])), str(problem["msg"])) for problem in error.errors()]  # type: ignore[attr-defined]  # pydantic's, which this package does not import
    except (AttributeError, KeyError, TypeError):
        return f"{type(error).__name__}: {one_line(str(error), 300)}"
    return _join_problems(problems)


def _join_problems(problems: list[tuple[str, str]]) -> str:
    """Return the first few (place, problem) pairs as text, and how many more there are."""
    shown = "; ".join(f"{place}: {problem}" if place else problem for place, problem in problems[:_MAX_PROBLEMS])
    more = f" (and {len(problems) - _MAX_PROBLEMS} more)" if len(problems) > _MAX_PROBLEMS else ""
    return one_line(shown, 300) + more


# ---- JSON schemas: checked by jsonschema, which comes with Jupyter's nbformat ----


def _validator(json_schema: dict[str, Any]) -> Any:
    """Return jsonschema's class for the schema's draft; UsageError if jsonschema is not installed."""
    try:
        import jsonschema  # type: ignore[import-untyped,unused-ignore]  # optional, and untyped
    except ImportError:
        raise UsageError(
            "Checking a response against a JSON schema needs jsonschema",
            remedy=f"Run {package_command('jsonschema')}, or pass a pydantic model.",
        ) from None
    return jsonschema.validators.validator_for(json_schema, default=jsonschema.Draft202012Validator)


def _check_schema(json_schema: dict[str, Any]) -> None:
    """Raise UsageError for a schema that is not valid, or that refers to a document that would have to be fetched."""
    try:
        json.dumps(json_schema)
        _validator(json_schema).check_schema(json_schema)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - an invalid schema may raise anything
        reason = one_line(str(getattr(error, "message", error)), 200)
        place = ".".join(map(str, getattr(error, "absolute_path", ())))
        raise UsageError(f"The JSON schema itself is wrong: {reason}{f' (at {place})' if place else ''}") from None
    external = next((target for target in _find_references(json_schema) if not target.startswith("#")), None)
    if external is not None:
        raise UsageError(
            f"The JSON schema refers to another document, {one_line(external, 100)!r}, which is not fetched",
            remedy="Put that part into its $defs.",
        )


def _find_references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name in {"$ref", "$dynamicRef"} and isinstance(inner, str):
                yield inner
            yield from _find_references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _find_references(inner)


def _find_problem(value: Any, json_schema: dict[str, Any]) -> str:
    """Return how `value` violates the schema; "" if it does not."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped,unused-ignore]  # untyped

    errors = sorted(
        _validator(json_schema)(json_schema).iter_errors(value), key=lambda error: list(map(str, error.path))
    )
    # if all alternatives of an anyOf fail, the closest one
    nearest = [best_match([error]) for error in errors]
    return _join_problems([(".".join(map(str, error.absolute_path)), error.message) for error in nearest])


def make_repair_messages(response: Response, error: SchemaError) -> list[Message]:
    """Return the two messages that request a corrected response: the response, and what is wrong with it."""
    return [
        {"role": "assistant", "content": response.text},
        {"role": "user", "content": f"That does not fit: {error.cause}. Answer again with corrected JSON alone."},
    ]
