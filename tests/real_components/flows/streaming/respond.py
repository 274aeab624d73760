"""Answers word by word."""

from collections.abc import Iterator

from promptflow.core import tool


@tool
def respond(question: str, turns: list) -> Iterator[str]:
    before = turns[-1]["outputs"]["answer"] if turns else "nothing"
    yield from f"You asked {question!r} after {before!r}.".replace(" ", " |").split("|")
