"""A list beside the answer."""

from promptflow.core import tool


@tool
def sources(question: str) -> list:
    return [f"{question}.pdf", "handbook.pdf"]
