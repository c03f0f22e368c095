"""Mail of the browser tests: handed to the running server by SMTP, and read from the folder into which it sends."""

import re
import smtplib
import time
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default

from guardia.doors.cli.tour_story import PASSWORD, PEOPLE
from guardia.doors.cli.web_person import WebPerson
from tests.browser.running_server import RunningServer

DESK = "soporte@guardia.example"
HOME, ELSEWHERE = "127.0.0.1", "127.0.0.2"
"""Machines that mail comes from: the sample zone lets the customers send from the first and nobody from the second."""
WITHIN_S, TAKEN = 60, 250
_WAITING = re.compile(r"<dt>Waiting on disk</dt><dd>(\d+)")
_ROW = re.compile(r'<tr data-row="([0-9a-f-]{36})">.*?</tr>', re.DOTALL)
_NEXT = re.compile(r'rel="next" href="([^"]+)"')
_CASE = re.compile(r'href="/console/cases/(\d{8})/"')


class Postbox:
    """What goes to and comes from one server."""

    def __init__(self, server: RunningServer) -> None:
        self.port, self.folder = server.mail_port, server.var / "var" / "mail"
        self.engineer = WebPerson(server.url, PEOPLE["engineer"], PASSWORD)

    def send(self, raw: bytes, sender: str, peer: str = HOME, to: str = DESK) -> None:
        """Hand a message over as a mail server at `peer` does; it must be taken."""
        with smtplib.SMTP("127.0.0.1", self.port, "mail.example", WITHIN_S, (peer, 0)) as line:
            line.ehlo()
            line.mail(sender, ["BODY=8BITMIME"])
            line.rcpt(to)
            code, said = line.data(raw)
        assert code == TAKEN, said

    def sent_to(self, address: str, subject: str, after: int = 0) -> EmailMessage:
        """Return the newest mail to an address with such words in its subject, once there are more than `after`."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            found = self.all_to(address, subject)
            if len(found) > after:
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(f"no mail of {subject!r} to {address} within {WITHIN_S} s")

    def all_to(self, address: str, subject: str) -> list[EmailMessage]:
        """Return the mails to an address with such words in their subject, oldest first."""
        parser = BytesParser(policy=default)
        mails = [parser.parsebytes(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]
        return [mail for mail in mails if mail["To"] == address and subject in mail["Subject"]]

    def until_taken_up(self) -> None:
        """Return once nothing that was handed over waits on disk."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            waiting = _WAITING.search(self.engineer.read("/console/mail/").text)
            assert waiting, "the mailbox does not say how much waits"
            if waiting[1] == "0":
                return
            time.sleep(0.2)
        raise AssertionError(f"mail waits on disk after {WITHIN_S} s")

    def rows(self, view: str = "all", search: str = "") -> list[tuple[str, str]]:
        """Return each message of the mailbox: its id, and the number of its case or nothing."""
        path, rows = f"/console/mail/?view={view}&search={search}", []
        while path:
            text = self.engineer.read(path).text
            for row in _ROW.finditer(text):
                case = _CASE.search(row[0])
                rows.append((row[1], case[1] if case else ""))
            onwards = _NEXT.search(text)
            path = f"/console/mail/{onwards[1].replace('&amp;', '&')}" if onwards else ""
        return rows


def letter(sender: str, subject: str, text: str, **headers: str) -> EmailMessage:
    """Return a plain message to the desk."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = DESK
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def link_in(mail: EmailMessage, path: str) -> str:
    """Return the address of ours in a mail that begins with a path, from the path on."""
    body = mail.get_body(("plain",))
    assert body is not None, "the mail has no plain text"
    found = re.search(rf"https?://[^/\s]+({re.escape(path)}\S*)", body.get_content())
    assert found, f"the mail leads nowhere under {path}"
    return found[1]
