"""The data plane: a project's lists, the key vault, and endpoints that check key, audience, role and traffic."""

from __future__ import annotations

import httpx
import pytest

from azml_magics.emulator.control_plane.contoso import GROUP, RESEARCH, WORKSPACE, make_online_deployment

AI, ML = "https://ai.azure.com", "https://ml.azure.com"
HELLO = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}
MODEL = {"model": "gpt-5-mini", "messages": HELLO["messages"]}
CLAUDE = {"model": "claude-sonnet-4-6", **HELLO}


def post(azure, path, body, *, token="", headers=None):
    sent = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{azure.url}{path}", json=body, headers={**sent, **(headers or {})})


def code_of(response):
    return response.status_code, response.json()["error"]["code"]


def get_deployments(azure, audience=AI):
    url = f"{azure.project_url}/deployments?api-version=v1"
    return httpx.get(url, headers={"authorization": f"Bearer {azure.issue_token(audience)}"})


def test_project_lists_its_deployments_and_connections(azure):
    listed = get_deployments(azure).json()["value"]
    assert [one["name"] for one in listed] == ["gpt-5-mini", "o3-pro", "claude-sonnet-4-6", "text-embedding-3-small"]
    assert listed[2]["modelPublisher"] == "Anthropic"
    assert listed[0]["capabilities"] == {"chat_completion": "true", "responses": "true"}
    url = f"{azure.project_url}/connections?api-version=v1"
    connections = httpx.get(url, headers={"authorization": f"Bearer {azure.issue_token(AI)}"}).json()["value"]
    assert [(one["name"], one["type"]) for one in connections] == [("contoso-openai", "AzureOpenAI")]


def test_project_takes_only_its_own_audience_and_role(azure):
    refused = get_deployments(azure, "https://management.azure.com")
    assert code_of(refused) == (401, "Unauthorized")
    assert "audience is incorrect (https://ai.azure.com)" in refused.text
    azure.faults.denied = ["*/AIServices/deployments/read"]
    assert code_of(get_deployments(azure)) == (401, "PermissionDenied")


def test_account_takes_its_key_or_a_token(azure):
    path, key = "/contoso-foundry/openai/v1/chat/completions", azure.key_of("contoso-foundry")
    assert post(azure, path, MODEL, headers={"api-key": key}).status_code == 200
    assert post(azure, path, MODEL, token=key).status_code == 200
    assert post(azure, path, MODEL, token=azure.issue_token(AI)).status_code == 200
    assert post(azure, path, MODEL, headers={"api-key": "wrong"}).status_code == 401
    assert code_of(post(azure, path, MODEL, token=azure.issue_token(ML))) == (401, "Unauthorized")
    azure.faults.denied = ["*/OpenAI/deployments/chat/completions/action"]
    assert code_of(post(azure, path, MODEL, token=azure.issue_token(AI))) == (401, "PermissionDenied")


def test_account_without_local_auth_refuses_its_key(azure):
    body = {**MODEL, "model": "gpt-5"}
    path = "/contoso-secure/openai/v1/chat/completions"
    refused = post(azure, path, body, headers={"api-key": azure.key_of("contoso-secure")})
    assert code_of(refused) == (403, "AuthenticationTypeDisabled")
    assert post(azure, path, body, token=azure.issue_token(AI)).status_code == 200


def test_account_serves_only_its_deployments(azure):
    path, token = "/contoso-foundry/openai/v1/chat/completions", azure.issue_token(AI)
    assert code_of(post(azure, path, {**MODEL, "model": "gpt-9"}, token=token)) == (404, "DeploymentNotFound")
    compute = "/contoso-foundry/managed-deployments/{}/v1/chat/completions"
    assert post(azure, compute.format("qwen3-8b"), HELLO, token=token).status_code == 200
    assert code_of(post(azure, compute.format("other"), HELLO, token=token)) == (404, "DeploymentNotFound")


def test_project_and_claude_answer(azure):
    token = azure.issue_token(AI)
    project = azure.project_url.removeprefix(azure.url)
    assert post(azure, f"{project}/openai/v1/chat/completions", MODEL, token=token).status_code == 200
    refused = post(azure, f"{project}/openai/v1/chat/completions", MODEL, token=azure.key_of("contoso-foundry"))
    assert code_of(refused) == (401, "Unauthorized")
    headers = {"anthropic-version": "2023-06-01"}
    claude = post(azure, "/contoso-foundry/anthropic/v1/messages", CLAUDE, token=token, headers=headers)
    assert claude.json()["role"] == "assistant"


def test_online_endpoints_check_their_auth_mode(azure):
    key = azure.key_of("llama-chat")
    answered = post(azure, "/llama-chat/score", {"input_data": {"input_string": HELLO["messages"]}}, token=key)
    assert answered.status_code == 200
    assert answered.headers["azureml-model-deployment"] == "llama2"
    assert post(azure, "/llama-chat/score", {}, token=azure.issue_token(ML)).status_code == 401
    token = azure.issue_token(ML)
    body = {"input_data": ["The sea was calm. The sky was blue."]}
    assert post(azure, "/bart-summary/score", body, token=token).status_code == 200
    assert post(azure, "/bart-summary/score", body, token=azure.issue_token(AI)).status_code == 401
    azure.faults.denied = ["*/onlineEndpoints/score/action"]
    assert post(azure, "/bart-summary/score", body, token=token).status_code == 403


def test_aml_token_is_for_its_endpoint(azure):
    workspace = f"Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
    endpoint = f"/subscriptions/{RESEARCH}/resourceGroups/{GROUP}/providers/{workspace}/onlineEndpoints/phi-chat"
    arm = {"authorization": f"Bearer {azure.issue_token('https://management.azure.com')}"}
    token = httpx.post(f"{azure.url}{endpoint}/token?api-version=2024-10-01", headers=arm).json()["accessToken"]
    assert post(azure, "/phi-chat/v1/chat/completions", HELLO, token=token).status_code == 200
    assert post(azure, "/llama-chat/score", HELLO, token=token).status_code == 401


def test_endpoint_without_traffic_or_model_fails(azure):
    idle = post(azure, "/mistral-idle/score", HELLO, token=azure.key_of("mistral-idle"))
    assert (idle.status_code, idle.text) == (404, "Specified traffic group could not be found")
    assert post(azure, "/falcon-broken/score", HELLO, token=azure.key_of("falcon-broken")).status_code == 503
    pinned = {"azureml-model-deployment": "completion"}
    key = azure.key_of("llama-chat")
    assert post(azure, "/llama-chat/score", HELLO, token=key, headers=pinned).status_code == 404


def test_deployment_without_traffic_answers_by_name(azure):
    workspaces = azure.resources.with_type("Microsoft.MachineLearningServices/workspaces/onlineEndpoints")
    idle = next(one for one in workspaces if one["name"] == "mistral-idle")
    azure.resources.add(make_online_deployment(idle, "llama2", "Succeeded"))
    key, body = azure.key_of("mistral-idle"), {"input_data": {"input_string": HELLO["messages"]}}
    assert post(azure, "/mistral-idle/score", body, token=key).status_code == 404
    pinned = {"azureml-model-deployment": "llama2"}
    assert post(azure, "/mistral-idle/score", body, token=key, headers=pinned).status_code == 200


def test_serverless_endpoint_and_streams(azure):
    key = azure.key_of("phi-serverless")
    streamed = post(azure, "/phi-serverless/v1/chat/completions", {**HELLO, "stream": True}, token=key)
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert post(azure, "/phi-serverless/v1/chat/completions", HELLO, token="wrong").status_code == 401
    assert code_of(post(azure, "/nothing/score", HELLO)) == (404, "ResourceNotFound")


def test_vault_gives_secrets_to_its_audience(azure):
    azure.vault["foundry-key"] = "s3cret"
    url = f"{azure.vault_url}/secrets/foundry-key/?api-version=7.5"

    def get(audience, url=url):
        return httpx.get(url, headers={"authorization": f"Bearer {azure.issue_token(audience)}"})

    assert get("https://vault.azure.net").json()["value"] == "s3cret"
    refused = get(ML)
    assert code_of(refused) == (401, "Unauthorized")
    assert 'resource="https://vault.azure.net"' in refused.headers["www-authenticate"]
    assert code_of(get("https://vault.azure.net", url.replace("foundry", "other"))) == (404, "SecretNotFound")
    azure.faults.denied = ["*/getSecret/action"]
    assert code_of(get("https://vault.azure.net")) == (403, "Forbidden")


def test_requests_are_recorded_without_keys_in_their_repr(azure):
    token = azure.issue_token(AI)
    post(azure, "/contoso-foundry/openai/v1/chat/completions", MODEL, token=token)
    assert azure.requests[-1].json() == MODEL
    assert token not in repr(azure.requests)


def test_control_plane_names_the_missing_extra(monkeypatch):
    import sys

    from azml_magics.emulator import control_plane

    for name in [name for name in sys.modules if name.startswith("azml_magics.emulator.control_plane.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "azml_magics.emulator.loopback_server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match="extra demo"):
        _ = control_plane.ControlPlane
    assert dir(control_plane) == ["ControlPlane", "ControlPlaneFaults"]
