"""What a program sees with langchain-community and with azml_magics.langchain, each run against the same server.

`python -m tests.langchain.differences` writes the tables into the migration page; test_differences.py holds them.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import pickle
import re
import tempfile
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azml_magics import langchain

from ..core.server import Server, reply

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "migrate-from-langchain-community.md"
KEY = "key-0123456789abcdef"
ENDPOINT = "https://name.region.inference.ml.azure.com"
SCORE = [{"0": "ok"}]  # the text class; the chat class: {"output": "ok"}
_MOST_CHARACTERS = 150


def _community(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of itself while it is imported
        return importlib.import_module(f"langchain_community.{name}")


@dataclass
class Side:
    """One of the two packages, and the server that it calls.

    Attributes:
        text: The module with the text class and its formatters.
        chat: The module with the chat class and its formatters.
        server: The server.
    """

    text: Any
    chat: Any
    server: Server = field(default_factory=Server)

    def llm(self, path: str = "/score", **fields: Any) -> Any:
        """The text class, on the server."""
        return self._make(self.text, "AzureMLOnlineEndpoint", "CustomOpenAIContentFormatter", path, fields)

    def chat_model(self, path: str = "/score", **fields: Any) -> Any:
        """The chat class, on the server."""
        return self._make(self.chat, "AzureMLChatOnlineEndpoint", "CustomOpenAIChatContentFormatter", path, fields)

    def _make(self, module: Any, name: str, formatter: str, path: str, fields: dict[str, Any]) -> Any:
        defaults: dict[str, Any] = {"endpoint_url": self.server.url + path, "endpoint_api_key": KEY}
        if path in {"/completions", "/models/chat/completions"}:
            defaults["endpoint_api_type"] = "serverless"
        defaults["content_formatter"] = getattr(module, formatter)()
        return getattr(module, name)(**{**defaults, **fields})

    @property
    def bodies(self) -> list[Any]:
        """The bodies of the requests that came."""
        return [request.json for request in self.server.received]


# ---- what a program does ---------------------------------------------------------------------------------------


def _own_enum(side: Side) -> str:
    side.llm(endpoint_api_type=side.text.AzureMLEndpointApiType.dedicated)
    return "accepted"


def _url(path: str, api_type: str) -> Any:
    def construct(side: Side) -> str:
        side.chat_model(endpoint_url=f"{ENDPOINT}{path}", endpoint_api_type=api_type)
        return "accepted"

    return construct


def _quotes(side: Side) -> str:
    side.llm().invoke('say "hi"')
    return f"sends `{side.bodies[0]['input_data']['input_string'][0]}`"


def _sticky(kwarg: str, value: Any) -> Any:
    def call_twice(side: Side) -> str:
        llm = side.llm(model_kwargs={"max_tokens": 9})
        llm.invoke("Hi", **{kwarg: value})
        llm.invoke("Hi")
        return "later calls have it, too" if kwarg in json.dumps(side.bodies[1]) else "later calls do not have it"

    return call_twice


def _documented_formatter(side: Side) -> str:
    class Documented(side.text.ContentFormatterBase):  # type: ignore[name-defined, misc]  # of either package
        def format_request_payload(self, prompt: str, model_kwargs: Any) -> bytes:
            return json.dumps({"inputs": prompt}).encode()

        def format_response_payload(self, output: bytes) -> str:
            return str(json.loads(output)[0]["0"])

    return f"returns `{side.llm(content_formatter=Documented()).invoke('Hi')}`"


def _failing_formatter(side: Side) -> str:
    class Failing(side.text.CustomOpenAIContentFormatter):  # type: ignore[name-defined, misc]  # either package's
        def format_request_payload(self, prompt: str, model_kwargs: Any, api_type: Any) -> bytes:
            raise KeyError("prompt")

    return str(side.llm(content_formatter=Failing()).invoke("Hi"))


def _dolly(side: Side) -> str:
    return f"returns `{side.llm(content_formatter=side.text.DollyContentFormatter()).invoke('Hi')}`"


def _no_key(side: Side) -> str:
    side.llm(endpoint_api_key=None)
    return "constructed; a call says what is missing"


def _saved_without_key(side: Side) -> str:
    with tempfile.TemporaryDirectory() as folder:
        side.llm(endpoint_api_key=None).save(f"{folder}/llm.json")
    return "saved"


def _pickled(side: Side) -> str:
    return "the key is in it" if KEY.encode() in pickle.dumps(side.llm()) else "without the key"


def _wrong_argument(side: Side) -> str:
    try:
        side.llm(timeout="soon", model_kwargs={"note": "private"})
    except ValueError as error:
        shows = ", with your other arguments" if "private" in str(error) else ""
        return f"`{type(error).__name__}` in {_lines(error)}{shows}"
    return "accepted"


def _lines(error: Exception) -> str:
    count = len(str(error).splitlines())
    return "one line" if count == 1 else f"{count} lines"


def _unknown_argument(side: Side) -> str:
    side.llm(temperatur=0)
    return "ignored"


def _batch(side: Side) -> str:
    lock, second, numbers = threading.Lock(), threading.Event(), itertools.count(1)
    came_together = False

    def respond(connection: Any, _request: Any) -> bool:
        nonlocal came_together
        with lock:
            number = next(numbers)
        if number == 1:
            came_together = second.wait(5)  # the others come at once, or never while this one waits
        second.set()
        connection.sendall(reply(SCORE))
        return True

    side.server.respond_with(respond)
    side.llm().batch(["a", "b", "c", "d"])
    return "several requests at a time" if came_together else "one request after another"


def _retries(side: Side) -> str:
    side.server.respond_with(reply({"error": "slow down"}, 429, retry_after="0"))
    with contextlib.suppress(OSError):
        side.llm(max_retries=3).invoke("Hi")
    count = len(side.server.received)
    return f"{count} request{'s' * (count > 1)}"


def _refusal(status: int, body: Any, **headers: str) -> Any:
    def call(side: Side) -> str:
        side.server.respond_with(reply(body, status, **headers))
        return str(side.llm(max_retries=0).invoke("Hi"))

    return call


def _redirect(side: Side) -> str:
    moved = reply("", 302, location=f"{side.server.url}/elsewhere")
    side.server.respond_with(moved, reply(SCORE))
    try:
        side.llm(max_retries=0).invoke("Hi")
    except OSError as error:
        if "302" in str(error) or len(side.server.received) == 1:
            return "refused: the key would go to another address"
    except ValueError:
        pass
    went = [request.target for request in side.server.received]
    has_key = KEY in json.dumps(side.server.received[-1].headers)
    return f"followed to `{went[-1]}`{', with the key' if has_key else ''}"


def _text_stream(side: Side) -> str:
    is_read = threading.Event()

    def respond(connection: Any, request: Any) -> bool:
        if not request.json.get("stream"):
            connection.sendall(
                reply({"choices": [{"text": "Hello there again", "finish_reason": "stop", "logprobs": None}]})
            )
            return True
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for text, reason in (("Hello there", None), (" again", "stop")):
            event = {"choices": [{"index": 0, "text": text, "finish_reason": reason}]}
            connection.sendall(f"data: {json.dumps(event)}\n\n".encode())
            is_read.wait(30)  # else both may come as one
        connection.sendall(b"data: [DONE]\n\n")
        return False

    side.server.respond_with(respond)
    pieces = []
    for piece in filter(None, side.llm("/completions").stream("Hi")):
        pieces.append(piece)
        is_read.set()
    return "the whole response at once" if len(pieces) == 1 else "piece by piece"


def _chat_stream(side: Side) -> str:
    events = "".join(
        f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': reason}]})}\n\n"
        for delta, reason in (({"role": "assistant", "content": "a"}, None), ({}, "stop"))
    )
    side.server.respond_with(reply(f"{events}data: [DONE]\n\n", kind="text/event-stream"))
    model = side.chat_model("/models/chat/completions")
    before = model.endpoint_url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        list(model.stream("Hi"))
    changed = model.endpoint_url.removeprefix(side.server.url) or "/"
    return "as before" if model.endpoint_url == before else f"changed to `{changed}` for all later calls"


def _api_version(side: Side) -> str:
    choice = {"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop", "logprobs": None}
    side.server.respond_with(reply({"choices": [choice]}))
    side.chat_model("/models/chat/completions").invoke("Hi")
    query = side.server.received[0].target.partition("?")[2]
    return "added" if "api-version" in query else "not added"


BEHAVIOUR = {
    "`endpoint_api_type` is a member of its own enum, `AzureMLEndpointApiType`": _own_enum,
    "a URL that ends in `/v1/chat/completions`": _url("/v1/chat/completions", "serverless"),
    "a URL of a Kubernetes endpoint, `/api/v1/endpoint/NAME/score`": _url("/api/v1/endpoint/name/score", "dedicated"),
    'the prompt `say "hi"` to the text class': _quotes,
    '`llm.invoke("Hi", temperature=0.1)` with `model_kwargs` set, then another call': _sticky("temperature", 0.1),
    'the same with `stop=["x"]`': _sticky("stop", ["x"]),
    "the formatter of the original's documentation page": _documented_formatter,
    "a formatter that raises `KeyError`": _failing_formatter,
    '`DollyContentFormatter`, and the documented response `[{"0": "ok"}]`': _dolly,
    "construct without a key": _no_key,
    "`save()` without a key": _saved_without_key,
    "pickle a model": _pickled,
    '`timeout="soon"`': _wrong_argument,
    "an unknown argument, `temperatur=0`": _unknown_argument,
    "`batch` of four prompts": _batch,
    "`max_retries=3`, and the endpoint says 429": _retries,
    "stream with the text class": _text_stream,
    "`endpoint_url` after a stream with the chat class": _chat_stream,
    "`api-version` on `/models/chat/completions`": _api_version,
    "the endpoint redirects": _redirect,
}
FAILURES = {
    "401": _refusal(401, {"error": {"message": "Access denied"}}),
    "404": _refusal(404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}),
    "424 around a container's 400": _refusal(
        424, {"message": "unknown parameter"}, ms_azureml_model_error_statuscode="400"
    ),
    "429": _refusal(429, {"error": {"message": "slow down"}}),
    "503": _refusal(503, {"error": {"message": "no healthy upstream"}}),
    "200 with `{}`, as from a content filter": _refusal(200, {}),
    "200 with a page of HTML": _refusal(200, "<html>Sign in</html>"),
}


# ---- tables ----------------------------------------------------------------------------------------------------


def observe(act: Any, *, with_message: bool = False) -> tuple[str, str]:
    """Run `act` with each package, against a server of its own, and return what came of it, as Markdown."""
    seen = []
    sides = ((_community("llms.azureml_endpoint"), _community("chat_models.azureml_endpoint")), (langchain, langchain))
    for text, chat in sides:
        side = Side(text, chat)
        side.server.respond_with(reply(SCORE))
        try:
            seen.append(act(side))
        except Exception as error:
            seen.append(_shown(error, side.server.url, with_message=with_message))
        finally:
            side.server.stop()
    return seen[0], seen[1]


def _shown(error: Exception, url: str, *, with_message: bool) -> str:
    """The error's class, and what it says if it is one line."""
    name = f"`{type(error).__name__}`"
    message = str(getattr(error, "cause", "") or error)
    if "\n" in message or not (with_message or hasattr(error, "cause")):
        return name
    message = re.sub(
        r":? Whatever|\s+",
        lambda found: "" if "W" in found[0] else " ",
        message.replace(url, "URL").replace(url.removeprefix("http://"), "HOST"),
    )
    shortened = message if len(message) <= _MOST_CHARACTERS else f"{message[:_MOST_CHARACTERS].rstrip()}…"
    return f"{name}: {shortened}"


def arguments() -> list[tuple[str, str, str]]:
    """Every argument of the constructors (that LangChain's own base class does not have), with both defaults."""
    theirs = _fields(_community("llms.azureml_endpoint"), _community("chat_models.azureml_endpoint"))
    ours = _fields(langchain, langchain)
    return [
        (f"`{name}`", theirs.get(name, "no such argument"), ours.get(name, "no such argument"))
        for name in {**theirs, **ours}
    ]


def _fields(text: Any, chat: Any) -> dict[str, str]:
    from langchain_core.language_models.chat_models import BaseChatModel

    found: dict[str, str] = {}
    for model in (text.AzureMLOnlineEndpoint, chat.AzureMLChatOnlineEndpoint):
        for name, info in model.model_fields.items():
            if name not in BaseChatModel.model_fields:
                found.setdefault(name, _default(name, info))
    return found


def _default(name: str, info: Any) -> str:
    value = info.get_default(call_default_factory=True) if name != "http_client" else None
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    return f"`{getattr(value, 'value', value)!r}`"


def classes() -> list[tuple[str, str, str]]:
    """Every class of the original's two modules, with the module that it is imported from on each side."""
    rows = []
    for name in ("llms.azureml_endpoint", "chat_models.azureml_endpoint"):
        module = _community(name)
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                ours = getattr(langchain, kind.__name__, None)
                shown = "missing" if ours is None else _successor(ours) or "the same name"
                rows.append((f"`{kind.__name__}`", f"`langchain_community.{name}`", shown))
    return rows


def _successor(kind: Any) -> str:
    """What a deprecated class says to use in its place; "" for others."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(Exception):
            kind()
    named = [re.search(r"use (\w+)", str(each.message)) for each in caught if each.category is DeprecationWarning]
    return next((f"`{found[1]}`; the old name works and warns" for found in named if found), "")


def tables() -> dict[str, str]:
    """Return the page's generated tables by the names of their markers."""
    behaviour = [(does, *observe(act)) for does, act in BEHAVIOUR.items()]
    failures = [(does, *observe(act, with_message=True)) for does, act in FAILURES.items()]
    head = ("langchain-community", "azml-magics")
    return {
        "classes": _table(("class", "imported from", "in `azml_magics.langchain`"), classes()),
        "arguments": _table(("argument", *(f"default in {name}" for name in head)), arguments()),
        "behaviour": _table(("you do", *head), behaviour),
        "failures": _table(("the endpoint answers", *head), failures),
    }


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def refreshed(page: str) -> str:
    """Return the page with fresh tables between their markers."""
    for name, table in tables().items():
        pattern = rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)"
        page = re.sub(pattern, lambda found, table=table: f"{found[1]}{table}{found[2]}", page, flags=re.DOTALL)  # type: ignore[misc]  # bound early
    return page


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
