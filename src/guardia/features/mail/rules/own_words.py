"""Whose words a mail's lines are: the sender's own, or what is only quoted below, above or between them.

- W-1 A line that begins with `>` is quoted; so is the line (or the wrapped lines) that says who wrote it.
- W-2 A block of `From: Sent: To: Subject:`, a line like `-----Original Message-----`, and our own mark to write above
  it, end the sender's words: everything below is quoted, in whatever language the mail program speaks.
- W-3 Lines between quoted ones stay the sender's own, in their order: an answer may stand below or between.
- W-4 A signature (after `-- `, or `Sent from my …`) and a legal notice are no words of the sender's about the matter.
- W-5 Where nothing would be left, the whole text is the sender's: a mail that is only forwarded is the message.
No line that holds anything is lost: it is in one part or in the other. The time taken grows with the length alone.
"""

import re
from collections.abc import Sequence
from typing import Final

_LOOKED_AT: Final = 400
"""Characters of a line that may decide what it is; the rest of a longer one follows its beginning."""
_WRAPPED_OVER: Final = 4
_BLOCK_LINES: Final = 10
_BLOCK_ROLES: Final = 3
_SIGNATURE_LINES: Final = {"-- ": 40, "--": 12}
_LONGEST_SENT_FROM: Final = 90
_NOTICE_WORDS: Final = 2

_QUOTED: Final = re.compile(r"[ \t]{0,3}>")
_WROTE: Final = re.compile(
    r"(?:escribi[óo]|ha escrito|va escriure|wrote|writes|schrieb|a écrit|escreveu|ha scritto|schreef|skrev|"
    r"napisał\(?a?\)?|пишет|написала?|写道)"
    r"(?:(?<=schrieb) [^:]{1,80}|(?<=schreef) [^:]{1,80}|(?<=skrev) [^:]{1,80})?"
    r"(?: (?:el|on|am|le|em|il) [^:]{4,30}(?::\d\d){0,2})?"
    r"(?: ?[ap]\. ?m\.)?\s?[:\uff1a]$",
    re.IGNORECASE,
)
_SAID_WHEN: Final = re.compile(
    r"(?:el|on|le|am|em|il giorno|il|op|w dniu|den|en|dne|a|\d{4}-\d\d-\d\d)\b[ ,]?", re.IGNORECASE
)
_EXACT: Final = re.compile(r"\d[:.h]\d\d|@")
"""What a mail program writes about an older mail, and a person who quotes by hand does not: a time or an address."""
_OLD_GMAIL: Final = re.compile(r"\d{4}-\d\d-\d\d \d{1,2}:\d\d .{0,300}>:$")
_DASHED: Final = re.compile(
    r"[-_=* ]{2,20}\s?(?:mensaje original|mensaje reenviado|original message|forwarded message|forwarded by .{1,80}|"
    r"ursprüngliche nachricht|weitergeleitete nachricht|message d'origine|message original|message transféré|"
    r"mensagem original|mensagem encaminhada|messaggio originale|messaggio inoltrato|missatge original|"
    r"missatge reenviat|original appointment|cita original)\s?[-_=* ]{0,20}(?:de .{1,80}|from .{1,80})?$",
    re.IGNORECASE,
)
_BEGINS_FORWARD: Final = re.compile(
    r"(?:inicio del mensaje reenviado|begin forwarded message|anfang der weitergeleiteten nachricht|"
    r"début du message (?:réexpédié|transféré)|início da mensagem (?:reencaminhada|encaminhada)|"
    r"inizio messaggio inoltrato)\s?:$",
    re.IGNORECASE,
)
_OWN_MARK: Final = re.compile(
    r"\W{0,40}(?:(?:responda|responder|escriba|escribir|conteste) (?:por )?(?:encima|arriba) de esta línea|"
    r"(?:please )?(?:reply|write|type your reply) above this line)\b.{0,40}$",
    re.IGNORECASE,
)
_LABELS: Final = {
    "from": ("de", "from", "von", "da", "remitente", "expéditeur"),
    "date": (
        *("enviado", "enviado el", "enviada em", "enviada", "enviat", "fecha", "sent", "date", "gesendet", "datum"),
        *("envoyé", "inviato", "data", "enviado em"),
    ),
    "to": ("para", "to", "an", "à", "a", "per a", "destinatario", "destinataire"),
    "copy": ("cc", "cco", "bcc", "copia"),
    "subject": ("asunto", "subject", "betreff", "objet", "assunto", "oggetto", "assumpte", "tema"),
}
_ROLE_OF: Final = {label: role for role, labels in _LABELS.items() for label in labels}
_LABEL: Final = re.compile(r"[*_ \t]{0,4}([^\W\d_]{1,12}(?: [^\W\d_]{1,3})?)[ \u00a0]?:(?=[*_ \t\u00a0]|$)")
_SENT_FROM: Final = re.compile(
    r"\W{0,3}(?:enviado (?:desde|con|do|a partir do) |enviada? desde |enviat des de|sent (?:from|with|using) |"
    r"sent via |get outlook for |obtener outlook para |obtenga outlook para |von meinem .{1,40} gesendet|"
    r"gesendet von |envoyé (?:de|depuis|à partir de) |inviato da |télécharger outlook pour |"
    r"outlook für (?:ios|android) |descarga outlook )",
    re.IGNORECASE,
)
_NOTICE: Final = re.compile(
    r"confiden[ct]ial|destinatari[oa]|intended (?:recipient|only|solely)|addressee|"
    r"aviso legal|legal notice|disclaimer|privileged|secreto profesional|protección de datos|data protection|"
    r"rgpd|gdpr|(?:2016/679)|notifíquelo|notify the sender|notify us|delete it|proceda a su (?:eliminación|"
    r"destrucción)|"
    r"prohibid[ao]|prohibited|antes de imprimir|before printing|medio ?ambiente|environment|por error|in error|"
    r"libre de virus|free of viruses|vertraulich|destinataire|riservat[oe]",
    re.IGNORECASE,
)
_NOTICE_OF: Final = re.compile(
    r"(?:mensaje|correo|e-?mail|message|comunicación|communication|transmission|nachricht|messaggio|"
    r"imprimir|printing|aviso legal|legal notice|disclaimer)",
    re.IGNORECASE,
)


def split_words(text: str) -> tuple[str, str]:
    """Return the sender's own words, and the rest: quotes, signatures and legal notices (W-1 to W-5)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    is_rest = _rest_of(lines)
    own = [line for line, rest in zip(lines, is_rest, strict=True) if not rest]
    if not any(line.strip() for line in own):
        return _tidy(lines), ""
    return _tidy(own), _tidy([line for line, rest in zip(lines, is_rest, strict=True) if rest])


def _rest_of(lines: Sequence[str]) -> list[bool]:
    """Whether each line is no word of the sender's own."""
    heads = [line[:_LOOKED_AT] for line in lines]
    is_rest = [bool(_QUOTED.match(head)) for head in heads]
    end = _first_cut(heads, is_rest)
    is_rest[end:] = [True] * (len(lines) - end)
    _mark_signatures(heads, is_rest)
    _mark_notices(heads, is_rest)
    return is_rest


def _first_cut(heads: Sequence[str], is_rest: list[bool]) -> int:
    """W-2: the line below which everything is quoted; marks who-wrote lines above quoted ones on its way (W-1)."""
    skip_to = 0
    roles = [_role(head) for head in heads]
    for at, head in enumerate(heads):
        if is_rest[at] or at < skip_to or not head.strip():
            continue
        if _is_cut(heads, roles, at):
            return at
        taken = _attribution(heads, is_rest, at)
        if not taken:
            continue
        below = _next_filled(heads, at + taken)
        if below is not None and is_rest[below]:
            is_rest[at : at + taken] = [True] * taken
            skip_to = at + taken
        elif _EXACT.search(" ".join(heads[at : at + taken])):
            return at
    return len(heads)


def _is_cut(heads: Sequence[str], roles: Sequence[str | None], at: int) -> bool:
    bare = heads[at].strip().strip("*").strip()
    if _DASHED.match(bare) or _BEGINS_FORWARD.match(bare) or _OWN_MARK.match(bare):
        return True
    if len(bare) > 9 and not bare.strip("_"):  # noqa: PLR2004  Outlook's rule is longer than any blank to fill in
        below = _next_filled(heads, at + 1)
        return below is not None and _begins_block(roles, below)
    return _begins_block(roles, at)


def _begins_block(roles: Sequence[str | None], at: int) -> bool:
    """Whether the headers of an older mail begin here, as Outlook and others write them above what they quote."""
    if roles[at] is None:
        return False
    found = set(roles[at : at + _BLOCK_LINES]) - {None, "copy"}
    return len(found) >= _BLOCK_ROLES and "from" in found


def _role(head: str) -> str | None:
    label = _LABEL.match(head)
    return _ROLE_OF.get(label[1].lower()) if label else None


def _attribution(heads: Sequence[str], is_rest: Sequence[bool], at: int) -> int:
    """How many lines from here say who wrote what is quoted below: none, one, or a few where it is wrapped."""
    head = heads[at].strip()
    if _OLD_GMAIL.match(head):
        return 1
    is_dated = _SAID_WHEN.match(head) is not None
    if not is_dated:
        below = _next_filled(heads, at + 1)
        return int(bool(_WROTE.search(head[-120:])) and below is not None and is_rest[below])
    said = ""
    for count, line in enumerate(heads[at : at + _WRAPPED_OVER], start=1):
        if not line.strip() or is_rest[at + count - 1]:
            return 0
        said = f"{said} {line.strip()}".strip()
        if _WROTE.search(said[-120:]) or (count <= 2 and _OLD_GMAIL.match(said)):  # noqa: PLR2004  wrapped once
            return count if any(letter.isdigit() for letter in said) else 0
    return 0


def _next_filled(heads: Sequence[str], start: int) -> int | None:
    """The next line that holds anything, a few lines on at most."""
    return next((at for at in range(start, min(start + 4, len(heads))) if heads[at].strip()), None)


def _mark_signatures(heads: Sequence[str], is_rest: list[bool]) -> None:
    """W-4: what follows the signature mark, up to the next quoted line."""
    filled = _filled_below(heads, is_rest)
    in_signature = False
    for at, head in enumerate(heads):
        if is_rest[at]:
            in_signature = False
            continue
        most = _SIGNATURE_LINES.get(head.rstrip("\u00a0"), 0)
        in_signature = in_signature or 0 < filled[at] <= most
        is_rest[at] = in_signature or _is_sent_from(head)


def _filled_below(heads: Sequence[str], is_rest: Sequence[bool]) -> list[int]:
    """How many lines that hold anything stand from each line on, up to the next quoted one."""
    counts = [0] * (len(heads) + 1)
    for at in range(len(heads) - 1, -1, -1):
        counts[at] = 0 if is_rest[at] else counts[at + 1] + bool(heads[at].strip())
    return counts


def _is_sent_from(head: str) -> bool:
    return len(head) <= _LONGEST_SENT_FROM and _SENT_FROM.match(head.strip()) is not None


def _mark_notices(heads: Sequence[str], is_rest: list[bool]) -> None:
    """W-4: legal notices, by paragraph; never the first paragraph of a mail."""
    start, is_first = 0, True
    while start < len(heads):
        if is_rest[start] or not heads[start].strip():
            start += 1
            continue
        end = start
        while end < len(heads) and heads[end].strip() and not is_rest[end]:
            end += 1
        if not is_first and _is_notice(" ".join(heads[start : min(end, start + 30)])):
            is_rest[start:end] = [True] * (end - start)
        start, is_first = end, False


def _is_notice(paragraph: str) -> bool:
    words = {match[0].lower() for match in _NOTICE.finditer(paragraph)}
    return len(words) >= _NOTICE_WORDS and _NOTICE_OF.search(paragraph) is not None


def _tidy(lines: Sequence[str]) -> str:
    """The lines as one text: no blank ones at its ends, never two in a row."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1].strip()):
            kept.append(line if line.strip() else "")
    return "\n".join(kept).rstrip("\n")
