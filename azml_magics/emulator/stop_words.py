"""English words that say little about what a text is about, and the numbers that are written as words."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Return the words of `text` as a set."""
    return frozenset(text.split())


STOP_WORDS = word_set(
    """a about above after again all also am an and any are as at be because been before being below between both but
    by can could did do does doing down during each every few for from further give had has have having he her here
    hers him his how however i if in into is it its itself just keep let like list make many may me might more most
    much must my name no nor not now of off on once one only or other our out over own please provide return same say
    she should show so some such tell than that the their them then there these they this those three through to too
    two under until up upon us use using very was we were what when where which while who whom why will with word
    words would write you your yours answer explain describe create generate hello hi hey thanks sentence sentences
    short brief story poem haiku song essay json good great summarize summarise translate difference include result
    nothing think know go going"""
)

NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "a dozen": 12,
}  # fmt: skip
