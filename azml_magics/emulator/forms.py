"""Which form of answer a prompt asks for: a list, a poem, a sum, a summary, code, a table, or plain prose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azml_magics.emulator import lexicon, verse
from azml_magics.emulator.jsonish import json_asked, json_text
from azml_magics.emulator.keywords import keywords, number_before, topic
from azml_magics.emulator.sentences import fill, prose
from azml_magics.emulator.summary import summarize

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from azml_magics.emulator.asking import Ask

_SUMMARY = re.compile(r"\b(?:summari[sz]e|summary|tl;?dr)\b", re.IGNORECASE)
_LIST = re.compile(r"\b(?:list|bullets?|bullet points)\b", re.IGNORECASE)
_THINGS = (
    "ideas?|names?|reasons?|things?|tips?|ways?|steps?|examples?|facts?|questions?|items?|titles?|slogans?|points?|"
    "words?|benefits?|uses?|options?|suggestions?|countries|cities|books?|animals?|colou?rs?|fruits?|rules?|bullets?"
)
_SUM = re.compile(r"(?<![\w.])(-?\d{1,12}(?:\.\d{1,9})?)\s*([-+*/x\u00d7÷])\s*(-?\d{1,12}(?:\.\d{1,9})?)(?![\w.])")
_SAY = re.compile(
    r"\b(?:say|repeat|echo|(?:reply|respond|answer) with)\b[^\"'“\u2018]{0,40}[\"'“\u2018](.+?)[\"'”\u2019](?!\w)",
    re.IGNORECASE,
)
_NAME_TOLD = re.compile(
    r"\bmy name(?: is|'s)\s+([^\W\d_][\w'\u2019-]{0,30})|\bI am called\s+([^\W\d_][\w'\u2019-]{0,30})", re.IGNORECASE
)
_NAME_ASKED = re.compile(
    r"\b(?:what(?:'s| is| was)|tell me|remember|say|know)\b.{0,20}\bmy name\b|\bwho am i\b", re.IGNORECASE
)
_GREETING = re.compile(
    r"\s*(?:hello|hi|hey|good (?:morning|evening|afternoon)|greetings)\b[\s!,.\w]{0,12}\Z", re.IGNORECASE
)
_GOOD = re.compile(
    r"\b(?:good|great|love[ds]?|excellent|happy|wonderful|best|nice|perfect|enjoy(?:ed)?|fast|friendly|delicious|thank\w*)\b",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"\b(?:bad|terrible|hate[ds]?|awful|poor|worst|slow|broken?|never|disappoint\w*|rude|cold|late|refund|wrong|not)\b",
    re.IGNORECASE,
)


_QUESTION = 200
"""In a text of more letters "3 - 4" is no question."""

_WORTH_SUMMARY = 12
"""Words below which there is nothing to summarise."""


def body(ask: Ask, choices: random.Random) -> str:
    """The answer without its marker: how it speaks, what was attached, then the form asked for."""
    said = _from_tools(ask) or next((text for form in _FORMS if (text := form(ask, choices))), None)
    if said is None:
        said = prose(ask.prompt, choices, _words_asked(ask))
        if re.search(
            r"\b(?:terse|brief(?:ly)?|concise(?:ly)?|one sentence)\b",
            f"{ask.system} {ask.prompt[-200:]}",
            re.IGNORECASE,
        ):
            said = re.split(r"(?<=[.!?]) ", said)[0]
    seen = f"I was given {'; '.join(ask.attachments)}, and cannot see or hear any of it. " if ask.attachments else ""
    voice = _voice(ask.system)
    return f"{voice.rstrip()}\n\n{seen}{said}" if voice and "\n" in said else f"{voice}{seen}{said}"


def _voice(system: str) -> str:
    """How a system message shows in the answer; "" without one."""
    text = " ".join(system.split())[:200]
    if not text:
        return ""
    role = re.match(
        r"(?:please )?(?:you(?:'re| are| will be)|act as|(?:speak|answer) (?:as|like)) ((?:an?|the) [^.,;:!\n]+)",
        text,
        re.IGNORECASE,
    )
    if role:
        return f"Speaking as {role.group(1)}: "
    return f'Following the system message "{re.split(r"(?<=[.!?]) ", text)[0].rstrip(".!?")}": '


def _from_tools(ask: Ask) -> str | None:
    if not ask.tool_results:
        return None
    told = " ".join(
        f"{name or 'The tool'} returned {text.strip()[:600] or 'nothing'}." for name, text in ask.tool_results
    )
    return f"About {topic(ask.prompt)}: {told.replace('..', '.')}"


def _remembered_name(ask: Ask, _: random.Random) -> str | None:
    if not _NAME_ASKED.search(ask.prompt):
        return None
    for text in reversed([text for role, text in ask.earlier if role == "user"]):
        told = _NAME_TOLD.search(text)
        if told:
            return f"Your name is {told.group(1) or told.group(2)}; you said so earlier in this conversation."
    return "You have not told me your name in this conversation."


def _greeting(ask: Ask, choices: random.Random) -> str | None:
    if not _GREETING.match(ask.prompt):
        return None
    turn = sum(role == "user" for role, _ in ask.earlier) + 1
    again = f" This is turn {turn} of our conversation." if turn > 1 else ""
    wish = choices.choice(
        ("What shall we try first?", "Ask away.", "Try a haiku, a list or a summary.", "How can I be of use?")
    )
    return f"Hello! {wish}{again}"


def _arithmetic(ask: Ask, _: random.Random) -> str | None:
    match = _SUM.search(ask.prompt)
    if not match or len(ask.prompt) > _QUESTION:
        return None
    left, sign, right = float(match[1]), match[2], float(match[3])
    if sign in "/÷" and right == 0:
        return f"{match[1]} {sign} {match[3]} has no value."
    value = {"+": left + right, "-": left - right, "/": left / (right or 1), "÷": left / (right or 1)}.get(
        sign, left * right
    )
    return f"{match[1]} {sign} {match[3]} = {value:.10g}"


def _echo(ask: Ask, _: random.Random) -> str | None:
    match = _SAY.search(ask.prompt[:2000])
    return match[1] if match else None


def _translation(ask: Ask, _: random.Random) -> str | None:
    order = lexicon.order(ask.prompt)
    return lexicon.translate(order[1], order[0]) if order and order[0] in lexicon.LANGUAGES and order[1] else None


def _summary(ask: Ask, _: random.Random) -> str | None:
    asked = _SUMMARY.search(ask.prompt)
    if not asked:
        return None
    head, colon, rest = ask.prompt.partition("\n") if "\n" in ask.prompt else ask.prompt.partition(":")
    text = rest if colon and len(rest.split()) > len(head.split()) else ask.prompt[asked.end() :]
    # A conversation to be summarised is before the question, not in it.
    text = text if len(text.split()) >= _WORTH_SUMMARY else " ".join(text for _, text in ask.earlier)
    return (
        summarize(text, number_before(ask.prompt[:300], "sentences?")) if len(text.split()) >= _WORTH_SUMMARY else None
    )


def _sentiment(ask: Ask, choices: random.Random) -> str | None:
    text = ask.prompt
    options = re.search(r"\bpositive\b.{1,30}\bnegative\b(.{0,20}\bneutral\b)?", text, re.IGNORECASE | re.DOTALL)
    if options:
        rest = text[: options.start()] + text[options.end() :]
        score = len(_GOOD.findall(rest)) - len(_BAD.findall(rest))
        return (
            "positive"
            if score > 0
            else "negative"
            if score < 0
            else "neutral"
            if options.group(1)
            else choices.choice(("positive", "negative"))
        )
    either = re.search(
        r"\b(?:classify|label|categori[sz]e|decide)\b.{0,120}?\b(?:as|between)\s+([\w-]+)\s+(?:or|and)\s+([\w-]+)",
        text,
        re.IGNORECASE | re.DOTALL,
    )
    return choices.choice(either.groups()) if either else None


def _json(ask: Ask, choices: random.Random) -> str | None:
    return f"```json\n{json_text(ask.prompt, choices)}\n```" if json_asked(ask.prompt) else None


def _list(ask: Ask, choices: random.Random) -> str | None:
    many = number_before(ask.prompt, _THINGS)
    essay = re.search(r"\b\d+[ -]words?\b", ask.prompt, re.IGNORECASE)
    if essay or (many is None and not _LIST.search(ask.prompt)) or many == 1:
        return None
    words = [word for word in keywords(ask.prompt, 12) if not re.fullmatch(_THINGS, word, re.IGNORECASE)] or ["this"]
    choices.shuffle(words)
    lines = [f"{at + 1}. {_item(ask.prompt, words[at % len(words)], choices)}" for at in range(many or 5)]
    return "\n".join(dict.fromkeys(lines))


_ITEMS = (
    "Keep a {mood} hour for {word}",
    "Ask somebody who knows {word} well",
    "Begin with {word}, and take it slowly",
    "Write down one {mood} thing about {word}",
    "Look at {word} from its {mood} side",
)


def _item(prompt: str, word: str, choices: random.Random) -> str:
    line = fill(choices.choice(_ITEMS).replace("{word}", word), prompt, choices)
    return line[:1].upper() + line[1:]


def _words_asked(ask: Ask) -> int | None:
    match = re.search(r"\b(\d{1,5})[ -]words?\b", ask.prompt[:2000], re.IGNORECASE)
    return max(1, min(5000, int(match[1]))) if match else None


_FORMS: tuple[Callable[[Ask, random.Random], str | None], ...] = (
    _remembered_name, _greeting, _translation, _summary, _json, _sentiment, _arithmetic, _echo,
    verse.joke, verse.verse, verse.code, verse.table, _list,
)  # fmt: skip
