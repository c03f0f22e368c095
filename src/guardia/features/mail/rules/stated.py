"""What a sender says in so many words of severity, class and kind, in plain sentences or in `key: value` lines.

- S-1 Only what is clear counts: a level or its word beside "gravedad", "severity", "nivel" …; a class only where it is
  said of an incident, never that a company has premium support. What is denied, asked, supposed or past says nothing.
- S-2 Two statements that contradict each other state nothing, whether in lines, in sentences or in both.
- S-3 A false negative or a false positive is a signature change; a "service request" is one.
- S-4 Words of a level 1 are told apart from the severity: they call a person, and decide nothing (`critical_words`).
Spanish and English; only the sender's own words are read, never what is quoted below.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from guardia.features.mail.rules.archive_passwords import passwords_in
from guardia.features.mail.rules.arrived import Stated
from guardia.features.mail.rules.critical_words import sounds_critical
from guardia.features.mail.rules.sentences import folded, has_negation, is_denied, is_unsure, sentences
from guardia.features.mail.rules.stated_lines import KEPT, stated_lines

_T = TypeVar("_T")
_LEVEL_OF: Final = {"critic": 1, "alt": 2, "high": 2, "medi": 3, "moderate": 3, "baj": 4, "low": 4}
_WORD: Final = r"(critic[oa]s?|critical|alt[oa]|high|medi[oa]|medium|moderate|baj[oa]|low)"
_GRAVITY: Final = r"(?:gravedad|severidad|prioridad|criticidad|severity|priority)"
_NOT_OF_A_CASE: Final = re.compile(
    r"(?:soporte|support|tecnicos?|ingenier[oa]s?|engineers?|technicians?|helpdesk|raid|log|logs|debug|acceso|access|"
    r"privilegios?|privilege|permisos|confianza|trust|registro|detalle|compresion|compression|heuristic[ao]?|bateria|"
    r"battery|ejecucion|cifrado|proteccion|protection|alarma)(?: (?:de|del|at|of|a|-))?(?: (?:de|the|un|a))? ?$"
)
_NOT_A_LEVEL: Final = re.compile(
    r"(?:[.,]\d|\d|[%ºª/]|st\b|nd\b| ?(?:de|of|-) (?:soporte|support|acceso|access|log|los|la|privilegios?|"
    r"ejecucion|confianza)\b|(?: |-)(?:support|engineer|technician|tecnico|access|cache|heuristics?))"
)
_OR_ANOTHER: Final = re.compile(r" ?(?:o|or|/|-|a|to) ?(?:nivel |level )?([1-4])\b")
_NUMBERED: Final = re.compile(
    rf"\b(?:nivel(?:es)?|levels?|sev|{_GRAVITY})(?: (?:de )?(?:nivel|level|{_GRAVITY}))?(?: (?:de|del|of) (?:la |the )?"
    rf"(?:incidente|incidencia|caso|issue|incident|case))?(?: (?:es|is|sea|seria|as|a|de|of|level|nivel|numero|"
    rf"number)|:|=){{0,3}}"
    r"[ -]?#?[ (]?([1-4])\b"
)
_WORDED: Final = re.compile(
    rf"\b(?:(?:nivel de )?{_GRAVITY}(?: level)?(?: (?:es|is|muy|very|as|de nivel|de)|:|=){{0,3}} {_WORD}\b|"
    rf"(?<!-)\b{_WORD}[ -](?:{_GRAVITY})\b|nivel (critico)\b)"
)
_CALLED_CRITICAL: Final = re.compile(
    r"\b(?:incidente|incidencia|caso|problema|asunto|situacion|solicitud|averia) (?:muy )?critic[oa]\b|"
    r"\bcritical (?:incident|case|issue|problem|request|situation|ticket)\b|"
    r"(?:^|\b(?:esto |this |it |el (?:caso|problema|asunto) |para nosotros |for us |lo consideramos |considered ))"
    r"(?:es |is |we consider it )?critic(?:o|al)(?=[\])!.]|$| para nosotros| for us|:| -)|^[\[(]critic(?:o|al)[\])]"
)
_OF_AN_INCIDENT: Final = re.compile(
    r"\b(?:(?:incidente|incidencia|solicitud|caso|ticket)(?: de (?:clase|tipo))? (premium|estandar|standard)\b|"
    r"(premium|standard)(?:[ -]class)? (?:incident|case|ticket|request)\b(?!s)|"
    r"cla(?:se|ss)(?: es| is|:|=)? (premium|estandar|standard)\b|"
    r"(?:gast|consum|us|emple|utili[cz]|descont|carg|spend|charge|take)\w{0,6} (?:un |una |uno |one |a |our |nuestro )?"
    r"(?:de (?:los |nuestros )|of our )?(premium)\b(?! support| soporte| customers?| plan)|"
    r"(?:abr|trat|registr|clasific|tramit|open|file|log|treat|handle|register|regist|class)\w{0,8} "
    r"(?:it |this |esto |lo |la |este |esta |el |the |caso |solicitud |request |case |incidente |incident |issue ){0,4}"
    r"(?:como|as)(?: a| un| una)? (?:incidente |solicitud |clase )?(premium|estandar|standard)\b(?! customer| cliente))"
)
_CLASS_VALUE: Final = re.compile(
    r"(?:(?:incidente|solicitud|caso|incident|case|clase|class)s? (?:de clase |de )?)?(premium|estandar|standard)"
    r"(?:[ -](?:class|incident|incidente|case|request))?[ .]*"
)
_CLAIMS: Final = {
    "FN": re.compile(r"\b(?:fals[oa]s? negativ[oa]s?|false[ -]negatives?|(?:un|an?|posible|possible) fn)\b"),
    "FP": re.compile(r"\b(?:fals[oa]s? positiv[oa]s?|false[ -]positives?|(?:un|an?|posible|possible) fp)\b"),
}
_CLAIM_VALUE: Final = {"FN": re.compile(r"fn\b"), "FP": re.compile(r"fp\b")}
_SIGNATURES: Final = re.compile(
    r"\b(?:solicitud de cambio de firmas?|cambio de firmas|signature change(?: request)?|cambio de firma)\b"
)
_SERVICE: Final = re.compile(r"\b(?:solicitud(?:es)? de servicio|peticion de servicio|service requests?)\b")
_MARKS: Final = re.compile(
    r"\[[#\d\s]{4,14}\]|^(?:\s*(?:re|rv|fw|fwd|aw|tr|sv|antw|ref)\s*(?:\[\d+\])?\s*:)+", re.IGNORECASE
)
_NUMBERS: Final = re.compile(r"\d+")


def read_stated(subject: str, text: str) -> Stated:
    """Return what a mail states; None and empty where nothing clear is said (S-1 to S-4)."""
    bare_subject = _MARKS.sub(" ", _MARKS.sub(" ", subject)).strip()
    said = (*sentences(bare_subject), *sentences(text))
    lines = tuple(stated_lines(f"{bare_subject}\n{text}"))
    claims = set(_claims(said, lines))
    return Stated(
        severity=_only({*_levels(said), *_levels_of_lines(lines)}),
        case_class=_only({*_classes(said), *_classes_of_lines(lines)}),
        kind=_kind(claims, said, lines),
        fields=_fields(claims, lines),
        sounds_critical=sounds_critical(said) or 1 in {*_levels(said), *_levels_of_lines(lines)},
        passwords=passwords_in(f"{subject}\n{text}"),
    )


def _only(found: set[_T]) -> _T | None:
    """S-2: the one thing that is stated, or None."""
    return found.pop() if len(found) == 1 else None


def _levels(said: Iterable[str]) -> Iterator[int]:
    for sentence in said:
        if is_unsure(sentence):
            continue
        for match in _NUMBERED.finditer(sentence):
            is_of_case = not _NOT_OF_A_CASE.search(sentence[max(0, match.start() - 40) : match.start()])
            if is_of_case and not _NOT_A_LEVEL.match(sentence, match.end()) and not is_denied(sentence, match.start()):
                yield int(match[1])
                other = _OR_ANOTHER.match(sentence, match.end())
                yield from (int(other[1]),) if other else ()
        for match in (*_WORDED.finditer(sentence), *_CALLED_CRITICAL.finditer(sentence)):
            word = next((group for group in match.groups() if group), "critico")
            if not is_denied(sentence, match.start()):
                yield _level_of(word)


def _level_of(word: str) -> int:
    return next(level for begin, level in _LEVEL_OF.items() if word.startswith(begin))


def _levels_of_lines(lines: Iterable[tuple[str, str]]) -> Iterator[int]:
    """The level that the value of a line says; a value that says several, or none of the four, is unclear."""
    for meant, value in lines:
        plain = folded(value)
        if meant != "severity" or has_negation(plain) or is_unsure(plain):
            continue
        numbers = {int(number[:3]) for number in _NUMBERS.findall(re.sub(r" (?:de|of|/) 4\b", "", plain))}
        levels = numbers | {_level_of(word) for word in re.findall(rf"\b{_WORD}\b", plain)}
        if len(levels) == 1 and levels <= {1, 2, 3, 4}:
            yield from levels
        elif len(levels) > 1:
            yield from levels & {1, 2, 3, 4}
            yield 0


def _classes(said: Iterable[str]) -> Iterator[str]:
    for sentence in said:
        if is_unsure(sentence):
            continue
        for match in _OF_AN_INCIDENT.finditer(sentence):
            if not is_denied(sentence, match.start()) and not has_negation(match[0]):
                yield _class_of(next(group for group in match.groups() if group))


def _class_of(word: str) -> str:
    return "premium" if word == "premium" else "standard"


def _classes_of_lines(lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    for meant, value in lines:
        match = _CLASS_VALUE.fullmatch(folded(value)) if meant in {"case_class", "claim"} else None
        if match is not None:
            yield _class_of(match[1])


def _claims(said: Iterable[str], lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    for sentence in said:
        for claim, words in _CLAIMS.items():
            if any(not is_denied(sentence, match.start()) for match in words.finditer(sentence)):
                yield claim
    for meant, value in lines:
        if meant == "claim":
            yield from (claim for claim, short in _CLAIM_VALUE.items() if short.match(folded(value)))


def _kind(claims: set[str], said: Iterable[str], lines: Iterable[tuple[str, str]]) -> str | None:
    """S-3: what is asked for; None where it is neither, or both."""
    values = tuple(folded(value) for meant, value in lines if meant == "claim")
    asked = (*said, *values)
    is_change = bool(claims) or _is_said(_SIGNATURES, asked)
    is_service = _is_said(_SERVICE, asked)
    if is_change == is_service:
        return None
    return "signature_change" if is_change else "service_request"


def _is_said(words: re.Pattern[str], said: Iterable[str]) -> bool:
    return any(not is_denied(sentence, match.start()) for sentence in said for match in words.finditer(sentence))


def _fields(claims: set[str], lines: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The facts of a signature change, and whose contract it is; what two lines say differently is left out."""
    values: dict[str, dict[str, str]] = {}
    for meant, value in lines:
        if meant in KEPT:
            values.setdefault(meant, {}).setdefault(folded(value), value)
    kept = tuple((key, next(iter(found.values()))) for key in KEPT if len(found := values.get(key, {})) == 1)
    claim = _only(set(claims))
    return (("claim", claim), *kept) if claim else kept
