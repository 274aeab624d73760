"""The Secret Service of Linux desktops as the system keyring: gnome-keyring under a D-Bus session of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")
PROGRAM = """
import subprocess
subprocess.run(["gnome-keyring-daemon", "--unlock", "--components=secrets"], input=b"password", check=True)
import azml_magics
from azml_magics.azure import keyring_keys
from azml_magics.core.key_sources import KeyringKey
from azml_magics.core.secret import Secret
keyring_keys.store(KeyringKey("azml/bot"), Secret("k3y-0123456789"))
assert azml_magics.KeyRef.parse("keyring:azml/bot").resolve() == Secret("k3y-0123456789")
keyring_keys.delete(KeyringKey("azml/bot"))
print(keyring_keys.stored_references())
"""


@pytest.mark.real_component
@pytest.mark.skipif(
    os.environ.get("AZML_REAL_COMPONENTS", "") in {"", "0"}, reason="set AZML_REAL_COMPONENTS=1 to use gnome-keyring"
)
@pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=f"needs {' and '.join(PROGRAMS)}")
def test_secret_service_keeps_a_key(tmp_path):
    pytest.importorskip("secretstorage")
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), str(tmp_path))
    command = ["dbus-run-session", "--", sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env={**os.environ, **homes}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")
