"""Parsers of what the user typed after %%azureml and %azureml."""

from __future__ import annotations

import argparse
import difflib
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from azml_magics.core.errors import UsageError
from azml_magics.core.text import did_you_mean

from .verbs import VERBS, options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .parsed_options import CellOptions

Options = TypeVar("Options")


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises one-line UsageErrors with the closest match, and never exits."""

    def __init__(self, prog: str, description: str) -> None:
        # usage is never shown, and argparse would format it again for every line
        super().__init__(prog=prog, usage="", description=description, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a UsageError."""
        if "required" in message:  # argparse lists the optional ones, too
            needed = [a.metavar for a in self._actions if not a.option_strings and a.nargs not in {"?", "*"}]
            message = f"it needs {' and '.join(map(str, needed))}"
        raise UsageError(f"{self.prog}: {message}", remedy=f"`{_help_for(self.prog)}` lists the options.")

    def parse(self, words: Sequence[str]) -> dict[str, Any]:
        """Return the values of `words` by option name.

        Raises:
            UsageError: A word is unknown, missing, or has the wrong form.
        """
        try:
            values, left = self.parse_known_intermixed_args(list(words))
        except UsageError:  # a mistyped option is the likely cause of a missing word
            for word in words:
                if word.startswith("--") and word.partition("=")[0] not in self._option_string_actions:
                    self._refuse(word)
            raise
        if left:
            self._refuse(left[0])
        return vars(values)

    def _refuse(self, word: str) -> NoReturn:
        flag = word.partition("=")[0]
        if flag.startswith("-"):
            known = [option for action in self._actions for option in action.option_strings]
            raise UsageError(
                f"{self.prog} has no option {flag}",
                remedy=f"{_suggest(flag, known)} `{_help_for(self.prog)}` lists the options.".strip(),
            )
        raise UsageError(
            f"{self.prog} does not expect {flag!r}",
            remedy='Put texts with spaces into quotes: -s "be brief".'
            + (" The prompt goes below the line." if self.prog.startswith("%%") else ""),
        )


def _suggest(flag: str, known: list[str]) -> str:
    """A hint at the option that was probably meant, or at -p for a model kwarg."""
    kwargs = {}
    if "-p" in known:
        from azml_magics.core import wire

        kwargs = {f"--{kwarg.name}": kwarg.name for name in wire.names() for kwarg in wire.get(name).known_kwargs}
    near = difflib.get_close_matches(flag.replace("-", "_").replace("__", "--", 1), kwargs, n=1, cutoff=0.75)
    return f"Model kwargs follow -p: -p {kwargs[near[0]]}=…." if near else did_you_mean(flag, known).strip()


def _help_for(prog: str) -> str:
    # not `%%azureml --help`: IPython refuses a cell magic without a body
    return "%azureml help" if prog.startswith("%%") else f"%azureml help {prog.rpartition(' ')[2]}"


def split_words(line: str) -> list[str]:
    """Split a line into words and remove quotes, as a shell does; a word that begins with # begins a comment.

    Raises:
        UsageError: A quote is not closed.
    """
    try:
        return shlex.split(without_comment(line))
    except ValueError as error:
        problem = "a quote is not closed" if "quotation" in str(error) else str(error).lower()
        raise UsageError(
            f"The line cannot be read: {problem}", remedy="Close it, or escape an apostrophe inside double quotes."
        ) from None


def without_comment(line: str) -> str:
    """Return the line up to a `#` that begins a word outside of quotes."""
    quote, is_escaped, before = "", False, " "
    for at, char in enumerate(line):
        if is_escaped:
            is_escaped = False
        elif char == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and before.isspace():
            return line[:at]
        before = char
    return line


def join_continued(line: str, cell: str) -> tuple[str, str]:
    """Return the line and the body of a cell whose line goes on after a backslash at its end."""
    while line.rstrip().endswith("\\") and cell:
        following, _, cell = cell.partition("\n")
        line = f"{line.rstrip()[:-1]} {following}"
    return line, cell


def split_pair(text: str, option: str) -> tuple[str, str]:
    """Split NAME=VALUE into its two parts.

    Args:
        text: The word.
        option: The option that took it, for the error message.

    Raises:
        UsageError: The word has another form.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} takes NAME=VALUE, not {name!r}", remedy=f"Write {option} temperature=0.2.")
    return name.strip(), value


@cache
def parser_of(verb: str | None) -> Parser:
    """Return the parser of `verb`, or of the cell for None."""
    prog = "%%azureml" if verb is None else f"%azureml {verb}"
    description = "The body of the cell is the prompt." if verb is None else VERBS[verb].help
    parser = Parser(prog, description)
    for flags, keywords in options_of(verb):
        given = {key: value for key, value in keywords.items() if key not in {"kind", "choices", "type"}}
        if "choices" in keywords:
            given |= {"type": _choice(flags[-1], keywords["choices"]), "metavar": flags[-1]}
        elif "type" in keywords:
            given["type"] = _number(flags[-1], keywords["type"])
        parser.add_argument(*flags, **given)
    return parser


def _choice(flag: str, choices: Sequence[str]) -> Callable[[str], str]:
    """A converter for an option with choices; its error suggests the closest one."""

    def convert(word: str) -> str:
        if word not in choices:
            hint = did_you_mean(word, choices).strip()
            raise UsageError(f"{flag} takes {', '.join(choices)}", remedy=hint)
        return word

    return convert


def _number(flag: str, kind: type[int] | type[float]) -> Callable[[str], float | str]:
    """A converter for a number; a word with a variable is left to `option_values`, which knows its value."""

    def convert(word: str) -> float | str:
        return word if word.startswith(("$", "{")) else read_number(flag, kind, word)

    return convert


def read_number(flag: str, kind: type[int] | type[float], value: object) -> float:
    """Return `value`, a word or the value of a variable, as a number.

    Raises:
        UsageError: It is not a number, or not a whole one of an option that counts.
    """
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            number = kind(value)
        except (ValueError, OverflowError):
            pass
        else:
            if isinstance(value, str) or number == value:
                return number
    whole = "a whole number" if kind is int else "a number"
    shown = repr(value) if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"
    raise UsageError(f"{flag} takes {whole}, not {shown}")


def parse_cell_line(line: str) -> CellOptions:
    """Parse the line of a cell, the part after `%%azureml`.

    Raises:
        UsageError: An option is unknown or its value has the wrong form.
    """
    from .parsed_options import CellOptions

    return CellOptions(**_parse(None, line))


def parse_verb_line(verb: str, line: str, options: type[Options]) -> Options:
    """Parse the rest of a line, the part after `%azureml VERB`, into a dataclass of the type `options`.

    Raises:
        UsageError: A word is missing, an option is unknown, or its value has the wrong form.
    """
    return options(**_parse(verb, line))


def _parse(verb: str | None, line: str) -> dict[str, Any]:
    values = parser_of(verb).parse(split_words(line))
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def split_verb(line: str) -> tuple[str, str]:
    """Split a line into its verb and the rest; "" for an empty line.

    Raises:
        UsageError: There is no such verb. The message suggests the closest one.
    """
    word, *further = line.split(None, 1) or [""]
    if not word:
        return "", ""
    if word not in VERBS:
        hint = did_you_mean(word, VERBS).strip()
        raise UsageError(
            f"%azureml has no verb {word!r}",
            remedy=f"{hint} Verbs: {', '.join(VERBS)}. A prompt goes below %%azureml, or after %azureml ask.".strip(),
        )
    return word, further[0].strip() if further else ""
