"""Takes the screenshots of the README anew: `python -m tests.browser.take_screenshots` (about two minutes).

With `mail` behind it, only those of the mail door; with `phone`, only those of the phone line.

Starts a server of its own with sample data, lets `guardia tour` run through it, opens a few cases, and writes
`docs/screenshots/*.png`. Nothing of a running development server is touched.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from guardia.doors.cli.tour_story import PASSWORD, PEOPLE
from guardia.doors.cli.web_person import WebPerson
from tests.browser.conftest import QUIET
from tests.browser.phoning import KNOWN, Phones
from tests.browser.postbox import ELSEWHERE, HOME, Postbox
from tests.browser.running_server import RunningServer
from tests.browser.test_whole_job import gate_failed
from tests.browser.visitor import Visitor, visit
from tests.browser.world import MONTH, World, make_world, open_case
from tests.doors.mail.corpus.messages import messages

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "docs" / "screenshots"
LARGEST = 200 * 1024
SETTLED_S = 5
"""Until callers have said who they are."""
DESK, TALL, PHONE = {"width": 1280, "height": 800}, {"width": 1280, "height": 1060}, {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 800}


def main(arguments: list[str]) -> int:
    """Take all pictures, or those of one door; 1 where one is larger than the README should carry."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = RunningServer()
    try:
        server.wait_until_ready()
        guardia = Path(sys.executable).with_name("guardia")
        if not arguments:
            subprocess.run([str(guardia), "tour", "--server", server.url], check=True)
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
            postbox = Postbox(server)
            phones = Phones(server, Path(folder))
            world = make_world(server.url, Path(folder), postbox, phones)
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            if not arguments:
                fill_the_queue(server)
                pictures(browser, server, world)
            if arguments != ["phone"]:
                fill_the_mailbox(postbox)
                mail_pictures(browser, server, world)
            if arguments != ["mail"]:
                phone_pictures(browser, server, phones)
            browser.close()
    finally:
        server.stop()
    large = [path.name for path in sorted(FOLDER.glob("*.png")) if path.stat().st_size > LARGEST]
    for name in large:
        sys.stderr.write(f"take_screenshots: {name} is larger than {LARGEST // 1024} kB\n")
    return 1 if large else 0


def fill_the_queue(server: RunningServer) -> None:
    """A few cases more, of every severity."""
    plus, standard = (WebPerson(server.url, PEOPLE[part], PASSWORD) for part in ("plus", "standard"))
    open_case(plus, severity="3", subject="Scheduled scan ignores exclusions")
    open_case(plus, severity="4", kind="service_request", case_class="standard", subject="How to export the statement")
    open_case(standard, severity="1", case_class="standard", subject="All workstations report an expired licence")
    open_case(standard, severity="3", case_class="standard", subject="Slow start after the upgrade to 8.2")


def fill_the_mailbox(postbox: Postbox) -> None:
    """Messages of contacts, strangers, forgers and machines."""
    for message in messages():
        if message.folder in {"identity", "loops", "statements"}:
            is_proven = message.expected.get("auth", "proven") == "proven"
            postbox.send(message.raw(), message.envelope_sender, HOME if is_proven else ELSEWHERE)
    postbox.until_taken_up()


def come_in(browser: Browser, server: RunningServer, part: str, language: str, **options: object) -> Visitor:
    """A visitor who reads in a language, signed in where they are somebody."""
    visitor = visit(browser, server.url, **options)
    visitor.context.add_cookies([{"name": "django_language", "value": language, "url": server.url}])
    if part:
        visitor.sign_in(PEOPLE[part])
    return visitor


def mail_pictures(browser: Browser, server: RunningServer, world: World) -> None:
    """The pages of the mail door."""
    phone = come_in(browser, server, "", "es", viewport=PHONE, device_scale_factor=2)
    phone.goto("/locked-out/").screenshot(path=FOLDER / "locked-out-phone.png")
    prove = come_in(browser, server, "", "es", viewport={"width": 1280, "height": 620})
    prove.goto(world.proof).screenshot(path=FOLDER / "prove.png")
    engineer = come_in(browser, server, "engineer", "en", viewport=DESK)
    engineer.goto("/console/mail/").screenshot(path=FOLDER / "console-mail.png")
    forged = engineer.goto(f"/console/mail/{world.mails[1]}/")
    forged.screenshot(path=FOLDER / "console-mail-message.png")
    customer = come_in(browser, server, "plus", "es", viewport=DESK)
    page = customer.goto(f"/cases/{world.mailed}/")
    page.locator("details.g-fold > summary").first.click()
    page.screenshot(path=FOLDER / "case-mailed.png")


def phone_pictures(browser: Browser, server: RunningServer, phones: Phones) -> None:
    """A case that is confirmed by phone, calls that go on, the list, and one call."""
    person = WebPerson(server.url, PEOPLE["plus"], PASSWORD)
    number = open_case(person, severity="1", subject="Los servidores de nóminas no arrancan")
    phones.let_answer()
    phones.begin(f"{phones.keys_to_confirm(number)},w90,hang", "+34910000111")
    while not any("Talking with" in row for _, row in phones.calls("live")):
        time.sleep(0.5)
    phones.begin(f"{KNOWN},w30,hang", "+34910000112")
    phones.begin("2,w30,hang", "+34600123456")
    time.sleep(SETTLED_S)
    engineer = come_in(browser, server, "engineer", "en", viewport=DESK)
    wide = come_in(browser, server, "engineer", "en", viewport=WIDE)
    wide.goto("/console/duty/").screenshot(path=FOLDER / "live-calls.png")
    engineer.goto("/console/calls/").screenshot(path=FOLDER / "calls.png")
    customer = come_in(browser, server, "plus", "es", viewport=DESK)
    customer.goto(f"/cases/{number}/").screenshot(path=FOLDER / "case-confirmed.png")
    [(message, _row)] = phones.calls("messages")
    tall = come_in(browser, server, "engineer", "en", viewport=TALL)
    tall.goto(f"/console/calls/{message}/").screenshot(path=FOLDER / "call.png")


def pictures(browser: Browser, server: RunningServer, world: World) -> None:
    """The pages that say most."""

    def enter(part: str, language: str, **options: object) -> Visitor:
        return come_in(browser, server, part, language, **options)

    draft = f"/console/lab/{world.reported}/drafts/{world.draft}/"
    analyst = enter("analyst", "en", viewport=DESK)
    page = analyst.goto(draft)
    page.locator("[data-draft-state=gated]").wait_for(state="attached")
    gate_failed(analyst, server, world.reported)
    page.reload()
    page.screenshot(path=FOLDER / "lab-gate-failed.png")
    analyst.goto("/console/queue/")
    page.keyboard.press("j")
    page.screenshot(path=FOLDER / "queue.png")
    customer = enter("plus", "es", viewport=TALL)
    customer.goto(f"/cases/{world.reported}/").screenshot(path=FOLDER / "case.png")
    analyst.goto("/console/duty/").screenshot(path=FOLDER / "duty-board.png")
    analyst.goto("/console/roster/").screenshot(path=FOLDER / "roster.png")
    analyst.goto("/console/reports/").screenshot(path=FOLDER / "reports.png")
    lead = enter("duty_manager", "es", viewport=DESK)
    lead.goto("/console/calendars/office%2009-19/?year=2026&month=12").screenshot(path=FOLDER / "calendar.png")
    customer.goto(f"/contract/statements/{MONTH}/").screenshot(path=FOLDER / "statement.png")
    dark = enter("releaser", "en", viewport=DESK, color_scheme="dark")
    dark.goto("/console/releases/").screenshot(path=FOLDER / "releases-dark.png")
    phone = enter("plus", "es", viewport=PHONE, device_scale_factor=2)
    page = phone.goto("/cases/new/")
    page.get_by_role("radio", name="Cambio de firmas").check()
    page.get_by_role("radio", name="Falso positivo").check()
    page.screenshot(path=FOLDER / "new-case-phone.png")
    phone.goto(f"/cases/{world.critical}/").screenshot(path=FOLDER / "case-phone.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
