"""The JSON schema of the model classes: what JSON can hold of their fields, with what each field is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticOmit

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class FieldsOfJson(GenerateJsonSchema):
    """Leaves out the fields that JSON cannot hold, such as callbacks; pydantic's own generator raises for them."""

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - the name and arguments are pydantic's
        """Leave out the field.

        Raises:
            PydanticOmit: Always.
        """
        raise PydanticOmit
