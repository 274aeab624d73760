"""ToolStep: one tool call that was made on the way to a response."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ToolStep:
    """A tool call of a model, and what came of it.

    Attributes:
        name: the tool's name.
        arguments: its arguments as the model wrote them: JSON text.
        result: what the model got back, as text; None as long as there is no result.
        is_error: whether the result says why the call failed or was refused.
        id: the call's id.
        said: what the model said before the call; "" for all but the first call of a message.
    """

    name: str
    arguments: str = ""
    result: str | None = None
    is_error: bool = False
    id: str = ""
    said: str = ""


def with_step(steps: tuple[ToolStep, ...], step: ToolStep) -> tuple[ToolStep, ...]:
    """Return the steps with one more, or with the one of the same id and name replaced if it has no result yet."""
    for position, known in enumerate(steps):
        if known.result is None and (known.id, known.name) == (step.id, step.name):
            return (*steps[:position], step, *steps[position + 1 :])
    return (*steps, step)
