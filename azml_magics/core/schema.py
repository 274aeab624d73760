"""Answers that follow a schema: how to ask for one in each dialect, and whether an answer keeps to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import endpoint, extract, wire
from .errors import SchemaMismatch, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config import LLMConfig
    from .response import Response
    from .wire import Message


@dataclass(frozen=True)
class Schema:
    """A JSON schema, and the pydantic model it comes from, if any. `name` is what the model is told it is called."""

    name: str
    json_schema: dict[str, Any]
    model: Any = None

    @classmethod
    def of(cls, source: Any) -> Schema:
        """The schema of a pydantic model class, a JSON schema as a dict, or its JSON text."""
        if callable(getattr(source, "model_json_schema", None)):
            return cls(source.__name__, source.model_json_schema(), source)
        if isinstance(source, str):
            try:
                source = json.loads(source)
            except ValueError as error:
                raise UsageError(f"The schema is no JSON: {one_line(str(error), 100)}") from None
        if isinstance(source, dict):
            return cls(_identifier(source.get("title")), source)
        raise UsageError(
            f"--schema takes a pydantic model class, a dict or a file, not {type(source).__name__}",
            remedy="Pass the class itself, not an object of it: --schema $Recipe.",
        )

    def read(self, response: Response) -> Any:
        """The answer as an object of the model, or as JSON; SchemaMismatch says what is wrong with it."""
        try:
            value = extract.json_value(response.text)
        except extract.NoJson as error:
            raise self._mismatch(response, error.cause) from None
        problem = None
        if self.model is not None:
            try:
                return self.model.model_validate(value)
            except ValueError as error:  # pydantic's ValidationError is one
                problem = _first_of(error)
        else:
            problem = _problem(value, self.json_schema)
        if problem:
            raise self._mismatch(response, problem)
        return value

    def _mismatch(self, response: Response, problem: str) -> SchemaMismatch:
        error = SchemaMismatch(
            f"The answer does not keep to {self.name}: {problem}",
            remedy="It is kept in %azureml last; %azureml repair asks once more, saying what was wrong.",
        )
        error.response = response
        return error

    def asked(
        self, config: LLMConfig, messages: Sequence[Message], *, by_instruction: bool = False
    ) -> tuple[LLMConfig, list[Message]]:
        """(config, messages) that ask for it: by `response_format` on OpenAI chat routes, by instruction elsewhere."""
        formatter = wire.formatter_for(config)
        on_openai = endpoint.route_of(formatter.url(config, stream=False)) == "chat/completions"
        if on_openai and formatter.name == "openai-chat" and not by_instruction:
            return config.merged(model_kwargs={"response_format": self.response_format}), list(messages)
        *earlier, last = [dict(turn) for turn in messages]
        content = last["content"]
        if isinstance(content, str):
            last["content"] = f"{content}\n\n{self.instruction}"
        else:
            last["content"] = [*content, {"type": "text", "text": self.instruction}]
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


def _first_of(error: Any) -> str:
    """The first problem in a pydantic ValidationError, as "minutes: Input should be a valid integer"."""
    try:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return one_line(f"{where}: {first['msg']}" if where else str(first["msg"]), 300)
    except (AttributeError, IndexError, KeyError, TypeError):  # a ValueError of a validator's own
        return one_line(str(error), 300)


def _identifier(title: Any) -> str:
    kept = "".join(ch if ch.isalnum() or ch in "-_" else "_" for ch in str(title or "answer"))
    return kept[:64] or "answer"


def _problem(value: Any, json_schema: dict[str, Any]) -> str:
    """What is wrong with `value`, "" where nothing is."""
    try:
        import jsonschema  # type: ignore[import-untyped,unused-ignore]  # comes with Jupyter's nbformat
    except ImportError:
        raise UsageError(
            "Checking an answer against a JSON schema needs jsonschema",
            remedy="Run pip install jsonschema, or pass a pydantic model.",
        ) from None
    try:
        validator = jsonschema.validators.validator_for(json_schema)
        validator.check_schema(json_schema)
        errors = sorted(validator(json_schema).iter_errors(value), key=lambda error: list(map(str, error.path)))
    except jsonschema.SchemaError as error:
        raise UsageError(f"The JSON schema itself is wrong: {one_line(error.message, 200)}") from None
    if not errors:
        return ""
    where = ".".join(map(str, errors[0].path))
    return one_line(f"{where}: {errors[0].message}" if where else errors[0].message, 300)


def repair_turns(response: Response, error: SchemaMismatch) -> list[Message]:
    """The two turns that ask for the same answer again, saying what was wrong with it."""
    return [
        {"role": "assistant", "content": response.text},
        {"role": "user", "content": f"That does not fit: {error.cause}. Answer again with corrected JSON alone."},
    ]
