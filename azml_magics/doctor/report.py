"""A report: facts in sections, and the problems among them, as text or JSON."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from azml_magics.core.redaction import redact
from azml_magics.core.text import one_line

_NAMES_OF_SECRETS = re.compile("KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|CREDENTIAL", re.IGNORECASE)
_WIDTH = 22  # of the column of names
_LONGEST = 300  # characters of a value
_SHORTEST_SECRET = 8


@dataclass(frozen=True)
class Fact:
    """One line of a report.

    Attributes:
        name: What it is about.
        value: What was found.
        problem: What is wrong with it, as a sentence; "" if nothing.
        fix: What to do about that: a command, or a sentence.
    """

    name: str
    value: str
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Section:
    """Facts under a heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Report:
    """What was found."""

    sections: tuple[Section, ...]

    @property
    def problems(self) -> list[Fact]:
        """The facts that have a problem."""
        return [fact for section in self.sections for fact in section.facts if fact.problem]

    def to_text(self) -> str:
        """Return the report as lines of text; the problems come last, because that is where a terminal stops."""
        parts = [_section_text(section) for section in self.sections]
        problems = self.problems
        if problems:
            lines = [line for fact in problems for line in (f"  {fact.problem}", f"    {fact.fix}")]
            parts.append("\n".join([f"{len(problems)} problem{'s' * (len(problems) > 1)}", *lines]))
        else:
            parts.append("No problems found")
        return _without_secrets("\n\n".join(parts))

    def to_json(self) -> str:
        """Return the report as a JSON document."""
        document = {
            "sections": {
                section.title: {fact.name: _clean(fact.value) for fact in section.facts} for section in self.sections
            },
            "problems": [{"problem": _clean(fact.problem), "fix": _clean(fact.fix)} for fact in self.problems],
        }
        return _without_secrets(json.dumps(document, indent=2, ensure_ascii=False))


def shorten_home(path: str | Path) -> str:
    """Return a path with `~` for the home folder, which has the user's name in it."""
    text = str(path)
    try:
        home = str(Path.home())
    except RuntimeError:
        return text
    return f"~{text[len(home) :]}" if home != os.sep and text.startswith(f"{home}{os.sep}") else text


def _section_text(section: Section) -> str:
    rows = (f"  {fact.name:<{_WIDTH}} {_clean(fact.value)}" for fact in section.facts)
    return "\n".join([section.title, *rows])


def _clean(text: str) -> str:
    return one_line(text, _LONGEST)


def _without_secrets(text: str) -> str:
    """Mask the values of variables that hold secrets, in case a path or a setting has one of them in it."""
    secrets = [value for name, value in os.environ.items() if _NAMES_OF_SECRETS.search(name) and _is_secret(value)]
    return redact(text, *sorted(secrets, key=len, reverse=True))


def _is_secret(value: str) -> bool:
    """Whether it may be one: PWD holds a path, SSH_KEY_FILE too, and short values are words."""
    try:
        return len(value) >= _SHORTEST_SECRET and not Path(value).exists()
    except (OSError, ValueError):  # longer than a path may be
        return True
