"""Poems, songs, haiku, code blocks and tables: the forms with lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azml_magics.emulator.keywords import keywords, number_before, topic, word_set
from azml_magics.emulator.sentences import MOODS, NOUNS

if TYPE_CHECKING:
    import random

    from azml_magics.emulator.asking import Ask

_HAIKU = re.compile(r"\bhaikus?\b", re.IGNORECASE)
_POEM = re.compile(r"\b(?:poems?|verses?|sonnet|limerick|rhyme|ode|songs?|lyrics)\b", re.IGNORECASE)
_CODE = re.compile(
    r"\b(?:write|show|give|need|create|complete|generate|with)\b.{0,60}\b(function|code|script|class|query|snippet|program)\b",
    re.IGNORECASE | re.DOTALL,
)
_TABLE = re.compile(r"\b(?:markdown table|as a table|in a table|table of)\b", re.IGNORECASE)

_HAIKU_LINES = (
    ("{topic} at dawn,", "{topic}, so {mood} now,", "Only {topic}, still,", "Morning, and {topic},"),
    (
        "a {mood} line waits in the cell,",
        "the cursor blinks and listens,",
        "each small word finds its own place,",
        "the long row of keys falls still,",
    ),
    ("then the page is full.", "and the cell is done.", "rain taps on the keys.", "one more line, then rest."),
)
_POEM_LINES = (
    ("I asked about {topic} when the day was {mood} and new,", "There is a {noun} in {word} that only patience shows,"),
    (
        "the page was white, the cursor blinked, the early answers few;",
        "it waits beside the window while the {mood} evening goes;",
    ),
    (
        "but {word} has a way with words that any line can keep,",
        "the margin fills with {other} and the numbers fall in line,",
    ),
    (
        "and {other} hums along with it until the cells can sleep.",
        "and all the {mood} {noun} of it is neither yours nor mine.",
    ),
    ("Oh {topic}, {topic}, stay a while,", "Sing {word}, sing {other}, sing it low,"),
    ("the {mood} hours are long,", "the {noun} is plain to see,"),
    ("the {noun} fits upon a page,", "a {mood} wind is in the wires,"),
    ("and half of it is song.", "and that will do for me."),
)


_JOKE = re.compile(r"\bjokes?\b", re.IGNORECASE)
_JOKES = (
    "Why did {topic} open a notebook? To see what the next cell would say.",
    "What did the kernel say to {topic}? Give me a moment, I am still on the cell before.",
    "How many answers does {topic} need? One, and a demo endpoint that knows it is a demo.",
    "Why was {topic} never late? It always came with its own time series.",
)


def joke(ask: Ask, choices: random.Random) -> str | None:
    """As many jokes as the prompt asks for, each a line."""
    if not _JOKE.search(ask.prompt):
        return None
    many = number_before(ask.prompt, "jokes?", len(_JOKES)) or 1
    about = topic(re.sub(r"\bjokes?\b", " ", ask.prompt, flags=re.IGNORECASE))
    about = "the empty page" if about == "this request" else about
    return "\n".join(line.replace("{topic}", about) for line in choices.sample(_JOKES, many))


def verse(ask: Ask, choices: random.Random) -> str | None:
    """Haiku or stanzas when the prompt asks for them, as many as it says."""
    prompt = ask.prompt
    if _HAIKU.search(prompt):
        many = number_before(prompt, "haikus?", 10) or 1
        return "\n\n".join(_haiku(prompt, choices) for _ in range(many))
    if not _POEM.search(prompt):
        return None
    many = number_before(prompt, "poems?|verses?|stanzas?|songs?", 10) or 1
    return "\n\n".join(_stanza(prompt, choices, range(8)) for _ in range(many))


def _haiku(prompt: str, choices: random.Random) -> str:
    lines = [_fill(choices.choice(options), prompt, choices) for options in _HAIKU_LINES]
    return "\n".join(line[:1].upper() + line[1:] if at == 0 else line for at, line in enumerate(lines))


def _stanza(prompt: str, choices: random.Random, rows: range) -> str:
    lines = [_fill(choices.choice(_POEM_LINES[row]), prompt, choices) for row in rows]
    return "\n".join(line[:1].upper() + line[1:] for line in lines)


def _fill(line: str, prompt: str, choices: random.Random) -> str:
    about = _subject(prompt)
    words = keywords(about, 6) or [about]
    word = choices.choice(words)
    other = choices.choice([w for w in words if w != word] or ["time"])
    for slot, value in (
        ("{mood}", choices.choice(MOODS)),
        ("{noun}", choices.choice(NOUNS)),
        ("{word}", word),
        ("{other}", other),
    ):
        line = line.replace(slot, value)
    return line.replace("{topic}", about)


def _subject(prompt: str) -> str:
    about = topic(prompt)
    return "the empty page" if about == "this request" else about


def code(ask: Ask, choices: random.Random) -> str | None:
    """A fenced block in the language asked for (Python when none is): a stub that runs and says what it is."""
    asked = _CODE.search(ask.prompt)
    if not asked:
        return None
    words = [word.lower() for word in keywords(ask.prompt, 12) if word.isidentifier() and word.isascii()]
    words = [word for word in words if word not in _LANGUAGE_WORDS][:3] or ["demo"]
    name = "_".join(words) if len(words) > 1 else f"{words[0]}_stub"
    if re.search(r"\bsql\b|\bquery\b", ask.prompt, re.IGNORECASE):
        return f"```sql\nSELECT *\nFROM {words[0]}\nLIMIT {choices.randint(5, 20)};\n```"
    if re.search(r"\bjavascript\b|\btypescript\b", ask.prompt, re.IGNORECASE):
        return f"```javascript\n// A stub from the demo endpoint.\nfunction {name}(value) {{\n  return value;\n}}\n```"
    if re.search(r"\b(?:bash|shell)\b", ask.prompt, re.IGNORECASE):
        return f'```bash\n# A stub from the demo endpoint.\necho "{" ".join(words)}"\n```'
    return f"```python\n{_PYTHON.format(name=name, number=choices.randint(1, 99))}\n```"


_PYTHON = '''def {name}(value):
    """A stub from the demo endpoint: gives back what it gets."""
    return value


print({name}({number}))'''

_LANGUAGE_WORDS = word_set(
    """python javascript typescript sql bash shell function code script class query snippet program def show need takes
    returns"""
)


def table(ask: Ask, choices: random.Random) -> str | None:
    """A Markdown table with a row for each keyword when the prompt asks for a table."""
    if not _TABLE.search(ask.prompt):
        return None
    rows = [word for word in keywords(ask.prompt, 6) if word.lower() not in ("table", "markdown")] or ["demo"]
    lines = [f"| {word} | {choices.choice(MOODS)} | {choices.randint(1, 100)} |" for word in rows]
    return "\n".join(["| item | note | number |", "|---|---|---|", *lines])
