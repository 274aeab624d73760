"""Which tools a conversation asks for, and the calls that answer it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.json_schema_values import arguments
from azml_magics.emulator.openai_validation import invalid_input
from azml_magics.emulator.stop_words import STOP_WORDS, word_set

if TYPE_CHECKING:
    from azml_magics.emulator.generation import GenerationRequest

_EMPTY_WORDS = STOP_WORDS | word_set("get set tool tools fetch run call compute lookup look find args function")
_TELLING = 3
"""The letters a word must have to tell one tool from another."""

_CHOICES = ("auto", "none", "required", "any")


def choose(
    functions: list[dict[str, Any]], choice: Any, ask: GenerationRequest, *, parallel: bool
) -> list[dict[str, Any]]:
    """The functions to call now, [] for an answer in text. `choice` is the body's tool_choice."""
    if not functions or choice == "none":
        return []
    forced = _forced(choice)
    if forced:
        named = [function for function in functions if function["name"] == forced]
        if not named:
            raise invalid_input("value_error", ["tool_choice"], f"Tool {forced[:60]!r} is not among the tools", choice)
        return named[:1]
    if choice not in (None, *_CHOICES):
        raise invalid_input("literal_error", ["tool_choice"], "Input should be 'none', 'auto' or 'required'", choice)
    must = choice in ("required", "any")
    if ask.tool_results and not must:
        return []
    asked = [function for function in functions if is_asked_for(function, ask.prompt)]
    by_name = [function for function in asked if function["name"].lower() in ask.prompt.lower()]
    # "magic_function_no_args" holds the name "magic_function": the longer name is the one that was meant.
    by_name = [f for f in by_name if not any(f["name"] in o["name"] and f is not o for o in by_name)]
    found = by_name or asked or (functions[:1] if must else [])
    return found if parallel else found[:1]


def _forced(choice: Any) -> str:
    if not isinstance(choice, dict):
        return ""
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        raise invalid_input("missing", ["tool_choice", "function", "name"], "Field required", choice)
    return name


def is_asked_for(function: dict[str, Any], prompt: str) -> bool:
    """Whether the prompt holds the tool's name, a telling word of it, or a required parameter with a value."""
    text = prompt.lower()
    if function["name"].lower() in text:
        return True
    spoken = {_stem(word) for word in re.findall(r"[^\W_]+", text)}
    telling = [w for w in _split_name(function["name"]) if w not in _EMPTY_WORDS and len(w) >= _TELLING]
    if any(_stem(word) in spoken for word in telling):
        return True
    parameters = function.get("parameters") or {}
    required = parameters.get("required")
    names = [
        name
        for name in (required if isinstance(required, list) else [])
        if isinstance(name, str) and len(name) >= _TELLING
    ]
    return any(re.search(rf"\b{re.escape(name.lower())}\s*[=:]", text) for name in names)


def _split_name(name: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ers", "er", "ors", "or", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _TELLING:
            return word[: -len(ending)]
    return word


def call(function: dict[str, Any], ask: GenerationRequest, position: int) -> dict[str, Any]:
    """One entry of `tool_calls`: id, type and the function with its arguments as JSON text."""
    filled = arguments(function.get("parameters") or {}, ask.prompt)
    text = json.dumps(filled, ensure_ascii=False)
    seed = f"{function['name']}|{text}|{position}|{len(ask.earlier)}"
    identity = hashlib.sha256(seed.encode(errors="replace")).hexdigest()[:24]
    return {"id": f"call_{identity}", "type": "function", "function": {"name": function["name"], "arguments": text}}
