"""A text beside the answer."""

from promptflow.core import tool


@tool
def context(question: str) -> str:
    return f"CONTEXT of {question}"
