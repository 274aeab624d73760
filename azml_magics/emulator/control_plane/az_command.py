"""A stand-in for the Azure CLI: a program `az` that gives tokens of the emulated tenant.

azure-identity runs `az account get-access-token --output json --resource RESOURCE [--tenant TENANT]`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = '''"""az account get-access-token, of an emulated tenant."""
import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

parser = argparse.ArgumentParser(prog="az")
parser.add_argument("words", nargs="+")
for option in ("--output", "--resource", "--scope", "--tenant", "--subscription"):
    parser.add_argument(option, default="")
given = parser.parse_args()
if given.words != ["account", "get-access-token"]:
    sys.exit(f"ERROR: '{' '.join(given.words)}' is not in the emulated 'az' command group.")
if given.tenant not in ("", TENANT):
    sys.exit(f"ERROR: AADSTS90002: Tenant '{given.tenant}' not found.")
resource = given.resource or given.scope.removesuffix("/.default")
request = urllib.request.Request(f"{ADDRESS}?{urllib.parse.urlencode({'resource': resource})}")
request.add_header("X-IDENTITY-HEADER", SECRET)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(request) as response:
        token = json.load(response)
except urllib.error.HTTPError:
    sys.exit("ERROR: Please run 'az login' to setup account.")
print(json.dumps({
    "accessToken": token["access_token"],
    "expires_on": int(token["expires_on"]),
    "subscription": SUBSCRIPTION,
    "tenant": TENANT,
    "tokenType": "Bearer",
}))
'''


def write_az_command(folder: Path, constants: dict[str, str]) -> Path:
    """Write the program into `folder`, to be put on PATH, and return its path.

    Args:
        folder: A folder that exists.
        constants: What the program needs to know: ADDRESS, SECRET, TENANT and SUBSCRIPTION.
    """
    script = folder / "az.py"
    values = "".join(f"{name} = {value!r}\n" for name, value in constants.items())
    script.write_text(values + _PROGRAM, encoding="utf-8")
    is_windows = os.name == "nt"
    program = folder / ("az.cmd" if is_windows else "az")
    program.write_text(
        f'@"{sys.executable}" "{script}" %*\n'
        if is_windows
        else f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o600)  # it holds the secret
    program.chmod(0o700)
    return program
