"""The options of %%azureml as data; the verbs of %azureml are in verbs.py.

The parsers, the help, completion and the documentation's tables are all made from it. An option is (flags, argparse
keywords); the keyword `kind` says what completion offers for its value.
"""

from __future__ import annotations

from typing import Any

FORMATS = ("markdown", "text", "json", "code")
REASONING = ("folded", "open", "hidden")
API_TYPES = ("dedicated", "serverless")
SIGN_INS = ("cli", "managed", "device", "browser")
LANGUAGES = ("langchain", "openai", "anthropic", "python", "curl")

MATCHES = ("normalized", "exact", "contains", "number", "regex")
REQUIREMENTS = ("accuracy>=", "errors==0", "cost<", "p95<", "agreement>=")

Option = tuple[tuple[str, ...], dict[str, Any]]


def option(*flags: str, metavar: str, help: str = "", **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    """Return an option with a value, or a word."""
    return flags, {"metavar": metavar, "help": help, **keywords}


def list_option(*flags: str, metavar: str, help: str, **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    """Return an option that may be given several times."""
    return flags, {"action": "append", "default": [], "metavar": metavar, "help": help, **keywords}


def switch(*flags: str, help: str, **keywords: Any) -> Option:  # noqa: A002 - argparse's own word
    """Return an option without a value."""
    return flags, {"action": "store_true", "help": help, **keywords}


CONFIG_OPTIONS: tuple[Option, ...] = (
    option("-u", "--url", metavar="URL", help="the endpoint's URL"),
    (("--type",), {"choices": API_TYPES, "help": "the endpoint's type; default: from the URL"}),
    option("--deployment", metavar="NAME", help="one deployment of the endpoint (on Foundry: the model)"),
    option(
        "-f", "--formatter", metavar="NAME|$var", help="the content formatter, by name or an object", kind="formatter"
    ),
    option(
        "--key",
        metavar="REF",
        help="where to find the key: env:NAME, keyring:SERVICE/NAME, entra, azure-key, ask, none",
        kind="key",
    ),
    option("--key-header", metavar="NAME", help="the header that carries the key, as it is (no Bearer)"),
    list_option("--header", metavar="NAME=VALUE|REF", help="another header; a key in it by reference: NAME=env:VAR"),
    option("--timeout", metavar="S", type=float, help="seconds without data before giving up"),
    option("--total-timeout", metavar="S", type=float, help="seconds for a whole request, however slow its data"),
    option("--retries", metavar="N", type=int, help="retries after a temporary failure"),
    option("-s", "--system", metavar="TEXT|$var", help="the system message", kind="variable"),
    option("--model", metavar="NAME", help="the model's name, for endpoints that need it in the request body"),
    option("--api-version", metavar="V", help="the api-version query parameter"),
    option(
        "--verify",
        metavar="PATH|off",
        help="a file or folder of CA certificates; off: check no certificate",
        kind="path",
    ),
    option("--proxy", metavar="URL|none", help="the proxy: its URL, env:NAME, or none; default: the environment's"),
    option(
        "--price", metavar="IN,OUT[,CACHED]|none", help="what a million tokens of input, output and cached input cost"
    ),
    switch("--allow-http", help="send the key over plain http, where others on the network can read it"),
)

ROWS_OPTIONS: tuple[Option, ...] = (
    option(
        "--journal", metavar="FILE", help="with --each: write every response to FILE, and resume from it", kind="path"
    ),
    switch("--retry-failed", help="with --each: send again the rows that failed in the journal"),
    option("--limit", metavar="N", type=int, help="with --each: only the first N rows"),
    option("--sample", metavar="N", type=int, help="with --each: N random rows (the same ones every run)"),
    option("--concurrency", metavar="N", type=int, help="with --each: at most N requests at a time (16)"),
    option("--rpm", metavar="N", type=float, help="with --each: at most N requests per minute"),
    option("--tpm", metavar="N", type=float, help="with --each: at most N tokens per minute"),
    option("--max-tokens-total", metavar="N", type=int, help="with --each: stop starting rows after N tokens"),
    option(
        "--dask-client",
        metavar="$client",
        help="with --each: a dask client whose workers send the requests",
        kind="variable",
    ),
)

EVALUATION_OPTIONS: tuple[Option, ...] = (
    list_option(
        "--expect",
        metavar="[FIELD=]COLUMN",
        help="with --each: the column with the right response, or with a field's right value",
        kind="column",
    ),
    option(
        "--match",
        metavar="HOW|$fn",
        help="with --expect: normalized (default), exact, contains, number, regex, or a function",
        kind="match",
    ),
    list_option(
        "--score",
        metavar="$fn",
        help="with --each: a function of (row, response): true or false, a number, or a dict",
        kind="variable",
    ),
    option("--judge", metavar="A,B,…", help="with --each: configs that rate every response", kind="configs"),
    option(
        "--rubric",
        metavar="TEXT|$var|FILE",
        help="with --judge: what a good response is",
        kind="variable-or-path",
    ),
    option(
        "--baseline",
        metavar="FILE|$run",
        help="with --each: an earlier evaluation or its journal; shows the rows that changed",
        kind="variable-or-path",
    ),
    list_option(
        "--require",
        metavar="CHECK",
        help="with --each: raise an error unless it holds, such as 'accuracy>=0.9'",
        kind="requirement",
    ),
)

TOOL_OPTIONS: tuple[Option, ...] = (
    list_option(
        "--tool",
        metavar="$fn",
        help="a function or LangChain tool that the model may call, or a list of them",
        kind="variable",
    ),
    switch("--auto", help="with --tool: run the functions without asking"),
    option("--max-steps", metavar="N", type=int, help="with --tool: at most N requests until a final response (5)"),
    option("--tool-timeout", metavar="S", type=float, help="with --tool: seconds that one call may take (120)"),
)

CELL_OPTIONS: tuple[Option, ...] = (
    option(
        "config", nargs="?", metavar="CONFIG", help="the name of a saved config, or $name of an object", kind="config"
    ),
    list_option("-p", "--set", metavar="KEY=VALUE", help="a model kwarg for this call", kind="kwarg"),
    option("-k", "--kwargs", metavar="JSON|$var", help="several model kwargs at once", kind="variable"),
    option(
        "-c",
        "--conversation",
        metavar="NAME",
        help="keep the conversation under NAME and send it along",
        kind="conversation",
    ),
    option("--thread", metavar="ID", help="for $agent: go on in the thread ID, which its checkpointer keeps"),
    list_option("-v", "--var", metavar="NAME=VALUE", help="a prompt variable for this call"),
    option(
        "-t",
        "--template",
        metavar="$var|none",
        help="a LangChain prompt template; none: send the cell as it is, without variables",
        kind="template",
    ),
    *CONFIG_OPTIONS,
    (("-F", "--format"), {"choices": FORMATS, "help": "how the response is shown; json and code also parse it"}),
    switch("--show-reasoning", help="show the model's thoughts unfolded (default: folded above the response)"),
    switch("--hide-reasoning", help="do not show the model's thoughts"),
    option(
        "--schema",
        metavar="$model|FILE|JSON",
        help="ask for JSON that matches this schema, and validate it",
        kind="variable-or-path",
    ),
    *TOOL_OPTIONS,
    list_option(
        "-i", "--image", metavar="PATH|$var", help="an image, PDF or sound to send along", kind="variable-or-path"
    ),
    option("-o", "--output", metavar="VAR", help="store the Response in the notebook's variable VAR"),
    switch("-q", "--quiet", help="do not show the response"),
    switch("--insert", help="with -F code: put the code into the next cell"),
    option("-n", "--repeat", metavar="N", type=int, help="N responses to the same prompt, side by side"),
    option("--compare", metavar="A,B,…", help="several configs, side by side", kind="configs"),
    list_option("--sweep", metavar="KEY=V1,V2,…", help="every value of a kwarg, side by side", kind="kwarg"),
    option(
        "--each",
        metavar="$rows|FILE",
        help="one request per row; {column} stands for the row's value",
        kind="variable-or-path",
    ),
    *ROWS_OPTIONS,
    *EVALUATION_OPTIONS,
    switch("--no-stream", help="wait for the whole response"),
    switch("--dry-run", help="show the request and send nothing"),
    option("--save", metavar="NAME", help="save this combination as a config if it works"),
    switch("-h", "--help", help="show this help"),
)


def field_of(option: Option) -> str:
    """Return the field of the dataclass that holds the option's value."""
    flags, keywords = option
    return str(keywords.get("dest") or flags[-1].lstrip("-").replace("-", "_"))
