"""`key: value` lines of a mail, in Spanish and English: which key is meant, and what it says.

A key may be written with or without accents, in bold, behind a bullet, with `:` or `=`. A value is kept as written, on
one line, without the marks of bold type. Several lines may state the same key: whoever asks decides what that means.
"""

import re
from collections.abc import Iterator
from typing import Final

from guardia.features.mail.rules.sentences import MOST_READ, folded

LONGEST_VALUE: Final = 200
_LINE: Final = re.compile(
    r"[ \t]{0,20}(?:[-*•·\u2013—+>#]{1,3}[ \t]{0,4}|\d{1,2}[.)][ \t]{1,4})?[*_\"]{0,3}"
    r"([^\W\d_][^:=\n*]{0,50}?)[*_\"]{0,3}[ \t\u00a0]{0,4}[:=\uff1a][*_]{0,3}[ \t\u00a0]{0,20}(\S[^\n]{0,400})$"
)
_KEYS: Final = {
    "severity": (
        *("severidad", "gravedad", "nivel", "nivel de gravedad", "nivel de severidad", "nivel gravedad", "prioridad"),
        *(
            "nivel de prioridad",
            "severity",
            "severity level",
            "level",
            "priority",
            "priority level",
            "sev",
            "criticidad",
        ),
        *("level of severity", "gravedad del incidente", "severidad del incidente", "incident severity"),
    ),
    "case_class": (
        *("clase", "clase de incidente", "clase de solicitud", "clase del incidente", "tipo de incidente", "incidente"),
        *("class", "case class", "incident class", "incident type", "class of incident", "incident"),
    ),
    "contract": (
        *("contrato", "numero de contrato", "n.o de contrato", "no de contrato", "contrato n.o", "id de contrato"),
        *("contract", "contract number", "contract no", "contract no.", "contract id", "contract #"),
    ),
    "company": ("empresa", "compania", "razon social", "company", "company name", "organisation", "organization"),
    "product": ("producto", "product", "product name", "nombre del producto"),
    "engine": ("motor", "motor antivirus", "engine", "version del motor", "engine version", "antivirus engine"),
    "database_version": (
        *("base de datos", "version de la base", "version de la base de datos", "version de base de datos", "base"),
        *("base de datos antivirus", "version de firmas", "version de las firmas", "firmas", "version de bases"),
        *("database", "database version", "db version", "db", "signature version", "signatures", "signature database"),
    ),
    "detection_name": (
        *("deteccion", "nombre de la deteccion", "nombre de deteccion", "detectado como", "amenaza", "firma"),
        *("detection", "detection name", "detected as", "threat", "threat name", "signature"),
    ),
    "claim": (
        *(
            "tipo",
            "tipo de solicitud",
            "tipo de caso",
            "reclamacion",
            "claim",
            "type",
            "request type",
            "kind",
            "report",
        ),
        *("case type", "tipo de error", "clase de error"),
    ),
}
_MEANT: Final = {key: meant for meant, keys in _KEYS.items() for key in keys}
KEPT: Final = ("product", "engine", "database_version", "detection_name", "contract", "company")
"""The keys whose values are kept as they were written."""


def stated_lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield (what is meant, value as written) for each line of a text whose key is known."""
    for line in text[:MOST_READ].split("\n"):
        match = _LINE.match(line.rstrip())
        if match is None:
            continue
        meant = _MEANT.get(" ".join(folded(match[1]).replace("º", "o").split()))
        value = match[2].strip().strip("*_").strip()
        if meant and value:
            yield meant, value[:LONGEST_VALUE]
