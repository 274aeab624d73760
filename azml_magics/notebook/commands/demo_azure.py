"""%azureml demo --azure: an emulated Azure in this kernel, for the way from a sign-in to an answer."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from azml_magics.core.errors import ConfigError
from azml_magics.core.install_hint import install_command
from azml_magics.display.text_output import TextOutput

from ..emulated_azure import EmulatedAzure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.emulator.control_plane import ControlPlane

    from ..context import NotebookContext

_TOKENS_PER_SECOND = 80.0
# What else would decide who signs in, and where resources are looked for.
_OTHER_SIGN_INS = (
    "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_TOKEN_CREDENTIALS",
    "IDENTITY_SERVER_THUMBPRINT", "DEFAULT_IDENTITY_CLIENT_ID", "MSI_ENDPOINT", "MSI_SECRET",
    "AZURE_AI_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT", "AZUREML_CURRENT_CLOUD_ENV",
    "AZUREML_ARM_SUBSCRIPTION", "AZUREML_ARM_RESOURCEGROUP", "AZUREML_ARM_WORKSPACE_NAME",
)  # fmt: skip


def stop(context: NotebookContext) -> bool:
    """Stop this kernel's emulated Azure and restore the variables of the sign-in; return whether it was running."""
    running, context.state.demo_azure = context.state.demo_azure, None
    if running is None:
        return False
    running.control_plane.stop()
    _set_variables(running.variables_before)
    return True


def start(context: NotebookContext) -> TextOutput:
    """Start the emulated Azure (once), and set the variables of its managed identity for this kernel.

    Raises:
        ConfigError: The extra demo or azure is not installed, or the emulated Azure does not start.
    """
    if context.state.demo_azure is None:
        _check_sign_in()
        azure = _start_control_plane()
        before = {name: os.environ.get(name) for name in (*_OTHER_SIGN_INS, *azure.environment)}
        _set_variables({**dict.fromkeys(before), **azure.environment})
        context.state.demo_azure = EmulatedAzure(azure, before)
        context.on_exit(lambda: stop(context), survives_reload=True)
    return TextOutput(
        "An emulated Azure is running in this kernel, which is now signed in to it.\n"
        "It needs no Azure account, and its endpoints give prepared responses. Until\n"
        "the kernel ends, nothing here signs in to the real one.\n\n"
        "Next:\n    %azureml discover"
    )


def _check_sign_in() -> None:
    """Raise ConfigError if the extra is missing that signs in: discover would fail, after the variables are set."""
    if importlib.util.find_spec("azure") is None or importlib.util.find_spec("azure.identity") is None:
        raise ConfigError("Signing in to Azure needs the azure extra", remedy=f"Run {install_command('azure')}.")


def _start_control_plane() -> ControlPlane:
    try:
        from azml_magics.emulator.control_plane import ControlPlane

        azure = ControlPlane(rate=_TOKENS_PER_SECOND)
    except ImportError as error:
        raise ConfigError(
            "The emulated Azure needs the demo extra", remedy=f"Run {install_command('demo')}."
        ) from error
    try:
        return azure.start()
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"The emulated Azure did not start: {error}", remedy="Run %azureml demo --azure again."
        ) from error


def _set_variables(values: Mapping[str, str | None]) -> None:
    """Set or remove environment variables, and forget what came of the sign-in that they named before."""
    from azml_magics.azure.azure_keys import forget_keys
    from azml_magics.azure.identity import forget_tokens

    forget_tokens()
    forget_keys()
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
