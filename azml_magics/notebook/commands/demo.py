"""%azureml demo: an endpoint, a real model or an emulated Azure to try everything with, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.browser import IS_BROWSER
from azml_magics.core.errors import ConfigError, UsageError
from azml_magics.display.text_output import TextOutput

from . import demo_azure, demo_endpoint, demo_model

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import DemoOptions


def run_demo(context: NotebookContext, options: DemoOptions) -> TextOutput:
    """Start or stop the demo.

    Raises:
        ConfigError: An extra or a package is missing, or it does not start.
        UsageError: More than one of the options is given.
    """
    if options.azure + options.stop + (options.model is not None) > 1:
        raise UsageError("%azureml demo takes one of --model, --azure and --stop", remedy="Run it once for each.")
    if options.stop:
        return stop_demo(context)
    if IS_BROWSER:
        raise ConfigError(
            "The demo is a server, which cannot run in a browser",
            remedy="Save a config of an endpoint: %azureml save NAME --url URL.",
        )
    if options.azure:
        return demo_azure.start(context)
    if options.model is not None:
        return demo_model.start(context, options.model)
    return demo_endpoint.start(context)


def stop_demo(context: NotebookContext) -> TextOutput:
    """Stop the demo endpoint, the local model and the emulated Azure, and delete the configs that the demo saved."""
    stops = {
        "the demo endpoint": demo_endpoint.stop,
        "the local model": demo_model.stop,
        "the emulated Azure": demo_azure.stop,
    }
    stopped = [name for name, stop in stops.items() if stop(context)]
    session = context.session
    configs = [name for name in session.names() if session.get_saved(name).source == "demo"]
    for name in configs:
        session.delete(name)
    if not stopped and not configs:
        return TextOutput("No demo is running in this kernel.")
    said = f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was running in this kernel."
    return TextOutput(f"{said} Configs deleted: {', '.join(configs)}." if configs else said)
