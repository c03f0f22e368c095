"""Mail words brought to sentences that can be asked: without accents, in small letters, wrapped lines joined.

A sentence knows what stands before a found word in the same clause, so that "no es nivel 1, es nivel 2" says 2 only.
Spanish and English. Everything takes time that grows with the length alone.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

MOST_READ: Final = 100_000
"""Characters of a mail that are read for statements."""
_WRAPPED_FROM: Final = 45
"""A line at least this long may go on in the next one."""
_LONGEST_SENTENCE: Final = 2_000
_MOST_SENTENCES: Final = 2_000
_NEW_LINE: Final = re.compile(r"\s*(?:[-*•·\u2013—#]|\d{1,2}[.)]|[^\W\d][^:=\n]{0,40}[:=])")
_END: Final = re.compile(r"(?<=[.!?;])\s+|\n+|(?=¿)")
_CLAUSE: Final = re.compile(r"[,:;()]| (?:y|e|pero|sino|and|but|aunque|though|although|so|asi que|por tanto) ")
_NEGATION: Final = re.compile(
    r"\b(?:no|not|ni|nor|sin|without|nunca|never|ningun[ao]?|ninguno|none|tampoco|neither|cannot|nada|jamas|lejos de|"
    r"far from|instead of|en lugar de|en vez de|rather than)\b|n['\u2019]t\b"
)
_HEDGE: Final = re.compile(
    r"\b(?:si|if|podria(?:mos|n)?|quizas?|tal vez|a lo mejor|igual|maybe|perhaps|might|could|would|unless|salvo que|"
    r"cuando|when|whether|en caso de|in case|sera|seria|fuera|fuese|era|fue|was|were|anterior(?:es)?|"
    r"previous|last|ultim[oa]|ayer|yesterday|antes|before|posible|possible|possibly|posiblemente|how many|how much|"
    r"cuant[oa]s?)\b"
)


def folded(text: str) -> str:
    """Return a text in small letters, without accents, with plain spaces and apostrophes."""
    apart = unicodedata.normalize("NFKD", text[:MOST_READ].replace("ß", "ss"))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return re.sub(r"[^\S\n]", " ", plain.replace("\u2019", "'")).lower()


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, folded; a wrapped sentence is one, a line of a list is its own."""
    for found in _END.split(_unwrapped(folded(text)), _MOST_SENTENCES):
        sentence = re.sub(r" {2,}", " ", found).strip()
        if sentence:
            yield sentence[:_LONGEST_SENTENCE]


def clause_before(sentence: str, at: int) -> str:
    """Return what stands before a place in the same clause."""
    begun = 0
    for match in _CLAUSE.finditer(sentence, 0, at):
        begun = match.end()
    return sentence[begun:at]


def is_denied(sentence: str, at: int) -> bool:
    """Whether the clause denies what it says from this place on."""
    return _NEGATION.search(clause_before(sentence, at)) is not None


def is_unsure(sentence: str) -> bool:
    """Whether a sentence only asks, supposes, or tells of something past."""
    return sentence.endswith("?") or "¿" in sentence or _HEDGE.search(sentence) is not None


def has_negation(words: str) -> bool:
    """Whether a few words hold a negation."""
    return _NEGATION.search(words) is not None


def _unwrapped(text: str) -> str:
    """Join each line to the one before that was long enough to be wrapped."""
    lines = text.split("\n")
    joined: list[str] = []
    for at, line in enumerate(lines):
        before = lines[at - 1].strip() if at else ""
        goes_on = len(before) >= _WRAPPED_FROM and line.strip() and not _NEW_LINE.match(line)
        joined.append((" " if goes_on else "\n") + line.strip())
    return "".join(joined)
