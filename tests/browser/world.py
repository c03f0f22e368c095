"""What the pages show: cases of several kinds and states, made through the same doors that people use."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardia.doors.cli.tour_story import PASSWORD, PEOPLE
from guardia.doors.cli.web_person import WebPerson
from guardia.kernel import clock
from tests.browser.phoning import Phones
from tests.browser.postbox import ELSEWHERE, Postbox, letter, link_in

LONG_NAME = f"factura_{'muy_largo_' * 23}fin.exe"
LONG_SUBJECT = f"Un programa dañino no se detecta {'Asunto' * 20} {'hasta el final ' * 4}"
PROPOSED_WITHIN_S = 90
HANDED_IN_WITHIN_S, MOST_CALLS = 30, 3
MAILED = "El análisis programado se detiene"
MAIL_TEXT = """Desde las 09:30 el análisis programado se detiene en 12 equipos.

Gravedad: 3
Producto: Atalaya Endpoint 8.2
Base de datos: 20261121.7
La contraseña del ZIP es infected.

El lunes, 23 de noviembre de 2026 a las 10:31, Guardia escribió:
> Se puede repetir con la versión 8.2.1.
"""
MAIL_HTML = """<p>Desde las 09:30 el análisis programado se detiene en <b>12 equipos</b>.</p>
<p>Gravedad: 3<br>Producto: Atalaya Endpoint 8.2<br>Base de datos: 20261121.7</p>
<table><tr><th>Equipo</th><th>Hora</th></tr><tr><td>SRV-NOM-01</td><td>09:31</td></tr></table>
<p><img src="https://correo.example/firma.png" alt="Firma"></p>"""
MONTH = f"{clock.now():%Y-%m}"
STATEMENTS = ("/contract/statements/", f"/contract/statements/{MONTH}/", "/contract/report/")
DUTY = (
    "/console/duty/",
    "/console/roster/",
    "/console/reports/",
    "/console/contracts/MSA-4071/statements/",
    f"/console/contracts/MSA-4071/statements/{MONTH}/",
)

LEAD = [
    "/console/alerts/",
    "/console/escalation/",
    "/console/escalation/default/",
    "/console/escalation/default/edit/",
    "/console/contracts/",
    "/console/contracts/new/",
    "/console/contracts/MSA-4071/",
    "/console/plans/",
    "/console/plans/plus/",
    "/console/plans/plus/edit/",
    "/console/products/",
    "/console/tokens/",
]


@dataclass(frozen=True)
class World:
    """Numbers of cases, by what they are for."""

    critical: str
    waiting: str
    long: str
    reported: str
    draft: str
    mailed: str
    mails: tuple[str, ...]
    """Messages: of a proven contact with everything that one can have, one that is forged, one of a stranger."""
    proof: str
    """The path of a link that nobody followed yet."""
    spoken: str
    """A case that was opened by voice."""
    calls: tuple[str, ...]
    """Calls: one that opened that case, one with a message that waits, pages of engineers."""

    def pages(self) -> dict[str, list[str]]:
        """The main pages, by who reads them."""
        lab = f"/console/lab/{self.reported}/"
        return {
            "": [
                "/sign-in/",
                "/password/reset/",
                "/locked-out/",
                "/locked-out/?sent",
                "/prove/no-such-link/",
                self.proof,
            ],
            "plus_admin": [
                "/cases/",
                "/cases/?view=closed",
                "/cases/new/",
                "/machines/",
                "/contract/",
                "/tokens/",
                "/notifications/",
                "/phone/",
                "/mail/",
                "/contract/movements/",
                *STATEMENTS,
            ],
            "plus": [
                f"/cases/{number}/" for number in (self.critical, self.waiting, self.reported, self.mailed, self.spoken)
            ]
            + ["/phone/"],
            "standard": [f"/cases/{self.long}/", "/contract/", "/cases/12345678/", "/phone/"],
            "standard_admin": ["/phone/"],
            "analyst": [
                "/console/queue/",
                "/console/queue/?view=due",
                "/console/mail/",
                "/console/mail/?view=all",
                f"/console/cases/{self.waiting}/",
                f"/console/cases/{self.long}/",
                f"/console/cases/{self.mailed}/",
                "/console/mail/?view=cases",
                "/console/mail/?view=refused",
                *(f"/console/mail/{one}/" for one in self.mails),
                "/console/lab/",
                "/console/notifications/",
                "/console/phone/",
                "/console/calls/",
                "/console/calls/?view=live",
                "/console/calls/?view=messages",
                *(f"/console/calls/{one}/" for one in self.calls),
                f"/console/cases/{self.spoken}/",
                *DUTY,
                lab,
                f"{lab}drafts/{self.draft}/",
            ],
            "duty_manager": [
                "/console/calendars/",
                "/console/calendars/office%2009-19/?year=2026&month=10",
                "/console/calendars/office%2009-19/edit/",
                "/console/calendars/new/",
                *LEAD,
                f"/console/cases/{self.critical}/",
                *(f"/console/mail/{one}/?contact=astilleros" for one in self.mails),
            ],
            "releaser": ["/console/releases/", f"{lab}drafts/{self.draft}/"],
        }


def make_world(server: str, folder: Path, postbox: Postbox, phones: Phones) -> World:
    """Open the cases and bring them where they are wanted."""
    people = {part: WebPerson(server, email, PASSWORD) for part, email in PEOPLE.items()}
    folder.joinpath(LONG_NAME).write_bytes(os.urandom(3000))
    core = os.urandom(256)
    folder.joinpath("cargador.bin").write_bytes(os.urandom(3000) + core * 3 + os.urandom(3000))
    critical = open_case(people["plus"], severity="1", subject="Los análisis se bloquean tras la actualización")
    waiting = open_case(people["plus"], severity="2", subject="La consola no muestra sucesos")
    _act(people["engineer"], waiting, "take", reason="")
    _act(people["engineer"], waiting, "messages", text="La consola se está revisando.")
    asked = {"how": "asks_for_data", "text": "Hacen falta el registro y la versión.", "wait": "on"}
    _act(people["engineer"], waiting, "answer", **asked)
    report = {"kind": "signature_change", "claim": "FN", "product": "Atalaya 8.2", "engine": "ClamAV"}
    report |= {"database_version": "20260101.1", "severity": "2"}
    long = open_case(
        people["standard"], folder / LONG_NAME, case_class="standard", subject=LONG_SUBJECT[:200], **report
    )
    reported = open_case(
        people["plus"], folder / "cargador.bin", subject="Un archivo infectado se da por seguro", **report
    )
    _act(people["analyst"], reported, "take", reason="")
    mailed, mails, proof = _mail(postbox)
    spoken, calls = _phone(phones)
    without = people["standard_admin"]
    without.send(without.read("/phone/"), "/phone/pin/remove/", {})
    draft = _draft(people["analyst"], reported)
    return World(critical, waiting, long, reported, draft, mailed, mails, proof, spoken, calls)


def open_case(person: WebPerson, file: Path | None = None, **facts: Any) -> str:
    """Open a case by the form and return its number; a premium incident where nothing else is said."""
    typed = {"kind": "incident", "case_class": "premium", "description": "Desde las 16:50, en 143 equipos.", **facts}
    answer = person.send(person.read("/cases/new/"), "/cases/new/", typed, {"files": file} if file else None)
    found = re.search(r"/cases/(\d{8})/", str(answer.url))
    assert found, f"the form led to {answer.url}"
    return found.group(1)


def _mail(postbox: Postbox) -> tuple[str, tuple[str, ...], str]:
    """Hand in three messages; return the case of the first, their ids and the link that the second led to."""
    lucia, ivan = PEOPLE["plus"], "ivan.roldan@astilleros.example"
    full = letter(f"Lucía Ferrer <{lucia}>", MAILED, MAIL_TEXT)
    full.add_alternative(MAIL_HTML, subtype="html")
    full.add_attachment(os.urandom(900), "application", "octet-stream", filename="agente.log")
    postbox.send(full.as_bytes(), lucia)
    forged = "La cuenta está bloqueada y hay un incidente de nivel 1: servidores caídos."
    postbox.send(letter(ivan, "No se puede entrar en la cuenta", forged).as_bytes(), ivan, ELSEWHERE)
    stranger = "compras@talleres.example"
    postbox.send(letter(stranger, "Un equipo con virus", "Hace falta ayuda.").as_bytes(), stranger, ELSEWHERE)
    proof = link_in(postbox.sent_to(ivan, "Confirmar un mensaje"), "/prove/")
    postbox.until_taken_up()
    [(first, number)] = postbox.rows("cases", MAILED.replace(" ", "+"))
    waiting = [postbox.rows("quarantine", one)[0][0] for one in (ivan, stranger)]
    return number, (first, *waiting), proof


def _phone(phones: Phones) -> tuple[str, tuple[str, ...]]:
    """Let a case be opened by voice and a stranger leave a message; return the case's number and the calls' ids."""
    phones.open_by_voice(severity=3)
    phones.leave_message()
    deadline = time.monotonic() + HANDED_IN_WITHIN_S
    while time.monotonic() < deadline:
        rows = phones.calls()
        number = next((found[1] for _, row in rows if (found := re.search(r"/console/cases/(\d{8})/", row))), "")
        if number and phones.calls("messages"):
            return number, tuple(one for one, _ in rows[:MOST_CALLS])
        time.sleep(0.2)
    raise AssertionError(f"the calls were not handed in within {HANDED_IN_WITHIN_S} s")


def _act(person: WebPerson, number: str, act: str, **typed: str) -> None:
    person.send(person.read(f"/console/cases/{number}/"), f"/console/cases/{number}/{act}/", typed)


def _draft(analyst: WebPerson, number: str) -> str:
    path = f"/console/lab/{number}/"
    deadline = time.monotonic() + PROPOSED_WITHIN_S
    while time.monotonic() < deadline:
        page = analyst.read(path)
        if 'name="proposal"' in page.text:
            answer = analyst.send(page, f"{path}drafts/", {"proposal": "0"})
            return str(answer.url).rstrip("/").rsplit("/", 1)[-1]
        time.sleep(0.2)
    raise AssertionError(f"the lab proposed nothing within {PROPOSED_WITHIN_S} s")
