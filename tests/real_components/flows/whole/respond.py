"""Answers in one piece."""

from promptflow.core import tool


@tool
def respond(question: str, turns: list) -> str:
    before = turns[-1]["outputs"]["answer"] if turns else "nothing"
    return f"You asked {question!r} after {before!r}."
