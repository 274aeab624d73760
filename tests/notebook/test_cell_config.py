"""Which config a cell calls, with which model kwargs, formatter and key."""

from __future__ import annotations

import pytest

from azml_magics import LLMConfig, Secret, session
from azml_magics.emulator import Fault

from .conftest import KEY

# ---- kwargs ----------------------------------------------------------------------------------------------------


def test_kwargs_are_json_or_text(asking, last_body):
    asking.ok("""%%azureml -p temperature=0.2 -p stop='["a", "b"]' -p user=me -p seed=7\nHello""")
    body = last_body()
    assert (body["temperature"], body["stop"], body["user"], body["seed"]) == (0.2, ["a", "b"], "me", 7)


def test_single_kwarg_overrides_several_at_once(asking, last_body):
    asking.ok("""%%azureml -k '{"temperature": 0.2, "seed": 7}' -p seed=8\nHello""")
    assert (last_body()["temperature"], last_body()["seed"]) == (0.2, 8)
    asking.vars["kwargs"] = {"max_tokens": 5}
    asking.ok("%%azureml -k $kwargs\nHello")
    assert last_body()["max_tokens"] == 5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{temperature: 0.2}", "UsageError: -k is not JSON: "),
        ("[1]", "UsageError: -k takes a JSON object or a dict."),
        ("$nothing", "UsageError: There is no variable 'nothing' for $nothing."),
        ("$number", "UsageError: -k takes a JSON object or a dict."),
    ],
)
def test_kwargs_must_be_an_object(asking, given, said):
    asking.vars["number"] = 3
    assert asking.refused(f"%%azureml -k '{given}'\nHello").startswith(said)


def test_kwarg_that_json_cannot_hold_is_named(asking):
    asking.vars["kwargs"] = {"stop": {1, 2}}
    assert "ConfigError: The model kwarg 'stop' cannot be sent as JSON" in asking.refused("%%azureml -k $kwargs\nHello")


def test_misspelled_kwarg_is_sent_with_a_warning(asking, last_body):
    ran = asking.ok("%%azureml -p temprature=0.2\nHello")
    assert last_body()["temprature"] == 0.2
    assert ran.stderr == "azureml: the model kwarg 'temprature' is sent as it is. Did you mean 'temperature'?\n"


@pytest.mark.parametrize(
    "name", ["max_tokens", "max_new_tokens", "top_k", "min_p", "repetition_penalty", "min_tokens", "typical_p", "n"]
)
def test_kwarg_of_another_wire_format_gives_no_warning(asking, name):
    assert asking.ok(f"%%azureml -p {name}=1\nHello").stderr == ""


# ---- the config ------------------------------------------------------------------------------------------------


def test_no_config_says_how_to_make_one(notebook):
    assert notebook.refused("%%azureml\nHello") == (
        "ConfigError: There is no config yet. Run `%azureml demo` to try without an account, "
        "or `%azureml save NAME --url URL -f FORMATTER`."
    )


def test_no_config_in_use_lists_configs(asking):
    asking.ok("%azureml save other --from main")
    asking.ok("%azureml delete main -f")
    for source in ("%%azureml\nHello", "%azureml test"):
        assert asking.refused(source) == "ConfigError: No config is in use. %azureml use NAME takes one: other."


def test_mistyped_config_suggests_closest(asking):
    assert asking.refused("%%azureml mian\nHello").startswith(
        "UnknownNameError: No config named 'mian'. Did you mean 'main'? Known: main."
    )


def test_default_config_is_used_if_none_is_active(asking):
    asking.ok("%azureml save second --from main")
    asking.ok("%azureml delete main -f")
    asking.ok("%config AzureMLMagics.default_config = 'second'")
    assert asking.ok("%%azureml\nHello").result.config == "second"


def test_config_object_is_called(asking, endpoint):
    asking.vars["mine"] = LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key=Secret(KEY))
    assert "Hello" in asking.ok("%%azureml $mine\nHello").text


def test_own_langchain_endpoint_is_a_config(asking, endpoint):
    from azml_magics.langchain import AzureMLChatOnlineEndpoint

    asking.vars["llm"] = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        endpoint_api_type="serverless",
        endpoint_api_key=KEY,
        model_kwargs={"temperature": 0.3},
    )
    asking.ok("%%azureml $llm -p seed=1\nHello")
    assert endpoint.requests[-1].json()["temperature"] == 0.3


def test_other_object_is_refused(asking):
    asking.vars["number"] = 3
    assert asking.refused("%%azureml $number\nHello").startswith(
        "UsageError: $number is not a config: it is of the type int."
    )
    assert "Did you mean 'number'?" in asking.refused("%%azureml $numbr\nHello")


def test_url_alone_is_enough(notebook, endpoint):
    ran = notebook.ok(f"%%azureml -u {endpoint.url}/v1/chat/completions --key env:TEST_KEY\nHello")
    assert ran.result.config == ""


def test_langchains_environment_variables_make_a_config(notebook, endpoint, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", f"{endpoint.url}/score")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "dolly")
    assert notebook.ok("%%azureml -f dolly\nHello").result.deployment == "dolly"


def test_system_message_from_line_or_variable(asking, last_body):
    asking.vars["rules"] = "Be very brief."
    for line in ("-s $rules", "-s 'Be very brief.'"):
        asking.ok(f"%%azureml {line}\nHello")
        assert last_body()["messages"][0] == {"role": "system", "content": "Be very brief."}


def test_timeout_setting_applies_to_every_call(asking, endpoint):
    asking.ok("%config AzureMLMagics.timeout = 0.2")
    endpoint.script([Fault("slow", seconds=30)])
    assert asking.refused("%%azureml\nHello").startswith("APITimeoutError: ")
    endpoint.script([Fault("slow", seconds=0.4)])
    asking.ok("%%azureml --timeout 20\nHello")


# ---- formatters ------------------------------------------------------------------------------------------------


def test_formatter_object_is_used(asking, endpoint):
    asking.ok(
        "class Mine:\n"
        "    def format_request_payload(self, prompt, model_kwargs):\n"
        "        return {'inputs': prompt}\n"
        "    def format_response_payload(self, output):\n"
        "        return 'mine: ' + str(len(output) > 0)\n"
        "mine = Mine()"
    )
    assert asking.ok(f"%%azureml -u {endpoint.url}/score -f $mine\nHello").text == "mine: True"
    assert endpoint.requests[-1].json() == {"inputs": "Hello"}


def test_raising_formatter_is_named_with_its_error(asking, endpoint):
    asking.ok(
        "class Mine:\n"
        "    def format_request_payload(self, prompt, model_kwargs):\n"
        "        return {'inputs': prompt}\n"
        "    def format_response_payload(self, output):\n"
        "        return output['answer']\n"
        "mine = Mine()"
    )
    line = asking.refused(f"%%azureml -u {endpoint.url}/score -f $mine\nHello")
    assert line.startswith("FormatterError: Mine.format_response_payload raised TypeError: byte indices must be")
    assert "in format_response_payload" in asking.ok("%azureml last --traceback").text


@pytest.mark.parametrize("reference", ["$number", "$Mine"])
def test_object_without_formatter_methods_is_refused(asking, endpoint, reference):
    asking.ok(
        "number = 3\nclass Mine:\n    def format_request_payload(self): ...\n    def format_response_payload(self): ..."
    )
    assert asking.refused(f"%%azureml -u {endpoint.url}/score -f {reference}\nHello").startswith("UsageError: ")


def test_mistyped_formatter_suggests_closest(asking, endpoint):
    assert "UnknownNameError: No formatter named 'doly' (config 'main'). Did you mean 'dolly'?" in asking.refused(
        f"%%azureml -u {endpoint.url}/score -f doly\nHello"
    )


def test_formatter_of_wrong_endpoint_type_names_what_fits(asking):
    line = asking.refused("%%azureml -f gpt2\nHello")
    assert line.startswith(
        "ConfigError: The formatter 'gpt2' works with dedicated endpoints, and this one is serverless"
    )
    assert "openai-chat" in line


# ---- keys ------------------------------------------------------------------------------------------------------


def test_literal_key_on_the_line_is_refused_unrepeated(asking, endpoint):
    for line in ("--key sk-lIt3ral", "--key=sk-lIt3ral", "--key 'Bearer sk-lIt3ral'"):
        said = asking.refused(f"%%azureml {line}\nHello")
        assert said.startswith(
            "KeyRefusedError: That is not a key reference, and a key itself would stay in the notebook"
        )
        assert "lIt3ral" not in said
    assert len(endpoint.requests) == 0


def test_missing_key_says_where_it_was_looked_for(asking):
    assert asking.refused("%%azureml --key env:NOT_THERE\nHello").startswith(
        "KeyNotFoundError: No key: the environment variable NOT_THERE is not set (config 'main')."
    )


def test_typed_key_is_prompted_for_once(asking, endpoint, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or KEY)
    for _ in range(2):
        asking.ok("%%azureml --key ask\nHello")
    assert asked == [f"Key for {endpoint.url}: "]


def test_wrong_key_is_not_shown(asking, monkeypatch):
    monkeypatch.setenv("WRONG_KEY", "sk-wr0ng")
    line = asking.refused("%%azureml --key env:WRONG_KEY\nHello")
    assert line.startswith("AuthenticationError: The endpoint did not accept the key (401)")
    assert "wr0ng" not in line + asking.ok("%azureml last --traceback").text


@pytest.mark.parametrize("url", ["http://example.com/v1", "http://10.0.0.1/v1", "http://vllm:8000/v1"])
@pytest.mark.parametrize("key", ["--key env:TEST_KEY", "--key none --header Apim=env:TEST_KEY"])
def test_key_is_not_sent_in_clear_text(asking, url, key):
    said = asking.refused(f"%%azureml -u {url} {key}\nHello")
    assert said == (
        f"ConfigError: {url.removesuffix('/v1')} would carry the key in clear text to another machine (config 'main'). "
        "Use https://, --key none if the server needs no key, or --allow-http if you trust the network."
    )


ELSEWHERE = "https://elsewhere.example/v1/chat/completions"


@pytest.fixture
def prod(asking):
    """A config of a host far away, in use."""
    asking.ok("%azureml save prod --url https://prod.example/v1/chat/completions --key env:TEST_KEY")
    asking.ok("%azureml use prod")


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize("url", [ELSEWHERE, "https://prod.example:8443/v1/chat/completions"])
@pytest.mark.parametrize("line", ["", "--compare prod,prod", "--each $rows", "--dry-run"])
def test_key_is_not_sent_to_another_host(asking, url, line):
    asking.vars["rows"] = [{"name": "Ada"}]
    said = asking.refused(f"%%azureml -u {url} {line}\nHello")
    assert said.startswith("KeyRefusedError: The config's key is for prod.example, and --url names ")
    assert said.endswith("Say on the line which key goes there: --key env:NAME, or --key none.")


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize("key", ["env:TEST_KEY", "none", "ask"])
def test_key_on_the_line_is_sent_to_its_url(asking, key):
    assert "elsewhere.example" in asking.ok(f"%%azureml -u {ELSEWHERE} --key {key} --dry-run\nHello").text


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize(
    "url", ["prod.example/score -f gpt2", "PROD.example/v1/chat/completions", "prod.example:443/v1/chat/completions"]
)
def test_other_route_of_same_host_keeps_key(asking, url):
    asking.ok(f"%%azureml -u https://{url} --dry-run\nHello")


def test_prompted_key_is_per_host(asking):
    asking.ok("%azureml save asks --url https://prod.example/v1/chat/completions --key ask")
    asking.ok(f"%%azureml asks -u {ELSEWHERE} --dry-run\nHello")


@pytest.mark.usefixtures("prod")
def test_loopback_url_works_with_any_config(asking, endpoint):
    asking.ok(f"%%azureml -u {endpoint.url}/v1/chat/completions\nHello")
    assert endpoint.requests


@pytest.mark.parametrize(
    "url", ["example.com/score", "ftp://example.com", "https://", "https://user:pw@example.com/score"]
)
def test_invalid_url_is_refused(asking, url):
    line = asking.refused(f"%%azureml -u {url}\nHello")
    assert line.startswith("ConfigError: The endpoint URL")
    assert "user:pw" not in line


# ---- headers and networks --------------------------------------------------------------------------------------


@pytest.fixture
def last_headers(endpoint):
    return lambda: {name.lower(): value for name, value in endpoint.requests[-1].headers.items()}


def test_headers_on_the_line_win_over_those_of_the_config(asking, last_headers, monkeypatch):
    monkeypatch.setenv("APIM_KEY", "ap1m-0123456789")
    asking.ok("%azureml save main --header X-Team=nlp --header X-Stage=test")
    asking.ok("%%azureml --header x-team=qa --header Apim=env:APIM_KEY\nHello")
    assert (last_headers()["x-team"], last_headers()["x-stage"], last_headers()["apim"]) == (
        "qa",
        "test",
        "ap1m-0123456789",
    )
    asking.ok("%%azureml --header X-Team=none\nHello")
    assert "x-team" not in last_headers()


def test_key_header_carries_the_key(asking, last_headers):
    asking.refused("%%azureml --key-header X-Gateway-Key\nHello")  # the emulator reads the usual header
    assert last_headers()["x-gateway-key"] == KEY
    assert "authorization" not in last_headers()


def test_literal_key_in_a_header_is_refused_unrepeated(asking, endpoint):
    said = asking.refused("%%azureml --header api-key=sk-lIt3ral\nHello")
    assert said.startswith("KeyRefusedError: The value of the header api-key looks like a key, which would stay in the")
    assert "lIt3ral" not in said
    assert len(endpoint.requests) == 0


@pytest.mark.usefixtures("prod")
def test_key_in_a_header_is_not_sent_to_another_host(asking):
    asking.ok("%azureml save prod --header Apim=env:APIM_KEY")
    said = asking.refused(f"%%azureml -u {ELSEWHERE} --key env:TEST_KEY\nHello")
    assert said.startswith("KeyRefusedError: The config's key is for prod.example, and --url names elsewhere.example.")
    assert "--header NAME=none" in said
    asking.ok(f"%%azureml -u {ELSEWHERE} --key env:TEST_KEY --header Apim=none --dry-run\nHello")


@pytest.mark.parametrize("off", ["off", "False", "no"])
def test_verify_off_and_allow_http_are_part_of_a_saved_config(asking, off):
    asking.ok(f"%azureml save lab --url http://vllm:8000/v1 --verify {off} --allow-http --proxy none --total-timeout 5")
    lab = session.current().get("lab")
    assert (lab.verify, lab.allow_http, lab.proxy, lab.total_timeout) == (False, True, "none", 5.0)
