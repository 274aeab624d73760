"""Answers that follow a schema: how to ask for one in each dialect, and whether an answer keeps to it."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import BadRequestError, SchemaError, UsageError
from ..text import one_line
from ..wire.registry import wire_for
from . import extract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..config import LLMConfig
    from ..messages import Message
    from ..response import Response

_MOST_VALUES = 20  # that an answer may hold and that are tried
_MOST_PROBLEMS = 3  # that are said
_REPAIR = "It is kept in %azureml last; %azureml repair asks once more, saying what was wrong."


@dataclass(frozen=True)
class Schema:
    """A JSON schema, and the pydantic model it comes from, if any. `name` is what the model is told it is called."""

    name: str
    json_schema: dict[str, Any]
    model: Any = None

    @classmethod
    def of(cls, source: Any) -> Schema:
        """The schema of a pydantic model class, a JSON schema as a dict, or its JSON text.

        UsageError where it is none of them or could not be checked: before anything is sent.
        """
        if isinstance(source, type) and callable(getattr(source, "model_json_schema", None)):
            return cls(_identifier(source.__name__), _schema_of(source), source)
        if isinstance(source, str):
            try:
                source = json.loads(source)
            except (ValueError, RecursionError) as error:
                raise UsageError(f"The schema is no JSON: {one_line(str(error), 100)}") from None
        if isinstance(source, dict):
            _check(source)
            return cls(_identifier(source.get("title")), source)
        raise UsageError(
            f"A schema is a pydantic model class, a dict, or JSON in a text or a file, not {type(source).__name__}",
            remedy="Pass the class itself, not an object of it.",
        )

    def read(self, response: Response, remedy: str = _REPAIR) -> Any:
        """The answer as an object of the model, or as JSON; SchemaError says what is wrong with it, and the remedy.

        Where the answer holds several JSON values, the first that keeps to the schema is meant.
        """
        problem = ""
        for value in itertools.islice(extract.json_values(response.text), _MOST_VALUES):
            fitting, wrong = self._tried(value)
            if not wrong:
                return fitting
            problem = problem or wrong
        error = SchemaError(
            f"The answer does not keep to {self.name}: {problem or 'it holds no JSON'}",
            remedy="It was cut off: raise max_tokens." if response.finish_reason == "length" else remedy,
        )
        error.response = response
        raise error

    def _tried(self, value: Any) -> tuple[Any, str]:
        """(object, "") for a value that keeps to the schema, (None, what is wrong) for one that does not."""
        try:
            if self.model is None:
                return value, _problem(value, self.json_schema)
            return self.model.model_validate_json(json.dumps(value)), ""
        except Exception as error:  # noqa: BLE001 - a validator of the person's own may raise anything; the answer stays
            return None, _problem_in(error)

    def asked(
        self, config: LLMConfig, messages: Sequence[Message], *, by_instruction: bool = False
    ) -> tuple[LLMConfig, list[Message]]:
        """(config, messages) that ask for it: by `response_format` on OpenAI chat routes, by instruction elsewhere."""
        wire = wire_for(config)
        is_chat_route = endpoints.route_of(wire.url(config, stream=False)) == "chat/completions"
        if is_chat_route and wire.takes_response_format and not by_instruction:
            return config.merged(model_kwargs={"response_format": self.response_format}), list(messages)
        *earlier, last = [dict(turn) for turn in messages]
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
        """The kwarg of OpenAI-like routes."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "schema": self.json_schema}}

    @property
    def instruction(self) -> str:
        """The words for a model that has no such kwarg."""
        schema = json.dumps(self.json_schema, ensure_ascii=False)
        return f"Answer with JSON alone, no prose and no fences, valid for this JSON schema:\n{schema}"


def is_refused(error: BadRequestError) -> bool:
    """Whether the server wants no `response_format`: it has to be asked by instruction."""
    return "response_format" in error.body


def _identifier(title: Any) -> str:
    """A name as OpenAI's routes take it: at most 64 letters, digits, - and _."""
    kept = "".join(ch if ch.isascii() and (ch.isalnum() or ch in "-_") else "_" for ch in str(title or "answer"))
    return kept[:64]


def _schema_of(model: Any) -> dict[str, Any]:
    try:
        json_schema: dict[str, Any] = model.model_json_schema()
    except Exception as error:  # pydantic's errors, and those of the model's own methods
        raise UsageError(
            f"{model.__name__} has no JSON schema: {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Use fields that JSON can hold.",
        ) from error
    return json_schema


def _problem_in(error: Exception) -> str:
    """What a pydantic ValidationError says, as "minutes: Input should be a valid integer"; any other error by name."""
    try:
        found = [(".".join(map(str, problem["loc"])), str(problem["msg"])) for problem in error.errors()]  # type: ignore[attr-defined]  # pydantic's, which this room does not import
    except (AttributeError, KeyError, TypeError):
        return f"{type(error).__name__}: {one_line(str(error), 300)}"
    return _said(found)


def _said(problems: list[tuple[str, str]]) -> str:
    """The first few problems, each with its place, and how many more there are."""
    said = "; ".join(f"{where}: {what}" if where else what for where, what in problems[:_MOST_PROBLEMS])
    more = f" (and {len(problems) - _MOST_PROBLEMS} more)" if len(problems) > _MOST_PROBLEMS else ""
    return one_line(said, 300) + more


# ---- JSON schemas, which jsonschema checks: it comes with Jupyter's nbformat -----------------------------------------


def _validator(json_schema: dict[str, Any]) -> Any:
    """The class of jsonschema's that checks against it; UsageError where that is not installed."""
    try:
        import jsonschema  # type: ignore[import-untyped,unused-ignore]  # optional, and untyped
    except ImportError:
        raise UsageError(
            "Checking an answer against a JSON schema needs jsonschema",
            remedy="Run pip install jsonschema, or pass a pydantic model.",
        ) from None
    return jsonschema.validators.validator_for(json_schema, default=jsonschema.Draft202012Validator)


def _check(json_schema: dict[str, Any]) -> None:
    """UsageError for a schema that is wrong itself, or that would be fetched from elsewhere."""
    try:
        json.dumps(json_schema)
        _validator(json_schema).check_schema(json_schema)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - a schema from outside may be anything, and so may what it leads to
        what = one_line(str(getattr(error, "message", error)), 200)
        raise UsageError(f"The JSON schema itself is wrong: {what}") from None
    elsewhere = next((target for target in _references(json_schema) if not target.startswith("#")), None)
    if elsewhere is not None:
        raise UsageError(
            f"The JSON schema refers to another document, {one_line(elsewhere, 100)!r}, which is not fetched",
            remedy="Put that part into its $defs.",
        )


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name in {"$ref", "$dynamicRef"} and isinstance(inner, str):
                yield inner
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _problem(value: Any, json_schema: dict[str, Any]) -> str:
    """What is wrong with `value`, "" where nothing is."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped,unused-ignore]  # untyped

    errors = sorted(
        _validator(json_schema)(json_schema).iter_errors(value), key=lambda error: list(map(str, error.path))
    )
    # of alternatives that all fail, the one that came nearest
    nearest = [best_match([error]) for error in errors]
    return _said([(".".join(map(str, error.absolute_path)), error.message) for error in nearest])


def repair_turns(response: Response, error: SchemaError) -> list[Message]:
    """The two turns that ask for the same answer again, saying what was wrong with it."""
    return [
        {"role": "assistant", "content": response.text},
        {"role": "user", "content": f"That does not fit: {error.cause}. Answer again with corrected JSON alone."},
    ]
