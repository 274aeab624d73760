"""The options of %%azureml and the verbs of %azureml as data: the parsers, the help, completion and the README's tables
are all made from it.

An option is (flags, argparse keywords); the keyword `kind` says what completion offers for its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FORMATS = ("markdown", "text", "json", "code")
API_TYPES = ("dedicated", "serverless")
LANGUAGES = ("langchain", "python", "curl")

Option = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True)
class Verb:
    """One word after %azureml: what it is for, how it is written, and its options."""

    name: str
    help: str
    usage: str
    options: tuple[Option, ...] = ()


def _takes(*flags: str, metavar: str, help: str = "", **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    return flags, {"metavar": metavar, "help": help, **keywords}


def _each(*flags: str, metavar: str, help: str, **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    return flags, {"action": "append", "default": [], "metavar": metavar, "help": help, **keywords}


def _switch(*flags: str, help: str, **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    return flags, {"action": "store_true", "help": help, **keywords}


CONFIG_OPTIONS: tuple[Option, ...] = (
    _takes("-u", "--url", metavar="URL", help="the endpoint's URL"),
    (("--type",), {"choices": API_TYPES, "help": "the endpoint's type; by default what the URL says"}),
    _takes("--deployment", metavar="NAME", help="one deployment of the endpoint (on Foundry: the model)"),
    _takes(
        "-f", "--formatter", metavar="NAME|$var", help="the content formatter, by name or an object", kind="formatter"
    ),
    _takes(
        "--key", metavar="REF", help="where the key is: env:NAME, keyring:SERVICE/NAME, entra, ask, none", kind="key"
    ),
    _takes("--timeout", metavar="S", type=float, help="seconds to wait for the next byte"),
    _takes("--retries", metavar="N", type=int, help="tries after the first that failed in passing"),
    _takes("-s", "--system", metavar="TEXT|$var", help="the system message", kind="variable"),
    _takes("--model", metavar="NAME", help="the model's name, where the route wants it in the body"),
    _takes("--api-version", metavar="V", help="the api-version in the query"),
)

ROWS_OPTIONS: tuple[Option, ...] = (
    _takes("--journal", metavar="FILE", help="with --each: keep every answer there, and go on from it"),
    _switch("--retry-failed", help="with --each: ask the rows again that failed in the journal"),
    _takes("--limit", metavar="N", type=int, help="with --each: only the first N rows"),
    _takes("--sample", metavar="N", type=int, help="with --each: only N rows, drawn from all, always the same"),
    _takes("--concurrency", metavar="N", type=int, help="with --each: the most requests at a time (16)"),
    _takes("--rpm", metavar="N", type=float, help="with --each: the most requests a minute"),
    _takes("--tpm", metavar="N", type=float, help="with --each: the most tokens a minute"),
    _takes("--max-tokens-total", metavar="N", type=int, help="with --each: begin no row beyond so many tokens"),
    _takes("--client", metavar="$client", help="with --each: a dask client, on whose workers to ask", kind="variable"),
)

CELL_OPTIONS: tuple[Option, ...] = (
    _takes("config", nargs="?", metavar="CONFIG", help="a saved config's name, or $name of an object", kind="config"),
    _each("-p", "--set", metavar="KEY=VALUE", help="a model kwarg for this call", kind="kwarg"),
    _takes("-k", "--kwargs", metavar="JSON|$var", help="several model kwargs at once", kind="variable"),
    _takes("-c", "--conversation", metavar="NAME", help="keep the turns under NAME and send them along", kind="talk"),
    _each("-v", "--var", metavar="NAME=VALUE", help="a prompt variable for this call"),
    _takes(
        "-t",
        "--template",
        metavar="$var|none",
        help="a LangChain prompt template; none sends the body untouched",
        kind="template",
    ),
    *CONFIG_OPTIONS,
    (("-F", "--format"), {"choices": FORMATS, "help": "how the answer is shown; json and code also parse it"}),
    _takes("--schema", metavar="$model|FILE", help="ask for JSON of this schema, and check it", kind="variable"),
    _each("-i", "--image", metavar="PATH|$var", help="send a picture along", kind="variable"),
    _takes("-o", "--output", metavar="VAR", help="store the Response in VAR"),
    _switch("-q", "--quiet", help="do not show the answer"),
    _switch("--insert", help="with -F code: put the code into the next cell"),
    _takes("-n", "--repeat", metavar="N", type=int, help="N answers to the same prompt, side by side"),
    _takes("--compare", metavar="A,B,…", help="several configs, side by side", kind="configs"),
    _each("--sweep", metavar="KEY=V1,V2,…", help="every value of a kwarg, side by side", kind="kwarg"),
    _takes("--each", metavar="$rows|FILE", help="ask once for every row; {column} takes its value", kind="variable"),
    *ROWS_OPTIONS,
    _switch("--no-stream", help="wait for the whole answer"),
    _switch("--dry-run", help="show the request and send nothing"),
    _takes("--save", metavar="NAME", help="save this combination as a config once it worked"),
    _switch("-h", "--help", help="show this help"),
)

_NAME = _takes("name", metavar="NAME", kind="config")
_OPTIONAL_NAME = _takes("name", nargs="?", metavar="NAME", kind="config")

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("demo", "start the local endpoint and save the demo configs", "demo"),
        Verb(
            "save",
            "create or change a config of this session",
            "save NAME [options] [KEY=VALUE …]",
            (
                _NAME,
                _takes("values", nargs="*", metavar="KEY=VALUE", help="model kwargs", kind="kwarg"),
                _takes("--from", dest="copy_of", metavar="OTHER", help="start from a copy", kind="config"),
                *CONFIG_OPTIONS,
            ),
        ),
        Verb("use", "make a config the active one", "use NAME", (_NAME,)),
        Verb("list", "the configs, and whether each one's key is found", "list"),
        Verb("show", "everything about a config", "show [NAME]", (_OPTIONAL_NAME,)),
        Verb("rename", "give a config another name", "rename OLD NEW", (_NAME, _takes("new", metavar="NEW"))),
        Verb(
            "delete",
            "forget a config",
            "delete NAME [-f]",
            (_NAME, _switch("-f", "--force", help="also the active one")),
        ),
        Verb(
            "export",
            "write a config as the JSON or YAML that LangChain reads",
            "export NAME PATH | --all FOLDER",
            (
                _takes("words", nargs="+", metavar="NAME PATH", kind="config"),
                _switch("--all", dest="all_configs", help="every config, one file each"),
                _switch("--langchain", help="only the keys that LangChain's save() writes"),
                _switch("-f", "--force", help="overwrite a file that is no saved config"),
            ),
        ),
        Verb(
            "import",
            "read a config, or every one in a folder",
            "import PATH [--as NAME]",
            (
                _takes("path", metavar="PATH"),
                _takes("--as", dest="as_name", metavar="NAME", help="its name here"),
            ),
        ),
        Verb("ask", "ask the active config in one line", "ask TEXT"),
        Verb("test", "check that a config works, step by step", "test [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "detect",
            "which dialect a deployment speaks",
            "detect [NAME|URL] [--probe]",
            (
                _takes("name", nargs="?", metavar="NAME|URL", kind="config"),
                _switch("--probe", help="also try every dialect with a short prompt"),
            ),
        ),
        Verb(
            "history",
            "what was asked and answered",
            "history [-n N] [--search TEXT] [--json FILE]",
            (
                _takes("-n", type=int, default=10, metavar="N", dest="number", help="how many (10)"),
                _takes("--search", metavar="TEXT", help="only those with TEXT in prompt or answer"),
                _takes("--json", metavar="FILE", dest="file", help="write them as JSON lines"),
            ),
        ),
        Verb(
            "last",
            "the last answer again, also a partial one",
            "last [--traceback]",
            (_switch("--traceback", help="the whole traceback of the last error"),),
        ),
        Verb("repair", "ask once more for an answer that did not keep to its --schema", "repair"),
        Verb(
            "code",
            "the last call, or one with a config, as code",
            "code [last|NAME] [--as LANGUAGE]",
            (
                _takes("name", nargs="?", default="last", metavar="last|NAME", kind="call"),
                (("--as",), {"dest": "language", "choices": LANGUAGES, "default": "langchain", "help": "langchain"}),
            ),
        ),
        Verb(
            "conversations",
            "the kept conversations; show, clear or export one",
            "conversations [show|clear|export NAME [FILE]]",
            (_takes("words", nargs="*", metavar="show|clear|export NAME", kind="talks"),),
        ),
        Verb("panel", "the widget panel: choose, tweak, run, compare, keep", "panel [NAME]", (_OPTIONAL_NAME,)),
        Verb("record", "keep every exchange in a file, without keys", "record FILE", (_takes("path", metavar="FILE"),)),
        Verb("replay", "answer from such a file, without a network", "replay FILE", (_takes("path", metavar="FILE"),)),
        Verb("stop-recording", "end the recording or the replay", "stop-recording"),
        Verb(
            "help",
            "this overview, or one verb",
            "help [VERB]",
            (_takes("topic", nargs="?", metavar="VERB", kind="verb"),),
        ),
        Verb("version", "the versions in use", "version"),
    )
}


def options_of(verb: str | None) -> tuple[Option, ...]:
    """The options after `verb`; those of the cell for None."""
    return CELL_OPTIONS if verb is None else VERBS[verb].options
