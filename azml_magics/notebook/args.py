"""Parsers of what the user typed after %%azureml and %azureml."""

from __future__ import annotations

import argparse
import difflib
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from azml_magics.core import wire
from azml_magics.core.errors import UsageError
from azml_magics.core.text import did_you_mean

from .options import VERBS, options_of
from .parsed_options import CellOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Options = TypeVar("Options")


class Parser(argparse.ArgumentParser):
    """argparse that raises one-line UsageErrors with the nearest neighbour, and never exits."""

    def __init__(self, prog: str, description: str) -> None:
        # our errors and help show no usage of argparse's, which would be laid out again for every line that is read
        super().__init__(prog=prog, usage="", description=description, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a UsageError."""
        if "required" in message:  # argparse counts those that may be left out among them
            needed = [a.metavar for a in self._actions if not a.option_strings and a.nargs not in {"?", "*"}]
            message = f"it needs {' and '.join(map(str, needed))}"
        raise UsageError(f"{self.prog}: {message}", remedy=f"`{_help_for(self.prog)}` lists the options.")

    def read(self, words: Sequence[str]) -> dict[str, Any]:
        """The values of `words` by option name."""
        try:
            values, left = self.parse_known_intermixed_args(list(words))
        except UsageError:  # a mistyped option is the likelier cause of what is missing
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
                remedy=f"{_nearest(flag, known)} `{_help_for(self.prog)}` lists the options.".strip(),
            )
        raise UsageError(
            f"{self.prog} does not expect {flag!r}",
            remedy='Put texts with spaces into quotes: -s "be brief".'
            + (" The prompt goes below the line." if self.prog.startswith("%%") else ""),
        )


def _nearest(flag: str, known: list[str]) -> str:
    """The hint at the option that was probably meant, or at -p where it was a model kwarg."""
    kwargs = {}
    if "-p" in known:
        kwargs = {f"--{kwarg.name}": kwarg.name for name in wire.names() for kwarg in wire.get(name).known_kwargs}
    near = difflib.get_close_matches(flag.replace("-", "_").replace("__", "--", 1), kwargs, n=1, cutoff=0.75)
    return f"Model kwargs go behind -p: -p {kwargs[near[0]]}=…." if near else did_you_mean(flag, known).strip()


def _help_for(prog: str) -> str:
    # not `%%azureml --help`: IPython refuses a cell magic without a body
    return "%azureml help" if prog.startswith("%%") else f"%azureml help {prog.rpartition(' ')[2]}"


def split_words(line: str) -> list[str]:
    """The words of a line, quotes taken off as a shell does; UsageError for a quote that is not closed."""
    try:
        return shlex.split(line)
    except ValueError as error:
        problem = "a quote is not closed" if "quotation" in str(error) else str(error).lower()
        raise UsageError(
            f"The line cannot be read: {problem}", remedy="Close it, or escape an apostrophe inside double quotes."
        ) from None


def split_pair(text: str, option: str) -> tuple[str, str]:
    """NAME=VALUE as its two parts."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} takes NAME=VALUE, not {name!r}", remedy=f"Write {option} temperature=0.2.")
    return name.strip(), value


@cache
def parser_of(verb: str | None) -> Parser:
    """The parser of `verb`, or of the cell for None."""
    prog = "%%azureml" if verb is None else f"%azureml {verb}"
    description = "The body of the cell is the prompt." if verb is None else VERBS[verb].help
    parser = Parser(prog, description)
    for flags, keywords in options_of(verb):
        given = {key: value for key, value in keywords.items() if key not in {"kind", "choices", "type"}}
        if "choices" in keywords:
            given |= {"type": _one_of(flags[-1], keywords["choices"]), "metavar": flags[-1]}
        elif "type" in keywords:
            given["type"] = _number(flags[-1], keywords["type"])
        parser.add_argument(*flags, **given)
    return parser


def _one_of(flag: str, choices: Sequence[str]) -> Callable[[str], str]:
    """What reads the value of an option with choices, and names the nearest one where it is none of them."""

    def read(word: str) -> str:
        if word not in choices:
            hint = did_you_mean(word, choices).strip()
            raise UsageError(f"{flag} takes {', '.join(choices)}", remedy=hint)
        return word

    return read


def _number(flag: str, kind: type[int] | type[float]) -> Callable[[str], float]:
    def read(word: str) -> float:
        try:
            return kind(word)
        except ValueError:
            whole = "a whole number" if kind is int else "a number"
            raise UsageError(f"{flag} takes {whole}, not {word!r}") from None

    return read


def read_cell_line(line: str) -> CellOptions:
    """Read the line of a cell, the part after `%%azureml`.

    Raises:
        UsageError: An option is unknown or its value has the wrong form.
    """
    return CellOptions(**_read(None, line))


def read_verb_line(verb: str, line: str, options: type[Options]) -> Options:
    """Read the rest of a line, the part after `%azureml VERB`, into a dataclass of the type `options`.

    Raises:
        UsageError: A word is missing, an option is unknown, or its value has the wrong form.
    """
    return options(**_read(verb, line))


def _read(verb: str | None, line: str) -> dict[str, Any]:
    values = parser_of(verb).read(split_words(line))
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def split_verb(line: str) -> tuple[str, str]:
    """(verb, rest) of a line; "help" for an empty one. UsageError names the nearest verb."""
    word, *further = line.split(None, 1) or [""]
    if not word:
        return "help", ""
    if word not in VERBS:
        hint = did_you_mean(word, VERBS).strip()
        raise UsageError(
            f"%azureml has no verb {word!r}",
            remedy=f"{hint} Verbs: {', '.join(VERBS)}. A prompt goes below %%azureml, or after %azureml ask.".strip(),
        )
    return word, further[0].strip() if further else ""
