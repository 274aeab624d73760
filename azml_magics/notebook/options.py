"""The options of %%azureml and the verbs of %azureml as data.

The parsers, the help, completion and the README's tables are all made from it. An option is (flags, argparse keywords);
the keyword `kind` says what completion offers for its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FORMATS = ("markdown", "text", "json", "code")
REASONING = ("folded", "open", "hidden")
API_TYPES = ("dedicated", "serverless")
SIGN_INS = ("cli", "managed", "device", "browser")
LANGUAGES = ("langchain", "openai", "anthropic", "python", "curl")

MATCHES = ("normalized", "exact", "contains", "number", "regex")
REQUIREMENTS = ("accuracy>=", "errors==0", "cost<", "p95<", "agreement>=")

Option = tuple[tuple[str, ...], dict[str, Any]]


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


def _option(*flags: str, metavar: str, help: str = "", **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    return flags, {"metavar": metavar, "help": help, **keywords}


def _list_option(*flags: str, metavar: str, help: str, **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    return flags, {"action": "append", "default": [], "metavar": metavar, "help": help, **keywords}


def _switch(*flags: str, help: str, **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    return flags, {"action": "store_true", "help": help, **keywords}


CONFIG_OPTIONS: tuple[Option, ...] = (
    _option("-u", "--url", metavar="URL", help="the endpoint's URL"),
    (("--type",), {"choices": API_TYPES, "help": "the endpoint's type; default: from the URL"}),
    _option("--deployment", metavar="NAME", help="one deployment of the endpoint (on Foundry: the model)"),
    _option(
        "-f", "--formatter", metavar="NAME|$var", help="the content formatter, by name or an object", kind="formatter"
    ),
    _option(
        "--key",
        metavar="REF",
        help="where to find the key: env:NAME, keyring:SERVICE/NAME, entra, azure-key, ask, none",
        kind="key",
    ),
    _option("--key-header", metavar="NAME", help="the header that carries the key, as it is (no Bearer)"),
    _list_option("--header", metavar="NAME=VALUE|REF", help="another header; a key in it by reference: NAME=env:VAR"),
    _option("--timeout", metavar="S", type=float, help="seconds without data before giving up"),
    _option("--total-timeout", metavar="S", type=float, help="seconds for a whole request, however slow its data"),
    _option("--retries", metavar="N", type=int, help="retries after a temporary failure"),
    _option("-s", "--system", metavar="TEXT|$var", help="the system message", kind="variable"),
    _option("--model", metavar="NAME", help="the model's name, for endpoints that need it in the request body"),
    _option("--api-version", metavar="V", help="the api-version query parameter"),
    _option(
        "--verify",
        metavar="PATH|off",
        help="a file or folder of CA certificates; off: check no certificate",
        kind="path",
    ),
    _option("--proxy", metavar="URL|none", help="the proxy: its URL, env:NAME, or none; default: the environment's"),
    _option(
        "--price", metavar="IN,OUT[,CACHED]|none", help="what a million tokens of input, output and cached input cost"
    ),
    _switch("--allow-http", help="send the key over plain http, where others on the network can read it"),
)

ROWS_OPTIONS: tuple[Option, ...] = (
    _option(
        "--journal", metavar="FILE", help="with --each: write every response to FILE, and resume from it", kind="path"
    ),
    _switch("--retry-failed", help="with --each: send again the rows that failed in the journal"),
    _option("--limit", metavar="N", type=int, help="with --each: only the first N rows"),
    _option("--sample", metavar="N", type=int, help="with --each: N random rows (the same ones every run)"),
    _option("--concurrency", metavar="N", type=int, help="with --each: at most N requests at a time (16)"),
    _option("--rpm", metavar="N", type=float, help="with --each: at most N requests per minute"),
    _option("--tpm", metavar="N", type=float, help="with --each: at most N tokens per minute"),
    _option("--max-tokens-total", metavar="N", type=int, help="with --each: stop starting rows after N tokens"),
    _option(
        "--dask-client",
        metavar="$client",
        help="with --each: a dask client whose workers send the requests",
        kind="variable",
    ),
)

EVALUATION_OPTIONS: tuple[Option, ...] = (
    _list_option(
        "--expect",
        metavar="[FIELD=]COLUMN",
        help="with --each: the column with the right response, or with a field's right value",
        kind="column",
    ),
    _option(
        "--match",
        metavar="HOW|$fn",
        help="with --expect: normalized (default), exact, contains, number, regex, or a function",
        kind="match",
    ),
    _list_option(
        "--score",
        metavar="$fn",
        help="with --each: a function of (row, response): true or false, a number, or a dict",
        kind="variable",
    ),
    _option("--judge", metavar="A,B,…", help="with --each: configs that rate every response", kind="configs"),
    _option(
        "--rubric",
        metavar="TEXT|$var|FILE",
        help="with --judge: what a good response is",
        kind="variable-or-path",
    ),
    _option(
        "--baseline",
        metavar="FILE|$run",
        help="with --each: an earlier evaluation or its journal; shows the rows that changed",
        kind="variable-or-path",
    ),
    _list_option(
        "--require",
        metavar="CHECK",
        help="with --each: raise an error unless it holds, such as 'accuracy>=0.9'",
        kind="requirement",
    ),
)

CELL_OPTIONS: tuple[Option, ...] = (
    _option(
        "config", nargs="?", metavar="CONFIG", help="the name of a saved config, or $name of an object", kind="config"
    ),
    _list_option("-p", "--set", metavar="KEY=VALUE", help="a model kwarg for this call", kind="kwarg"),
    _option("-k", "--kwargs", metavar="JSON|$var", help="several model kwargs at once", kind="variable"),
    _option(
        "-c",
        "--conversation",
        metavar="NAME",
        help="keep the conversation under NAME and send it along",
        kind="conversation",
    ),
    _list_option("-v", "--var", metavar="NAME=VALUE", help="a prompt variable for this call"),
    _option(
        "-t",
        "--template",
        metavar="$var|none",
        help="a LangChain prompt template; none: send the cell as it is, without variables",
        kind="template",
    ),
    *CONFIG_OPTIONS,
    (("-F", "--format"), {"choices": FORMATS, "help": "how the response is shown; json and code also parse it"}),
    _switch("--show-reasoning", help="show the model's thoughts unfolded (default: folded above the response)"),
    _switch("--hide-reasoning", help="do not show the model's thoughts"),
    _option(
        "--schema",
        metavar="$model|FILE|JSON",
        help="ask for JSON that matches this schema, and validate it",
        kind="variable-or-path",
    ),
    _list_option(
        "-i", "--image", metavar="PATH|$var", help="an image, PDF or sound to send along", kind="variable-or-path"
    ),
    _option("-o", "--output", metavar="VAR", help="store the Response in the notebook's variable VAR"),
    _switch("-q", "--quiet", help="do not show the response"),
    _switch("--insert", help="with -F code: put the code into the next cell"),
    _option("-n", "--repeat", metavar="N", type=int, help="N responses to the same prompt, side by side"),
    _option("--compare", metavar="A,B,…", help="several configs, side by side", kind="configs"),
    _list_option("--sweep", metavar="KEY=V1,V2,…", help="every value of a kwarg, side by side", kind="kwarg"),
    _option(
        "--each",
        metavar="$rows|FILE",
        help="one request per row; {column} stands for the row's value",
        kind="variable-or-path",
    ),
    *ROWS_OPTIONS,
    *EVALUATION_OPTIONS,
    _switch("--no-stream", help="wait for the whole response"),
    _switch("--dry-run", help="show the request and send nothing"),
    _option("--save", metavar="NAME", help="save this combination as a config if it works"),
    _switch("-h", "--help", help="show this help"),
)

_NAME = _option("name", metavar="NAME", kind="config")
_OPTIONAL_NAME = _option("name", nargs="?", metavar="NAME", kind="config")

_VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "demo",
            "start the local endpoint and save the demo configs",
            "demo [--azure]",
            (_switch("--azure", help="start an emulated Azure instead: a sign-in and resources to discover"),),
        ),
        Verb(
            "save",
            "create or change a config of this session",
            "save NAME [options] [KEY=VALUE …] [--keep]",
            (
                _NAME,
                _option("values", nargs="*", metavar="KEY=VALUE", help="model kwargs", kind="kwarg"),
                _option("--from", dest="copy_of", metavar="OTHER", help="start from a copy", kind="config"),
                _switch("--keep", help="keep it, as keep does"),
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
            (_option("name", metavar="NAME", kind="kept"),),
        ),
        Verb("rename", "give a config another name", "rename OLD NEW", (_NAME, _option("new", metavar="NEW"))),
        Verb(
            "delete",
            "delete a config",
            "delete NAME [-f]",
            (_NAME, _switch("-f", "--force", help="even if it is the active one")),
        ),
        Verb(
            "export",
            "write a config as the JSON or YAML that LangChain reads",
            "export NAME PATH | --all FOLDER",
            (
                _option("words", nargs="+", metavar="NAME PATH", kind="config"),
                _switch("--all", dest="all_configs", help="every config, one file each"),
                _switch("--langchain", help="only the keys that LangChain's save() writes"),
                _switch("-f", "--force", help="overwrite a file that is not a saved config"),
            ),
        ),
        Verb(
            "import",
            "read a config from a file, or all in a folder",
            "import PATH [--as NAME]",
            (
                _option("path", metavar="PATH", kind="path"),
                _option("--as", dest="as_name", metavar="NAME", help="the name to save it under"),
            ),
        ),
        Verb(
            "trust",
            "let a config from a file send its keys where it does; list those that ask for it",
            "trust [NAME] [--revoke]",
            (_OPTIONAL_NAME, _switch("--revoke", help="take it back: you are asked again")),
        ),
        Verb("ask", "send one line to the active config", "ask TEXT"),
        Verb("test", "check that a config works, step by step", "test [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "detect",
            "find the formatter that a deployment needs",
            "detect [NAME|URL] [--probe]",
            (
                _option("name", nargs="?", metavar="NAME|URL", kind="config"),
                _switch("--probe", help="also try formatters, with at most 12 short prompts"),
            ),
        ),
        Verb(
            "discover",
            "find the endpoints and deployments that your sign-in can see",
            "discover [PROJECT_URL] [options] [--save [NAME …]]",
            (
                _option("project", nargs="?", metavar="PROJECT_URL", help="the URL of a Foundry project"),
                _option("--workspace", metavar="NAME", help="only this Azure ML workspace"),
                _option("--resource-group", metavar="NAME", help="only this resource group"),
                _option("--subscription", metavar="ID|NAME", help="only this subscription"),
                _option("--tenant", metavar="ID", help="the tenant to sign in to; default: your sign-in's own"),
                (("--sign-in",), {"choices": SIGN_INS, "help": "how to sign in; default: the first way that works"}),
                _option(
                    "--save",
                    nargs="*",
                    metavar="NAME",
                    help="save these of the last table as configs; no NAME: all that take a prompt",
                    kind="discovered",
                ),
                _option("--key", metavar="REF", help="with --save: the key of the configs", kind="key"),
            ),
        ),
        Verb(
            "key",
            "store keys in the system keyring; list where configs find theirs",
            "key [set|list|delete [REF]]",
            (_option("words", nargs="*", metavar="set|list|delete REF", kind="key-action"),),
        ),
        Verb(
            "history",
            "list the prompts and responses of this session",
            "history [-n N] [--search TEXT] [--json FILE]",
            (
                _option("-n", type=int, default=10, metavar="N", dest="number", help="the last N of them (10)"),
                _option("--search", metavar="TEXT", help="only those with TEXT in prompt or response"),
                _option("--json", metavar="FILE", dest="file", help="write them as JSON lines", kind="path"),
            ),
        ),
        Verb(
            "usage",
            "count requests, tokens and costs by config and model since the session began",
            "usage [--by day] [--all]",
            (
                (("--by",), {"choices": ("model", "day"), "default": "model", "help": "a line for each model, or day"}),
                _switch("--all", dest="with_history", help="also what the history file has of other sessions"),
            ),
        ),
        Verb(
            "last",
            "show the last response again, even a partial one",
            "last [--traceback]",
            (_switch("--traceback", help="show the whole traceback of the last error"),),
        ),
        Verb("repair", "send the last cell again if its response did not match its --schema", "repair"),
        Verb(
            "code",
            "show the last call, or a call with a config, as code",
            "code [last|NAME] [--as LANGUAGE]",
            (
                _option("name", nargs="?", default="last", metavar="last|NAME", kind="call"),
                (("--as",), {"dest": "language", "choices": LANGUAGES, "default": "langchain", "help": "langchain"}),
            ),
        ),
        Verb(
            "conversations",
            "list the conversations; show, clear or export one",
            "conversations [show|clear|export NAME [FILE]]",
            (_option("words", nargs="*", metavar="show|clear|export NAME", kind="conversation-action"),),
        ),
        Verb("panel", "open the widget panel: choose, adjust, run, compare, save", "panel [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "record",
            "write every exchange to a file, without keys",
            "record FILE",
            (_option("path", metavar="FILE", kind="path"),),
        ),
        Verb(
            "replay",
            "take the responses from such a file, without a network",
            "replay FILE",
            (_option("path", metavar="FILE", kind="path"),),
        ),
        Verb("stop-recording", "end the recording or the replay", "stop-recording"),
        Verb(
            "help",
            "show this overview, or the help of one verb",
            "help [VERB]",
            (_option("topic", nargs="?", metavar="VERB", kind="verb"),),
        ),
        Verb("version", "show the versions in use", "version"),
    )
}


VERB_GROUPS: dict[str, tuple[str, ...]] = {  # in the order of the help
    "Connect": ("demo", "discover", "save", "test", "detect", "key", "trust"),
    "Configs": ("use", "list", "show", "keep", "forget", "rename", "delete", "export", "import"),
    "Prompts and responses": ("ask", "last", "repair", "history", "usage", "conversations", "code", "panel"),
    "Recordings": ("record", "replay", "stop-recording"),
    "Help": ("help", "version"),
}
VERBS: dict[str, Verb] = {name: _VERBS[name] for names in VERB_GROUPS.values() for name in names if name in _VERBS}


def field_of(option: Option) -> str:
    """Return the field of the dataclass that holds the option's value."""
    flags, keywords = option
    return str(keywords.get("dest") or flags[-1].lstrip("-").replace("-", "_"))


def options_of(verb: str | None) -> tuple[Option, ...]:
    """Return the options of `verb`, or those of the cell for None."""
    return CELL_OPTIONS if verb is None else VERBS[verb].options
