"""Entra ID tokens and the system keyring, with fake packages in place of the real ones."""

from __future__ import annotations

import sys
import time
import types

import pytest

import azml_magics  # noqa: F401 - sets the fetchers
from azml_magics.azure import identity
from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.install_hint import install_command
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret

MANAGED = "https://n.eastus.inference.ml.azure.com/score"


@pytest.fixture
def entra(monkeypatch):
    """A fake azure.identity: what it was asked for, and what it says."""
    fake = types.SimpleNamespace(made=0, scopes=[], error=None)

    class DefaultAzureCredential:
        def __init__(self, **arguments):
            fake.made += 1
            fake.arguments = arguments

        def get_token(self, scope, **options):
            fake.scopes.append(scope)
            if fake.error:
                raise fake.error
            return types.SimpleNamespace(token=f"token-{fake.made}", expires_on=time.time() + 3600)

    package, module = types.ModuleType("azure"), types.ModuleType("azure.identity")
    package.__path__ = []
    package.identity = module
    module.DefaultAzureCredential = DefaultAzureCredential
    monkeypatch.setitem(sys.modules, "azure", package)
    monkeypatch.setitem(sys.modules, "azure.identity", module)
    identity.forget_tokens()
    yield fake
    identity.forget_tokens()


def test_token_is_requested_for_the_endpoints_audience(entra):
    assert KeyRef.parse("entra").resolve(MANAGED) == Secret("token-1")
    assert entra.scopes == ["https://ml.azure.com/.default"]


def test_credential_is_reused_until_a_token_is_refused(entra):
    ref = KeyRef.parse("entra")
    ref.resolve(MANAGED)
    ref.resolve(MANAGED)
    assert entra.made == 1
    assert ref.resolve(MANAGED, refused=Secret("token-1")) == Secret("token-2")
    assert ref.resolve(MANAGED, refused=Secret("token-1")) == Secret("token-2"), "already replaced"
    assert len(entra.scopes) == 2


def test_token_of_a_project_has_the_projects_audience(entra):
    KeyRef.parse("entra").resolve("https://r.services.ai.azure.com/api/projects/p")
    assert entra.scopes == ["https://ai.azure.com/.default"]


def test_failing_credential_is_one_line_with_remedy(entra):
    entra.error = RuntimeError(
        "DefaultAzureCredential failed:\n\tEnvironmentCredential: not set\n\tAzureCli: not found"
    )
    with pytest.raises(KeyNotFoundError, match="No Entra ID token: DefaultAzureCredential failed:") as caught:
        KeyRef.parse("entra").resolve(MANAGED)
    assert "\n" not in str(caught.value)
    assert "az login" in str(caught.value)
    assert caught.value.__cause__ is entra.error


def test_empty_token_is_refused(entra, monkeypatch):
    monkeypatch.setattr(
        sys.modules["azure.identity"].DefaultAzureCredential,
        "get_token",
        lambda self, scope, **options: types.SimpleNamespace(token=""),
    )
    with pytest.raises(KeyNotFoundError, match="No Entra ID token"):
        KeyRef.parse("entra").resolve(MANAGED)


@pytest.fixture
def keyring(monkeypatch):
    """A fake keyring: what it holds, by (service, user)."""
    held: dict = {}
    module = types.ModuleType("keyring")

    def get_password(service, user):
        found = held.get((service, user))
        if isinstance(found, Exception):
            raise found
        return found

    module.get_password = get_password
    monkeypatch.setitem(sys.modules, "keyring", module)
    return held


def test_key_is_read_from_the_keyring(keyring):
    keyring["azml", "hr-bot"] = "Bearer from-the-ring\n"
    keyring["azml", "a/b"] = "slashed"
    assert KeyRef.parse("keyring:azml/hr-bot").resolve(MANAGED) == Secret("from-the-ring")
    assert KeyRef.parse("keyring:azml/a/b").resolve(MANAGED) == Secret("slashed")


@pytest.mark.parametrize("held", [None, "", "  "])
def test_missing_keyring_entry_says_how_to_store_it(keyring, held):
    keyring["azml", "hr-bot"] = held
    with pytest.raises(KeyNotFoundError, match="no password for azml/hr-bot") as caught:
        KeyRef.parse("keyring:azml/hr-bot").resolve(MANAGED)
    assert "keyring set azml hr-bot" in str(caught.value)


def test_locked_keyring_is_one_line(keyring):
    keyring["azml", "hr-bot"] = RuntimeError("locked\nby somebody")
    with pytest.raises(KeyNotFoundError, match="cannot be used: locked by somebody"):
        KeyRef.parse("keyring:azml/hr-bot").resolve(MANAGED)


@pytest.mark.parametrize(("module", "text"), [("azure.identity", "entra"), ("keyring", "keyring:a/b")])
def test_missing_packages_name_the_extra(monkeypatch, module, text):
    monkeypatch.setitem(sys.modules, module, None)
    identity.forget_tokens()
    with pytest.raises(KeyNotFoundError, match="needs the azure extra") as caught:
        KeyRef.parse(text).resolve(MANAGED)
    assert f"Run {install_command('azure')}." in str(caught.value)
