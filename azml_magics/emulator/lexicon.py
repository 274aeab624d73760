"""A pocket dictionary: enough words to show what a translation deployment replies, and not more."""

from __future__ import annotations

import re

_TABLE = """
life|vie|leben|vida
is|est|ist|es
are|sont|sind|son
so|si|so|tan
beautiful|belle|schön|bella
the|le|das|el
a|un|ein|un
and|et|und|y
house|maison|haus|casa
water|eau|wasser|agua
hello|bonjour|hallo|hola
world|monde|welt|mundo
good|bon|gut|bueno
morning|matin|morgen|mañana
day|jour|tag|día
night|nuit|nacht|noche
friend|ami|freund|amigo
i|je|ich|yo
you|tu|du|tú
we|nous|wir|nosotros
love|aime|liebe|amo
my|mon|mein|mi
name|nom|name|nombre
cat|chat|katze|gato
dog|chien|hund|perro
book|livre|buch|libro
red|rouge|rot|rojo
blue|bleu|blau|azul
green|vert|grün|verde
in|dans|in|en
of|de|von|de
with|avec|mit|con
not|pas|nicht|no
what|quoi|was|qué
where|où|wo|dónde
here|ici|hier|aquí
sun|soleil|sonne|sol
sea|mer|meer|mar
bread|pain|brot|pan
coffee|café|kaffee|café
thank|merci|danke|gracias
yes|oui|ja|sí
no|non|nein|no
today|aujourd'hui|heute|hoy
tomorrow|demain|morgen|mañana
small|petit|klein|pequeño
big|grand|groß|grande
time|temps|zeit|tiempo
"""
LANGUAGES = ("french", "german", "spanish")
_WORDS = {row[0]: row[1:] for row in (line.split("|") for line in _TABLE.split())}
_ORDER = re.compile(
    r"translate(?:\s+(?:the|this)(?:\s+\w+){0,2})?(?:\s+from\s+\w+|\s+\w+)?\s+(?:in)?to\s+(\w+)\s*[:\-]?\s*(.*)",
    re.IGNORECASE | re.DOTALL,
)


def order(text: str) -> tuple[str, str] | None:
    """(language, text to translate) when `text` asks for a translation, else None."""
    match = _ORDER.search(text)
    if not match:
        quoted = re.search(r"translate\s+[\"'“](.+?)[\"'”]\s+(?:in)?to\s+(\w+)", text, re.IGNORECASE | re.DOTALL)
        return (quoted.group(2).lower(), quoted.group(1)) if quoted else None
    return match.group(1).lower(), match.group(2).strip().strip("\"'“”")


def translate(text: str, language: str) -> str:
    """`text` with the words of the pocket dictionary replaced; all other words stay as they are."""
    if language not in LANGUAGES:
        return text
    column = LANGUAGES.index(language)

    def one(match: re.Match[str]) -> str:
        word = match.group()
        found = _WORDS.get(word.lower())
        if found is None:
            return word
        return found[column].capitalize() if word[:1].isupper() else found[column]

    return re.sub(r"[^\W\d_]+", one, text)
