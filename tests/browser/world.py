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

LONG_NAME = f"factura_{'muy_largo_' * 23}fin.exe"
LONG_SUBJECT = f"Un programa dañino no se detecta {'Asunto' * 20} {'hasta el final ' * 4}"
PROPOSED_WITHIN_S = 90
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

    def pages(self) -> dict[str, list[str]]:
        """The main pages, by who reads them."""
        lab = f"/console/lab/{self.reported}/"
        return {
            "": ["/sign-in/", "/password/reset/"],
            "plus_admin": [
                "/cases/",
                "/cases/?view=closed",
                "/cases/new/",
                "/machines/",
                "/contract/",
                "/tokens/",
                "/contract/movements/",
                *STATEMENTS,
            ],
            "plus": [f"/cases/{number}/" for number in (self.critical, self.waiting, self.reported)],
            "standard": [f"/cases/{self.long}/", "/contract/", "/cases/12345678/"],
            "analyst": [
                "/console/queue/",
                "/console/queue/?view=due",
                f"/console/cases/{self.waiting}/",
                f"/console/cases/{self.long}/",
                "/console/lab/",
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
            ],
            "releaser": ["/console/releases/", f"{lab}drafts/{self.draft}/"],
        }


def make_world(server: str, folder: Path) -> World:
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
    return World(critical, waiting, long, reported, _draft(people["analyst"], reported))


def open_case(person: WebPerson, file: Path | None = None, **facts: Any) -> str:
    """Open a case by the form and return its number; a premium incident where nothing else is said."""
    typed = {"kind": "incident", "case_class": "premium", "description": "Desde las 16:50, en 143 equipos.", **facts}
    answer = person.send(person.read("/cases/new/"), "/cases/new/", typed, {"files": file} if file else None)
    found = re.search(r"/cases/(\d{8})/", str(answer.url))
    assert found, f"the form led to {answer.url}"
    return found.group(1)


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
