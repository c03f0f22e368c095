"""A person at a real browser: a context of their own, and everything that a page must not do, noted as it happens."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from guardia.doors.cli.tour_story import PASSWORD

WAIT_MS = 60_000
AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
POLICY = """addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));"""
EXPECTED = "Failed to load resource: the server responded with a status of 4"
"""What Chromium itself logs of a page that is refused, which is the point of some tests."""


@dataclass
class Visitor:
    """One browser context with one page; `complaints` are console errors, policy violations and foreign requests."""

    context: BrowserContext
    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WAIT_MS)
        self.context.add_init_script(POLICY)
        self.page.on("console", lambda said: self._note(said.text) if said.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", lambda request: self._see(request.url))

    def _note(self, text: str) -> None:
        if not text.startswith(EXPECTED):
            self.complaints.append(f"{self.page.url}: {text}")

    def _see(self, url: str) -> None:
        if not url.startswith((self.server, "data:", "blob:")):
            self._note(f"asks elsewhere: {url}")

    def goto(self, path: str) -> Page:
        """Open a page and return it, loaded."""
        self.page.goto(f"{self.server}{path}", wait_until="load")
        return self.page

    def sign_in(self, email: str) -> None:
        """Sign in by the form."""
        page = self.goto("/sign-in/")
        page.fill("[name=login]", email)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda url: "/sign-in/" not in url)

    def audit(self) -> dict[str, Any]:
        """Return what `audit.js` finds on the page: contrast, sideways scroll, small targets, foreign words."""
        found: dict[str, Any] = self.page.evaluate(AUDIT)
        return found


def visit(browser: Browser, server: str, **options: Any) -> Visitor:
    """Open a context as described by Playwright's `new_context`, and a page in it."""
    settings = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
    context = browser.new_context(**settings)
    return Visitor(context, context.new_page(), server)
