"""POST /score: a body's shape selects the wire format, and the response has the bytes of the matching container."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import chat_messages, tokens
from azml_magics.emulator.embeddings import SCORE_DIMENSIONS, vector_of
from azml_magics.emulator.fault_responses import SCRIPT_FAILED
from azml_magics.emulator.fms_score import fms_chat
from azml_magics.emulator.generation import GenerationRequest, read_lenient_settings
from azml_magics.emulator.http_response import HttpResponse, model_error
from azml_magics.emulator.openai_families import count_usage
from azml_magics.emulator.promptflow_route import FLOWS, run_flow
from azml_magics.emulator.responder import generate
from azml_magics.emulator.routed_request import NotJSONError, load_json
from azml_magics.emulator.score_bodies import ScoreBody, parse_score_body

if TYPE_CHECKING:
    from azml_magics.emulator.routed_request import RoutedRequest

MAX_PROMPTS = 1000
_TASKS = {"bart": "summary", "t5": "translation"}
_TASK_KEYS = {"summary": "summary_text", "translation": "translation_text", "text": "generated_text"}

_ACCEPTED_SHAPES = {
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
    "chat": {"messages"},
    "completion": {"strings-inside", "strings", "list"},
    "fms": {"messages", "strings-inside", "strings"},
    "fms-reasoning": {"messages"},
    "embeddings": {"list", "string"},
}


def score(routed: RoutedRequest) -> HttpResponse:
    """Return the deployment's response to /score; what its container refuses is returned as Azure's 424."""
    response = _score(routed)
    return response if response.status == HTTPStatus.OK else model_error(response)


def _score(routed: RoutedRequest) -> HttpResponse:
    data = _read_object(routed)
    if isinstance(data, HttpResponse):
        return data
    name = routed.deployment.name
    flow = FLOWS.get(name, FLOWS["promptflow"])
    if name in ("blue", *FLOWS) and isinstance(data.get(flow.question), str):
        return run_flow(routed, data, flow)
    body = parse_score_body(data)
    if body is None or (name != "blue" and body.shape not in _ACCEPTED_SHAPES.get(name, ())):
        return _refuse(name, data)
    if len(body.prompts) > MAX_PROMPTS:
        return HttpResponse.flask({"message": SCRIPT_FAILED}, 500)
    if name == "embeddings":
        return HttpResponse.flask([vector_of(prompt, SCORE_DIMENSIONS) for prompt in body.prompts])
    if body.shape != "messages":
        return _texts(name, body)
    return fms_chat(routed, body) if name in ("fms", "fms-reasoning") else _chat(name, body)


def _read_object(routed: RoutedRequest) -> dict[str, Any] | HttpResponse:
    """Return the body as a dictionary, or the refusal of azureml-inference-server-http."""
    if not routed.has_json_content_type():
        return HttpResponse.flask({"message": "Expects Content-Type to be application/json"}, 415)
    if not routed.request.body:
        return HttpResponse.flask({"message": "POST body is empty. Expecting a JSON dictionary."}, 400)
    try:
        data = load_json(routed.request.body)
    except NotJSONError as error:
        return HttpResponse.flask({"message": f"POST body could not be decoded as JSON: {error}"}, 400)
    if not isinstance(data, dict):
        return HttpResponse.flask({"message": "POST body should be a JSON dictionary."}, 400)
    return data


def _refuse(name: str, data: dict[str, Any]) -> HttpResponse:
    """Return the container's response to a body of another wire format, in its server's words."""
    if name.startswith("fms"):
        return HttpResponse.fastapi({})
    if name in FLOWS:
        message = f"Required input(s) ['{FLOWS[name].question}'] are missing."
        return HttpResponse.flask({"error": {"code": "UserError", "message": message}}, 400)
    wanted = "inputs" if name in ("gpt2-2023-06", "hf") else "input_data"
    if wanted not in data:
        return HttpResponse.flask({"message": f"A value is not provided for the '{wanted}' parameter."}, 400)
    return HttpResponse.flask({"message": SCRIPT_FAILED}, 500)


def _texts(name: str, body: ScoreBody) -> HttpResponse:
    """Return the response to prompts, in the shape that goes with the body's."""
    settings = read_lenient_settings(body.parameters)
    task = _TASKS.get(name, "text")
    results = [
        generate(GenerationRequest(prompt, task=task, settings=settings, first_variant=_first_variant(name)))
        for prompt in body.prompts
    ]
    echo = task == "text" and _repeats_prompt(name, body.shape, settings.return_full_text)
    texts = [
        f"{prompt} {result.text}" if echo else result.text for prompt, result in zip(body.prompts, results, strict=True)
    ]
    if name == "fms":
        return _fms_text(body, texts, results)
    total = sum(len(result.tokens) for result in results)
    return HttpResponse.flask(_arrange(body.shape, texts, task, name), tokens=total)


def _first_variant(name: str) -> int:
    """Return the first prepared reply of a deployment: one that is pinned starts with the second."""
    return 0 if name == "blue" else 1


def _repeats_prompt(name: str, shape: str, return_full_text: bool | None) -> bool:
    """Return whether the generated text follows the prompt, as it does on first-generation deployments."""
    if return_full_text is not None:
        return return_full_text
    if name == "dolly":
        return False
    return (
        shape in ("inputs-object", "list", "string", "split", "records")
        or (shape == "strings" and name in ("blue", "mlflow"))
        or name == "gpt2-2023-11"
    )


def _arrange(shape: str, texts: list[str], task: str, name: str) -> Any:
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


def _chat(name: str, body: ScoreBody) -> HttpResponse:
    request = chat_messages.to_generation_request(body.prompts, read_lenient_settings(body.parameters))
    result = generate(replace(request, first_variant=_first_variant(name)))
    return HttpResponse.fastapi({"output": result.text}, tokens=len(result.tokens))


def _fms_text(body: ScoreBody, texts: list[str], results: list[tokens.LimitedText]) -> HttpResponse:
    usage = count_usage(sum(map(tokens.count, body.prompts)), sum(len(result.tokens) for result in results))
    finish = results[0].finish_reason if results else "stop"
    data = {"output": texts, "finish_reason": finish, "usage": usage}
    return HttpResponse.fastapi(data, tokens=usage["completion_tokens"])
