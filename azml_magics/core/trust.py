"""Which files may name a key and the server that it goes to: a cloned repository must not send its reader's secrets.

A config that comes from a file which another person may have written has `file` set. Its keys are looked up once the
user trusts what it does: this name in this file sends these keys to this host. A change of any of them asks again.

What needs no trust: a config without keys; a key that the user types or passes, which was given for this config; and
the default reference (env:AZUREML_ENDPOINT_API_KEY) for an Azure host, this machine, or the host of
AZUREML_ENDPOINT_URL. Azure checks a key before anything of the deployment's owner sees it; any other host receives it.
A file that also changes how the host is reached and checked (`verify`, `proxy`) is asked about with every key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import endpoints
from .errors import KeyRefusedError
from .grants import Grant, read_grants, write_grants
from .key_sources import KeySource
from .keys import DEFAULT_KEY, KeyRef

if TYPE_CHECKING:
    from .config import LLMConfig

VARIABLE: Final = "AZML_TRUSTED_FILES"
_URL_VARIABLE: Final = "AZUREML_ENDPOINT_URL"


_granted: set[Grant] = set()  # in this process; the file below holds them for the next one
_refused: dict[str, Grant] = {}  # the last one of each name, which a front end grants by it


def check(config: LLMConfig) -> None:
    """Refuse to look up the keys of a config from a file, unless the user trusts the file with them.

    Args:
        config: The config of a request.

    Raises:
        KeyRefusedError: The user was not asked yet. The error says which key would go where.
    """
    if not config.file:
        return
    grant = grant_for(config)
    if grant is None or is_granted(grant):
        return
    _refused[config.name] = grant
    raise KeyRefusedError(
        f"{grant}, and you have not said that you trust it",
        remedy=f"Check the file. If you trust it, call azml_magics.trust({config.name!r}), or name the file in the "
        f"variable {VARIABLE}.",
        error_code="untrusted-config",
        facts={"param": config.name},
    )


def grant_for(config: LLMConfig) -> Grant | None:
    """Return what the user has to trust before `config` may send its keys; None if nothing."""
    origin = endpoints.Origin.of(config.endpoint_url)
    if not config.file or not origin:
        return None
    references = {str(each) for each in (config.key, *config.headers.values()) if _is_named(each)}
    named = sorted(references | set(config.embedded_sources) - {"ask"})
    network = _network_of(config)
    if not named:
        return None if not network or not config.all_key_sources else _grant(config, ("the key",), network)
    if set(named) == {DEFAULT_KEY} and not network and _is_home_of_default(config.endpoint_url):
        return None
    return _grant(config, tuple(named), network)


def is_granted(grant: Grant) -> bool:
    """Whether the user trusts it: said in this session or an earlier one, or the environment names its file."""
    if grant in _granted or _is_named_in_environment(grant.file):
        return True
    _granted.update(read_grants())
    return grant in _granted


def grant(config: LLMConfig) -> list[Grant]:
    """Trust a config: what was last refused of its name, and what it would send as it is.

    Returns:
        What is trusted from now on, in this session and later ones; [] if nothing needs it.
    """
    last = _refused.pop(config.name, None)
    wanted = [each for each in (last, grant_for(config)) if each is not None]
    grants = list(dict.fromkeys(wanted))
    if grants:
        _granted.update(grants)
        write_grants({*read_grants(), *grants})
    return grants


def revoke(name: str, file: str = "") -> list[Grant]:
    """Take trust back, in this session and later ones: the config is asked about again.

    Args:
        name: The config's name.
        file: The file of the config; "" for a config of that name in any file.

    Returns:
        What was trusted; [] if nothing was. A file that the environment names stays trusted.
    """
    before = read_grants() | _granted
    revoked = {each for each in before if each.name == name and (not file or each.file == _absolute(file))}
    if revoked:
        _granted.difference_update(revoked)
        write_grants(read_grants() - revoked)
    return sorted(revoked, key=str)


def refused(name: str) -> Grant | None:
    """Return what was last refused of a config of that name, if it was not granted since."""
    return _refused.get(name)


def forget() -> None:
    """Forget what this process remembers; the file stays."""
    _granted.clear()
    _refused.clear()


def is_trusted_file(path: str | Path) -> bool:
    """Whether the environment names the file as trusted."""
    return _is_named_in_environment(str(path))


def _grant(config: LLMConfig, keys: tuple[str, ...], network: tuple[str, ...]) -> Grant:
    host = endpoints.Origin.of(config.endpoint_url).netloc
    return Grant(_absolute(config.file), config.name, host, keys, network)


def _is_named(key: Any) -> bool:
    """Whether the secret was not given for this host: a typed key was, a client's credential serves every config."""
    return isinstance(key, KeySource) or (isinstance(key, KeyRef) and key.scheme != "ask")


def _network_of(config: LLMConfig) -> tuple[str, ...]:
    settings = {"verify": config.verify, "proxy": config.proxy}
    changed = [f"{name}={value}" for name, value in settings.items() if value is not None]
    return (*(["allow_http"] if config.allow_http else []), *sorted(changed))


def _is_home_of_default(url: str) -> bool:
    """Whether the default key may go to `url` unasked."""
    origin = endpoints.Origin.of(url)
    own = endpoints.Origin.of(os.environ.get(_URL_VARIABLE, ""))
    return origin.is_loopback or endpoints.is_azure_host(origin.host) or (bool(own) and own == origin)


def _absolute(file: str) -> str:
    return os.path.realpath(file)


def _is_named_in_environment(file: str) -> bool:
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    return _absolute(file) in {_absolute(str(Path(each.strip()).expanduser())) for each in named if each.strip()}
