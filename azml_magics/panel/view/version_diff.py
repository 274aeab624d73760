"""What differs between a version and the controls, as text and as escaped HTML in the theme's colours."""

from __future__ import annotations

import html
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

from azml_magics.compare.word_diff import mark_differences
from azml_magics.core.text import printable
from azml_magics.display.table import NO_MATH

from ..model.version import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTEXT: Final = 2  # equal lines that are shown around a difference
_LONGEST_MARKED: Final = 2000  # characters of a line in which single words are marked
_LONGEST_PART: Final = 20_000  # characters: the difference is drawn again for every key in the prompt
_LEFT_OUT: Final = "…"
_TAGS: Final = {"-": "del", "+": "ins"}
_LEGEND: Final = "- in this version, + in the controls now"
_NOTHING: Final = "Nothing differs from the controls."


def diff_bundle(differences: Sequence[Difference]) -> dict[str, str]:
    """The differences as a mime bundle.

    Args:
        differences: the parts that differ, those of the version first; () if none does.
    """
    if not differences:
        return {"text/plain": _NOTHING, "text/html": f"<p>{_NOTHING}</p>"}
    parts = [(printable(each.part), _lines(each)) for each in differences]
    texts = ["\n".join([part, *(f"{sign} {line}" for sign, line in lines)]) for part, lines in parts]
    sections = [f"<p><strong>{html.escape(part)}</strong></p>{_to_html(lines)}" for part, lines in parts]
    page = f'<div class="azml-diff {NO_MATH}"><small>{_LEGEND}</small>{"".join(sections)}</div>'
    return {"text/plain": "\n\n".join([_LEGEND, *texts]), "text/html": page}


def _lines(difference: Difference) -> list[tuple[str, str]]:
    """(sign, printable line) of a difference, without the equal lines far from it."""
    part, before, after = difference
    lines = Difference(part, _cut(before), _cut(after)).lines()
    changed = [at for at, (sign, _) in enumerate(lines) if sign != " "]
    near = {at + by for at in changed for by in range(-_CONTEXT, _CONTEXT + 1)}
    shown: list[tuple[str, str]] = []
    left_out = 0
    for at, (sign, line) in enumerate(lines):
        if at not in near:
            left_out += 1
            continue
        shown += [*_gap(left_out), (sign, printable(line))]
        left_out = 0
    return [*shown, *_gap(left_out)]


def _cut(text: str) -> str:
    left_out = len(text) - _LONGEST_PART
    return text if left_out <= 0 else f"{text[:_LONGEST_PART]}\n{_LEFT_OUT} {left_out:,} more characters"


def _gap(lines: int) -> list[tuple[str, str]]:
    return [(_LEFT_OUT, f"{lines} equal line{'' if lines == 1 else 's'}")] if lines else []


def _to_html(lines: Sequence[tuple[str, str]]) -> str:
    """Each line with its sign, because the colour alone would not tell everyone which side it is on."""
    pieces = _mark_words(lines)
    return "".join(_line_to_html(sign, pieces.get(at, [(line, False)])) for at, (sign, line) in enumerate(lines))


def _line_to_html(sign: str, pieces: Sequence[tuple[str, bool]]) -> str:
    tag = _TAGS.get(sign, "span")
    text = "".join(f"<mark>{html.escape(text)}</mark>" if is_new else html.escape(text) for text, is_new in pieces)
    return f"<{tag}>{sign} {text}</{tag}>"


def _mark_words(lines: Sequence[tuple[str, str]]) -> dict[int, list[tuple[str, bool]]]:
    """Return index -> (piece, whether it differs) for the lines that were replaced one by one."""
    pieces: dict[int, list[tuple[str, bool]]] = {}
    blocks = [(sign, [at for at, _ in block]) for sign, block in groupby(enumerate(lines), lambda each: each[1][0])]
    for (sign, old), (next_sign, new) in pairwise(blocks):
        if (sign, next_sign) == ("-", "+") and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                texts = [lines[before][1], lines[after][1]]
                if max(map(len, texts)) <= _LONGEST_MARKED:
                    pieces[before], pieces[after] = mark_differences(texts[::-1])[1], mark_differences(texts)[1]
    return pieces
