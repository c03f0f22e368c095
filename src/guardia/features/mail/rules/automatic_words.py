"""The words with which machines answer for people who are away, in the languages of those who write to a desk.

A subject counts where it begins with such words and they are all that it begins with ("Respuesta automática: …", "Out
of office"), not where a person writes about them. The first line of a text counts only in a short mail that says until
when, or whom to ask instead, and nothing of a problem: a person who is away may well write by hand.
"""

import re
from typing import Final

_SUBJECTS: Final = re.compile(
    r"\W{0,3}(?:auto(?:matic|mated)?[ -]?repl(?:y|ied)|auto[ -]?respon(?:se|der)|automatic response|"
    r"(?:i am |i'm )?out of (?:the )?office(?: auto[ -]?reply| reply| notification| message)?|"
    r"away from (?:my desk|the office)|"
    r"on (?:annual leave|vacation|holidays?)|vacation (?:reply|response|message)|"
    r"respuesta autom[áa]tica|contestaci[óo]n autom[áa]tica|auto[ -]?respuesta|mensaje autom[áa]tico|"
    r"(?:estoy )?fuera de (?:la )?oficina|ausente de la oficina|ausencia(?: temporal)?|de vacaciones|"
    r"aviso de ausencia|automatische antwort|automatische r[üu]ckantwort|abwesenheit(?:snotiz|sassistent|"
    r"smeldung|)|abwesend|"
    r"nicht im b[üu]ro|r[ée]ponse automatique|absence(?: du bureau)?|absent du bureau|en cong[ée]s?|"
    r"message d['\u2019]absence|"
    r"risposta automatica|fuori (?:sede|ufficio)|in ferie|assente|resposta autom[áa]tica|fora do escrit[óo]rio|"
    r"aus[êe]ncia(?: tempor[áa]ria)?|em f[ée]rias|resposta autom[àa]tica|fora de l['\u2019]oficina|"
    r"automatisch (?:antwoord|bericht)|afwezig(?:heid|heidsbericht)?|niet aanwezig|niet op kantoor|"
    r"odpowied[źz] automatyczna|automatyczna odpowied[źz]|autoodpowied[źz]|poza biurem|nieobecno[śs][ćc]|"
    r"автоматический ответ|автоответ(?:чик)?|вне офиса|нет на месте|в отпуске|"
    r"自动(?:回复|答复)|自動(?:回覆|応答|返信)(?:メール)?|外出(?:自动回复)?|不在(?:通知|です)?|休暇中|休假)"
    r"(?=\s*(?:[:\uff1a\-\u2013—!(\[\]【。,]|$|re\b|hasta\b|until\b|till\b|del\b|from\b|desde\b|bis\b|jusqu|fino\b|"
    r"al\b|at[ée]\b|fins\b|tot\b|do\b|"
    r"von\b|du\b|vom\b))",
    re.IGNORECASE,
)
_NOTES: Final = re.compile(r"auto ?: .{2,80} (?:is out of the office|est[áa] fuera de la oficina)", re.IGNORECASE)
_FIRST_LINES: Final = re.compile(
    r"(?:i(?:'m| am| will be)|we are) (?:currently |now )?(?:out of (?:the )?office|away from (?:the|"
    r"my) (?:office|desk)|"
    r"on (?:annual |sick |parental |maternity )?leave|on (?:vacation|holidays?)|away)|"
    r"thank(?:s| you) for your (?:e-?mail|message|mail)[.,!] (?:i am|i'm|i will be) (?:currently )?(?:out|away|on )|"
    r"(?:actualmente |en estos momentos |ahora )?(?:estoy|estar[ée]|me encuentro|me encontrar[ée]) (?:actualmente )?"
    r"(?:fuera de (?:la |mi )?oficina|ausente|de vacaciones|de baja|de permiso)|"
    r"gracias por su (?:mensaje|correo)[.,] (?:actualmente )?(?:estoy|estar[ée]|me encuentro) (?:fuera|ausente|"
    r"de vacaciones)|"
    r"ich bin (?:derzeit|zurzeit|momentan|aktuell|ab|vom|bis)?.{0,40}(?:nicht im b[üu]ro|au[ßs]er haus|abwesend|"
    r"im urlaub|nicht erreichbar)|"
    r"je (?:suis|serai) (?:actuellement )?(?:absente?|en cong[ée]s?|en vacances)|"
    r"(?:al momento )?(?:sono|sar[òo]) (?:attualmente )?(?:fuori (?:sede|ufficio)|assente|in ferie)|"
    r"(?:estou|estarei|encontro-me) (?:atualmente |de momento )?(?:fora do escrit[óo]rio|ausente|de f[ée]rias|"
    r"em f[ée]rias)|"
    r"(?:actualment )?(?:s[óo]c|estic|ser[ée]|estar[ée]) (?:fora de l['\u2019]oficina|absent|de vacances)|"
    r"ik ben (?:momenteel |tot |op dit moment )?.{0,30}(?:afwezig|niet op kantoor|met vakantie|niet aanwezig)|"
    r"(?:obecnie )?(?:jestem|przebywam|b[ęe]d[ęe]) (?:poza biurem|nieobecn[ya]|na urlopie)|"
    r"(?:сейчас )?(?:я )?(?:нахожусь|буду) (?:вне офиса|в отпуске|отсутствовать)|"
    r"(?:сейчас )?я (?:сейчас )?в отпуске|меня нет в офисе|"
    r"我(?:目前|现在|正在)?(?:不在办公室|休假|出差|外出)|(?:ただいま|現在|只今)?.{0,12}(?:不在にしており|外出しており|休暇を|休暇中)",
    re.IGNORECASE,
)
_GREETING: Final = re.compile(
    r"(?:hola|hello|hi|dear|estimad|buenos|buenas|good|guten|hallo|sehr|liebe|bonjour|buongiorno|gentile|ol[áa]|"
    r"bom dia|bon dia|"
    r"beste|dzie[ńn]|szanown|здравствуйте|добрый|您好|你好|お世話)",
    re.IGNORECASE,
)
_TILL_WHEN: Final = re.compile(
    r"\b(?:hasta|until|till|bis|jusqu|fino al|at[ée] |fins|tot |do dnia|do \d|vuelvo|volver[ée]|regres|return|"
    r"back (?:on|in)|"
    r"wieder|retour|rientro|torno|tornar|terug|wr[óo]c|access to (?:my )?(?:e-?mail|mail)|"
    r"acceso (?:limitado )?al? (?:mi )?correo|"
    r"limited access|contact|urgen|dringend|w pilnych|verzoek|in my absence|en mi ausencia)|до \d|вернусь|обращ|срочн|"
    r"返信|联系|联络|至|まで|戻り",
    re.IGNORECASE,
)
_PROBLEM: Final = re.compile(
    r"antivirus|virus|malware|ransom|infect|servidor|server|detecci|detect|firmas|signature|falso|false (?:pos|"
    r"neg)|base de datos|"
    r"database|muestra|sample|licencia|licen[cs]e|\bred\b|network|console|consola|actualiza|update|bloque|block|"
    r"cifrad|encrypt",
    re.IGNORECASE,
)
_MOST_LINES: Final = 14
_MOST_CHARACTERS: Final = 1_500


def says_away_in_subject(subject: str) -> bool:
    """Whether a subject begins as the automatic answers of mail programs do."""
    plain = " ".join(subject[:300].split())
    return _SUBJECTS.match(plain) is not None or _NOTES.match(plain) is not None


def says_away_at_first(text: str) -> bool:
    """Whether a short text says in its first line that its sender is away, and nothing of a problem."""
    lines = [" ".join(line.split()) for line in text[: _MOST_CHARACTERS + 1].split("\n") if line.strip()]
    if not lines or len(text) > _MOST_CHARACTERS or len(lines) > _MOST_LINES:
        return False
    first = lines[1] if len(lines) > 1 and _GREETING.match(lines[0]) and not _FIRST_LINES.search(lines[0]) else lines[0]
    begun = _FIRST_LINES.search(first[:200])
    if begun is None or (begun.start() > 0 and not _GREETING.match(first)):
        return False
    whole = " ".join(lines)
    return _TILL_WHEN.search(whole) is not None and _PROBLEM.search(whole) is None
