"""The settings that an evaluation compares: configs by sweeps, each as often as it is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..compare.side_by_side import expand_sweep
from ..core.config import LLMConfig  # noqa: TC001 - get_type_hints() needs it
from ..core.errors import UsageError
from ..core.text import one_line

_MAX_LABEL = 80  # characters of one value
SINGLE_NAME = "config"


@dataclass(frozen=True)
class Setting(Mapping[str, Any]):
    """What a row's request is sent with. As a mapping it has the values that set it apart, by name.

    Attributes:
        index: Its place among the settings, from 0. Repeats of one setting have the same index.
        config: The config of its requests.
        differences: What sets it apart, such as `{"config": "small", "temperature": 0}`: what the mapping has.
        repeat: Which repeat of the setting it is, from 1.
        runnable: The LangChain Runnable that is called in place of the config; None for a config.

    Examples:
        >>> setting.label, setting["temperature"], setting.repeat
        ('config=small, temperature=0', 0, 1)
    """

    index: int
    config: LLMConfig
    differences: Mapping[str, Any] = field(hash=False)
    repeat: int = 1
    runnable: Any = field(default=None, repr=False, hash=False)

    def __getitem__(self, name: str) -> Any:
        return self.differences[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.differences)

    def __len__(self) -> int:
        return len(self.differences)

    @property
    def label(self) -> str:
        """The values on one line; with their names if there are several. Repeats have the same label."""
        if len(self.differences) == 1:
            return one_line(str(next(iter(self.values()))), _MAX_LABEL)
        return ", ".join(f"{name}={one_line(str(value), _MAX_LABEL)}" for name, value in self.items())


def expand_settings(
    configs: Sequence[LLMConfig], sweep: Mapping[str, Sequence[Any]] | None = None, runnables: Sequence[Any] = ()
) -> list[Setting]:
    """Return a setting for every config and every combination of the sweep's values, the last kwarg changing fastest.

    Args:
        configs: The configs; their names set them apart, and a number those that have none or the same.
        sweep: The values to try for each model kwarg.
        runnables: For each config the LangChain Runnable that it stands for, None for the config itself.

    Raises:
        UsageError: There is no config, a kwarg has no values, or a Runnable would be swept.
    """
    if not configs:
        raise UsageError("An evaluation needs at least one config")
    called = list(runnables) or [None] * len(configs)
    if sweep and any(each is not None for each in called):
        raise UsageError(
            "A sweep sets model kwargs of configs, and a LangChain object has its own",
            remedy="Make one object for each value, and compare them.",
        )
    names = _names(configs)
    pairs = [
        ({SINGLE_NAME: name, **swept}, changed, runnable)
        for name, config, runnable in zip(names, configs, called, strict=True)
        for swept, changed in expand_sweep(config, sweep or {})
    ]
    if sweep and len(configs) == 1:  # the config's name says nothing about what sets them apart
        pairs = [
            ({name: value for name, value in values.items() if name in sweep}, config, runnable)
            for values, config, runnable in pairs
        ]
    return [Setting(index, config, values, runnable=runnable) for index, (values, config, runnable) in enumerate(pairs)]


def _names(configs: Sequence[LLMConfig]) -> list[str]:
    """Return a name for each config: its own, and a number if it has none or an earlier one has it, too."""
    names: dict[str, None] = {}
    for number, config in enumerate(configs, start=1):
        name = config.name or config.deployment_name or config.model or f"config {number}"
        candidate, more = name, 2
        while candidate in names:
            candidate, more = f"{name} ({more})", more + 1
        names[candidate] = None
    return list(names)
