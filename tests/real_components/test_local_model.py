"""What `%azureml demo --model` starts: llama.cpp's server of xllamacpp with SmolLM2's weights (140 MB to install)."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component

RUN = """
import os
import azml_magics
from azml_magics.core.errors import ConfigError
from azml_magics.local_model import LocalModel, find_missing_packages, find_weights

weights = find_weights()
out = {"missing": find_missing_packages(), "name": weights.name, "size": weights.size}
with LocalModel(weights) as model:
    os.environ["AZML_LOCAL_KEY"] = model.key
    config = azml_magics.LLMConfig(
        endpoint_url=model.url, key="env:AZML_LOCAL_KEY", model_kwargs={"max_tokens": 40, "temperature": 0, "seed": 7}
    )
    response = azml_magics.invoke(config, "What is a lighthouse for? Answer in one sentence.")
    out |= {"text": response.text, "model": response.model, "tokens": response.usage.completion_tokens}
    out["chunks"] = len([chunk for chunk in azml_magics.stream(config, "Say hello.") if chunk.text])
    os.environ["AZML_LOCAL_KEY"] = "another"
    try:
        azml_magics.invoke(config, "Hello")
    except azml_magics.errors.AuthenticationError as error:
        out["refused"] = type(error).__name__
with open("half.gguf", "wb") as half, weights.path.open("rb") as whole:
    half.write(whole.read(40_000_000))
try:
    LocalModel(find_weights("half.gguf")).start()
except ConfigError as error:
    out["broken"] = str(error)
"""


def test_small_model_answers_and_streams(run_tool):
    out = run_tool("local-model", RUN)
    assert out["missing"] == []
    assert (out["name"], out["size"]) == ("SmolLM2-135M-Instruct", "94 MiB")
    assert "lighthouse" in out["text"].lower()
    assert out["model"] == "SmolLM2-135M-Instruct"
    assert out["tokens"] > 5
    assert out["chunks"] > 1
    assert out["refused"] == "AuthenticationError"
    assert out["broken"].startswith("llama.cpp cannot load half.gguf: tensor ")
    assert out["broken"].endswith("Download it again, or give the path of another one.")
