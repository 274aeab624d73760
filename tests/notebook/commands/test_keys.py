"""%azureml key with a real keyring backend (keyrings.alt's encrypted file), and `entra:$credential` in a cell."""

from __future__ import annotations

import stat
from types import SimpleNamespace

import pytest

from azml_magics.core.paths import user_folder
from azml_magics.pytest_plugin import KEY

pytestmark = pytest.mark.filterwarnings("ignore:PBKDF2")  # keyrings.alt's own choice
TYPED = "k3y-typed-at-the-prompt-0123456789"


@pytest.fixture
def prompts(monkeypatch):
    """The hidden prompts that were shown; each is answered by the key."""
    shown = []
    monkeypatch.setattr("getpass.getpass", lambda prompt="": shown.append(prompt) or TYPED)
    return shown


@pytest.fixture
def backend(monkeypatch, tmp_path):
    """keyrings.alt's encrypted file as the system keyring."""
    keyring = pytest.importorskip("keyring")
    file = pytest.importorskip("keyrings.alt.file")
    pytest.importorskip("Crypto")
    backend = file.EncryptedKeyring()
    backend.file_path = str(tmp_path / "encrypted.cfg")
    backend.keyring_key = "the password of the file"
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def no_backend(monkeypatch, tmp_path):
    keyring = pytest.importorskip("keyring")
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_key_is_stored_used_listed_and_deleted(notebook, backend, prompts):
    assert (
        "Stored. A config uses it with --key keyring:azml/bot" in notebook.run("%azureml key set keyring:azml/bot").text
    )
    assert prompts == ["Key for keyring:azml/bot: "]
    notebook.run("%azureml save prod --url https://n.eastus.inference.ml.azure.com/score --key keyring:azml/bot")
    listed = notebook.run("%azureml key list")
    assert "keyring:azml/bot" in listed.text
    assert "prod" in listed.text
    assert "stored with" in listed.text
    assert "Deleted keyring:azml/bot" in notebook.run("%azureml key delete keyring:azml/bot").text
    assert "no password for azml/bot" in str(notebook.run("%azureml key delete keyring:azml/bot").error)
    for path in backend.rglob("*"):
        assert path.is_dir() or TYPED.encode() not in path.read_bytes()


def test_list_of_stored_references_is_private_and_holds_no_key(notebook, backend, prompts):
    notebook.run("%azureml key set keyring:azml/bot")
    file = user_folder() / "keyring.json"
    assert TYPED not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("[" * 9)
    assert notebook.run("%azureml key list").error is None


def test_key_on_the_line_is_refused_and_not_repeated(notebook, backend, prompts):
    error = notebook.run(f"%azureml key set keyring:azml/bot {KEY}").error
    assert "typed at a hidden prompt" in str(error)
    assert KEY not in str(error)
    assert prompts == []
    assert KEY not in str(notebook.run(f"%azureml key set {KEY}").error)


@pytest.mark.parametrize("line", ["set", "set env:NAME", "delete", "store keyring:a/b", "list keyring:a/b"])
def test_other_lines_show_the_forms(notebook, backend, prompts, line):
    assert "key set keyring:SERVICE/NAME" in str(notebook.run(f"%azureml key {line}").error)
    assert prompts == []


def test_keyring_without_a_backend_says_what_to_do(notebook, no_backend, prompts):
    error = str(notebook.run("%azureml key set keyring:azml/bot").error)
    assert "no system keyring" in error
    assert "--key env:NAME" in error
    assert "keyrings.alt" in error
    assert TYPED not in error


def test_missing_key_names_the_verb_that_stores_it(notebook, backend, endpoint):
    error = notebook.run(f"%%azureml --url {endpoint.url}/v1/chat/completions --key keyring:azml/none\nHi").error
    assert "%azureml key set keyring:azml/none" in str(error)


class Credential:
    def get_token(self, *scopes, **options):
        return SimpleNamespace(token=KEY, expires_on=2**31)


class AioCredential(Credential):
    async def get_token(self, *scopes, **options):
        return super().get_token(*scopes)


@pytest.mark.parametrize("kind", [Credential, AioCredential])
def test_credential_of_the_notebook_is_a_key(notebook, endpoint, kind):
    notebook.vars["mine"] = kind()
    notebook.run(f"%azureml save prod --url {endpoint.url}/v1/chat/completions --key entra:$mine")
    ran = notebook.run("%%azureml prod\nHello")
    assert ran.error is None
    assert endpoint.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert "entra:$mine" in notebook.run("%azureml show prod").text


def test_credential_that_is_none_is_refused(notebook, endpoint):
    notebook.vars["mine"] = "a token"
    line = f"%azureml save prod --url {endpoint.url}/v1/chat/completions --key entra:$"
    assert "must have get_token(scope)" in str(notebook.run(f"{line}mine").error)
    assert "nothing" in str(notebook.run(f"{line}nothing").error)


def test_credential_is_exported_as_entra_with_a_notice(notebook, endpoint, tmp_path):
    notebook.vars["mine"] = Credential()
    notebook.run(f"%azureml save prod --url {endpoint.url}/v1/chat/completions --key entra:$mine")
    ran = notebook.run(f"%azureml export prod {tmp_path}/prod.json")
    assert '"key": "entra"' in (tmp_path / "prod.json").read_text()
    assert "entra" in ran.text + ran.stdout
