"""What a person types after %%azureml and %azureml, as frozen dataclasses; the parsers are also help and completion."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from azml_magics.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("markdown", "text", "json", "code")
API_TYPES = ("dedicated", "serverless")


@dataclass(frozen=True)
class ConfigOptions:
    """The parts of a config that an option can set; None where it was not given."""

    url: str | None = None
    type: str | None = None
    deployment: str | None = None
    formatter: str | None = None
    key: str | None = None
    timeout: float | None = None
    retries: int | None = None
    system: str | None = None
    model: str | None = None
    api_version: str | None = None


@dataclass(frozen=True)
class CellOptions(ConfigOptions):
    """The line of a %%azureml cell."""

    config: str | None = None
    set: tuple[str, ...] = ()
    kwargs: str | None = None
    var: tuple[str, ...] = ()
    template: str | None = None
    format: str | None = None
    output: str | None = None
    quiet: bool = False
    no_stream: bool = False
    dry_run: bool = False
    save: str | None = None
    help: bool = False


@dataclass(frozen=True)
class Verb:
    """One word after %azureml: its parser's options and what it is for."""

    name: str
    help: str
    usage: str
    options: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = field(default=())


class Parser(argparse.ArgumentParser):
    """argparse that raises one-line UsageErrors with the nearest neighbour, and never exits."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise the message as a UsageError; values are left out of it, for one of them may be a key."""
        raise UsageError(f"{self.prog}: {message}", remedy=f"`{_help_for(self.prog)}` lists the options.")

    def read(self, words: Sequence[str]) -> dict[str, Any]:
        """The values of `words` by option name."""
        values, left = self.parse_known_intermixed_args(list(words))
        if left:
            self._refuse(left[0])
        return vars(values)

    def _refuse(self, word: str) -> NoReturn:
        flag = word.partition("=")[0]
        if flag.startswith("-"):
            known = [option for action in self._actions for option in action.option_strings]
            raise UsageError(
                f"{self.prog} has no option {flag}",
                remedy=f"{did_you_mean(flag, known).strip()} `{_help_for(self.prog)}` lists the options.".strip(),
            )
        raise UsageError(
            f"{self.prog} does not expect {flag!r}", remedy='Put texts with spaces into quotes: -s "be brief".'
        )


def _help_for(prog: str) -> str:
    return "%%azureml --help" if prog.startswith("%%") else f"%azureml help {prog.rpartition(' ')[2]}".strip()


def words_of(line: str) -> list[str]:
    """The words of a line, quotes taken off as a shell does; UsageError for a quote that is not closed."""
    try:
        return shlex.split(line)
    except ValueError as error:
        problem = "a quote is not closed" if "quotation" in str(error) else str(error).lower()
        raise UsageError(
            f"The line cannot be read: {problem}", remedy="Close it, or escape an apostrophe inside double quotes."
        ) from None


def pair(text: str, option: str) -> tuple[str, str]:
    """NAME=VALUE as its two parts."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} takes NAME=VALUE, not {name!r}", remedy=f"Write {option} temperature=0.2.")
    return name.strip(), value


def json_or_text(value: str) -> Any:
    """VALUE as JSON where it is JSON, else as the text it is."""
    try:
        return json.loads(value, parse_constant=lambda word: word)
    except (ValueError, RecursionError):
        return value


# ---- the options -----------------------------------------------------------------------------------------------

# (flags, argparse keywords); `kind` says what completion offers for the value and is no argparse keyword
Option = tuple[tuple[str, ...], dict[str, Any]]

CONFIG_OPTIONS: tuple[Option, ...] = (
    (("-u", "--url"), {"metavar": "URL", "help": "the endpoint's URL"}),
    (("--type",), {"choices": API_TYPES, "help": "the endpoint's type; by default what the URL says"}),
    (("--deployment",), {"metavar": "NAME", "help": "one deployment of the endpoint (on Foundry: the model)"}),
    (
        ("-f", "--formatter"),
        {"metavar": "NAME|$var", "help": "the content formatter, by name or an object", "kind": "formatter"},
    ),
    (
        ("--key",),
        {"metavar": "REF", "help": "where the key is: env:NAME, keyring:SERVICE/NAME, entra, ask", "kind": "key"},
    ),
    (("--timeout",), {"metavar": "S", "type": float, "help": "seconds to wait for the next byte"}),
    (("--retries",), {"metavar": "N", "type": int, "help": "tries after the first that failed in passing"}),
    (("-s", "--system"), {"metavar": "TEXT|$var", "help": "the system message"}),
    (("--model",), {"metavar": "NAME", "help": "the model's name, where the route wants it in the body"}),
    (("--api-version",), {"metavar": "V", "help": "the api-version in the query"}),
)

CELL_OPTIONS: tuple[Option, ...] = (
    (
        ("config",),
        {"nargs": "?", "metavar": "CONFIG", "help": "a saved config's name, or $name of an object", "kind": "config"},
    ),
    (
        ("-p", "--set"),
        {
            "action": "append",
            "default": [],
            "metavar": "KEY=VALUE",
            "help": "a model kwarg for this call",
            "kind": "kwarg",
        },
    ),
    (("-k", "--kwargs"), {"metavar": "JSON|$var", "help": "several model kwargs at once", "kind": "variable"}),
    (
        ("-v", "--var"),
        {"action": "append", "default": [], "metavar": "NAME=VALUE", "help": "a prompt variable for this call"},
    ),
    (
        ("-t", "--template"),
        {
            "metavar": "$var|none",
            "help": "a LangChain prompt template; none sends the body untouched",
            "kind": "template",
        },
    ),
    *CONFIG_OPTIONS,
    (("-F", "--format"), {"choices": FORMATS, "help": "how the answer is shown; json and code also parse it"}),
    (("-o", "--output"), {"metavar": "VAR", "help": "store the Response in VAR"}),
    (("-q", "--quiet"), {"action": "store_true", "help": "do not show the answer"}),
    (("--no-stream",), {"action": "store_true", "help": "wait for the whole answer"}),
    (("--dry-run",), {"action": "store_true", "help": "show the request and send nothing"}),
    (("--save",), {"metavar": "NAME", "help": "save this combination as a config once it worked"}),
    (("-h", "--help"), {"action": "store_true", "help": "show this help"}),
)


def _force(text: str) -> Option:
    return (("-f", "--force"), {"action": "store_true", "help": text})


_NAME: Option = (("name",), {"metavar": "NAME", "kind": "config"})
_OPTIONAL_NAME: Option = (("name",), {"nargs": "?", "metavar": "NAME", "kind": "config"})

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("demo", "start the local endpoint and save the demo configs", "demo"),
        Verb(
            "save",
            "create or change a config of this session",
            "save NAME [options] [KEY=VALUE …]",
            (
                (("name",), {"metavar": "NAME", "kind": "config"}),
                (("values",), {"nargs": "*", "metavar": "KEY=VALUE", "help": "model kwargs", "kind": "kwarg"}),
                (("--from",), {"dest": "copy_of", "metavar": "OTHER", "help": "start from a copy", "kind": "config"}),
                *CONFIG_OPTIONS,
            ),
        ),
        Verb("use", "make a config the active one", "use NAME", (_NAME,)),
        Verb("list", "the configs, and whether each one's key is found", "list"),
        Verb("show", "everything about a config", "show [NAME]", (_OPTIONAL_NAME,)),
        Verb("rename", "give a config another name", "rename OLD NEW", (_NAME, (("new",), {"metavar": "NEW"}))),
        Verb("delete", "forget a config", "delete NAME [-f]", (_NAME, _force("also the active one"))),
        Verb(
            "export",
            "write a config as the JSON or YAML that LangChain reads",
            "export NAME PATH | --all FOLDER",
            (
                (("words",), {"nargs": "+", "metavar": "NAME PATH", "kind": "config"}),
                (("--all",), {"action": "store_true", "dest": "every", "help": "every config, one file each"}),
                (("--langchain",), {"action": "store_true", "help": "only the keys that LangChain's save() writes"}),
                _force("overwrite a file that is no saved config"),
            ),
        ),
        Verb(
            "import",
            "read a config, or every one in a folder",
            "import PATH [--as NAME]",
            (
                (("path",), {"metavar": "PATH"}),
                (("--as",), {"dest": "as_name", "metavar": "NAME", "help": "its name here"}),
            ),
        ),
        Verb("ask", "ask the active config in one line", "ask TEXT"),
        Verb("test", "check that a config works, step by step", "test [NAME]", (_OPTIONAL_NAME,)),
        Verb(
            "history",
            "what was asked and answered",
            "history [-n N] [--search TEXT] [--json FILE]",
            (
                (("-n",), {"type": int, "default": 10, "metavar": "N", "dest": "number", "help": "how many (10)"}),
                (("--search",), {"metavar": "TEXT", "help": "only those with TEXT in prompt or answer"}),
                (("--json",), {"metavar": "FILE", "dest": "file", "help": "write them as JSON lines"}),
            ),
        ),
        Verb(
            "last",
            "the last answer again, also a partial one",
            "last [--traceback]",
            ((("--traceback",), {"action": "store_true", "help": "the whole traceback of the last error"}),),
        ),
        Verb(
            "help",
            "this overview, or one verb",
            "help [VERB]",
            ((("topic",), {"nargs": "?", "metavar": "VERB", "kind": "verb"}),),
        ),
        Verb("version", "the versions in use", "version"),
    )
}


def options_of(verb: str | None) -> tuple[Option, ...]:
    """The options after `verb`; those of the cell for None."""
    return CELL_OPTIONS if verb is None else VERBS[verb].options


@cache
def parser_of(verb: str | None) -> Parser:
    """The parser of `verb`, or of the cell for None."""
    prog = "%%azureml" if verb is None else f"%azureml {verb}"
    description = "The body of the cell is the prompt." if verb is None else VERBS[verb].help
    parser = Parser(prog, description)
    for flags, keywords in options_of(verb):
        parser.add_argument(*flags, **{key: value for key, value in keywords.items() if key != "kind"})
    return parser


def cell_options(line: str) -> CellOptions:
    """The options in the line of a cell."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in parser_of(None).read(words_of(line)).items()
    }
    return CellOptions(**values)


def verb_of(line: str) -> tuple[str, str]:
    """(verb, rest) of a line; "help" for an empty one. UsageError names the nearest verb."""
    word, _, rest = line.strip().partition(" ")
    if not word:
        return "help", ""
    if word not in VERBS:
        hint = did_you_mean(word, VERBS).strip()
        raise UsageError(
            f"%azureml has no verb {word!r}",
            remedy=f"{hint} Verbs: {', '.join(VERBS)}. A prompt goes below %%azureml, or after %azureml ask.".strip(),
        )
    return word, rest.strip()


def config_changes(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of an LLMConfig that the given options set."""
    fields = {
        "url": "endpoint_url",
        "type": "endpoint_api_type",
        "deployment": "deployment_name",
        "formatter": "formatter",
        "key": "key",
        "timeout": "timeout",
        "retries": "max_retries",
        "system": "system",
        "model": "model",
        "api_version": "api_version",
    }
    return {target: options[name] for name, target in fields.items() if options.get(name) is not None}
