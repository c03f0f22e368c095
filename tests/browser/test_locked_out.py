"""The account is locked: a mail from any address, a contact named on a page, a link, and the request counts at once."""

import re
from datetime import datetime

import httpx
import pytest
from playwright.sync_api import Page, expect

from guardia.doors.cli.tour_story import PEOPLE
from guardia.kernel import clock
from tests.browser.conftest import Enter
from tests.browser.postbox import ELSEWHERE, Postbox, letter, link_in
from tests.browser.running_server import RunningServer
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
PHONE = {"width": 390, "height": 844}
STRANGER, CONTACT, ADMIN = "x@correo.example", PEOPLE["plus"], PEOPLE["plus_admin"]
SUBJECT, WORDS = "La cuenta está bloqueada", "La cuenta está bloqueada y el análisis se detiene en 12 equipos."
CONFIRM = "Confirmar un mensaje a soporte"


def test_a_stranger_is_let_in_by_a_colleague_and_the_request_counts_from_the_first_mail(
    enter: Enter, server: RunningServer, postbox: Postbox
) -> None:
    customer = enter("plus", "es")
    free = free_incidents(customer)
    began = clock.now()
    text = f"{WORDS}\n\nClase: premium\nGravedad: 2\n"
    postbox.send(letter(STRANGER, SUBJECT, text).as_bytes(), STRANGER, ELSEWHERE)
    answer = postbox.sent_to(STRANGER, "falta acreditar")
    arrived = clock.now()
    assert SUBJECT not in answer.as_string()
    assert "12 equipos" not in answer.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    [(mail_id, case)] = postbox.rows("quarantine", STRANGER)
    assert case == ""

    before = len(postbox.all_to(CONTACT, CONFIRM))
    ask(enter, link_in(answer, "/locked-out/"), CONTACT)
    proof = link_in(postbox.sent_to(CONTACT, CONFIRM, after=before), "/prove/")
    opened_by_a_scanner(server, proof)
    phone = enter("", "es", viewport=PHONE)
    page = phone.goto(proof)
    expect(page.get_by_role("heading", level=1)).to_have_text(CONFIRM)
    expect(page.locator("main")).to_contain_text(STRANGER)
    expect(page.locator("main")).not_to_contain_text("12 equipos")
    assert postbox.rows("quarantine", STRANGER) == [(mail_id, "")], "opening the link settled the message"
    confirmed = len(postbox.all_to(CONTACT, "Solicitud recibida"))
    page.get_by_role("button", name="Sí, aceptar la solicitud").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aceptado")
    expect(page.get_by_role("button", name="Sí, aceptar la solicitud")).to_have_count(0)

    confirmation = postbox.sent_to(CONTACT, "Solicitud recibida", after=confirmed)
    number = number_in(confirmation["Subject"])
    assert (mail_id, number) in postbox.rows("cases", STRANGER)
    page = customer.goto(f"/cases/{number}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(SUBJECT)
    expect(page.locator("main")).to_contain_text("Clase por decidir")
    expect(page.locator("main")).to_contain_text("12 equipos")
    assert began < submitted_at(page) < arrived
    assert free_incidents(customer) == free
    used_and_unknown_links(phone, proof)


def test_the_own_address_that_dns_does_not_prove_gets_a_link_and_a_second_one_is_over_once_it_is_used(
    enter: Enter, postbox: Postbox
) -> None:
    began = clock.now()
    before = len(postbox.all_to(ADMIN, CONFIRM))
    postbox.send(letter(ADMIN, "Desde otra red", WORDS).as_bytes(), ADMIN, ELSEWHERE)
    first = link_in(postbox.sent_to(ADMIN, CONFIRM, after=before), "/prove/")
    [(mail_id, _case)] = postbox.rows("quarantine", "Desde otra red")
    page = enter("", "es", viewport=PHONE).goto("/locked-out/")
    page.get_by_label("Dirección desde la que se escribió").fill(ADMIN)
    page.get_by_label("Dirección de un contacto de la empresa").fill(CONTACT)
    before = len(postbox.all_to(CONTACT, CONFIRM))
    page.get_by_role("button", name="Enviar el enlace").click()
    expect(page.get_by_role("status")).to_contain_text("Si ambas direcciones son conocidas")
    second = link_in(postbox.sent_to(CONTACT, CONFIRM, after=before), "/prove/")

    confirmed = len(postbox.all_to(ADMIN, "Solicitud recibida"))
    page = enter("", "es").goto(first)
    page.get_by_role("button", name="Sí, aceptar la solicitud").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aceptado")
    page = enter("", "es").goto(second)
    expect(page.get_by_role("heading", level=1)).to_have_text("El mensaje ya está resuelto")
    expect(page.get_by_role("button", name="Sí, aceptar la solicitud")).to_have_count(0)

    postbox.sent_to(ADMIN, "Solicitud recibida", after=confirmed)
    [(_id, number)] = [row for row in postbox.rows("cases", "Desde otra red") if row[0] == mail_id]
    page = enter("plus_admin", "es").goto(f"/cases/{number}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Desde otra red")
    assert began < submitted_at(page)


def test_a_contact_who_wrote_nothing_refuses_it_and_the_people_on_duty_are_told(enter: Enter, postbox: Postbox) -> None:
    told = "A contact denies having sent a message", "Un contacto niega haber enviado un mensaje"
    before = len(postbox.all_to(ADMIN, CONFIRM))
    postbox.send(letter(ADMIN, "Cambien la contraseña", WORDS).as_bytes(), ADMIN, ELSEWHERE)
    proof = link_in(postbox.sent_to(ADMIN, CONFIRM, after=before), "/prove/")
    [(mail_id, _case)] = postbox.rows("quarantine", "Cambien")
    page = enter("", "es", viewport=PHONE).goto(proof)
    page.get_by_role("button", name="No, rechazarla").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rechazado")
    assert postbox.rows("refused", "Cambien") == [(mail_id, "")]
    assert postbox.rows("cases", "Cambien") == []
    on_duty = [mail for words in told for mail in postbox.all_to(PEOPLE["engineer"], words)]
    assert on_duty or postbox.sent_to(PEOPLE["engineer"], told[0])


def ask(enter: Enter, path: str, contact: str) -> None:
    """Name a contact on the page to which the automatic answer leads."""
    page = enter("", "es", viewport=PHONE).goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ayuda sin acceso a la cuenta")
    page.get_by_label("Dirección de un contacto de la empresa").fill(contact)
    page.get_by_role("button", name="Enviar el enlace").click()
    expect(page.get_by_role("status")).to_contain_text("Si ambas direcciones son conocidas")


def opened_by_a_scanner(server: RunningServer, path: str) -> None:
    """Open a link as mail scanners do, several times and in several ways."""
    for _time in range(3):
        assert httpx.get(server.url + path).status_code == httpx.codes.OK
        assert httpx.head(server.url + path).status_code in {httpx.codes.OK, httpx.codes.METHOD_NOT_ALLOWED}


def used_and_unknown_links(visitor: Visitor, proof: str) -> None:
    page = visitor.goto(proof)
    expect(page.get_by_role("heading", level=1)).to_have_text("Aceptado")
    expect(page.get_by_role("button", name="No, rechazarla")).to_have_count(0)
    page = visitor.goto(f"{proof.rstrip('/')[:-1]}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Este enlace no existe")


def free_incidents(customer: Visitor) -> str:
    """What the contract's page says of the premium incidents."""
    said = customer.goto("/contract/").locator(".g-quota").first.get_attribute("aria-label")
    assert said
    assert re.search(r"\d+ de 12", said)
    return said


def number_in(subject: str) -> str:
    found = re.match(r"\[(\d{4})\W(\d{4})\]", subject)
    assert found, subject
    return found[1] + found[2]


def submitted_at(page: Page) -> datetime:
    """The instant of the first entry of a case's timeline."""
    said = page.locator(".g-time time").first.get_attribute("datetime")
    assert said
    return datetime.fromisoformat(said)
