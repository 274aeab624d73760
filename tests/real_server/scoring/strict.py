"""A scoring script with a declared input, so that the server itself refuses what does not fit, with 400."""

from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

EXAMPLE = {"input_string": ["hello"], "parameters": {}}


def init():
    pass


@input_schema("input_data", StandardPythonParameterType(EXAMPLE))
@output_schema(StandardPythonParameterType([{"0": "text"}]))
def run(input_data):
    return [{"0": f"{prompt}, as declared"} for prompt in input_data["input_string"]]
