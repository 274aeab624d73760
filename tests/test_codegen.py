"""A call as a program: it runs, sends the same request as the call, and contains no key."""

from __future__ import annotations

import ast
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
import types
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import register_formatter
from azml_magics.codegen import LANGUAGES, write_program
from azml_magics.codegen.python_program import LANGCHAIN_FORMATTERS
from azml_magics.core import wire
from azml_magics.core.client import invoke, prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, PromptError, UnknownNameError
from azml_magics.core.keys import KeyRef
from azml_magics.core.messages import as_messages
from azml_magics.core.secret import Secret
from azml_magics.core.text import escape_controls
from azml_magics.pytest_plugin import KEY

NAME = "AZUREML_ENDPOINT_API_KEY"
HARD = "He said \"it's\" 'so' \\ \\n {x} {{y}} $HOME `ls` !! %d\n\tA line — 서울 🎈 \u2028 \x01 \x7f\n"
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = [{"type": "text", "text": "What's this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
TURNS = [
    {"role": "user", "content": "My name is Ada."},
    {"role": "assistant", "content": 'Hello "Ada", it\'s nice'},
    {"role": "user", "content": HARD},
]
TOOL_TURNS = [
    {"role": "user", "content": "What is the weather in Oslo?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "Rain, it's said"},
]
CLAUDE = "claude-sonnet-4-6"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]
KWARGS = {"temperature": 0.5, "stop": ['"it\'s"\n', "é\\"], "seed": None, "logprobs": True, "user": "$(id) `x`"}


def user(content):
    return [{"role": "user", "content": content}]


# (config fields, route, messages); the deployments have the formatters' names on the embedded endpoint
CALLS = {
    "chat": ({}, "/v1/chat/completions", user("Hello")),
    "chat, hard prompt": ({}, "/v1/chat/completions", user(HARD)),
    "chat, kwargs": ({"model_kwargs": KWARGS}, "/v1/chat/completions", user("Hello")),
    "chat, system": ({"system": HARD}, "/v1/chat/completions", user("Hello")),
    "chat, conversation": ({"system": "Be brief."}, "/v1/chat/completions", TURNS),
    "chat, picture": ({}, "/v1/chat/completions", user(PICTURE)),
    "chat, large picture": (
        {},
        "/v1/chat/completions",
        user([{**PICTURE[1], "image_url": {"url": PIXEL + "A" * 200_000}}]),
    ),
    "chat, tools": ({}, "/v1/chat/completions", TOOL_TURNS),
    "chat, name": ({}, "/v1/chat/completions", [{"role": "user", "content": "Hello", "name": "ada"}]),
    "chat, model": ({"model": "my model's", "timeout": 12.5, "max_retries": 0}, "/v1/chat/completions", user("Hello")),
    "chat, Foundry": (
        {"deployment_name": "chat", "api_version": "2025-04-01", "timeout": 30},
        "/models/chat/completions",
        user("Hello"),
    ),
    "chat, extra parameters": (
        {"model_kwargs": {"n": 2, "odd": {"a": [1.5, None, "'"]}}, "extra_parameters": "drop"},
        "/chat/completions",
        user("Hello"),
    ),
    "chat, kwargs passed through": ({"model_kwargs": {"odd": 1}}, "/chat/completions", user("Hello")),
    "chat on /score": ({"formatter": "openai-chat", "deployment_name": "llama2"}, "/score", TURNS),
    "chat, another query": ({}, "/v1/chat/completions?a=it's&b=%20$HOME", user("Hello")),
    "mistral": ({"formatter": "mistral-chat", "system": "Be brief."}, "/v1/chat/completions", TURNS),
    "completions": ({"model_kwargs": {"max_tokens": 5}}, "/v1/completions", user(HARD)),
    "completions on /score": ({"formatter": "openai", "deployment_name": "text"}, "/score", TURNS),
    "gpt2": ({"formatter": "gpt2", "deployment_name": "gpt2-2023-06", "system": "Be brief."}, "/score", user(HARD)),
    "dolly": ({"formatter": "dolly", "model_kwargs": {"do_sample": False}}, "/score", user(HARD)),
    "hf": ({"formatter": "hf", "deployment_name": "hf"}, "/score", user(HARD)),
    "hf-plain": ({"formatter": "hf-plain", "deployment_name": "hf"}, "/score", user(HARD)),
    "mlflow": ({"formatter": "mlflow", "model_kwargs": {"max_new_tokens": 3}}, "/score", user(HARD)),
    "tgi": ({"formatter": "tgi"}, "/generate", user(HARD)),
    "promptflow": ({"formatter": "promptflow", "system": "Be brief."}, "/score", TURNS[:3]),
    "embeddings": ({"model": "text-embedding-3-small"}, "/openai/v1/embeddings", user(HARD)),
    "Responses": (
        {"model": "gpt-5-mini", "system": HARD, "model_kwargs": {"max_tokens": 500, "reasoning_effort": "low"}},
        "/openai/v1/responses",
        TURNS,
    ),
    "Responses, picture": ({"model": "m"}, "/openai/v1/responses", user(PICTURE)),
    "Responses, tools": ({"model": "gpt-5-mini", "model_kwargs": {"tools": TOOLS}}, "/v1/responses", TOOL_TURNS),
    "Claude": (
        {"model": CLAUDE, "system": HARD, "model_kwargs": {"temperature": 0.5, "stop": ["x"]}},
        "/anthropic/v1/messages",
        TURNS,
    ),
    "Claude, thinking": (
        {"model": CLAUDE, "model_kwargs": {"thinking": {"type": "adaptive"}, "reasoning_effort": "low"}},
        "/anthropic/v1/messages",
        user(PICTURE),
    ),
    "Claude, tools": ({"model": CLAUDE, "model_kwargs": {"tools": TOOLS}}, "/anthropic/v1/messages", TOOL_TURNS),
}


def test_calls_of_this_module_cover_every_formatter():
    configs = [LLMConfig(endpoint_url=f"https://x.y{route}", **fields) for fields, route, _ in CALLS.values()]
    assert {wire.formatter_for(config).name for config in configs} == set(wire.names())


@pytest.fixture
def endpoint(azml_endpoint, monkeypatch):
    monkeypatch.setenv(NAME, KEY)
    return azml_endpoint


def config_at(url, fields, route="/v1/chat/completions"):
    return LLMConfig(endpoint_url=url + route, **{"name": "prod", **fields})


def essence(request):
    """What of a request matters to the endpoint."""
    names = ("authorization", "api-key", "x-api-key", "azureml-model-deployment", "content-type", "extra-parameters")
    names += ("anthropic-version",)
    return request.path, request.query, {n: request.headers.get(n) for n in names}, request.json()


@pytest.fixture
def sent_and_code(endpoint):
    """For each named call: the request that the call itself sends, and its code in a language."""

    def make(names, language, **defaults):
        sent, programs = [], []
        for name in names:
            fields, route, messages = CALLS[name]
            config = config_at(endpoint.url, {**defaults, **fields}, route)
            invoke(config, messages)
            sent.append(essence(endpoint.requests[-1]))
            programs.append(write_program(config, as_messages(messages, config.system), language))
        endpoint.requests.clear()
        return sent, programs

    return make


RUNNER = """
import runpy, sys
for path in sys.argv[1:]:
    runpy.run_path(path, run_name="__main__")
    print("\\x1e", end="", flush=True)
"""


@pytest.fixture
def run_python(tmp_path):
    """What each of the programs prints, all run in one fresh Python."""

    def run(*programs):
        paths = []
        for number, program in enumerate(programs):
            paths.append(tmp_path / f"program_{number}.py")
            paths[-1].write_text(program, encoding="utf-8", errors="strict")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONUTF8": "1"}
        done = subprocess.run(
            [sys.executable, "-c", RUNNER, *map(str, paths)],
            capture_output=True,
            encoding="utf-8",
            env=environment,
            cwd=tmp_path,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\x1e")[:-1]

    return run


def run_shell(script, answer=""):
    done = subprocess.run(
        ["bash", "-u"] if not answer else ["bash", "-uc", script],
        input=answer or script,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


needs_curl = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="curl or bash is not installed here"
)


# ---- it runs as printed


@pytest.mark.parametrize(
    ("language", "names"), [("python", list(CALLS)), ("langchain", [name for name in CALLS if name != "embeddings"])]
)
def test_python_runs_as_printed_and_sends_the_same_request(endpoint, sent_and_code, run_python, language, names):
    sent, programs = sent_and_code(names, language)
    printed = run_python(*programs)
    assert dict(zip(names, map(essence, endpoint.requests), strict=True)) == dict(zip(names, sent, strict=True))
    assert all(text.strip() for text in printed)
    assert not any(KEY in program for program in programs)


def in_sdk(sdk):
    """The calls that an SDK can make, each with a model."""
    routes = {"openai": ("/chat/completions", "/completions", "/responses"), "anthropic": ("/messages",)}[sdk]
    return [name for name, (_, route, _) in CALLS.items() if route.partition("?")[0].endswith(routes)]


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_program_with_an_sdk_sends_the_same_request(endpoint, sent_and_code, run_python, sdk):
    pytest.importorskip(sdk, reason="the SDKs are in the test extra")
    names = in_sdk(sdk)
    sent, programs = sent_and_code(names, sdk, model="m")
    printed = run_python(*programs)
    for name, request, expected in zip(names, endpoint.requests, sent, strict=True):
        path, query, *rest = essence(request)
        assert (path, parse_qsl(query), *rest) == (expected[0], parse_qsl(expected[1]), *expected[2:]), name
    assert all(text.strip() for text in printed)
    assert not any(KEY in program for program in programs)


def test_program_of_an_embedding_prints_the_vector(endpoint, run_python):
    fields, route, messages = CALLS["embeddings"]
    config = config_at(endpoint.url, fields, route)
    expected = f"{invoke(config, messages).parsed}\n"
    assert run_python(write_program(config, messages, "python")) == [expected]
    pytest.importorskip("openai", reason="the SDKs are in the test extra")
    (printed,) = run_python(write_program(config, messages, "openai"))  # the SDK asks for the numbers in base64
    assert json.loads(printed) == pytest.approx(json.loads(expected), rel=1e-4)
    with pytest.raises(ConfigError, match="a vector"):
        write_program(config, messages, "langchain")


def test_program_with_an_sdk_waits_for_a_background_response(endpoint, run_python):
    pytest.importorskip("openai", reason="the SDKs are in the test extra")
    fields = {"model": "o3-pro", "model_kwargs": {"background": True}}
    config = config_at(endpoint.url, fields, "/openai/v1/responses")
    program = write_program(config, user("Hello"), "openai")
    expected = invoke(config, "Hello").text
    assert run_python(program.replace("sleep(2)", "sleep(0.05)")) == [f"{expected}\n"]


@needs_curl
def test_curl_runs_as_printed_and_sends_the_same_request(endpoint, sent_and_code):
    sent, commands = sent_and_code(list(CALLS), "curl")
    for name, command, expected in zip(CALLS, commands, sent, strict=True):
        reply = json.loads(run_shell(command))
        assert reply, name
        assert essence(endpoint.requests[-1]) == expected, name
        assert KEY not in command


def test_langchain_program_prints_the_response(endpoint, run_python):
    fields, route, messages = CALLS["chat, conversation"]
    config = config_at(endpoint.url, fields, route)
    programs = [
        write_program(config, as_messages(messages, config.system), language) for language in ("langchain", "python")
    ]
    assert run_python(*programs) == [invoke(config, messages).text + "\n"] * 2


# ---- formatters


@pytest.mark.parametrize("formatter", ["hf-plain", "mlflow", "tgi", "promptflow"])
def test_formatter_without_a_class_is_named(formatter):
    url = "https://x.y/" + ("generate" if formatter == "tgi" else "score")
    assert f"content_formatter={formatter!r},\n" in write_program(
        LLMConfig(endpoint_url=url, formatter=formatter), user("Hello")
    )


def test_class_names_are_those_of_azml_magics_langchain():
    from azml_magics.langchain import formatter_adapter

    assert {name: kind.__name__ for name, kind in formatter_adapter._BY_WIRE.items()} == LANGCHAIN_FORMATTERS


OWN = """
import json


class Loud:
    content_type = "application/json"
    accepts = "application/json"

    def format_request_payload(self, prompt, model_kwargs):
        return json.dumps({"inputs": {"input_string": [prompt.upper()]}, "parameters": model_kwargs}).encode()

    def format_response_payload(self, output):
        return json.loads(output)[0]["0"] + "!"


class Talkative:
    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        said = [getattr(m, "content", None) or m["content"] for m in messages]
        return {"inputs": {"input_string": said}, "parameters": model_kwargs}

    def format_response_payload(self, output, api_type):
        return json.loads(output)[0]["0"]


class Tuned(Loud):
    def __init__(self, volume=11):
        self.volume = volume


class Needy(Loud):
    __slots__ = ()

    def __init__(self, volume):
        pass


def made():
    class Inner(Loud):
        pass

    return Inner()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module with formatters of one's own, importable here and in a program."""
    (tmp_path / "my_formatters.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_formatters", raising=False)
    import my_formatters

    yield my_formatters
    del sys.modules["my_formatters"]


@pytest.mark.parametrize("kind", ["Loud", "Talkative"])
@pytest.mark.parametrize("registered", [True, False])
def test_custom_formatter_is_imported_from_its_module(endpoint, own, run_python, kind, registered):
    formatter = getattr(own, kind)()
    if registered:
        register_formatter("mine", formatter)
    fields = {"formatter": "mine" if registered else formatter, "deployment_name": "gpt2-2023-06"}
    config = config_at(endpoint.url, fields, "/score")
    expected = invoke(config, "Hello").text
    sent = essence(endpoint.requests[-1])
    endpoint.requests.clear()
    programs = [write_program(config, user("Hello"), language) for language in ("python", "langchain")]
    assert all(f"from my_formatters import {kind}\n" in program for program in programs)
    assert run_python(*programs) == [f"{expected}\n"] * 2
    assert list(map(essence, endpoint.requests)) == [sent] * 2


@needs_curl
def test_curl_works_with_any_custom_formatter(endpoint, own):
    config = config_at(endpoint.url, {"formatter": own.made(), "deployment_name": "gpt2-2023-06"}, "/score")
    assert "HELLO" in json.loads(run_shell(write_program(config, user("Hello"), "curl")))[0]["0"]


def test_formatter_class_of_the_notebook_gets_a_comment(monkeypatch, own):
    notebook = types.ModuleType("__main__")
    kind = type("Quiet", (own.Loud,), {"__module__": "__main__"})
    notebook.Quiet = kind
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    config = LLMConfig(endpoint_url="https://x.y/score", formatter=kind())
    for language in ("python", "langchain"):
        program = write_program(config, user("Hello"), language)
        assert "# Quiet is your own class: copy it from the notebook\n" in program
        assert "formatter=Quiet(),\n" in program


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda own: own.made(), "A program cannot import the formatter Inner"),
        (lambda own: own.Tuned(), "The formatter Tuned has settings that a program cannot show"),
        (lambda own: own.Needy(3), "The formatter Needy has settings that a program cannot show"),
    ],
)
@pytest.mark.parametrize("language", ["python", "langchain"])
def test_formatter_that_cannot_be_imported_is_refused(own, make, said, language):
    with pytest.raises(ConfigError) as caught:
        write_program(LLMConfig(endpoint_url="https://x.y/score", formatter=make(own)), user("Hello"), language)
    assert str(caught.value).startswith(f"{said}. Write it as curl, or make it a class")
    assert len(str(caught.value).splitlines()) == 1


def sending(own, body):
    """A custom formatter that always sends `body`."""
    formatter = own.Loud()
    formatter.format_request_payload = lambda prompt, model_kwargs: body
    return formatter


def test_curl_refuses_a_body_that_is_not_text(own):
    for body in (b"\xff\xfe", b"a\0b"):
        formatter = sending(own, body)
        with pytest.raises(ConfigError, match="The request's body is not text"):
            write_program(LLMConfig(endpoint_url="https://x.y/score", formatter=formatter), user("Hello"), "curl")


@needs_curl
def test_curl_sends_a_body_that_starts_with_at(endpoint, own):
    for body in ("@/etc/hostname", "BODY\nBODY_\n" + "x" * 100_001):
        run_shell(
            write_program(config_at(endpoint.url, {"formatter": sending(own, body)}, "/score"), user("Hello"), "curl")
        )
        assert endpoint.requests[-1].body.decode().removesuffix("\n") == body


# ---- SDKs


SDKS = {
    "openai": "https://r.services.ai.azure.com/openai/v1/responses",
    "anthropic": "https://r.services.ai.azure.com/anthropic/v1/messages",
}


@pytest.mark.parametrize(
    ("sdk", "fields", "said"),
    [
        (
            "openai",
            {"endpoint_url": "https://x.y/score", "formatter": "gpt2"},
            "does not speak the format of gpt2. Write",
        ),
        (
            "openai",
            {"endpoint_url": SDKS["anthropic"], "model": "m"},
            "The SDK of openai does not speak the format of anthropic-messages, and that of anthropic does.",
        ),
        ("anthropic", {"endpoint_url": SDKS["openai"], "model": "m"}, "and that of openai does. Write it as openai."),
        ("openai", {"endpoint_url": "https://x.y/v1/chat/completions"}, "needs the name of a model"),
    ],
)
def test_call_that_an_sdk_cannot_make_is_refused(sdk, fields, said):
    with pytest.raises(ConfigError) as caught:
        write_program(LLMConfig(**fields), user("Hello"), sdk)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("key", "openai", "anthropic"),
    [
        ("env:PROD_KEY", "key = os.environ['PROD_KEY']", "api_key=os.environ['PROD_KEY'],"),
        ("keyring:azml/h r", "keyring.get_password('azml', 'h r')", "keyring.get_password('azml', 'h r')"),
        (
            "entra",
            "api_key=get_bearer_token_provider(DefaultAzureCredential(), 'https://ai.azure.com/.default'),",
            "azure_ad_token_provider=get_bearer_token_provider(DefaultAzureCredential(), 'https://ai.azure.com",
        ),
        (Secret(KEY), "key = getpass.getpass('Key: ')", "api_key=getpass.getpass('Key: '),"),
        (None, "api_key='none',", "api_key='none',"),
    ],
)
def test_sdk_gets_the_key_from_its_place(key, openai, anthropic):
    for sdk, expected in (("openai", openai), ("anthropic", anthropic)):
        program = write_program(LLMConfig(endpoint_url=SDKS[sdk], model="m", key=key), user("Hello"), sdk)
        compile(program, "program", "exec")
        assert expected in program
        assert KEY not in program


def test_sdk_gets_further_headers_certificates_and_proxy(tmp_path):
    config = LLMConfig(
        endpoint_url=SDKS["openai"],
        model="m",
        headers={"x-team": "a", "Ocp-Apim-Subscription-Key": KeyRef.parse("env:APIM")},
        key_header="x-gateway-key",
        verify=str(tmp_path / "ca.pem"),
        proxy="env:PROXY",
    )
    program = write_program(config, user("Hello"), "openai")
    compile(program, "program", "exec")
    for expected in (
        "'x-team': 'a'",
        "'Ocp-Apim-Subscription-Key': os.environ['APIM']",
        "'x-gateway-key': key",
        f"verify=ssl.create_default_context(cafile='{tmp_path}/ca.pem')",
        "proxy=os.environ['PROXY']",
    ):
        assert expected in program


# ---- keys


@pytest.mark.parametrize(
    ("key", "langchain", "python", "curl"),
    [
        (f"env:{NAME}", f"endpoint_api_key=os.environ['{NAME}'],", None, f'-H "Authorization: Bearer ${NAME}"'),
        ("env:PROD_KEY", "endpoint_api_key=os.environ['PROD_KEY'],", "key='env:PROD_KEY',", "Bearer $PROD_KEY"),
        ("keyring:azml/h r", "key='keyring:azml/h r',", "key='keyring:azml/h r',", "$(keyring get azml 'h r')"),
        ("entra", "key='entra',", "key='entra',", "--resource https://ml.azure.com --query accessToken -o tsv)"),
        ("aml-token", "key='aml-token',", "key='aml-token',", "read -rs KEY"),
        ("ask", "key='ask',", "key='ask',", "read -rs KEY"),
        (Secret(KEY), "key='ask',", "key='ask',", "read -rs KEY"),
        (None, "key='',", "key=None,", None),
    ],
)
def test_key_is_written_as_a_reference(key, langchain, python, curl):
    config = LLMConfig(endpoint_url="https://n.eastus.inference.ml.azure.com/v1/chat/completions", key=key)
    for language, expected in (("langchain", langchain), ("python", python), ("curl", curl)):
        program = write_program(config, user("Hello"), language)
        assert KEY not in program
        if expected is None:
            assert not any(word in program for word in ("key=", "Authorization", "KEY"))
        else:
            assert expected in program


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("https://n.services.ai.azure.com/models", "https://cognitiveservices.azure.com"),
        ("https://n.openai.azure.us/openai/v1", "https://cognitiveservices.azure.us"),
        ("https://n.usgovvirginia.inference.ml.azure.us/v1/chat/completions", "https://ml.azure.us"),
    ],
)
def test_entra_token_has_the_audience_of_the_service(url, resource):
    config = LLMConfig(endpoint_url=url, key="entra", deployment_name="d")
    command = write_program(config, user("Hello"), "curl")
    assert f"--resource {resource} " in command
    assert "api-key" not in command


def test_curl_sends_the_key_in_both_headers():
    config = LLMConfig(endpoint_url="https://n.services.ai.azure.com/models", deployment_name="d")
    command = write_program(config, user("Hello"), "curl")
    assert f'-H "Authorization: Bearer ${NAME}" \\\n  -H "api-key: ${NAME}"' in command


@needs_curl
def test_curl_prompts_for_a_typed_key(endpoint):
    config = config_at(endpoint.url, {"key": Secret(KEY)})
    reply = json.loads(run_shell(write_program(config, user("Hello"), "curl"), answer=f"{KEY}\n"))
    assert reply["choices"]
    assert essence(endpoint.requests[-1])[2]["authorization"] == f"Bearer {KEY}"


@needs_curl
def test_curl_reads_a_key_from_the_keyring(endpoint, tmp_path, monkeypatch):
    keyring = tmp_path / "keyring"
    keyring.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "get azml it\'s mine" ] && echo {KEY}\n', encoding="utf-8")
    keyring.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    config = config_at(endpoint.url, {"key": "keyring:azml/it's mine"})
    assert json.loads(run_shell(write_program(config, user("Hello"), "curl")))["choices"]


def test_program_names_a_missing_key(endpoint, run_python, monkeypatch):
    monkeypatch.delenv("PROD_KEY", raising=False)
    config = config_at(endpoint.url, {"key": "env:PROD_KEY"})
    with pytest.raises(AssertionError, match="PROD_KEY"):
        run_python(write_program(config, user("Hello"), "python"))


# ---- what cannot be sent is no program


def test_unknown_language_suggests_the_closest():
    with pytest.raises(UnknownNameError, match=r"No language named 'pyton'. Did you mean 'python'"):
        write_program(LLMConfig(endpoint_url="https://x.y/v1"), user("Hello"), "pyton")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("config", "messages", "kind"),
    [
        (LLMConfig(formatter="gpt2"), user("Hello"), ConfigError),
        (LLMConfig(endpoint_url="https://x.y/score"), user("Hello"), ConfigError),
        (LLMConfig(endpoint_url="https://x.y/score", formatter="gpt2"), user(PICTURE), PromptError),
        (LLMConfig(endpoint_url="https://x.y/v1"), [], PromptError),
    ],
)
def test_call_that_cannot_be_sent_is_an_error(language, config, messages, kind):
    with pytest.raises(kind):
        write_program(config, messages, language)


# ---- any prompt, any kwargs


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text(max_size=120) | st.text(st.characters(codec=None) | st.sampled_from("\\\"'{}$`! \n"), max_size=40)
PROMPTS = TEXT | st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT}),
    min_size=1,
    max_size=3,
)
KWARG_NAMES = st.text(max_size=8).filter(lambda name: name not in ("stream", "stream_options", "messages", "model"))


def arguments(program):
    """(the keyword arguments of the config or model, the prompt argument), all read as literals."""
    tree = ast.parse(program)
    names = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    config = names.get("config") or names["llm"]
    asked = names["response"].args[-1]
    asked = names["prompt"] if isinstance(asked, ast.Name) else asked
    literals = {
        word.arg: ast.literal_eval(word.value)
        for word in config.keywords
        if not isinstance(word.value, (ast.Call, ast.Subscript))
    }
    return literals, ast.literal_eval(asked)


@given(PROMPTS, st.dictionaries(KWARG_NAMES, JSON, max_size=3), st.sampled_from(["python", "langchain"]))
def test_any_prompt_and_kwargs_survive_in_python(prompt, kwargs, language):
    config = LLMConfig(endpoint_url="https://x.y/v1/chat/completions", model_kwargs=kwargs)
    program = write_program(config, as_messages(prompt, None), language)
    assert program.encode()
    given_config, asked = arguments(program)
    assert given_config.get("model_kwargs", {}) == config.model_kwargs
    assert given_config["endpoint_url"] == config.endpoint_url
    assert as_messages(asked, None) == as_messages(prompt, None)


@given(PROMPTS, st.dictionaries(KWARG_NAMES, JSON, max_size=3))
def test_any_prompt_and_kwargs_survive_in_curl(prompt, kwargs):
    config = LLMConfig(endpoint_url="https://x.y/v1/chat/completions", model_kwargs=kwargs)
    command = write_program(config, as_messages(prompt, None), "curl")
    assert command.encode()
    words = shlex.split(command.replace(" \\\n  ", " "))
    assert words[:3] == ["curl", "-sS", config.endpoint_url]
    options = dict(itertools.pairwise(words[3:]))
    sent = prepare(config, as_messages(prompt, None), with_key=False).request.body
    assert json.loads(options["--data-raw"]) == json.loads(sent)
    assert options["--data-raw"] == escape_controls(sent.decode())


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
def test_any_deployment_name_survives(name):
    config = LLMConfig(endpoint_url="https://x.y/v1/chat/completions", deployment_name=name)
    assert arguments(write_program(config, user("Hi"), "python"))[0]["deployment_name"] == name
    words = shlex.split(write_program(config, user("Hi"), "curl").replace(" \\\n  ", " "))
    assert f"azureml-model-deployment: {name}" in words


def test_curl_takes_keys_of_query_and_kwargs_from_variables():
    config = LLMConfig(
        endpoint_url="https://fn.azurewebsites.net/v1/chat/completions?api-version=1&code=env:FUNC_KEY",
        key=None,
        model_kwargs={"tools": [{"authorization": "env:TOOL_KEY"}]},
    )
    written = write_program(config, [{"role": "user", "content": "env:FUNC_KEY"}], "curl")
    command = shlex.split(written.replace("$FUNC_KEY", "one").replace("$TOOL_KEY", "two"))
    assert command[2] == "https://fn.azurewebsites.net/v1/chat/completions?api-version=1&code=one"
    body = json.loads(command[command.index("--data-raw") + 1])
    assert body["tools"] == [{"authorization": "two"}]
    assert body["messages"] == [{"role": "user", "content": "env:FUNC_KEY"}]


def test_sdk_code_refuses_keys_in_query():
    config = LLMConfig(endpoint_url="https://h.example/v1/chat/completions?sig=env:SIG", model="m", key=None)
    with pytest.raises(ConfigError, match="cannot look up the keys"):
        write_program(config, [{"role": "user", "content": "Hi"}], "openai")


def test_sign_in_of_the_reference_is_in_the_code():
    url = "https://r.services.ai.azure.com/openai/v1"
    reference = "entra:cli,https://gateway.example/.default,tenant=contoso.com"
    config = LLMConfig(endpoint_url=url, key=reference, deployment_name="d")
    sdk = write_program(config, user("Hi"), "openai")
    assert "AzureCliCredential(tenant_id='contoso.com'), 'https://gateway.example/.default'" in sdk.replace('"', "'")
    curl = write_program(config, user("Hi"), "curl")
    assert "--scope https://gateway.example/.default --tenant contoso.com" in curl


def test_credential_of_the_process_becomes_the_default_sign_in():
    class Credential:
        def get_token(self, *scopes, **options):
            raise AssertionError("a token was requested")

    url = "https://r.services.ai.azure.com/openai/v1"
    config = LLMConfig(endpoint_url=url, key=Credential(), deployment_name="d")
    assert "DefaultAzureCredential()" in write_program(config, user("Hi"), "openai")
    assert "az account get-access-token" in write_program(config, user("Hi"), "curl")
    assert "entra" in write_program(config, user("Hi"), "python")
