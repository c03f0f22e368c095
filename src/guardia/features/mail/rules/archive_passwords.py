"""The passwords of attached archives that a mail names: "contraseña: infected", "the password is «x»", "pwd=malware".

What is found is tried on the archive and nothing else, so a word too many costs a try. Passwords are kept exactly as
written, in their order, each once: quoted ones of up to 100 characters, bare ones without spaces.
"""

import re
from collections.abc import Iterator
from typing import Final

from guardia.features.mail.rules.sentences import MOST_READ, folded

MOST: Final = 10
_KEY: Final = re.compile(
    r"\b(?:contrasen~?as?|contraseñas?|contraseñas?|contrasenyas?|passwords?|passwd|pwd|passcode|passphrase|"
    r"passw|claves?|"
    r"pass|pw)\b(?!-)",
    re.IGNORECASE,
)
_OF_WHAT: Final = re.compile(
    r"(?:[ \t*_]{1,3}(?:del|de|la|las|los|el|para|for|of|to|the|zip|7z|rar|7zip|archivo|fichero|comprimido|"
    r"adjunto|archive|"
    r"file|attachment|attached|muestra|muestras|sample|samples|open|abrirlo|abrir|extract|both|ambos|usada|used|"
    r"here)\b){0,7}",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(
    r"[ \t*_]{0,4}(?:[:=\uff1a]|->|→|\b(?:es|is|are|son|sera|será|siempre es)\b[ \t]*:?)[ \t*_]{0,6}", re.IGNORECASE
)
_QUOTES: Final = {'"': '"', "'": "'", "«": "»", "“": "”", "\u2018": "\u2019", "`": "`", "„": "“", "<": ">"}
_BARE: Final = re.compile(r"\S{1,101}(?!\S)")
_USUAL: Final = re.compile(r"[ \t]+(infected|virus|malware|infectad[oa]|novirus|malicious)\b", re.IGNORECASE)
_NEXT: Final = re.compile(r"[ \t]*(?:,|;|/|\bo\b|\bor\b|\by\b|\band\b|\bu\b)[ \t]*", re.IGNORECASE)
_GRAMMAR: Final = (
    "el la los las lo un una the a an in on of to not no que muy este esta this that como sido siendo son es is "
    "are your my "
    "our su mi nuestra usual required needed necesaria necesario incorrecta incorrect wrong expired caducada "
    "desconocida "
    "unknown invalid correcta correct siempre always only solo demasiado too protected protegido protegida para "
    "for por by "
    "from de del con with and y o or pero but si if olvidada forgotten sent enviada enviaremos aparte separately"
)
_NO_PASSWORD: Final = frozenset(_GRAMMAR.split())


def passwords_in(text: str) -> tuple[str, ...]:
    """Return the passwords that a text names, in their order, each once, a few at most."""
    found: dict[str, None] = {}
    for line in text[:MOST_READ].split("\n"):
        for password in _named_in(line):
            found[password] = None
            if len(found) == MOST:
                return tuple(found)
    return tuple(found)


def _named_in(line: str) -> Iterator[str]:
    begin = 0
    while (key := _KEY.search(line, begin)) is not None:
        begin = key.end()
        of_what = _OF_WHAT.match(line, begin)
        at = of_what.end() if of_what else begin
        says = _SAYS.match(line, at)
        if says is None:
            found = _quoted(line, at) or _usual(line, begin) or _usual(line, at)
        else:
            found = _value(line, says.end(), may_be_any=not says[0].strip(" \t*_:").isalpha())
        while found is not None:
            password, begin = found
            yield password
            found = _another(line, begin)


def _value(line: str, at: int, *, may_be_any: bool) -> tuple[str, int] | None:
    """The password that begins here, and where it ends; a bare word that is only grammar is none."""
    quoted = _quoted(line, at)
    if quoted is not None:
        return quoted
    bare = _BARE.match(line, at)
    if bare is None:
        return None
    password = bare[0].rstrip(".,;:)]}*_»”\"'").lstrip("([{*")
    follows = line[bare.end() :].strip()
    is_grammar = folded(password) in _NO_PASSWORD and not (may_be_any and not follows)
    return (password, bare.end()) if password and not is_grammar else None


def _quoted(line: str, at: int) -> tuple[str, int] | None:
    while at < len(line) and line[at] in " \t*_":
        at += 1
    close = _QUOTES.get(line[at : at + 1])
    if close is None:
        return None
    end = line.find(close, at + 1, at + 102)
    password = line[at + 1 : end].strip()
    return (password, end + 1) if end > 0 and password else None


def _usual(line: str, at: int) -> tuple[str, int] | None:
    """A word that samples are always packed with needs nothing that announces it."""
    match = _USUAL.match(line, at)
    return (match[1], match.end()) if match else None


def _another(line: str, at: int) -> tuple[str, int] | None:
    """A further quoted password behind an "or"."""
    joint = _NEXT.match(line, at)
    return _quoted(line, joint.end()) if joint else None
