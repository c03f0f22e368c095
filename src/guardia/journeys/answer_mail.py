"""What a message is answered by itself: at most one mail, never one to a null sender, at most so many an hour.

A confirmation says nothing that its reader chose: no subject, no text, no name. Strangers are told that their message
has come and how to prove themselves; the words of an address that nobody proved lead nowhere.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guardia.features.contracts.queries import refusal_words
from guardia.features.contracts.rules.entitlement import NotGranted
from guardia.features.mail import queries
from guardia.features.mail.operations import NewMail, lock_strangers, post_mails
from guardia.features.mail.rules.deciding import Answer, domain_of_strangers
from guardia.journeys.mail_cases import missing_of_report, sounds_critical
from guardia.journeys.mail_facts import FactsOfBatch
from guardia.journeys.notify import notice
from guardia.journeys.phone_line import phone_line
from guardia.journeys.post import link, new_mail
from guardia.journeys.proof_mails import neutral_acknowledgement, people_on_duty
from guardia.journeys.prove_sender import offer_proof
from guardia.journeys.tell_staff import tell_critical_mail
from guardia.kernel.ids import spoken
from guardia.kernel.vocabulary import CaseClass

MOST_FLAGS: Final = 10
"""Mails an hour to a person on duty about strangers' messages, and as many about those that bear a contact's address:
whoever is mailed a thousand alarms reads none. The queue shows all of them.
"""
MISSING: Final = {
    "claim": gettext_noop("whether it is a false negative (FN) or a false positive (FP)"),
    "product": gettext_noop("the product and its version"),
    "engine": gettext_noop("the engine"),
    "database_version": gettext_noop("the version of the antivirus database"),
    "detection_name": gettext_noop("the name of the detection"),
    "files": gettext_noop("the file, in a ZIP archive with the password “infected”"),
}


class Answers:
    """The mails that a batch of messages sets off."""

    def __init__(self, facts: FactsOfBatch, now: datetime) -> None:
        self.facts, self.now = facts, now
        self.mails: list[NewMail] = []
        self._acknowledged: list[NewMail] = []
        self._automatic = Counter(facts.answered_this_hour)

    def opened(self, step: Any, case: Any) -> None:
        """Confirm a new case to its opener, by an answer, and to the named contacts; flag words of a level 1."""
        what = _asks(step, case, self.now)
        named = self.facts.contacts.get(case.contract_id, ())
        readers = {person: self.facts.readers[person] for person in named if person in self.facts.readers}
        for person in {step.sender.id: step.sender, **readers}.values():
            is_opener = person.id == step.sender.id
            answers = _answered_by_itself(step) if is_opener else None
            if not is_opener and "opened" in self.facts.muted.get(person.id, ()):
                continue
            mail = notice(case, "opened", step.row.event_seq, person, what, answers)
            self.mails.append(self._limited(mail) if answers is not None else mail)
        if sounds_critical(step.arrival.letter.stated):
            tell_critical_mail(case, step.row.event_seq, self.now)

    def refused(self, step: Any, why: NotGranted) -> None:
        """Say to a proven contact why nothing was opened, and what to do."""
        person = step.sender
        with translation.override(person.language):
            mail = new_mail(
                key=f"mail:{step.row.id}:refused",
                topic="refused",
                why="wrote",
                address=person.email,
                language=person.language,
                subject=_("Nothing was opened: the reason"),
                paragraphs=[
                    refusal_words(why),
                    _("The message is kept. It can be sent again once this is settled."),
                    link(_("The contract"), "/contract/"),
                    _("Priority phone line: %(phone)s") % {"phone": settings.GUARDIA.phone},
                ],
                person_id=person.id,
                company_id=person.company_id,
                answers=_answered_by_itself(step),
                is_automatic=_answered_by_itself(step) is not None,
            )
        self._answer(step, mail)

    def quarantined(self, step: Any) -> None:
        """Answer a message that waits for proof, where that leads back to nobody else; flag words of a level 1."""
        if step.decision.answer is Answer.PROOF:
            mail = offer_proof(step.row, step.sender, self.now, is_own=True)
            if mail is not None:
                self.mails.append(self._limited(mail))
        elif step.decision.answer is Answer.NEUTRAL:
            language = step.arrival.letter.language or "es"
            if _may_be_answered(step):
                self._acknowledged.append(neutral_acknowledgement(step.row, language, self.now))
        if sounds_critical(step.arrival.letter.stated) and step.decision.answer is not Answer.NOTHING:
            self._flag(step)

    def send(self) -> None:
        """Write all of it; strangers last: while they are counted, no other batch may acknowledge any."""
        if self._acknowledged:
            lock_strangers()
            addresses = {mail.address for mail in self._acknowledged}
            self._automatic |= Counter(queries.answered_since(addresses, self.now - queries.HOUR))
            self.mails += [self._limited(self._limited_stranger(mail)) for mail in self._acknowledged]
        post_mails(self.mails, self.now)

    # -- limits --

    def _answer(self, step: Any, mail: NewMail) -> None:
        if mail.answers_id is None:
            self.mails.append(mail)
        elif _may_be_answered(step):
            self.mails.append(self._limited(mail))

    def _limited(self, mail: NewMail) -> NewMail:
        """Withhold an automatic mail beyond the limit of its address."""
        if mail.withheld:
            return mail
        if mail.address in self.facts.failing:
            return _withheld(mail, "failing")
        if self._automatic[mail.address] >= self.facts.limits.automatic:
            return _withheld(mail, "limit")
        self._automatic[mail.address] += 1
        return mail

    def _limited_stranger(self, mail: NewMail) -> NewMail:
        """Withhold an acknowledgement beyond the limit of strangers, of one domain and of all."""
        domain = domain_of_strangers(mail.address)
        limits = self.facts.limits
        if self._strangers[domain] >= limits.strangers_of_domain or self._strangers.total() >= limits.strangers:
            return _withheld(mail, "limit")
        self._strangers[domain] += 1
        return mail

    @cached_property
    def _strangers(self) -> Counter[str]:
        sent = queries.strangers_since(self.now - queries.HOUR)
        return Counter(map(domain_of_strangers, sent))

    def _flag(self, step: Any) -> None:
        """Tell who is on duty that a message with words of a level 1 waits in quarantine."""
        prefix = "flag:contact:" if step.decision.answer is Answer.PROOF else "flag:stranger:"
        for person in people_on_duty(self.now):
            sent = queries.flags_since(person.email, prefix, self.now - queries.HOUR)
            sent += sum(one.address == person.email and one.dedupe_key.startswith(prefix) for one in self.mails)
            with translation.override(person.language):
                self.mails.append(
                    new_mail(
                        key=f"{prefix}{step.row.id}:{person.id}",
                        topic="alarm",
                        why="duty",
                        address=person.email,
                        language=person.language,
                        subject=_("A message in quarantine sounds like level 1"),
                        paragraphs=[
                            _("It waits for a person: its sender is not proven yet."),
                            link(_("Show the message"), f"/console/mail/{step.row.id}/"),
                        ],
                        person_id=person.id,
                        withheld="limit" if sent >= MOST_FLAGS else "",
                    )
                )


def _answered_by_itself(step: Any) -> Any:
    """The message that a mail to its sender answers; None where a person stood up for it.

    That message had its one automatic answer when it arrived. What it became is told because of the person's act.
    """
    return step.row if step.arrival.vouched_for is None else None


def _may_be_answered(step: Any) -> bool:
    """Never a null sender; by IMAP, where it is not told, a signal says so."""
    return bool(step.arrival.envelope.sender) or step.arrival.envelope.door == "imap"


def _withheld(mail: NewMail, why: str) -> NewMail:
    return NewMail(**{**vars(mail), "withheld": why})


def _asks(step: Any, case: Any, now: datetime) -> Callable[[], str]:
    """Return what the confirmation of a new case says and asks besides, in its reader's language."""
    phone = phone_line(case, now)
    stated = step.arrival.letter.stated
    missing = missing_of_report(step.arrival.letter)

    def lines() -> str:
        said = [phone()]
        if stated.severity is None:
            said.append(
                _(
                    "The severity is not clear from the message, so it is 4 (low) for now. Which level is it: "
                    "1 critical, 2 high, 3 medium or 4 low? An answer to this mail with a line “severity: 2” is enough."
                )
            )
        if case.case_class == CaseClass.UNDECIDED:
            said.append(
                _(
                    "Whether it is a premium incident is undecided, and nothing was spent. A named contact decides on "
                    "the page of the request, or by an answer with a line “class: premium”."
                )
            )
        if missing:
            names = ", ".join(str(_(MISSING[name])) for name in missing)
            said.append(
                _("To check the verdict of the antivirus, this is still missing: %(names)s.") % {"names": names}
            )
        if sounds_critical(stated) and not said[0]:
            said.append(
                _(
                    "The message sounds critical: an engineer was told. A request of level 1 must also be phoned in: "
                    "%(phone)s, case number %(number)s."
                )
                % {"phone": settings.GUARDIA.phone, "number": spoken(case.number)}
            )
        return "\n\n".join(part for part in said if part)

    return lines
