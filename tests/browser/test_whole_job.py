"""The main job in a browser, by people who each have their own: report, precheck, draft, gates, three people, proof."""

import hashlib
import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from guardia.doors.cli.tour_story import Agent
from tests.browser.conftest import Enter
from tests.browser.running_server import RunningServer
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
SLOW_BYTES_PER_S = 150_000
LONG_MS = 90_000
RELEASED_WITHIN_S = 60
CLEAN_OFFSET, CLEAN_LENGTH = 2048, 24


def bytes_of_a_clean_file(server: RunningServer) -> bytes:
    """Return bytes that lie in a file of the clean corpus, varied enough for the lint gate."""
    for path in sorted(server.corpus.rglob("*")):
        if path.is_file() and path.stat().st_size > CLEAN_OFFSET + CLEAN_LENGTH and path.suffix != ".json":
            found = path.read_bytes()[CLEAN_OFFSET : CLEAN_OFFSET + CLEAN_LENGTH]
            if len(set(found)) > CLEAN_LENGTH // 2:
                return found
    raise AssertionError("the clean corpus has no file to take bytes from")


def test_a_missed_file_is_reported_corrected_and_proved(enter: Enter, server: RunningServer, tmp_path: Path) -> None:
    core = os.urandom(512)
    sample = tmp_path / "factura.exe"
    sample.write_bytes(os.urandom(90_000) + core * 4 + os.urandom(90_000))
    agent = Agent(tmp_path / "agent")
    enrol(enter("plus_admin", "en"), server, agent)
    customer = enter("plus", "es")
    number = report(customer, sample, agent.run("status")["label"])
    expect(customer.page.get_by_text("Comprobación previa: se reproduce")).to_be_visible(timeout=LONG_MS)
    analyst = enter("analyst", "en")
    determine(analyst, number)
    draft = gate(analyst, number)
    gate_failed(analyst, server, number)
    draft = use_first_proposal(analyst.page)
    label = approve(enter, number, draft)
    deadline = time.monotonic() + RELEASED_WITHIN_S
    while agent.run("status")["label"] != label:
        assert time.monotonic() < deadline, f"release {label} did not reach the machine"
        agent.run("update")
    agent.run("verify", number, str(sample))
    closed(customer, number, label)


def enrol(admin: Visitor, server: RunningServer, agent: Agent) -> None:
    page = admin.goto("/machines/")
    page.fill("#name", "SRV-NOM-01")
    page.get_by_role("button", name="Make a one-time code").click()
    code = page.locator(".g-once").inner_text()
    agent.run("enrol", "--server", server.url, "--code", code, "--name", "SRV-NOM-01")
    agent.run("update")
    page = admin.goto("/machines/")
    expect(page.locator("tr", has_text="SRV-NOM-01")).not_to_contain_text("never")


def report(customer: Visitor, sample: Path, label: str) -> str:
    """Fill in the form, with a line so slow that the progress is seen; return the case's number."""
    page = customer.goto("/cases/new/")
    page.get_by_role("radio", name="Cambio de firmas").check()
    page.get_by_role("radio", name="Falso negativo").check()
    page.fill("#product", "Atalaya Endpoint 8.2")
    page.fill("#engine", "ClamAV")
    page.fill("#database_version", label)
    wire = customer.context.new_cdp_session(page)
    wire.send("Network.enable")
    limits = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": SLOW_BYTES_PER_S}
    wire.send("Network.emulateNetworkConditions", limits)
    page.set_input_files("input[type=file]", str(sample))
    line = page.locator(".g-file")
    expect(line.locator("progress")).to_be_visible()
    expect(line).to_contain_text("quedan")
    expect(line.locator("progress")).to_have_count(0)
    expect(line).to_contain_text(hashlib.sha256(sample.read_bytes()).hexdigest())
    wire.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})
    page.fill("#subject", "Una factura infectada se da por segura")
    page.fill("#description", "Ha llegado por correo a 12 equipos.")
    page.get_by_role("radiogroup", name="¿Está interrumpida la actividad de la empresa?").get_by_role(
        "radio", name="No"
    ).check()
    page.get_by_role("radio", name="Alto").check()
    page.get_by_role("radio", name="Incidente premium").check()
    page.get_by_role("button", name="Enviar solicitud").click()
    page.wait_for_url(re.compile(r"/cases/\d{8}/$"))
    page.evaluate("window.stays = true")  # gone with the next load: what follows arrives by itself
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def determine(analyst: Visitor, number: str) -> None:
    page = analyst.goto("/console/queue/")
    page.locator(f"tr[data-row='{number}'] a[data-open]").click()
    page.wait_for_url(f"**/console/cases/{number}/")
    page.get_by_role("button", name="Take the case").click()
    expect(page.get_by_role("status").first).to_contain_text("The case is yours.")
    page.get_by_role("link", name="Open in the lab").click()
    page.get_by_role("radio", name="False negative confirmed").check()
    page.locator("textarea[name=text]").fill("Both engines miss it.")
    page.get_by_role("button", name="Record determination").click()
    expect(page.get_by_text("Both engines miss it.")).to_be_visible()


def use_first_proposal(page: Page) -> str:
    """Turn the first proposal, which comes by itself, into a draft; return the draft's address once it is gated."""
    page.get_by_role("button", name="Use this proposal").first.click(timeout=LONG_MS)
    page.wait_for_url("**/drafts/*/")
    expect(page.locator("[data-draft-state=gated]")).to_be_attached(timeout=LONG_MS)
    return page.url


def gate(analyst: Visitor, number: str) -> str:
    analyst.goto(f"/console/lab/{number}/")
    address = use_first_proposal(analyst.page)
    expect(analyst.page.locator(".g-gate--ok")).to_have_count(6)
    return address


def gate_failed(analyst: Visitor, server: RunningServer, number: str) -> None:
    """Edit the rule so that it hits a clean file: the page names rule, file and place, and nobody can release it."""
    page, clean = analyst.page, bytes_of_a_clean_file(server)
    source = page.locator("textarea.g-source").first
    text = source.input_value()
    wider = text.replace("  condition:\n    $a", f"    $wide = {{ {clean.hex(' ')} }}\n  condition:\n    $a or $wide")
    assert wider != text
    source.fill(wider)
    page.fill("#draft-title", "Wider rule")
    page.get_by_role("button", name="Save as next draft").click()
    page.wait_for_url("**/drafts/2/")
    expect(page.locator("[data-draft-state=gate_failed]")).to_be_attached(timeout=LONG_MS)
    failed = page.locator(".g-gate--fail")
    expect(failed).to_contain_text("Clean corpus")
    place = page.locator(".g-fail__in").first
    expect(place).to_contain_text(f"Guardia_FN_{number}")
    expect(place).to_contain_text("$wide")
    expect(place.locator(".g-facts")).to_contain_text("/usr/")
    expect(place.locator(".g-facts")).to_contain_text(f"{CLEAN_LENGTH} bytes")
    marked = "".join(place.locator(".g-hex mark").all_inner_texts())
    assert marked.startswith(clean[:2].hex())
    expect(page.get_by_role("button", name="Release it")).to_have_attribute("aria-disabled", "true")


def approve(enter: Enter, number: str, draft: str) -> str:
    path = draft[draft.index("/console/") :]
    page = enter("reviewer", "en").goto(path)
    page.get_by_role("button", name="Agree as reviewer").click()
    expect(page.get_by_role("status").first).to_contain_text("reviewed")
    releaser = enter("releaser", "en")
    page = releaser.goto(path)
    label = page.locator("#live").get_attribute("data-build-label") or ""
    page.fill("#confirm", "20200101.1")
    page.get_by_role("button", name="Release it").click()
    expect(page.locator("#confirm-error")).to_contain_text(label)
    page.fill("#confirm", label)
    page.get_by_role("button", name="Release it").click()
    expect(page.get_by_role("status").first).to_contain_text(label)
    log = releaser.goto("/console/releases/")
    expect(log.locator("tr", has_text=label)).to_contain_text(f"{number[:4]} {number[4:]}")
    return label


def closed(customer: Visitor, number: str, label: str) -> None:
    """The customer's page, open since the report, shows the end without having been loaded again."""
    page = customer.page
    expect(page.locator("#live[data-state=closed]")).to_be_attached(timeout=LONG_MS)
    expect(page.get_by_text(f"Comprobado en SRV-NOM-01 con la publicación {label}").first).to_be_visible()
    expect(page.get_by_text("Cerrada: probada por el equipo").first).to_be_visible()
    assert page.evaluate("window.stays")
    with page.expect_download() as download:
        page.get_by_role("link", name="Descargar las evidencias firmadas").click()
    assert download.value.suggested_filename == f"guardia-{number}-evidence.json"
