"""A person at a browser without a screen: signs in, reads pages, fills in the very forms that people use.

Hidden fields (CSRF, form token, build digest) are read from the page; what a person would type is given by name.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

TIMEOUT_S = 60
_FIELDS = {"input", "textarea", "select", "button"}


class StepFailed(Exception):
    """A step of the tour did not do what it should; says what was expected and what came."""


class _Forms(HTMLParser):
    """Collects forms: action and the values that a browser would send unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._open: dict[str, str] | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = {}
            self.forms.append((facts.get("action", ""), self._open))
        elif self._open is not None and tag in _FIELDS and facts.get("name") and "disabled" not in facts:
            self._read(tag, facts)

    def _read(self, tag: str, facts: Mapping[str, str]) -> None:
        name, kind = facts["name"], facts.get("type", "")
        if tag == "textarea":
            self._area = name
            self._open[name] = ""  # type: ignore[index]
        elif tag == "input" and kind in {"hidden", "text", "search", "email", ""}:
            self._open.setdefault(name, facts.get("value", ""))  # type: ignore[union-attr]
        elif tag == "input" and kind in {"radio", "checkbox"} and "checked" in facts:
            self._open[name] = facts.get("value", "on")  # type: ignore[index]

    def handle_data(self, data: str) -> None:
        if self._area and self._open is not None:
            self._open[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        elif tag == "form":
            self._open = None


class WebPerson:
    """One signed-in person with a session of their own."""

    def __init__(self, server: str, email: str, password: str) -> None:
        self.email = email
        self.client = httpx.Client(
            base_url=server, timeout=TIMEOUT_S, follow_redirects=True, headers={"Accept-Language": "en"}
        )
        page = self.read("/sign-in/")
        answer = self.send(page, "/sign-in/", {"login": email, "password": password})
        if "/sign-in/" in answer.url.path:
            raise StepFailed(f"{email} cannot sign in: the page stays at the sign-in")

    def read(self, path: str) -> httpx.Response:
        """Read a page; anything but 200 fails the step."""
        answer = self.client.get(path)
        if answer.status_code != httpx.codes.OK:
            raise StepFailed(f"{self.email} reads {path}: {answer.status_code}")
        return answer

    def send(
        self,
        page: httpx.Response,
        action: str,
        typed: Mapping[str, Any],
        files: Mapping[str, Path] | None = None,
        *,
        expect: tuple[int, ...] = (200,),
    ) -> httpx.Response:
        """Send the form of `page` whose action ends so, with what was typed."""
        found = _Forms()
        found.feed(page.text)
        form = next(((where, kept) for where, kept in found.forms if (where or page.url.path).endswith(action)), None)
        if form is None:
            raise StepFailed(f"{self.email}: {page.url.path} has no form that goes to {action}")
        where, kept = form
        data = {**kept, **{name: value for name, value in typed.items() if value is not None}}
        handles = [(name, (path.name, path.open("rb"))) for name, path in (files or {}).items()]
        try:
            answer = self.client.post(
                where or page.url.path,
                data=data,
                files=handles or None,
                headers={"Referer": str(page.url), "Origin": _origin(page.url)},
            )
        finally:
            for _name, (_filename, handle) in handles:
                handle.close()
        if answer.status_code not in expect:
            raise StepFailed(f"{self.email} sends {where}: {answer.status_code}, {refusal_of(answer.text)}")
        return answer


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"


class _Alerts(HTMLParser):
    """Collects the words of refusals on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marked = any(
            (name == "role" and value == "alert") or (name == "class" and "g-err" in (value or ""))
            for name, value in attrs
        )
        if marked or self._depth:
            self._depth += tag not in {"br", "use", "input", "path"}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A self-closed element holds no words and changes no depth."""

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  the parser's signature
        self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        if self._depth and data.strip():
            self.words.append(data.strip())


def refusal_of(text: str) -> str:
    """Return what a refused page says, or its beginning."""
    found = _Alerts()
    found.feed(text)
    return " ".join(found.words)[:600] or text[:300]
