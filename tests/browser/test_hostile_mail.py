"""Hostile mail in a real browser: whatever arrives, no page runs a word of it or asks anything of anybody else.

The same mails come from a proven contact, whose are cases, and from a stranger, whose wait in quarantine. Staff and the
customer open every page that shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Dialog, Frame

from guardia.doors.cli.tour_story import PEOPLE
from tests.browser.conftest import Enter
from tests.browser.hostile_mails import EVIL, hostile_mails
from tests.browser.postbox import ELSEWHERE, HOME, Postbox
from tests.browser.visitor import Visitor
from tests.doors.mail.corpus.messages import messages

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
CONTACT, STRANGER = PEOPLE["standard"], "intruso@correo.example"
CLASSES = {"hostile", "html"}
FOUND = r"""() => {
    const found = window.__pwned ? ["ran"] : [];
    const leads = /^(src|href|action|formaction|data|srcset|poster|background|xlink:href)$/i;
    const runs = /^[\s\x00-\x20]*(javascript|vbscript|data:text|blob):?/i;
    for (const one of document.querySelectorAll("*")) {
        if (one.id === "location") found.push("id of the mail");
        for (const { name, value } of one.attributes) {
            const says = `${one.tagName} ${name} ${value.slice(0, 80)}`;
            if (/^on/i.test(name) || (name.startsWith("hx-") && value.includes("evil"))) found.push(says);
            if (!leads.test(name)) continue;
            const isOwn = !value.includes("//") || value.startsWith(location.origin);
            if (runs.test(value) || (one.tagName !== "A" && !isOwn)) found.push(says);
        }
    }
    return found;
}"""
LINKS = """() => [...document.querySelectorAll('a')].filter((a) => !(a.relList.contains('noopener')
    && a.relList.contains('noreferrer') && a.target === '_blank')).map((a) => a.outerHTML)"""


@dataclass
class Watch:
    """Everything that a mail could have made happen in a browser context."""

    seen: list[str] = field(default_factory=list)

    def over(self, visitor: Visitor) -> Visitor:
        """Watch a visitor's pages: dialogs, pages that open, downloads, requests that leave."""
        visitor.page.on("dialog", self._dialog)
        visitor.page.on("popup", lambda page: self.seen.append(f"opened: {page.url}"))
        visitor.page.on("download", lambda file: self.seen.append(f"downloaded: {file.url}"))
        context: BrowserContext = visitor.context
        context.on("request", lambda request: self._leaves(visitor, request.url))
        return visitor

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _leaves(self, visitor: Visitor, url: str) -> None:
        if not url.startswith((visitor.server, "data:image/")):
            self.seen.append(f"asked: {url}")

    def page(self, visitor: Visitor, path: str) -> None:
        """Open a page with all its folds and frames, and note what is wrong with it."""
        page = visitor.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        for frame in page.locator("iframe").element_handles():
            frame.scroll_into_view_if_needed()
            inner = frame.content_frame()
            assert inner, f"{path} has an empty frame"
            inner.wait_for_load_state("load")
            self.seen += [f"{path} frame: {found}" for found in [*inner.evaluate(FOUND), *inner.evaluate(LINKS)]]
        self.seen += [f"{path}: {found}" for found in page.evaluate(FOUND)]
        self.seen += [f"{path}: is now {page.url}"] if not page.url.endswith(path) else []


@pytest.fixture(scope="module")
def arrived(postbox: Postbox) -> list[tuple[str, str]]:
    """Every hostile mail twice, and those of the corpus: (id, case)."""
    before = set(postbox.rows())
    for mail in hostile_mails(CONTACT):
        postbox.send(mail.as_bytes(), CONTACT, HOME)
    for mail in hostile_mails(STRANGER):
        postbox.send(mail.as_bytes(), STRANGER, ELSEWHERE)
    for message in messages():
        if message.folder in CLASSES:
            postbox.send(message.raw(), message.envelope_sender)
    postbox.until_taken_up()
    return [row for row in postbox.rows() if row not in before]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """A watch that has seen nothing by the end of the test."""
    watch = Watch()
    yield watch
    assert watch.seen == []


def test_the_mails_arrive_as_cases_and_in_quarantine(arrived: list[tuple[str, str]]) -> None:
    own = len(list(hostile_mails(CONTACT)))
    assert len(arrived) >= 2 * own + 40
    assert sum(not case for _id, case in arrived) >= own
    assert sum(bool(case) for _id, case in arrived) >= own


def test_staff_read_every_message(enter: Enter, watch: Watch, arrived: list[tuple[str, str]]) -> None:
    visitor = watch.over(enter("engineer", "en"))
    for mail_id, _case in arrived:
        watch.page(visitor, f"/console/mail/{mail_id}/")


def test_staff_read_lists_cases_and_lab(enter: Enter, watch: Watch, arrived: list[tuple[str, str]]) -> None:
    visitor = watch.over(enter("analyst", "es"))
    for path in ("/console/mail/", "/console/mail/?view=all", "/console/mail/?view=cases", "/console/queue/"):
        watch.page(visitor, path)
    for path in ("/console/alerts/", "/console/lab/", "/console/duty/"):
        watch.page(visitor, path)
    for number in sorted({case for _id, case in arrived if case}):
        watch.page(visitor, f"/console/cases/{number}/")
    links = visitor.goto("/console/lab/").locator("a[href^='/console/lab/']").all()
    in_lab = {str(link.get_attribute("href")) for link in links} - {"/console/lab/"}
    assert in_lab, "a claim of a hostile mail is in the lab"
    for path in sorted(in_lab):
        watch.page(visitor, path)


def test_customers_read_the_cases(enter: Enter, watch: Watch, postbox: Postbox, arrived: list[tuple[str, str]]) -> None:
    for part, company in (("standard_admin", "@ceramicas.example"), ("plus", "@astilleros.example")):
        visitor = watch.over(enter(part, "es"))
        watch.page(visitor, "/cases/")
        numbers = {row[1] for row in postbox.rows("cases", company) if row in arrived}
        assert numbers
        for number in sorted(numbers):
            watch.page(visitor, f"/cases/{number}/")


def test_a_frame_alone_runs_nothing_and_its_links_open_nothing(
    enter: Enter, watch: Watch, postbox: Postbox, arrived: list[tuple[str, str]]
) -> None:
    visitor = watch.over(enter("engineer", "en"))
    for mail_id, _case in arrived:
        watch.page(visitor, f"/console/mail/{mail_id}/frame/")
    linked = next(row[0] for row in postbox.rows("quarantine", "HTML 2") if row in arrived)
    page = visitor.goto(f"/console/mail/{linked}/")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    handle = page.locator("iframe").element_handle()
    frame: Frame | None = handle.content_frame() if handle else None
    assert frame
    link = frame.get_by_role("link", name="nine")
    assert link.get_attribute("href") == f"https://{EVIL}/real"
    link.click()
    page.wait_for_timeout(300)
    assert len(visitor.context.pages) == 1
    blocked = [line for line in visitor.complaints if "Blocked opening" in line]
    assert len(blocked) == 1, "the browser says once that the sandbox held the link"
    visitor.complaints.remove(blocked[0])


def test_the_watch_sees_what_is_planted(enter: Enter) -> None:
    watch = Watch()
    visitor = watch.over(enter("engineer", "en"))
    page = visitor.goto("/console/mail/")
    page.evaluate(f"""() => {{
        const picture = new Image();
        picture.setAttribute('onerror', 'x');
        picture.src = 'https://{EVIL}/pixel.gif';
        document.body.append(picture);
        window.__pwned = 1;
        alert('planted');
    }}""")
    page.wait_for_timeout(200)
    assert "dialog: planted" in watch.seen
    assert {"ran", "IMG onerror x", f"IMG src https://{EVIL}/pixel.gif"} <= set(page.evaluate(FOUND))
    assert any(EVIL in line for line in visitor.complaints)
    visitor.complaints.clear()
