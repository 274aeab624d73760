"""What a call has beyond its config and its prompt, as typed: a schema, tools, and a variable for the response."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class CallOptions:
    """The texts in the fields of a call's options; "" leaves an option out.

    Attributes:
        schema: the name of a pydantic class or of another variable, a JSON file, or JSON.
        tools: the names of variables, or JSON.
        auto: "yes" if functions among the tools run without asking.
        output: the notebook's variable for the response.
    """

    schema: str = ""
    tools: str = ""
    auto: str = ""
    output: str = ""

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any]) -> CallOptions:
        """Return the options that a run's notes say; those of another form are left out."""
        given = notes.get("options")
        given = given if isinstance(given, dict) else {}
        return cls(**{name: text for name in _FIELDS if isinstance(text := given.get(name), str)})

    def to_notes(self) -> dict[str, str]:
        """Return the options that are set, as JSON data."""
        return {name: text for name, text in asdict(self).items() if text.strip()}

    def is_same_call(self, other: CallOptions) -> bool:
        """Whether both lead to the same request."""
        return (self.schema.strip(), self.tools.strip()) == (other.schema.strip(), other.tools.strip())


NO_OPTIONS: Final = CallOptions()
_FIELDS: Final = tuple(CallOptions.__dataclass_fields__)
