"""What the database knows of a batch of messages: their senders, the cases that they may continue, what went before.

Asked in a few statements for the whole batch. Contracts are held, or locked where a premium incident may be spent, in
the order of their ids, before their terms are read.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from guardia.features.accounts.queries import people_by_email, people_by_id
from guardia.features.cases import search as cases
from guardia.features.contracts import operations as ledger
from guardia.features.contracts import queries as contracts
from guardia.features.mail import queries
from guardia.features.mail.operations import lock_messages
from guardia.features.mail.rules.arrived import LONGEST_TEXT, Arrival, Letter
from guardia.features.mail.rules.deciding import Decision, Facts, Limits, Outcome, Sender, Thread
from guardia.features.mail.rules.tokens import numbers_in_subject, own_ids
from guardia.journeys.post import mail_names
from guardia.kernel.plain_text import one_line, plain_text
from guardia.kernel.vocabulary import CaseState

SAME_BYTES_WITHIN: Final = timedelta(days=30)
SAME_BYTES_WITHOUT_ID_WITHIN: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MOST_THREADS: Final = 5


class FactsOfBatch:
    """Facts of messages that are decided together, in their order."""

    def __init__(self, arrivals: Sequence[Arrival], now: datetime, limits: Limits) -> None:
        self.now, self.limits = now, limits
        self.unfinished: list[Callable[[], None]] = []
        """Files of this batch that still wait for the disk."""
        lock_messages({_same(one) for one in arrivals})
        senders = {one.letter.sender for one in arrivals if one.letter.sender}
        self._by_email = people_by_email(senders)
        self._vouched = people_by_id([one.vouched_for for one in arrivals if one.vouched_for is not None])
        addresses = {*senders, *(person.email for person in self._vouched.values())}
        self.answered_this_hour = queries.answered_since(addresses, now - queries.HOUR)
        self.failing = queries.standings_of(addresses)
        self._numbers = {one.envelope.id: self._claims(one) for one in arrivals}
        self._threads = self._load_threads()
        self._opened = Counter(queries.opened_since(senders, now - queries.HOUR))
        self._seen: dict[tuple[str, str], tuple[datetime, bool]] = {}
        self._before = queries.first_of_bytes({one.envelope.digest for one in arrivals}, now - SAME_BYTES_WITHIN)
        ids = {said[1] for one in arrivals if (said := _said(one))[1]}
        self._taken = queries.taken_before(senders, ids, now - SAME_BYTES_WITHIN) if ids else set()
        people = [person for one in arrivals if (person := self.person_of(one)) is not None and person.company_id]
        companies = {person.company_id for person in people}
        premium = {
            person.company_id
            for one in arrivals
            if one.letter.stated.case_class == "premium" and (person := self.person_of(one)) is not None
        }
        self.contracts = _held_contracts(companies, premium - {None})

    # -- who --

    def person_of(self, arrival: Arrival) -> Any:
        """Return the person for whom a message counts, or whose address its sender's is; None for a stranger."""
        if arrival.vouched_for is not None:
            return self._vouched.get(arrival.vouched_for)
        return self._by_email.get(arrival.letter.sender)

    def contract_of(self, company_id: UUID, at: datetime) -> Any:
        """Return a company's contract at an instant, or None."""
        return contracts.in_term_or_nearest(self.contracts.get(company_id, ()), at)

    @cached_property
    def contacts(self) -> dict[UUID, list[UUID]]:
        """The named contacts of each contract."""
        return contracts.contacts_of_many([row.id for rows in self.contracts.values() for row in rows])

    @cached_property
    def readers(self) -> dict[UUID, Any]:
        """The named contacts, as people."""
        return people_by_id({person for named in self.contacts.values() for person in named})

    @cached_property
    def muted(self) -> dict[UUID, frozenset[str]]:
        """What readers do not want to be told."""
        return queries.muted_by({*self.readers, *(person.id for person in self._by_email.values())})

    # -- facts --

    def of(self, arrival: Arrival) -> Facts:
        """Return what the decision needs."""
        person = self.person_of(arrival)
        marked, named = self._threads_of(arrival, person)
        return Facts(
            sender=Sender(person.id, person.company_id, is_staff=person.is_staff) if person is not None else None,
            is_own_address=mail_names().is_own_address(arrival.letter.sender),
            is_repeated=self._is_repeated(arrival),
            marked=marked,
            named=named,
            opened_this_hour=self._opened[arrival.letter.sender],
            limits=self.limits,
        )

    def note(self, arrival: Arrival, decision: Decision) -> None:
        """Let the messages after this one know of it."""
        envelope = arrival.envelope
        self._seen.setdefault(
            (envelope.digest, envelope.sender), (envelope.arrived_at, bool(arrival.letter.message_id))
        )
        if decision.outcome in {Outcome.CASE, Outcome.REPLY}:
            self._taken.add(_said(arrival))
        if decision.outcome is Outcome.CASE:
            self._opened[arrival.letter.sender] += 1

    def _is_repeated(self, arrival: Arrival) -> bool:
        """The same bytes of the same envelope sender; without a Message-ID, only shortly after. Or the same words."""
        envelope = arrival.envelope
        if arrival.letter.message_id and _said(arrival) in self._taken:
            return True
        seen = self._seen.get((envelope.digest, envelope.sender))
        before = self._before.get(envelope.digest)
        if seen is None and (before is None or before.id == envelope.id or before.envelope_from != envelope.sender):
            return False
        first_at = seen[0] if seen is not None else before.arrived_at if before is not None else envelope.arrived_at
        within = SAME_BYTES_WITHIN if arrival.letter.message_id else SAME_BYTES_WITHOUT_ID_WITHIN
        return envelope.arrived_at - first_at <= within

    # -- threads --

    def _claims(self, arrival: Arrival) -> tuple[list[str], list[str]]:
        """Return the case numbers that marks of ours name, and those that the subject names."""
        names, letter, person = mail_names(), arrival.letter, self.person_of(arrival)
        marked = [number for _mail, number in own_ids(names, letter.in_reply_to) if number]
        if person is not None:
            replied = [names.replied(address, person.id) for address in arrival.envelope.recipients]
            marked += [number for number in replied if number]
        return marked[:MOST_THREADS], list(numbers_in_subject(letter.subject))[:MOST_THREADS]

    def _load_threads(self) -> dict[str, Any]:
        numbers = {number for both in self._numbers.values() for some in both for number in some}
        found = cases.cases_of_numbers(numbers) if numbers else {}
        self._cases = {case.id: case for case in found.values()}
        opened_again = cases.reopened_by_mail(list(self._cases), self.now - DAY) if found else {}
        self._reopened: dict[UUID, int] = opened_again
        return found

    def _threads_of(self, arrival: Arrival, person: Any) -> tuple[Thread | None, Thread | None]:
        marked, named = self._numbers[arrival.envelope.id]
        by_mark, by_subject = self._first(marked, person), self._first(named, person)
        if arrival.vouched_for is not None and by_mark is not None and by_mark.company_id != person.company_id:
            by_mark = None  # somebody has looked at it already: it counts as a request of its own
        return by_mark, by_subject

    def _first(self, numbers: Sequence[str], person: Any) -> Thread | None:
        case = next((self._threads[number] for number in numbers if number in self._threads), None)
        if case is None:
            return None
        return Thread(
            case_id=case.id,
            number=case.number,
            company_id=case.company_id,
            is_closed=case.state == CaseState.CLOSED,
            is_rejected=case.state == CaseState.REJECTED,
            takes_part=person is not None and self._takes_part(case, person),
            reopened_by_mail=self._reopened.get(case.id, 0),
        )

    def _takes_part(self, case: Any, person: Any) -> bool:
        if case.company_id != person.company_id:
            return False
        if case.opened_by_id == person.id or person.id in self.contacts.get(case.contract_id, ()):
            return True
        return cases.has_written(case, str(person.id))


def kept_words(letter: Letter) -> dict[str, str]:
    """Return the words of a message as its row keeps them."""
    return {
        "subject": one_line(letter.subject)[:300],
        "message_id": one_line(letter.message_id)[:300],
        "text": plain_text(letter.text)[:LONGEST_TEXT],
    }


def _said(arrival: Arrival) -> tuple[str, ...]:
    """Return what tells that a message is another's repetition."""
    words = kept_words(arrival.letter)
    return arrival.letter.sender[:320], words["message_id"], words["subject"], words["text"]


def _same(arrival: Arrival) -> str:
    """Return what two messages share that may be the same one."""
    words = kept_words(arrival.letter)
    return f"{arrival.letter.sender} {words['message_id']}" if words["message_id"] else arrival.envelope.digest


def _held_contracts(companies: set[UUID], premium: set[UUID]) -> dict[UUID, list[Any]]:
    """Hold the terms of these companies' contracts; those of `premium` are locked for the ledger."""
    known = contracts.ids_of_companies(companies)
    if not premium:
        ledger.hold_terms(sorted(known))
    else:
        for contract_id in sorted(known):  # one after the other: two batches never wait for each other in a circle
            if known[contract_id] in premium:
                ledger.lock_contract_id(contract_id)
            else:
                ledger.hold_terms([contract_id])
    return contracts.of_companies(companies)
