"""Tool calls: which functions a conversation requires, and the arguments for them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.canned_replies import find_entry
from azml_magics.emulator.json_schema_values import arguments
from azml_magics.emulator.openai_validation import invalid_input
from azml_magics.emulator.stop_words import STOP_WORDS, word_set

if TYPE_CHECKING:
    from azml_magics.emulator.generation import GenerationRequest

_EMPTY_WORDS = STOP_WORDS | word_set("get set tool tools fetch run call compute lookup look find args function")
_MIN_LETTERS = 3
"""Shorter words do not distinguish one tool from another."""

_ARGUMENTS = "prepared arguments"
"""The key of a function that is called with arguments of replies.json."""

_CHOICES = ("auto", "none", "required", "any")


def offer(functions: list[dict[str, Any]], request: GenerationRequest) -> GenerationRequest:
    """Return the request with the names of the functions that the model may call."""
    return replace(request, tools=tuple(function["name"] for function in functions)) if functions else request


def choose(
    functions: list[dict[str, Any]], choice: Any, request: GenerationRequest, *, parallel: bool
) -> list[dict[str, Any]]:
    """Return the functions to call now, [] for a response in text.

    Args:
        functions: The `function` objects of the body's tools.
        choice: The body's tool_choice.
        request: The prompt and its conversation.
        parallel: Whether several calls may be made at once.

    Raises:
        InvalidRequestError: `choice` is unknown or names a tool that does not exist.
    """
    if not functions or choice == "none":
        return []
    forced = _forced_name(choice)
    if forced:
        named = [function for function in functions if function["name"] == forced]
        if not named:
            raise invalid_input("value_error", ["tool_choice"], f"Tool {forced[:60]!r} is not among the tools", choice)
        return named[:1]
    if choice not in (None, *_CHOICES):
        raise invalid_input("literal_error", ["tool_choice"], "Input should be 'none', 'auto' or 'required'", choice)
    must = choice in ("required", "any")
    if prepared := _prepared_calls(functions, request):
        return prepared if parallel else prepared[:1]
    if request.tool_results:
        if not must:
            return []
        # an agent that gives its result by a call would never come to it if the first tool were called again and again
        returned = {name for name, _ in request.tool_results}
        functions = [function for function in functions if function["name"] not in returned] or functions
    requested = [function for function in functions if is_asked_for(function, request.prompt)]
    by_name = [function for function in requested if function["name"].lower() in request.prompt.lower()]
    # "magic_function_no_args" holds the name "magic_function": the longer name is the one that was meant.
    by_name = [f for f in by_name if not any(f["name"] in o["name"] and f is not o for o in by_name)]
    found = by_name or requested or (functions[:1] if must else [])
    return found if parallel else found[:1]


def _prepared_calls(functions: list[dict[str, Any]], request: GenerationRequest) -> list[dict[str, Any]]:
    """Return the functions of the next step that replies.json has for the prompt, with their arguments."""
    entry = find_entry(request)
    offered = {function["name"]: function for function in functions}
    done = len(request.tool_results)
    for step in entry.calls if entry else ():
        if done < len(step):
            return [{**offered[call["name"]], _ARGUMENTS: call.get("arguments", {})} for call in step[done:]]
        done -= len(step)
    return []


def _forced_name(choice: Any) -> str:
    if not isinstance(choice, dict):
        return ""
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        raise invalid_input("missing", ["tool_choice", "function", "name"], "Field required", choice)
    return name


def is_asked_for(function: dict[str, Any], prompt: str) -> bool:
    """Return whether the prompt has the tool's name, a distinctive word of it, or a required parameter with a value."""
    text = prompt.lower()
    if function["name"].lower() in text:
        return True
    spoken = {_stem(word) for word in re.findall(r"[^\W_]+", text)}
    distinctive = [w for w in _split_name(function["name"]) if w not in _EMPTY_WORDS and len(w) >= _MIN_LETTERS]
    if any(_stem(word) in spoken for word in distinctive):
        return True
    parameters = function.get("parameters") or {}
    required = parameters.get("required")
    names = [
        name
        for name in (required if isinstance(required, list) else [])
        if isinstance(name, str) and len(name) >= _MIN_LETTERS
    ]
    return any(re.search(rf"\b{re.escape(name.lower())}\s*[=:]", text) for name in names)


def _split_name(name: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ers", "er", "ors", "or", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_LETTERS:
            return word[: -len(ending)]
    return word


def call(function: dict[str, Any], request: GenerationRequest, position: int) -> dict[str, Any]:
    """Return one entry of `tool_calls`: id, type and the function with its arguments as JSON text."""
    prepared = function.get(_ARGUMENTS)
    words = _split_name(function["name"])
    filled = arguments(function.get("parameters") or {}, request.prompt, words) if prepared is None else prepared
    text = json.dumps(filled, ensure_ascii=False)
    seed = f"{function['name']}|{text}|{position}|{len(request.earlier)}"
    identity = hashlib.sha256(seed.encode(errors="replace")).hexdigest()[:24]
    return {"id": f"call_{identity}", "type": "function", "function": {"name": function["name"], "arguments": text}}
