"""The words of a case, and of a search, brought to one form: pure, so that both sides agree.

Rules:
- Small letters; whatever is neither letter nor digit parts words, so that `nomina.exe` is found by `nomina`.
- Accents do not matter: everything is kept as written and again without them, and a search asks for both.
- Words that carry no meaning in Spanish or English (`de`, `the`) are left out, of cases and of searches.
- A search is words that must all occur; "words in quotation marks" stand side by side; a minus excludes. No input is an
  error: what means nothing is ignored.
- Internal notes are no part of a case's words: customers search the same words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from guardia.features.cases.rules.projection import EventFact

MOST_TEXT: Final = 100_000
"""Characters of a case that are indexed: PostgreSQL refuses vectors above 1 MB. The newest messages come first."""
MOST_TERMS: Final = 12
LONGEST_SEARCH: Final = 200
PUBLIC_TEXTS: Final = frozenset({"submitted", "message", "answered", "solution", "determined", "closed", "rejected"})
"""Events whose texts a customer reads."""

_PARTS: Final = re.compile(r"[^\W_]+")
_ASKED: Final = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
_SPACES_OF_A_NUMBER: Final = re.compile(r"[\s.\-#]")
_SPANISH: Final = """
a al ante con como cual cuando de del desde donde e el ella ellos en entre era es esa ese eso esta estan estas este esto
estos fue ha han hasta hay la las le les lo los mas me mi mis muy ni no nos o os para pero por porque que quien se segun
ser si sin sobre son su sus tambien te tiene todo todos tu u un una unas uno unos y ya yo"""
_ENGLISH: Final = """
about after all also am an and any are as at be been but by can could did do does for from had has have he her his how i
if in into is it its just my not of on only or our out she so some than that the their them then there these they this
to up was we were what when where which who will with would you your"""
MEANINGLESS: Final = frozenset(f"{_SPANISH} {_ENGLISH}".split())


@dataclass(frozen=True)
class Term:
    """What must, or must not, occur: a word, or several side by side. `text` may hold accents; `plain` has none."""

    text: str
    is_excluded: bool = False

    @property
    def plain(self) -> str:
        """The same without accents."""
        return without_accents(self.text)


def without_accents(text: str) -> str:
    """Return the text with every accented letter as its plain one (`ñ` becomes `n`)."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(letter for letter in apart if unicodedata.category(letter) != "Mn"))


def _words(text: str) -> Iterator[str]:
    for word in _PARTS.findall(unicodedata.normalize("NFC", text).lower()):
        if without_accents(word) not in MEANINGLESS:
            yield word


def normal(text: str) -> str:
    """Return the words that mean something, in small letters, with one space between."""
    return " ".join(_words(text))


def asked(search: str) -> tuple[Term, ...]:
    """Return what a search asks for; empty where nothing in it means anything."""
    terms = []
    for minus, quoted, bare in _ASKED.findall(search[:LONGEST_SEARCH]):
        text = normal(quoted or bare)
        if text:
            terms.append(Term(text, is_excluded=bool(minus)))
    found = tuple(dict.fromkeys(terms))[:MOST_TERMS]
    return found if any(not term.is_excluded for term in found) else ()


def asked_number(search: str) -> str:
    """Return the digits of a search that is nothing but a case number, however it is spaced; else an empty text."""
    digits = _SPACES_OF_A_NUMBER.sub("", search)
    return digits if digits.isascii() and digits.isdigit() else ""


def text_of(titles: Iterable[str], events: Iterable[EventFact]) -> str:
    """Return what a customer may read of a case, in its normal form; the newest texts where all would be too much."""
    texts = [_text_of(event) for event in events if event.type in PUBLIC_TEXTS and not event.payload.get("internal")]
    first, *others = texts or [""]
    return normal("\n".join((*titles, first[: MOST_TEXT // 2], *reversed(others)))[:MOST_TEXT])


def _text_of(event: EventFact) -> str:
    files = event.payload.get("files") or ()
    said = [str(event.payload.get("text", "")), str(event.payload.get("reason", ""))]
    return "\n".join((*said, *(f"{file['filename']} {file['sha256']}" for file in files)))
