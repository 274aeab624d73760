"""Answers side by side in a real kernel: the table fills, and an interrupt of ten keeps all that had arrived."""

from __future__ import annotations

import time

from azml_magics.emulator import Fault

from .test_streaming import MIME as _MIME  # noqa: F401 - placeholder
