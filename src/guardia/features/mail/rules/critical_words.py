"""Words of a level 1: business interrupted, systems down, data lost, an outbreak, a critical application stopped.

They raise a flag to a person, whatever severity is stated: so they are looked for broadly, and what is denied ("no hay
sistemas caídos"), asked, feared or prepared ("para evitar la pérdida de datos") does not count. Spanish and English.
"""

import re
from typing import Final

from guardia.features.mail.rules.sentences import clause_before, has_negation

_BEFORE: Final = 48
"""Characters before the words that may deny them."""
_GAP: Final = r"(?:[\w'-]{1,24}[ ,] ?){0,4}"
_DOWN: Final = (
    r"(?:caid[oa]s?|parad[oa]s?|inoperativ[oa]s?|inoperantes?|fuera de servicio|paralizad[oa]s?|colgad[oa]s|"
    r"interrumpid[oa]s?|detenid[oa]s?|inutilizables?|sin servicio)\b"
)
_STRUCK: Final = (
    r"(?:bloquead[oa]s|cifrad[oa]s|encriptad[oa]s|infectad[oa]s|apagad[oa]s|sin arrancar|no arrancan|caid[oa]s)"
)
_THINGS: Final = (
    r"(?:produccion|servidor(?:es)?|sistemas?|fabrica|planta|lineas? (?:\d{1,2}|de (?:produccion|montaje|caja))|"
    r"negocio|empresa|"
    r"hospital|toda la red|la red|red entera|servicios|tpv|cajas|tiendas?|controlador(?:es)? de dominio|actividad|erp|"
    r"oficinas?|sedes?|operaciones)"
)
_FILES: Final = r"(?:datos|ficheros|archivos|documentos|discos|servidores|carpetas|copias|backups)"
_STOPPED: Final = (
    r"(?:down|offline|halted|at a (?:complete )?standstill|paralysed|paralyzed|crashed|stopped|interrupted|"
    r"out of service|dead in the water|not running|unreachable)\b"
)
_SYSTEMS: Final = (
    r"(?:systems|all systems|servers?|domain controllers?|production|plant|factory|assembly lines?|production lines?|"
    r"business|operations|entire network|whole network|the network|hospital|warehouse|stores|tills|point of sale|erp)"
)
_SAID: Final = tuple(
    re.compile(rf"\b{words}")
    for words in (
        rf"{_THINGS} {_GAP}{_DOWN}",
        (
            r"se (?:nos )?(?:ha|han) (?:caido|parado) "
            rf"(?:todo\b|(?:el |la |los |las |toda la |todos los )?(?:red\b|{_THINGS}))"
        ),
        r"estamos (?:total|completa)?(?:mente )?parad[oa]s",
        (
            r"(?:whole|entire) (?:company|site|office|plant|factory|network|business) (?:is |has been |"
            r"went )?(?:down|offline)"
        ),
        r"extension \.?(?:locked|encrypted|crypt|lockbit)",
        (
            rf"(?:caida|parada|paralizacion|interrupcion) (?:total |completa |general )?(?:de la |de los |del |"
            rf"de )?{_THINGS}"
        ),
        (
            r"(?:hemos|han|ha|tuvimos que|tenemos que) (?:parado|parar|detenido|detener) (?:la |toda la )?"
            r"(?:produccion|fabrica|planta|actividad)"
        ),
        rf"(?:todos|todas) (?:los|las|nuestros|nuestras) {_GAP}(?:{_STRUCK}|{_DOWN})",
        rf"(?:servidores|sistemas|equipos) {_GAP}{_STRUCK}",
        r"pantallazos? azul(?:es)? en (?:todos|toda)",
        r"perdida (?:total |masiva )?de (?:los |nuestros )?(?:datos|informacion|ficheros|archivos)",
        (
            r"(?:hemos|han|ha|se han) (?:perdido|borrado|destruido) (?:todos )?(?:los |nuestros )?(?:datos|ficheros|"
            r"archivos)"
        ),
        rf"(?:se estan|esta|estan|sigue) (?:perdiendo|borrando|cifrando|encriptando) {_GAP}{_FILES}?",
        rf"{_FILES} {_GAP}(?:cifrad|encriptad|perdid|borrad|destruid)[oa]s",
        r"datos (?:han sido |estan )?(?:perdidos|borrados|destruidos|corruptos)",
        r"cifrado (?:esta )?en curso",
        r"(?:ataque|infeccion|brote|incidente|victimas|caso) (?:activo |grave )?(?:de |del |por )(?:un )?ransomware",
        r"ransomware (?:activo|en curso|en (?:la|nuestra|toda la) red|(?:nos |que )?(?:ha|esta|han|se))\b",
        r"(?:tenemos|sufrimos|hay) (?:un |una )?(?:infeccion de |ataque de )?ransomware",
        r"nota de rescate|piden (?:un )?rescate|archivo de rescate",
        (
            r"(?:brote|infeccion masiva|gusano|epidemia) (?:[\w'-]{1,24}[ ,] ?){0,6}(?:la red|sedes|delegaciones|"
            r"toda|todos)"
        ),
        r"brote (?:masivo|generalizado)|infeccion (?:masiva|generalizada)",
        (
            r"(?:infectad[oa]s?|virus|malware|infeccion) (?:[\w'-]{1,24}[ ,] ?){0,4}(?:toda la (?:red|empresa)|"
            r"por (?:toda )?la red|todos los (?:equipos|servidores|puestos|ordenadores)|todas las sedes)"
        ),
        (
            r"se (?:esta |sigue |ha )?(?:propaga|extiende|propagando|extendiendo|extendido|propagado) "
            rf"{_GAP}(?:red|equipos|servidores|sedes)"
        ),
        rf"aplicacion(?:es)? critica(?:s)? {_GAP}(?:bloquead|eliminad|borrad|parad|en cuarentena|no arranca|caid)",
        (
            rf"(?:bloque|elimin|borr|puesto en cuarentena|detect)[\w]{{0,6}} {_GAP}(?:aplicacion|programa|"
            rf"sistema) critic[oa]"
        ),
        r"falso positivo (?:[\w'-]{1,24}[ ,] ?){0,6}(?:aplicacion|sistema|programa|software|proceso) critic[oa]",
        r"(?:aplicacion|sistema|programa|software|proceso) critic[oa] (?:[\w'-]{1,24}[ ,] ?){0,8}falso positivo",
        r"incidente (?:de nivel 1|critico)|incidencia (?:de nivel 1|critica)|emergencia (?:total|critica)",
        rf"{_SYSTEMS} {_GAP}{_STOPPED}",
        r"business (?:is |has been |was |operations )?(?:interrupt\w{2,4}|stopped|halted)|business interruption",
        r"(?:complete|total|major|company-?wide|full) outage",
        r"production (?:has |is |line )?(?:stopped|halted|blocked|down)|stopped (?:the |our )?production",
        r"data (?:has |have |is |are |was |were |being |been ){0,3}(?:lost|destroyed|wiped|corrupted|encrypted|erased)",
        r"(?:data loss|loss of data)|lost (?:all )?(?:of )?(?:our |the )?(?:data|files|database)",
        (
            r"(?:files|servers|shares|machines|disks|documents|backups) (?:have |are |were |is |being |been |"
            r"got |all ){0,4}"
            r"(?:encrypted|wiped)"
        ),
        r"(?:is|are|keeps?) (?:still )?(?:encrypting|wiping|deleting) (?:our |the |all )",
        r"ransomware (?:attack|outbreak|infection|incident|is|has|hit|spreading|on (?:our|the|all))",
        r"(?:hit|struck|attacked|infected) by (?:a )?ransomware|ransom note",
        r"(?:network-?wide|company-?wide|massive|mass|widespread|large) (?:outbreak|infection|attack)",
        (
            r"(?:outbreak|worm|virus|malware|infection) (?:[\w'-]{1,24}[ ,] ?){0,6}(?:(?:whole|entire|all over|"
            r"across|through"
            r"(?:out)?)(?: the| our)?|the whole|our whole) (?:network|company|sites|domain|offices|plant)"
        ),
        r"spreading (?:[\w'-]{1,24}[ ,] ?){0,5}(?:network|machines|servers|sites|company)",
        (
            rf"all (?:our |the |of our )?(?:machines|servers|computers|workstations|pcs|endpoints) {_GAP}"
            r"(?:down|infected|encrypted|crash\w{0,3}|blue[ -]?screen\w{0,3}|offline|locked|not boot)"
        ),
        rf"critical application\w? {_GAP}(?:blocked|quarantined|deleted|down|stopped|killed)",
        rf"(?:block|quarantin|delet|kill)\w{{0,4}} {_GAP}critical (?:application|system|software|service|process)",
        r"false positive (?:[\w'-]{1,24}[ ,] ?){0,6}critical (?:application|system|software|process|service)",
        r"critical (?:application|system|software|process|service) (?:[\w'-]{1,24}[ ,] ?){0,8}false positive",
        r"critical (?:incident|emergency|outage)",
    )
)
_CANNOT: Final = re.compile(
    r"\b(?:erp|produccion|fabrica|servidores|sistemas) no (?:arranca|funciona|responde)n?\b|"
    r"\b(?:servers|systems|production) (?:do not|don't|does not|doesn't) (?:boot|start|work|respond)\b|"
    r"\bno (?:se )?(?:podemos|puede|pueden|podeis|puedo) (?:seguir )?(?:trabaj|operar|factur|produc|fabric|atend|"
    r"vend|cobr)|"
    r"\b(?:nadie|ningun (?:usuario|empleado|puesto|equipo)) (?:de [\w ]{1,20} )?(?:puede|podemos|consigue|logra) "
    r"(?:trabajar|operar|arrancar|facturar)|"
    r"\bsin poder (?:trabajar|operar|facturar|producir|atender|vender|cobrar)|"
    r"\b(?:impide|impidiendo) (?:[\w]{1,20} ){0,4}(?:trabajar|facturar|producir)|"
    r"\b(?:we|staff|users|employees|people|everybody|everyone|teams|workers|stores|doctors) (?:[a-z]{1,12} ){0,2}"
    r"(?:cannot|can't|can not|are unable to|unable to) (?:work|operate|invoice|ship|produce|trade|sell|"
    r"log ?in anywhere)\b|"
    r"\b(?:nobody|no one|none of us|no user) (?:[a-z]{1,12} ){0,3}(?:can|is able to) "
    r"(?:work|operate|invoice|ship|log ?in)\b|"
    r"\bno (?:server|machine|computer|pc|system) (?:[a-z]{1,12} ){0,2}(?:boots|starts|works|is working)|"
    r"\bno arranca(?:n)? ningun (?:servidor|equipo|ordenador|puesto)|"
    r"\bningun (?:servidor|equipo|ordenador|puesto) (?:[\w]{1,20} ){0,2}(?:arranca|funciona|responde)"
)
_ONLY_FEARED: Final = re.compile(
    r"\b(?:si|if|evitar?|evite|evitan|avoid|prevent\w{0,3}|prevenir|riesgo|risk|en caso de|in case of|podria\w{0,2}|"
    r"puede(?:n)? (?:causar|provocar)|could|might|may|would|simulacro|drill|exercise|how to|como (?:actuar|proceder)|"
    r"politica|policy|plan|webinar|curso|protec\w{1,6}|protege\w{0,3}|contra|against|informe|report on|noticias?|"
    r"not urgent|miedo|afraid|todavia no|aun no|yet to)\b"
)
_ASKS: Final = re.compile(r"(?:is|are|do|does|did|can|could|what|how|why|when|will|would|have|has|should|any)\b")
_NONE_AFTER: Final = re.compile(r"\s*(?:[:=(?-]\s*)(?:no|none|ningun[ao]?|n/a|nada|nothing)\b")


def sounds_critical(sentences: tuple[str, ...]) -> bool:
    """Whether a sentence (folded, see `sentences`) says what a level 1 is."""
    return any(_says_so(sentence) for sentence in sentences)


def _says_so(sentence: str) -> bool:
    if sentence.endswith("?") and ("¿" in sentence or _ASKS.match(sentence)):
        return False
    if any(not _feared_before(sentence, match.start()) for match in _CANNOT.finditer(sentence)):
        return True
    return any(_stands(sentence, match) for words in _SAID for match in words.finditer(sentence))


def _stands(sentence: str, match: re.Match[str]) -> bool:
    before = clause_before(sentence, match.start())[-_BEFORE:]
    said = re.sub(r"no arranca|not running|not boot", "", match[0])
    if has_negation(before) or has_negation(said) or _NONE_AFTER.match(sentence, match.end()):
        return False
    return not _feared_before(sentence, match.start())


def _feared_before(sentence: str, at: int) -> bool:
    return _ONLY_FEARED.search(clause_before(sentence, at)[-_BEFORE:]) is not None
