"""What editors, schemas and completion tell of the constructors' arguments."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from pathlib import Path

import pytest

from azml_magics.langchain import (
    AzureMLChatOnlineEndpoint,
    AzureMLOnlineEndpoint,
    CustomOpenAIChatContentFormatter,
    arguments,
    endpoint_fields,
)

MODELS = (AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint)


def attribute_texts(module, name):
    """Attribute -> the text below it, as the source of a class has them."""
    tree = ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8"))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    return {
        node.target.id: inspect.cleandoc(text.value.value).partition("\n\n")[0] if isinstance(text, ast.Expr) else ""
        for node, text in itertools.pairwise(body)
        if isinstance(node, ast.AnnAssign) and node.target.id[0] != "_"
    }


@pytest.mark.parametrize("model", MODELS)
def test_schema_describes_every_field_of_ours(model):
    fields = model.model_json_schema()["properties"]
    ours = [name for name in endpoint_fields.EndpointFields.model_fields if name not in {"callbacks", "cache"}]
    assert [name for name in ours if not fields[name].get("description")] == []
    assert fields["endpoint_api_key"]["type"] == "string"
    assert "AZUREML_ENDPOINT_API_KEY" in fields["endpoint_api_key"]["description"]


@pytest.mark.parametrize("model", MODELS)
def test_schema_is_json_without_what_json_cannot_hold(model):
    schema = json.loads(json.dumps(model.model_json_schema()))
    assert "custom_get_token_ids" not in schema["properties"]
    assert schema == model.model_json_schema(mode="validation")


def test_editors_show_the_same_text_for_an_argument_and_its_field():
    fields = attribute_texts(endpoint_fields, "EndpointFields")
    given = attribute_texts(arguments, "EndpointArguments")
    assert [name for name, text in given.items() if not text] == []
    moved = set(arguments.KWARG_FIELDS)  # their fields only say where they live
    assert {name: text for name, text in given.items() if name in fields and name not in moved} == {
        name: text for name, text in fields.items() if name in given and name not in moved
    }


@pytest.mark.parametrize("model", MODELS)
def test_completion_offers_the_arguments_of_a_constructor(model):
    completer = pytest.importorskip("IPython.core.completer")
    from IPython.core.interactiveshell import InteractiveShell

    made = completer.IPCompleter(shell=InteractiveShell(), namespace={"Model": model}, use_jedi=False)
    with completer.provisionalcompleter():
        matches = {match.text for match in made.completions("Model(endpoint_", 15)}
    assert {"endpoint_url=", "endpoint_api_key=", "endpoint_api_type="} <= matches


def test_subclass_in_a_notebook_needs_no_source():
    made = {}
    code = 'class Mine(Base):\n    colour: str = \'red\'\n    """A colour."""\n'
    exec(code, {"Base": AzureMLChatOnlineEndpoint, "__name__": "cell"}, made)
    model = made["Mine"](content_formatter=CustomOpenAIChatContentFormatter(), colour="blue")
    assert model.colour == "blue"
