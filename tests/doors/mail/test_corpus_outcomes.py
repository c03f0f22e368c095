"""Every message of the corpus ends where its index says: kept in the spool, read, judged, decided, in the database.

The verdicts are made by the real judge, out of zones that let the sender's domain prove itself, or not. At the end of
the run stands a table of outcomes by class (`-s` shows it; `make shots` keeps it beside the benchmarks).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
from tests.doors.mail.corpus.messages import Message, messages
from tests.journeys.promise_story import row
from tests.support.cast import EMAILS, Cast
from tests.support.database import PROJECT

from guardia.adapters.dns_lookup import ZoneResolver
from guardia.adapters.mail_spool import MemorySpool
from guardia.doors.mail.reading.message import read_letter
from guardia.doors.mail.verdicts import judge
from guardia.doors.mail.work import MailWorker
from guardia.features.cases.models import Case
from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.features.mail.rules.arrived import Envelope, Letter, Verdict
from guardia.features.mail.rules.deciding import Limits
from guardia.journeys.post import mail_names
from guardia.kernel.outside import MailFacts

pytestmark = pytest.mark.django_db
OURS = ("soporte@guardia.example",)
BY_FOLDER = [(name, list(found)) for name, found in groupby(messages(), key=lambda message: message.folder)]
TABLE: dict[str, Counter[str]] = {}
WHY = "the test's own"


class Trust:
    """Nobody's verdicts are believed but our own."""

    mail_trusted_peers: tuple[str, ...] = ()
    mail_authserv = ""


class PlainReader:
    """Reads in this process."""

    def read(self, raw: bytes, envelope_sender: str | None) -> Letter:
        return read_letter(raw, envelope_sender, OURS)


def zone_of(domain: str, returning: str, auth: str) -> ZoneResolver:
    """DNS in which a sender's domain and its envelope's stand behind this machine, say nothing, or forbid it."""
    if not domain or auth == "none":
        return ZoneResolver({})
    server = "127.0.0.1" if auth == "proven" else "192.0.2.1"
    spf = {(name, "TXT"): (f"v=spf1 ip4:{server} -all",) for name in (domain, returning) if name}
    return ZoneResolver({**spf, (f"_dmarc.{domain}", "TXT"): ("v=DMARC1; p=reject",)})


@pytest.fixture
def places(cast: Cast) -> Mapping[str, str]:
    """A case that only Lucía takes part in, and one of the other company, as their mails name them."""
    own, foreign = cast.open("plus").number, cast.open("standard").number
    ids = {
        number: OutboundMail.objects.filter(case_id=row(cast, number).id).order_by("id")[0] for number in (own, foreign)
    }
    return {
        "TOKEN_MESSAGE_ID": ids[own].message_id,
        "FOREIGN_MESSAGE_ID": ids[foreign].message_id,
        "REPLY_ADDRESS": mail_names().reply_address(own, UUID(cast.plus.id)),
        "CASE_NUMBER": f"{own[:4]} {own[4:]}",
    }


def take_in(message: Message, places: Mapping[str, str], now: Any) -> InboundMail:
    """Let a message through the whole door, as SMTP from this machine, and return its row."""
    spool = MemorySpool()
    auth = str(message.expected.get("auth", "proven"))

    def judged(raw: bytes, envelope: Envelope, senders: Sequence[str]) -> Verdict:
        domain = senders[0].rpartition("@")[2] if len(senders) == 1 else ""
        return judge(raw, envelope, senders, zone_of(domain, envelope.sender.rpartition("@")[2], auth), Trust())

    sender = message.envelope_sender
    to = str(message.expected.get("to", OURS[0]))
    for place, value in places.items():
        sender, to = (text.replace("{{" + place + "}}", value) for text in (sender, to))
    envelope = spool.keep(MailFacts("smtp", now, "127.0.0.1", "mail.example", sender, (to,)), message.raw(places))
    worker = MailWorker(spool, PlainReader(), judged, Limits(cases=10_000, automatic=10_000))
    worker.work()
    assert spool.count_waiting() == 0
    return InboundMail.objects.get(id=envelope.id)


@pytest.mark.parametrize(("folder", "found"), BY_FOLDER, ids=[name for name, _ in BY_FOLDER])
def test_every_message_of_a_class_ends_where_it_should(
    cast: Cast, places: Mapping[str, str], folder: str, found: list[Message]
) -> None:
    wrong = []
    for message in found:
        mail = take_in(message, places, cast.now)
        TABLE.setdefault(folder, Counter())[f"{mail.outcome}/{mail.reason}"] += 1
        got: dict[str, Any] = {"outcome": mail.outcome, "reason": mail.reason}
        if mail.outcome == "case":
            case = Case.objects.across_companies(WHY).get(id=mail.case_id or UUID(int=0))
            got |= {"severity": case.severity, "case_class": case.case_class}
        wanted = {key: value for key, value in message.expected.items() if key in got}
        if mail.outcome == "case":
            wanted |= _of_case(message, mail)
        differs = {key: (got[key], value) for key, value in wanted.items() if got[key] != value}
        if differs:
            wrong.append((message.id, differs, mail.verdict["why"], mail.faults))
    assert wrong == []


def _of_case(message: Message, mail: InboundMail) -> dict[str, Any]:
    """A severity that is not stated is 4; a class is what a contact may say, else undecided."""
    expected = message.expected
    standard = mail.sender.endswith("ceramicas.example")
    named = mail.sender in {EMAILS["plus"], EMAILS["plus_second"]}
    stated = expected.get("case_class")
    premium = "premium" if stated == "premium" and named else "undecided"
    return {
        "severity": expected.get("severity") or 4,
        "case_class": "standard" if standard or stated == "standard" else premium,
    }


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Keep the table of outcomes by class for whoever wants to see it."""
    yield
    kept = {folder: dict(counts.most_common()) for folder, counts in TABLE.items()}
    target = PROJECT / "var" / "benchmarks" / "mail-corpus.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
