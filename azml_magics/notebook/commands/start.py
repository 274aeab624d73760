"""%azureml alone: what is configured, what is in use, and the next step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from azml_magics.cassettes import active
from azml_magics.cassettes.recorder import CassetteRecorder
from azml_magics.core import trust
from azml_magics.core.version import __version__
from azml_magics.display.start_page import StartPage

from .. import cell_config
from . import config_facts

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig

    from ..context import NotebookContext

_SHOWN = 4  # names of configs
_HELP = ("%azureml help", "everything else")
_FIRST_STEPS = (
    ("%azureml demo", "a local endpoint, without an account"),
    ("%azureml discover", "the endpoints that your sign-in can see"),
    ("%azureml save NAME --url URL", "an endpoint that you know"),
    ("%azureml import FILE", "a config that someone gave you"),
)
_PROMPT = "Write a haiku about sparkling water."


def show_start(context: NotebookContext) -> StartPage:
    """Return a page of at most 12 lines. Nothing is sent, fetched or prompted for."""
    session, title = context.session, f"azml-magics {__version__}"
    name = session.active or context.settings.default_config
    if name in session.names():
        config = session.get(name)
    elif session.names():
        choice = (f"%azureml use {session.names()[0]}", "the config for cells that name none")
        return StartPage(f"{title}: no config is in use", _facts(context, None), "Choose one:", (choice, _HELP))
    elif os.environ.get("AZUREML_ENDPOINT_URL"):
        config = cell_config.config_from_environment()
    else:
        return StartPage(
            f"{title}: no config yet", _facts(context, None), "Start with one of these:", (*_FIRST_STEPS, _HELP)
        )
    prompt, steps = _next_steps(config)
    return StartPage(title, _facts(context, config), prompt, (*steps, _HELP))


def _facts(context: NotebookContext, config: LLMConfig | None) -> tuple[tuple[str, str], ...]:
    facts = {}
    if config is not None:
        where = config.endpoint_url or "no URL yet"
        formatter = config_facts.formatter_name(config) or "no formatter yet"
        facts["in use"] = f"{config.name or 'AZUREML_ENDPOINT_URL'}: {formatter} at {where}"
        facts["key"] = config.key_source.summarize(config.endpoint_url)
    facts["configs"] = _describe_configs(context)
    cassette = active.innermost()
    if cassette is not None:
        doing = "recording to" if isinstance(cassette, CassetteRecorder) else "replaying"
        facts["cassette"] = f"{doing} {getattr(cassette, 'path', '')}: %azureml stop-recording ends it"
    if context.session.history_file is not None:
        facts["history"] = f"kept in {context.session.history_file}"
    return tuple((label, text) for label, text in facts.items() if text)


def _describe_configs(context: NotebookContext) -> str:
    session = context.session
    names = session.names()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    passing = [name for name in names if session.get_saved(name).source == "session"]
    ends = " (%azureml keep NAME makes one outlive the kernel)" if passing else ""
    return f"{', '.join(names[:_SHOWN])}{more}{ends}" if names else ""


def _next_steps(config: LLMConfig) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What to do next with the config in use: repair it, or ask it something."""
    name = config.name or "NAME"
    problem = config_facts.next_step(config)
    if problem:
        return problem, ((f"%azureml show {name}", "all of its settings"),)
    grant = trust.grant_for(config)
    if grant is not None and not trust.is_granted(grant):
        return f"{grant}. If you trust it:", ((f"%azureml trust {name}", "once; a change asks again"),)
    if config.key_source.is_found(config.endpoint_url) is False:
        return "The key is not there. Provide it, or choose another source:", (
            *_key_steps(str(config.key_source)),
            (f"%azureml save {name} --key ask", "typed when it is needed, for this session"),
            (f"%azureml save {name} --key entra", "your Microsoft Entra sign-in"),
        )
    return "A first cell:", (
        ("%%azureml", ""),
        (_PROMPT, ""),
        ("%azureml test", "checks it step by step"),
        ("%azureml panel", "the same with buttons and sliders"),
    )


def _key_steps(reference: str) -> tuple[tuple[str, str], ...]:
    if not reference.startswith("env:"):
        return ()
    variable = reference.removeprefix("env:")
    return ((f"import os, getpass; os.environ[{variable!r}] = getpass.getpass()", "typed here, for this kernel"),)
