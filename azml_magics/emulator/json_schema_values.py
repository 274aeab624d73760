"""Values that are valid for a JSON schema, taken from the prompt if a type fits; always the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.prompt_values import PromptValues

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEEPEST = 12
_HUGE = 1e300
_FORMATS = {
    "date": "2026-01-31", "date-time": "2026-01-31T09:30:00Z", "time": "09:30:00Z", "email": "demo@example.com",
    "uri": "https://example.com/", "url": "https://example.com/", "hostname": "example.com", "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000", "duration": "PT1H",
}  # fmt: skip


class Filler:
    """Fills one schema from one prompt.

    Args:
        root: The schema, in which references are looked up.
        prompt: Where values are taken from.
        every: Fill all optional properties, not only those that the prompt mentions.
        called: The words of the name of the tool that is called; None if no tool is.
    """

    def __init__(
        self, root: dict[str, Any], prompt: PromptValues, *, every: bool, called: frozenset[str] | None = None
    ) -> None:
        self.root = root
        self.prompt = prompt
        self.every = every
        self.called = called

    def fill(self, schema: Any, name: str = "value", depth: int = 0) -> Any:
        """Return a value for `schema`; a meaningless schema gives a string."""
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self.prompt.choose_option(schema["enum"])
        for union in ("anyOf", "oneOf"):
            if isinstance(schema.get(union), list) and schema[union]:
                return self.fill(self._best(schema[union], depth), name, depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((k for k in kind if k != "null"), "null")
        if kind is None and "properties" in schema:
            kind = "object"
        if kind is None and "items" in schema:
            kind = "array"
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        return self._scalar(kind, schema, name)

    def _scalar(self, kind: Any, schema: dict[str, Any], name: str) -> Any:
        if kind in ("integer", "number"):
            return self._number(schema, name, whole=kind == "integer")
        if kind == "boolean":
            said = (self.prompt.find_named(name) or "").lower()
            return said not in ("false", "no", "off") if said else bool(schema.get("default", True))
        if kind == "null":
            return None
        return self._string(schema, name)

    def resolve(self, schema: Any) -> dict[str, Any]:
        """Return `schema` with $ref followed and allOf merged, or {} if it is not an object."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict):
                return {}
            if isinstance(schema.get("$ref"), str):
                found: Any = self.root
                for step in schema["$ref"].lstrip("#/").split("/"):
                    found = found.get(step, {}) if isinstance(found, dict) else {}
                schema = found
            elif isinstance(schema.get("allOf"), list) and schema["allOf"]:
                merged = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    resolved = part if isinstance(part, dict) and "$ref" not in part else self.resolve(part)
                    merged = _merge(merged, resolved)
                schema = merged
            else:
                return schema
        return {}

    def _best(self, options: list[Any], depth: int) -> Any:
        """Return the first option that is not null; at the depth limit, the first without nesting."""
        resolved = [self.resolve(option) for option in options]
        flat = [o for o in resolved if o.get("type") not in ("null", "object", "array")] if depth > _DEEPEST else []
        return next((o for o in flat or resolved if o.get("type") != "null"), resolved[0])

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = _typed(dict, schema.get("properties"))
        required = _typed(list, schema.get("required"))
        value = {}
        for name, inner in properties.items():
            if name in required or (depth < _DEEPEST and (self.every or self._is_mentioned(name, inner))):
                value[name] = self.fill(inner, name, depth + 1) if depth <= _DEEPEST * 2 else None
        for name in required:
            if isinstance(name, str) and name not in value:
                value[name] = self.prompt.example(name)
        return value

    def _is_mentioned(self, name: str, schema: Any) -> bool:
        resolved = self.resolve(schema)
        options = resolved.get("enum")
        if isinstance(options, list):
            return self.prompt.mentions(options)
        return self.prompt.find_named(name) is not None

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        least = _bound(schema.get("minItems"), 0)
        most = _bound(schema.get("maxItems"), 10)
        if isinstance(schema.get("prefixItems"), list):
            return [self.fill(item, name, depth + 1) for item in schema["prefixItems"]]
        wanted = 0 if depth > _DEEPEST else 3 if schema.get("uniqueItems") is None else 1
        items = self.resolve(schema.get("items", {}))
        if items.get("type") in ("integer", "number"):
            wanted = len(self.prompt.numbers) or wanted
        elif items.get("type") == "string" and "enum" not in items:
            wanted = len(self.prompt.quoted) or len(self.prompt.proper) or wanted
        else:
            wanted = min(wanted, 2)
        size = max(int(least), min(int(most), wanted))
        return [self.fill(items, name.rstrip("s") or name, depth + 1) for _ in range(min(size, 100))]

    def _number(self, schema: dict[str, Any], name: str, *, whole: bool) -> float | int:
        step = 1 if whole else 0.5
        low = max(_bound(schema.get("minimum"), -math.inf), _bound(schema.get("exclusiveMinimum"), -math.inf) + step)
        high = min(_bound(schema.get("maximum"), math.inf), _bound(schema.get("exclusiveMaximum"), math.inf) - step)
        multiple = _bound(schema.get("multipleOf"), 0)
        value = self.prompt.number(name, whole=whole, low=low, high=high)
        if value is None or (multiple > 0 and value % multiple):
            default = schema.get("default")
            value = float(default) if isinstance(default, int | float) and not isinstance(default, bool) else 1.0
            value = min(max(value, low), high)
            if multiple > 0:
                value = math.ceil((low if math.isfinite(low) else 0) / multiple) * multiple or multiple
            elif whole:
                value = math.ceil(value)
        return int(value) if whole or value == int(value) else value

    def _string(self, schema: dict[str, Any], name: str) -> str:
        form = schema.get("format")
        if isinstance(form, str) and form in _FORMATS:
            pools = {
                "email": self.prompt.emails,
                "uri": self.prompt.urls,
                "url": self.prompt.urls,
                "date": self.prompt.dates,
            }
            pool = pools.get(form)
            return pool.pop(0) if pool else _FORMATS[form]
        found = self.prompt.string(name)
        if found is None:
            found = schema["default"] if isinstance(schema.get("default"), str) else self._example(name)
        least, most = int(_bound(schema.get("minLength"), 0)), int(_bound(schema.get("maxLength"), 10_000))
        return found.ljust(min(least, 10_000), ".")[: max(0, most)]

    def _example(self, name: str) -> str:
        """Return a text for a property that the prompt does not name: what it speaks of, for a tool."""
        topic = None if self.called is None else self.prompt.topic(self.called)
        return topic or self.prompt.example(name)


def _typed(kind: Any, value: Any) -> Any:
    """Return `value` if it is of `kind`, or an empty one: clients write schemas."""
    return value if isinstance(value, kind) else kind()


def _bound(value: Any, default: float) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE
    return float(value) if good else default


def _merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    merged = {**left, **right}
    if isinstance(left.get("properties"), dict) and isinstance(right.get("properties"), dict):
        merged["properties"] = {**left["properties"], **right["properties"]}
    if isinstance(left.get("required"), list) and isinstance(right.get("required"), list):
        merged["required"] = [*left["required"], *right["required"]]
    return merged


def arguments(parameters: dict[str, Any], text: str, name: Iterable[str] = ()) -> dict[str, Any]:
    """Return arguments for a tool: the required ones, and those that the prompt mentions.

    Args:
        parameters: The schema of the arguments.
        text: The prompt.
        name: The words of the tool's name, which are no arguments.
    """
    filler = Filler(parameters, PromptValues(text), every=False, called=frozenset(name))
    filled = filler.fill({"type": "object", **parameters})
    return filled if isinstance(filled, dict) else {}


def value_for_schema(schema: dict[str, Any], text: str) -> Any:
    """Return a value with every property of `schema`."""
    return Filler(schema, PromptValues(text), every=True).fill(schema)


def has_properties_of(schema: dict[str, Any], value: Any) -> bool:
    """Return whether `value` is an object with exactly the properties of `schema`."""
    properties = Filler(schema, PromptValues(""), every=True).resolve(schema).get("properties")
    return isinstance(value, dict) and isinstance(properties, dict) and set(value) == set(properties)
