"""What MLflow no-code deployments speak: input_data as a list, params beside it, declared as the image declares them.

Params outside the signature are dropped without a word, as MLflow does it.
"""

from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

SIGNATURE = {"max_new_tokens": 16, "return_full_text": True}


def init():
    pass


@input_schema("input_data", StandardPythonParameterType(["sample string"]))
@input_schema("params", StandardPythonParameterType(SIGNATURE), optional=True)
@output_schema(StandardPythonParameterType(["sample string"]))
def run(input_data, params=None):
    known = {**SIGNATURE, **{name: value for name, value in (params or {}).items() if name in SIGNATURE}}
    answers = []
    for prompt in input_data:
        words = [f"word{number}" for number in range(1, known["max_new_tokens"] + 1)]
        answers.append(" ".join([prompt, *words] if known["return_full_text"] else words))
    return answers
