"""Makes the report of this environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .files import find_files
from .jupyter import examine_jupyter
from .keys import find_keys
from .network import examine_network
from .report import Report, Section
from .versions import find_packages, find_platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azml_magics.core.config import LLMConfig


def examine(configs: Iterable[LLMConfig] = ()) -> Report:
    """Return a report of this environment. Nothing is sent or written, and no key is fetched.

    Args:
        configs: Configs of a session, whose key sources are named in it.
    """
    examined = {
        "Platform": find_platform(),
        "Packages": find_packages(),
        "Jupyter": examine_jupyter(),
        "Network": examine_network(),
        "Keys": find_keys(configs),
        "Files": find_files(),
    }
    return Report(tuple(Section(title, tuple(facts)) for title, facts in examined.items()))
