"""Discovery against the emulated control plane, with the real azure-identity."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from importlib.metadata import version

import pytest

from azml_magics.azure import identity
from azml_magics.azure.discovery import discover
from azml_magics.core import client
from azml_magics.core.errors import (
    AuthenticationError,
    ConfigError,
    KeyNotFoundError,
    RateLimitError,
    UnknownNameError,
)
from azml_magics.core.keys import KeyRef
from azml_magics.emulator.control_plane import ControlPlane, contoso
from azml_magics.session import Session

pytest.importorskip("azure.identity")


@pytest.fixture
def azure(monkeypatch, tmp_path):
    """An emulated Azure that this process is signed in to; the current folder names no workspace."""
    monkeypatch.chdir(tmp_path)
    identity.forget_tokens()
    with ControlPlane(page_size=2) as plane:
        for name, value in plane.environment.items():
            monkeypatch.setenv(name, value)
        yield plane
    identity.forget_tokens()


def by_name(found):
    return {row.name: row for row in found}


# ---- what is found --------------------------------------------------------------------------------------------------


def test_every_kind_is_found_in_all_subscriptions(azure):
    found = discover()
    rows = by_name(found)
    assert not found.problems
    kinds = {"Foundry", "Azure OpenAI", "managed compute", "managed online", "serverless"}
    assert {row.kind for row in found} == kinds
    mini = rows["gpt-5-mini"]
    assert (mini.model, mini.wire, mini.location) == ("gpt-5-mini 2025-08-07", "openai-responses", "global")
    assert (mini.quota, mini.state, mini.auth) == ("250,000", "Succeeded", "key or Entra")
    assert rows["gpt-4o"].location == "westus3"
    assert rows["gpt-5"].location == "data zone of swedencentral"
    assert rows["gpt-5"].auth == "Entra only"
    assert rows["claude-sonnet-4-6"].wire == "anthropic-messages"
    assert rows["qwen3-8b"].wire == "openai-chat"


def test_lists_are_followed_to_their_last_page(azure):
    discover()
    assert any("skiptoken" in request.query for request in azure.requests)
    assert len(discover()) == 15


def test_online_endpoints_show_their_deployments(azure):
    rows = by_name(discover())
    assert rows["llama-chat"].model == "Llama-2-7b-chat 14"
    assert rows["llama-chat"].deployment_name == ""  # it gets all the traffic
    assert rows["llama-chat"].wire == "detect"  # the same model is served in several formats
    assert rows["phi-chat/chat"].deployment_name == "chat"
    assert rows["phi-chat/chat"].remark == "Succeeded: 90% of the traffic"
    assert [rows[name].auth for name in ("llama-chat", "phi-chat/chat", "bart-summary")] == [
        "key",
        "AML token",
        "Entra only",
    ]


def test_deployments_that_cannot_be_asked_say_why(azure):
    rows = by_name(discover())
    reasons = {name: row.reason_not_askable for name, row in rows.items() if not row.is_askable}
    assert reasons == {
        "text-embedding-3-small": "an embeddings model takes no prompt (its formatter: embeddings)",
        "gpt-4.1-mini": "its creation failed",
        "mistral-idle": "it has no deployment",
        "falcon-broken": "its creation failed",
    }


def test_deployment_without_traffic_is_asked_by_its_name(azure):
    endpoint = azure.resources.find(resource_id("llama-chat"))
    endpoint["properties"]["traffic"] = {"llama2": 0}
    row = by_name(discover())["llama-chat/llama2"]
    assert row.is_askable
    assert (row.note, row.deployment_name) == ("no traffic: only asked by its name", "llama2")


def resource_id(name, kind="onlineEndpoints"):
    workspace = f"/subscriptions/{contoso.RESEARCH}/resourceGroups/{contoso.GROUP}/providers/{contoso.ML}"
    return f"{workspace}/{contoso.WORKSPACE}/{kind}/{name}"


def test_project_lists_its_deployments_without_resource_manager(azure):
    azure.subscriptions.clear()
    found = discover(azure.project_url)
    assert not found.problems
    mini = by_name(found)["gpt-5-mini"]
    assert (mini.kind, mini.auth, mini.owner) == ("project", "Entra only", "assistants")
    assert mini.url == f"{azure.project_url}/openai/v1"
    assert mini.tokens_per_minute is None
    assert by_name(found)["contoso-openai"].reason_not_askable == "its deployments cannot be listed from here"


def test_resource_manager_completes_a_project(azure):
    rows = by_name(discover(f"{azure.project_url}/openai/v1/"))
    assert rows["gpt-5-mini"].quota == "250,000"
    assert rows["gpt-5-mini"].kind == "project"
    assert rows["qwen3-8b"].kind == "managed compute"
    assert rows["gpt-4.1-mini"].reason_not_askable == "its creation failed"
    assert rows["gpt-4o"].owner == "contoso-openai"  # through the project's connection
    assert rows["claude-sonnet-4-6"].url.endswith("/contoso-foundry/anthropic/v1")


def test_project_goes_on_without_a_token_for_resource_manager(azure, monkeypatch):
    real = identity.get_token

    def get_token(scope, **options):
        if "management" in scope:
            raise KeyNotFoundError("No token for this")
        return real(scope, **options)

    monkeypatch.setattr(identity, "get_token", get_token)
    found = discover(azure.project_url)
    assert "gpt-5-mini" in by_name(found)
    assert [problem.what for problem in found.problems] == ["Azure Resource Manager, for quotas and regions"]


@pytest.mark.parametrize("variable", ["AZURE_AI_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT"])
def test_environment_names_the_project(azure, monkeypatch, variable):
    monkeypatch.setenv(variable, azure.project_url)
    found = discover()
    assert found.target.source == variable
    assert by_name(found)["gpt-5-mini"].kind == "project"


def test_config_json_names_the_workspace(azure, tmp_path):
    names = {"subscription_id": contoso.RESEARCH, "resource_group": contoso.GROUP, "workspace_name": contoso.WORKSPACE}
    (tmp_path / "config.json").write_text(json.dumps(names))
    found = discover()
    assert {row.owner for row in found} == {"contoso-ml"}
    assert found.target.source == str(tmp_path / "config.json")
    assert f"({tmp_path / 'config.json'}). Name a subscription to look wider." in found.to_text()


def test_config_json_that_points_nowhere_is_named(azure, tmp_path):
    names = {"subscription_id": contoso.RESEARCH, "resource_group": contoso.GROUP, "workspace_name": "gone"}
    (tmp_path / "config.json").write_text(json.dumps(names))
    text = discover().to_text()
    assert f"the workspace gone of the resource group rg-models of the subscription {contoso.RESEARCH}" in text
    assert str(tmp_path / "config.json") in text
    assert "does not know workspaces/gone" in text


def test_compute_instance_names_its_workspace(azure, monkeypatch):
    for name, value in (
        ("SUBSCRIPTION", contoso.RESEARCH),
        ("RESOURCEGROUP", contoso.GROUP),
        ("WORKSPACE_NAME", contoso.WORKSPACE),
    ):
        monkeypatch.setenv(f"AZUREML_ARM_{name}", value)
    assert discover().target.source == "this compute instance"


def test_connection_leads_to_a_resource_elsewhere(azure):
    other = azure.resources.with_type(contoso.ACCOUNT)[2]
    connection = azure.resources.with_type(f"{contoso.ACCOUNT}/projects/connections")[0]
    connection["properties"]["metadata"]["ResourceId"] = other["id"].upper()
    found = discover(subscription=contoso.RESEARCH)
    assert by_name(found)["gpt-4o"].owner == "contoso-openai"
    assert [row.name for row in discover()].count("gpt-4o") == 1


def test_subscription_may_be_named_by_its_name(azure):
    assert {row.owner for row in discover(subscription="contoso sandbox")} == {"contoso-openai"}
    assert {row.owner for row in discover(subscription=contoso.SANDBOX)} == {"contoso-openai"}
    with pytest.raises(UnknownNameError, match=r"No subscription named 'Contoso Sandpit'\. Did you mean"):
        discover(subscription="Contoso Sandpit")


def test_resource_group_and_workspace_narrow_the_search(azure):
    assert {row.owner for row in discover(workspace="contoso-ml")} == {"contoso-ml"}
    found = discover(resource_group=contoso.GROUP, subscription=contoso.RESEARCH)
    assert {row.owner for row in found} == {"contoso-ml", "contoso-foundry", "contoso-secure"}


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_refused_calls_are_a_line_each_and_the_rest_is_shown(azure):
    azure.faults.denied = [
        "Microsoft.CognitiveServices/accounts/deployments/read */accounts/contoso-secure/*",
        "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read",
    ]
    found = discover()
    assert {"gpt-5-mini", "phi-serverless", "gpt-4o"} <= set(by_name(found))
    lines = [str(problem) for problem in found.problems]
    assert len(lines) == 2
    assert lines[0].startswith(
        "The deployments of contoso-secure: Your sign-in lacks Microsoft.CognitiveServices/accounts/deployments/read on "
        "accounts/contoso-secure (403). Have the role Foundry User"
    )
    assert "AzureML Data Scientist or Reader" in lines[1]
    assert all(line in found.to_text() for line in lines)


def test_role_missing_on_a_project_is_named(azure):
    azure.faults.denied = ["*/AIServices/*"]
    azure.subscriptions.clear()
    text = discover(azure.project_url).to_text()
    assert "lacks Microsoft.CognitiveServices/accounts/AIServices/deployments/read on projects/assistants (401)" in text
    assert "Foundry User" in text


def test_not_signed_in_is_one_line(azure):
    azure.faults.signed_out = "No identity is assigned."
    with pytest.raises(KeyNotFoundError, match="az login"):
        discover()


def test_wrong_tenant_is_named(azure):
    azure.faults.token_tenant = "11111111-0000-4000-8000-000000000000"
    with pytest.raises(AuthenticationError, match="az login --tenant") as caught:
        discover()
    assert caught.value.error_code == "wrong-tenant"


@pytest.mark.skipif(
    tuple(map(int, version("azure-identity").split(".")[:2])) < (1, 26),
    reason="azure-identity below 1.26 keeps the revoked token of a managed identity until it expires",
)
def test_revoked_token_is_renewed_by_its_challenge(azure):
    azure.faults.revoked = 1
    assert "gpt-5-mini" in by_name(discover())


def test_throttled_requests_wait(azure):
    azure.faults.throttled, azure.faults.retry_after = 3, 0
    found = discover()
    assert not found.problems
    assert len(found) == 15


def test_long_throttling_is_said(azure):
    azure.faults.throttled, azure.faults.retry_after = 1000, 400
    with pytest.raises(RateLimitError, match="It asks to wait 6 min 40 s"):
        discover()


def test_proxy_that_answers_html_is_named(azure):
    azure.faults.html_proxy = 403
    with pytest.raises(ConnectionError, match="Contoso Web Gateway"):
        discover()


def test_list_that_goes_on_elsewhere_keeps_its_first_page(azure, monkeypatch):
    monkeypatch.setattr(azure._services, "page_size", 2)
    discover()
    monkeypatch.setattr(azure._services, "url", "https://evil.example")
    found = discover(subscription=contoso.RESEARCH)
    assert len(found) > 0
    assert "goes on at https://evil.example, where your token is not sent" in found.to_text()


def test_project_that_does_not_exist_is_said(azure):
    url = f"{azure.url}/contoso-foundry/api/projects/nope"
    found = discover(url)
    assert "The project nope does not know nope/deployments (404)" in found.to_text()
    assert by_name(found)["gpt-5-mini"].kind == "Foundry"  # the resource is there, and lists its own
    azure.subscriptions.clear()
    assert discover(url).to_text().startswith("No endpoint or deployment was found in the project")


def test_nothing_found_says_where_and_what_to_try(azure):
    azure.subscriptions.clear()
    text = discover().to_text()
    assert "No endpoint or deployment was found in every subscription of your sign-in" in text
    assert "name a tenant, or the URL of a Foundry project" in text


def test_too_many_accounts_are_counted(azure):
    for number in range(20):
        azure.resources.add(contoso.make_account(azure.url, f"more-{number:02}"))
    found = discover(max_resources=5)
    assert found.left_out == 19  # 20 and 3 accounts and a workspace
    assert "19 more resources and workspaces were not looked at" in found.to_text()


def test_time_limit_returns_what_was_found(azure):
    azure.faults.latency = 30
    start = time.monotonic()
    found = discover(azure.project_url, timeout=4.5)
    assert time.monotonic() - start < 20
    assert "gpt-5-mini" in by_name(found)  # the project answers at once
    assert "not finished within 4.5 s" in found.to_text()


def test_interrupt_ends_the_search(azure, monkeypatch):
    from azml_magics.azure import survey

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(survey.Survey, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        discover()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/projects/p",
        "http://r.services.ai.azure.com/api/projects/p",
        "https://r.services.ai.azure.com/",
        "https://ai.azure.com/resource/overview",
        "p",
    ],
)
def test_url_that_is_not_a_projects_gets_no_token(azure, url):
    with pytest.raises(ConfigError, match=r"services\.ai\.azure\.com/api/projects/PROJECT") as caught:
        discover(url)
    assert caught.value.error_code == "project-url"
    assert not azure.requests


def test_tokens_appear_in_nothing_that_is_shown(azure):
    azure.faults.denied = ["*/deployments/read"]
    found = discover()
    tokens = {request.headers.get("authorization", "").rpartition(" ")[2] for request in azure.requests} - {""}
    shown = repr(found) + str([vars(problem.error) for problem in found.problems])
    assert tokens
    assert not [token for token in tokens if token in shown]


def test_no_thread_is_left_behind(azure):
    discover()
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("azml-magics-discover") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- configs --------------------------------------------------------------------------------------------------------


def test_configs_answer_with_the_sign_in(azure):
    session = Session()
    saved = discover().save("gpt-5-mini", "claude-sonnet-4-6", "o3-pro", "qwen3-8b", "gpt-5", session=session)
    assert [config.name for config in saved] == ["gpt-5-mini", "claude-sonnet-4-6", "o3-pro", "qwen3-8b", "gpt-5"]
    for config in saved:
        assert client.invoke(config, "Say hello").text


def test_key_of_a_config_is_what_its_endpoint_takes(azure):
    found = discover()
    keys = {row.name: str(found.config(row.name).key) for row in found if row.kind != "Foundry"}
    assert keys["llama-chat"] == f"azure-key:{resource_id('llama-chat')}"
    assert keys["phi-chat/chat"] == f"aml-token:{resource_id('phi-chat')}"
    assert keys["bart-summary"] == "entra"
    assert keys["phi-serverless"] == f"azure-key:{resource_id('phi-serverless', 'serverlessEndpoints')}"
    assert found.config("gpt-5").key == KeyRef.parse("entra")


def test_configs_of_a_workspace_answer(azure):
    found = discover(workspace="contoso-ml")
    serverless = found.config("phi-serverless")
    assert client.invoke(serverless, "Say hello").text
    for config in found.save(session=Session()):
        assert config.formatter
        assert client.invoke(config, "Say hello").text
    pinned = found.config("phi-chat/chat", formatter="openai-chat")
    assert (pinned.name, pinned.deployment_name) == ("phi-chat-chat", "chat")


def test_headers_of_a_serverless_endpoint_are_sent(azure):
    endpoint = azure.resources.find(resource_id("phi-serverless", "serverlessEndpoints"))
    endpoint["properties"]["inferenceEndpoint"]["headers"] = {"x-ms-route": "blue"}
    client.invoke(discover().config("phi-serverless"), "Say hello")
    assert azure.requests[-1].headers["x-ms-route"] == "blue"


def test_saved_names_do_not_collide(azure):
    azure.resources.add(
        contoso.make_model(azure.resources.with_type(contoso.ACCOUNT)[1], "gpt-4o", "1", 1, "chatCompletion")
    )
    session, found = Session(), discover()
    with pytest.raises(ConfigError, match=r"contoso-openai/gpt-4o"):
        found.save("gpt-4o", session=session)
    assert not session.names()
    names = [config.name for config in found.save("contoso-openai/gpt-4o", "contoso-secure/gpt-4o", session=session)]
    assert names == ["gpt-4o", "gpt-4o-contoso-secure"]
    again = found.save("contoso-openai/gpt-4o", session=session)
    assert [config.name for config in again] == ["gpt-4o"]  # the same endpoint, and no second config


def test_save_keeps_a_users_config_of_that_name(azure):
    session, found = Session(), discover()
    mine = session.save("gpt-5-mini", found.config("gpt-4o"))
    saved = found.save("gpt-5-mini", session=session)
    assert [config.name for config in saved] == ["gpt-5-mini-contoso-foundry"]
    assert session.get("gpt-5-mini") == mine


def test_saving_again_keeps_what_the_user_has_set(azure):
    session, found = Session(), discover()
    [config] = found.save("gpt-5-mini", session=session)
    session.save(
        "gpt-5-mini", config.merged(model_kwargs={"max_output_tokens": 5}, key="env:MINE", formatter="openai-chat")
    )
    [again] = found.save("gpt-5-mini", session=session)
    assert (again.name, str(again.key), again.formatter) == ("gpt-5-mini", "env:MINE", "openai-chat")
    assert again.model_kwargs == {"max_output_tokens": 5}
    [changed] = found.save("gpt-5-mini", session=session, key="ask")
    assert str(changed.key) == "ask"


def test_deployment_behind_another_route_is_the_same(azure):
    session, found = Session(), discover()
    routed = found.config(
        "llama-chat", formatter="openai-chat", endpoint_url=f"{azure.url}/llama-chat/v1/chat/completions"
    )
    session.save("llama-chat", routed)
    [again] = found.save("llama-chat", session=session, detect=False)
    assert (again.name, again.endpoint_url) == ("llama-chat", routed.endpoint_url)
    assert found.row_of(again).name == "llama-chat"


def test_tenant_goes_into_the_key(azure):
    tenant = azure.subscriptions[0]["tenantId"]
    found = discover(azure.project_url, tenant=tenant)
    assert str(found.config("gpt-5-mini").key) == f"entra:tenant={tenant}"


def test_way_to_sign_in_goes_into_the_key(azure):
    found = discover(azure.project_url, sign_in="managed")
    assert str(found.config("gpt-5-mini").key) == "entra:managed"
    assert client.invoke(found.config("gpt-5-mini"), "Say hello").text
    with pytest.raises(KeyNotFoundError, match="az"):
        discover(azure.project_url, sign_in="cli")


def test_failed_sign_in_prints_nothing_of_azure_identity(azure):
    azure.faults.signed_out = "No identity is assigned."
    program = (
        "import azml_magics\ntry: azml_magics.discover()\nexcept azml_magics.errors.KeyNotFoundError: print('told')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("told\n", "")


def test_missing_azure_identity_is_said_of_the_sign_in(azure, monkeypatch):
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(KeyNotFoundError, match=r"Signing in to Azure needs the azure extra\. Run "):
        discover()


def test_save_without_names_takes_what_can_be_asked(azure):
    session = Session()
    saved = discover(azure.project_url).save(session=session)
    assert {config.name for config in saved} == {
        "gpt-5-mini",
        "o3-pro",
        "claude-sonnet-4-6",
        "qwen3-8b",
        "gpt-4o",
    }


def test_unknown_deployment_is_told_with_the_closest_name(azure):
    with pytest.raises(UnknownNameError, match="Did you mean 'gpt-5-mini'"):
        discover().config("gpt5-mini")


def test_table_becomes_a_data_frame(azure):
    pytest.importorskip("pandas")
    frame = discover().to_pandas()
    assert frame.set_index("name").loc["gpt-5-mini", "tokens_per_minute"] == 250_000
    assert not frame.set_index("name").loc["falcon-broken", "is_askable"]


def test_credential_of_the_users_own_is_used(azure):
    class Credential:
        def __init__(self):
            self.scopes = []

        def get_token(self, scope, **options):
            self.scopes.append((scope, options))
            return type("Token", (), {"token": azure.issue_token(scope.removesuffix("/.default"))})()

    credential = Credential()
    assert "gpt-5-mini" in by_name(discover(credential=credential, tenant="contoso"))
    assert credential.scopes == [("https://management.azure.com/.default", {"tenant_id": "contoso"})]
