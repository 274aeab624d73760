"""The stand-in for xllamacpp as fixtures."""

from __future__ import annotations

from .stand_in import gguf, xllamacpp

__all__ = ["gguf", "xllamacpp"]
