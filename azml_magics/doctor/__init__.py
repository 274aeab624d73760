"""What a bug report needs to know of an environment, without a secret in it: `azml-magics doctor`, `%azureml doctor`.

It runs with the base installation alone, writes nothing, and sends nothing.
"""

from __future__ import annotations

from .examination import examine
from .report import Fact, Report, Section

__all__ = ["Fact", "Report", "Section", "examine"]
