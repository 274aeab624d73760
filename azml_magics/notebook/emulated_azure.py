"""The emulated Azure of a kernel, and what it replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.emulator.control_plane import ControlPlane


@dataclass(frozen=True)
class EmulatedAzure:
    """The emulated Azure of a kernel.

    Attributes:
        control_plane: Its server.
        variables_before: The environment variables that it replaced; None for those that were not set.
    """

    control_plane: ControlPlane
    variables_before: Mapping[str, str | None]
