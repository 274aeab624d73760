"""POST /score: the dialect of a body by its shape, and the reply in the bytes of the container that speaks it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import conversation, promptflow, tokens
from azml_magics.emulator.asking import Ask, lenient_settings
from azml_magics.emulator.exchange import NotJSONError, load_json
from azml_magics.emulator.failures import SCRIPT_FAILED
from azml_magics.emulator.openai import stamp, usage
from azml_magics.emulator.reply import Reply, model_error
from azml_magics.emulator.shapes import Body, understand
from azml_magics.emulator.words import answer

if TYPE_CHECKING:
    from azml_magics.emulator.exchange import Exchange

MOST_PROMPTS = 1000
_TASKS = {"bart": "summary", "t5": "translation"}
_TASK_KEYS = {"summary": "summary_text", "translation": "translation_text", "text": "generated_text"}

_SPEAKS = {
    "gpt2": {"list", "string"},
    "gpt2-2023-11": {"strings", "strings-beside"},  # the server hands run() what it declares, and drops the rest
    "gpt2-2023-06": {"inputs-object"},
    "dolly": {"strings-beside", "strings", "list"},
    "hf": {"hf-list", "hf-string"},
    "text": {"strings-inside", "strings", "list"},
    "llama2": {"messages"},
    "mlflow": {"list", "string", "split", "records", "strings-inside", "strings"},
    "bart": {"list", "string", "hf-list", "hf-string", "inputs-object"},
    "t5": {"list", "string", "hf-list", "hf-string", "inputs-object"},
    "promptflow": {"flow"},
    "chat": {"messages"},
    "completion": {"strings-inside", "strings", "list"},
    "fms": {"messages", "strings-inside", "strings"},
}


def score(exchange: Exchange) -> Reply:
    """The reply of the deployment to /score; what its container refuses comes as Azure's 424."""
    reply = _score(exchange)
    return reply if reply.status == HTTPStatus.OK else model_error(reply)


def _score(exchange: Exchange) -> Reply:
    data = _dictionary(exchange)
    if isinstance(data, Reply):
        return data
    body = understand(data)
    name = exchange.deployment.name
    if body is None or (name != "blue" and body.shape not in _SPEAKS.get(name, ())):
        return _refusal(name, data)
    if len(body.prompts) > MOST_PROMPTS:
        return Reply.flask({"message": SCRIPT_FAILED}, 500)
    if body.shape == "flow":
        return promptflow.flow(exchange, data)
    return _chat(exchange, body) if body.shape == "messages" else _texts(name, body)


def _dictionary(exchange: Exchange) -> dict[str, Any] | Reply:
    """The body as a dictionary, or what azureml-inference-server-http says to one that is none."""
    if not exchange.says_json():
        return Reply.flask({"message": "Expects Content-Type to be application/json"}, 415)
    if not exchange.request.body:
        return Reply.flask({"message": "POST body is empty. Expecting a JSON dictionary."}, 400)
    try:
        data = load_json(exchange.request.body)
    except NotJSONError as error:
        return Reply.flask({"message": f"POST body could not be decoded as JSON: {error}"}, 400)
    if not isinstance(data, dict):
        return Reply.flask({"message": "POST body should be a JSON dictionary."}, 400)
    return data


def _refusal(name: str, data: dict[str, Any]) -> Reply:
    """What the container says to a body of another dialect: its server's own words."""
    if name == "fms":
        return Reply.fastapi({})
    if name == "promptflow":
        return Reply.flask(
            {"error": {"code": "UserError", "message": "Required input(s) ['question'] are missing."}}, 400
        )
    wanted = "inputs" if name in ("gpt2-2023-06", "hf") else "input_data"
    if wanted not in data:
        return Reply.flask({"message": f"A value is not provided for the '{wanted}' parameter."}, 400)
    return Reply.flask({"message": SCRIPT_FAILED}, 500)


def _texts(name: str, body: Body) -> Reply:
    """The reply to prompts: each answered, written in the shape that goes with the body's."""
    settings = lenient_settings(body.parameters)
    task = _TASKS.get(name, "text")
    echoing = (
        body.shape in ("inputs-object", "list", "string", "split", "records")
        or (body.shape == "strings" and name in ("blue", "mlflow"))
        or name == "gpt2-2023-11"
    )
    echo = task == "text" and (
        settings.return_full_text if settings.return_full_text is not None else echoing and name != "dolly"
    )
    said = [answer(Ask(prompt, task=task, settings=settings)) for prompt in body.prompts]
    texts = [
        f"{prompt} {ending.text}" if echo else ending.text for prompt, ending in zip(body.prompts, said, strict=True)
    ]
    total = sum(len(ending.tokens) for ending in said)
    if name == "fms":
        return _fms_text(body, texts, said)
    return Reply.flask(_written(body.shape, texts, task, name), tokens=total)


def _written(shape: str, texts: list[str], task: str, name: str) -> Any:
    key = _TASK_KEYS[task]
    if shape == "hf-string":
        return [{key: texts[0]}]
    if shape == "hf-list":
        return [{key: text} for text in texts] if task != "text" else [{"0": {key: text}} for text in texts]
    if shape in ("list", "string"):
        return texts
    if shape == "strings-inside" and name != "mlflow":
        return [{str(at): text for at, text in enumerate(texts)}]
    if shape == "strings" and name in ("text", "completion"):
        return [{str(at): text for at, text in enumerate(texts)}]
    return [{"0": text} for text in texts]


def _chat(exchange: Exchange, body: Body) -> Reply:
    settings = lenient_settings(body.parameters)
    ending = answer(conversation.to_ask(body.prompts, settings))
    if exchange.deployment.name != "fms":
        return Reply.fastapi({"output": ending.text}, tokens=len(ending.tokens))
    mark = stamp(exchange, {}, "chatcmpl")
    counted = usage(conversation.prompt_tokens(body.prompts), len(ending.tokens))
    message = {"role": "assistant", "content": ending.text}
    data = {
        "output": ending.text,
        "message": message,
        "finish_reason": ending.finish_reason,
        "usage": counted,
        "model": mark.model,
        "id": mark.id,
    }
    return Reply.fastapi(data, tokens=len(ending.tokens))


def _fms_text(body: Body, texts: list[str], said: list[tokens.Ending]) -> Reply:
    counted = usage(sum(map(tokens.count, body.prompts)), sum(len(ending.tokens) for ending in said))
    finish = said[0].finish_reason if said else "stop"
    return Reply.fastapi(
        {"output": texts, "finish_reason": finish, "usage": counted}, tokens=counted["completion_tokens"]
    )
