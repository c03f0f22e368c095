"""Mail becomes cases, replies, refusals, or waits in quarantine: each in one transaction, counted from its arrival."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.journeys.promise_story import mails_to, row
from tests.support.cast import EMAILS, Cast
from tests.support.letters import FORGED, UNPROVEN, arrival
from tests.support.mail_cast import link_token

from guardia.features.cases.models import Case
from guardia.features.cases.queries import events_of, files_of
from guardia.features.contracts.models import Contract
from guardia.features.contracts.queries import standing_charge
from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.features.mail.rules.arrived import Arrival
from guardia.features.mail.rules.deciding import Limits
from guardia.features.sla.models import StaffNotice
from guardia.journeys.change_class import change_class
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_case import close_case, reject_case, wait_for_customer
from guardia.journeys.post import mail_names
from guardia.journeys.prove_sender import confirm_proof
from guardia.journeys.receive_mail import Received, receive_mail
from guardia.journeys.take_case import take_case

pytestmark = pytest.mark.django_db
WHY = "the test's own"
EARLIER = timedelta(minutes=7)


def receive(cast: Cast, *arrivals: Arrival, limits: Limits | None = None) -> list[Received]:
    return receive_mail(arrivals, cast.now, limits)


def one(cast: Cast, sender: str = EMAILS["plus"], **said: Any) -> Received:
    (received,) = receive(cast, arrival(cast.now - EARLIER, sender, **said))
    return received


def case_of(received: Received) -> Any:
    return Case.objects.across_companies(WHY).get(id=received.case_id or UUID(int=0))


def thread_of(cast: Cast, number: str, part: str = "plus") -> tuple[str, ...]:
    """The Message-ID of a mail of ours about a case, as an answer of that person names it."""
    return (
        OutboundMail.objects.filter(case_id=row(cast, number).id, address=EMAILS[part]).order_by("id")[0].message_id,
    )


# ---- new cases ----


def test_a_proven_contacts_message_is_a_case_that_counts_from_its_arrival(cast: Cast) -> None:
    received = one(cast, subject="RE: Fwd: El análisis se detiene")
    case = case_of(received)
    assert (received.outcome, received.reason) == ("case", "opened")
    assert (case.subject, case.channel, case.case_class, case.severity) == (
        "El análisis se detiene",
        "email",
        "undecided",
        4,
    )
    assert case.submitted_at == cast.now - EARLIER
    assert case.opened_by_name == "Lucía Ferrer"
    assert standing_charge(case.id, case.company_id) is None


def test_it_is_answered_once_by_words_that_the_sender_did_not_choose(cast: Cast) -> None:
    received = one(cast, subject="Pulse http://evil.example", text="Ganar dinero")
    answers = OutboundMail.objects.filter(answers_id=received.id)
    (answer,) = answers
    text = mails_to(EMAILS["plus"])[-1]
    assert answer.address == EMAILS["plus"]
    assert answer.is_automatic
    assert "evil.example" not in text
    assert "Ganar dinero" not in text


def test_what_is_stated_is_taken_as_the_customers_answers(cast: Cast) -> None:
    case = case_of(one(cast, stated={"severity": 2, "case_class": "premium"}))
    assert (case.severity, case.case_class) == (2, "premium")
    assert standing_charge(case.id, case.company_id) is not None


def test_somebody_who_is_no_named_contact_spends_nothing(cast: Cast) -> None:
    case = case_of(one(cast, EMAILS["plus_admin"], stated={"case_class": "premium"}))
    assert case.case_class == "undecided"
    assert standing_charge(case.id, case.company_id) is None


def test_a_plan_without_premium_leaves_nothing_to_decide(cast: Cast) -> None:
    assert case_of(one(cast, EMAILS["standard"])).case_class == "standard"


def test_an_unclear_severity_is_4_and_asked_for(cast: Cast) -> None:
    case_of(one(cast))
    assert "gravedad: 2" in mails_to(EMAILS["plus"])[-1]


def test_words_of_a_level_1_are_flagged_and_the_answer_says_to_phone(cast: Cast) -> None:
    case = case_of(one(cast, stated={"sounds_critical": True}))
    assert case.severity == 4
    assert "900 000 147" in mails_to(EMAILS["plus"])[-1]
    notices = StaffNotice.objects.across_companies(WHY).filter(case=case, facts__mark="critical_words")
    assert notices.count() == 1


def test_a_whole_report_is_a_signature_change_with_its_sample_in_quarantine(cast: Cast) -> None:
    fields = (
        ("claim", "FP"),
        ("product", "Atalaya Endpoint 8.2"),
        ("engine", "ClamAV 1.4.6"),
        ("database_version", "20261122.1"),
        ("detection_name", "Lab.Harmless.Family.0001"),
    )
    stated = {"kind": "signature_change", "fields": fields, "passwords": ("infected",)}
    case = case_of(one(cast, stated=stated, files={"nomina.zip": b"PK sealed bytes"}))
    assert case.kind == "signature_change"
    (file,) = files_of(case)
    assert (file.filename, file.role) == ("nomina.zip", "sample")
    assert events_of(case)[0].payload["passwords"] == ["infected"]


def test_a_claim_that_lacks_something_is_an_incident_and_is_asked_for_the_rest(cast: Cast) -> None:
    case = case_of(one(cast, stated={"kind": "signature_change", "fields": (("claim", "FN"),)}))
    assert case.kind == "incident"
    assert "falta todavía: el producto y su versión, el motor" in mails_to(EMAILS["plus"])[-1]


def test_files_that_cannot_be_kept_are_told_and_lose_nothing_else(cast: Cast) -> None:
    received = one(cast, files={"empty.txt": b"", "log.txt": b"12 lines", "big.bin": b"x" * (5 * 1024 * 1024)})
    assert [file.filename for file in files_of(case_of(received))] == ["log.txt"]
    assert len(InboundMail.objects.get(id=received.id).faults) == 2


# ---- once ----


def test_a_stored_message_that_is_taken_up_again_does_nothing(cast: Cast) -> None:
    message = arrival(cast.now, EMAILS["plus"])
    assert len(receive(cast, message)) == 1
    assert receive(cast, message) == []
    assert Case.objects.across_companies(WHY).count() == 1
    assert OutboundMail.objects.filter(answers_id=message.envelope.id).count() == 1


def test_the_same_bytes_sent_again_are_no_second_case(cast: Cast) -> None:
    first = arrival(cast.now, EMAILS["plus"])
    again = arrival(cast.now, EMAILS["plus"])
    again = replace(
        again,
        envelope=replace(again.envelope, digest=first.envelope.digest),
        letter=replace(again.letter, message_id=first.letter.message_id),
    )
    both = receive(cast, first, again)
    assert [(one.outcome, one.reason) for one in both] == [("case", "opened"), ("refused", "repeated")]


def test_the_same_message_id_with_other_words_is_a_case_of_its_own(cast: Cast) -> None:
    both = receive(
        cast,
        arrival(cast.now, EMAILS["plus"], message_id="same@x.example", text="One"),
        arrival(cast.now, EMAILS["plus"], message_id="same@x.example", text="Two"),
    )
    assert [one.outcome for one in both] == ["case", "case"]


# ---- who ----


@pytest.mark.parametrize(
    ("sender", "said", "outcome", "reason", "answered"),
    [
        ("someone@elsewhere.example", {}, "quarantined", "unknown_sender", 1),
        (EMAILS["plus"], {"verdict": UNPROVEN}, "quarantined", "unproven", 1),
        (EMAILS["plus"], {"verdict": FORGED}, "quarantined", "forged", 1),
        ("someone@elsewhere.example", {"verdict": FORGED}, "quarantined", "forged", 0),
        (EMAILS["engineer"], {}, "quarantined", "staff_sender", 0),
        ("", {}, "quarantined", "no_sender", 0),
        ("soporte@guardia.example", {}, "refused", "own_address", 0),
        (EMAILS["plus"], {"signals": ("out_of_office",)}, "refused", "automatic", 0),
        (EMAILS["plus"], {"signals": ("own_header",)}, "refused", "automatic", 0),
        (EMAILS["plus"], {"signals": ("list",)}, "quarantined", "by_machine", 0),
        (EMAILS["plus"], {"signals": ("null_sender",)}, "quarantined", "by_machine", 0),
    ],
)
def test_nobody_unproven_opens_a_case(
    cast: Cast, sender: str, said: dict[str, Any], outcome: str, reason: str, answered: int
) -> None:
    received = one(cast, sender, **said)
    assert (received.outcome, received.reason, received.case_id) == (outcome, reason, None)
    assert OutboundMail.objects.count() == answered
    assert not Case.objects.across_companies(WHY).exists()


def test_the_link_of_a_forged_message_goes_to_the_address_that_was_used(cast: Cast) -> None:
    one(cast, EMAILS["plus"], verdict=FORGED)
    assert OutboundMail.objects.get().address == EMAILS["plus"]


def test_a_contract_that_is_over_is_a_refusal_with_its_reason(cast: Cast) -> None:
    contract = Contract.objects.of_company(cast.plus.company_id or UUID(int=0)).get()
    contract.ends_on = (cast.now - timedelta(days=2)).date()
    contract.save(update_fields=["ends_on"])
    received = one(cast)
    assert (received.outcome, received.reason) == ("refused", "contract_over")
    assert OutboundMail.objects.get(answers_id=received.id).topic == "refused"


# ---- threads ----


def test_an_answer_to_our_mail_joins_its_case(cast: Cast) -> None:
    number = cast.open("plus").number
    take_case(cast.engineer, cast.now, number)
    wait_for_customer(cast.engineer, cast.now, number, "We need the logs.")
    received = one(cast, in_reply_to=thread_of(cast, number), files={"log.txt": b"12 lines"})
    assert (received.outcome, received.reason, received.case_id) == ("reply", "threaded", row(cast, number).id)
    assert row(cast, number).state == "in_progress"
    assert [file.filename for file in files_of(row(cast, number))] == ["log.txt"]


def test_an_answer_to_the_reply_address_joins_its_case(cast: Cast) -> None:
    number = cast.open("plus").number
    to = mail_names().reply_address(number, UUID(cast.plus.id))
    assert one(cast, to=to).outcome == "reply"
    assert one(cast, EMAILS["plus_second"], to=to).outcome == "case"


def test_a_number_in_the_subject_counts_for_those_who_take_part(cast: Cast) -> None:
    number = cast.open("plus").number
    subject = f"Re: [{number[:4]} {number[4:]}] Solicitud recibida"
    assert one(cast, subject=subject).outcome == "reply"
    assert one(cast, EMAILS["plus_second"], subject=subject).outcome == "reply"
    assert one(cast, EMAILS["plus_admin"], subject=subject).outcome == "case"
    assert one(cast, EMAILS["standard"], subject=subject).outcome == "case"


def test_a_mark_of_another_companys_case_is_not_believed(cast: Cast) -> None:
    number = cast.open("plus").number
    received = one(cast, EMAILS["standard"], in_reply_to=thread_of(cast, number))
    assert (received.outcome, received.reason) == ("quarantined", "foreign_thread")
    assert events_of(row(cast, number)).filter(type="message").count() == 0


def test_a_forged_mark_counts_for_nothing(cast: Cast) -> None:
    number = cast.open("plus").number
    (real,) = thread_of(cast, number)
    forged = real[:-20] + "a" * 4 + real[-16:]
    received = one(cast, EMAILS["standard"], in_reply_to=(forged,))
    assert received.outcome == "case"


def test_an_answer_opens_a_closed_case_again_three_times_a_day(cast: Cast) -> None:
    number = cast.open("plus").number
    thread = thread_of(cast, number)
    outcomes = []
    for _ in range(4):
        close_case(cast.plus, cast.now, number, "customer_confirmed", "It works.")
        outcomes.append(one(cast, in_reply_to=thread).reason)
        if row(cast, number).state == "closed":
            break
    assert outcomes == ["reopened", "reopened", "reopened", "follows"]


def test_an_answer_to_a_rejected_case_is_a_new_one_that_follows_it(cast: Cast) -> None:
    number = cast.open("plus").number
    thread = thread_of(cast, number)
    take_case(cast.engineer, cast.now, number)
    reject_case(cast.engineer, cast.now, number, "Out of scope.")
    received = one(cast, in_reply_to=thread)
    assert (received.outcome, received.reason) == ("case", "follows")
    assert events_of(case_of(received))[0].payload["follows"] == number


def test_an_answer_to_a_joined_case_goes_on_where_it_was_joined(cast: Cast) -> None:
    first, second = cast.open("plus").number, cast.open("plus").number
    thread = thread_of(cast, second)
    merge_case(cast.engineer, cast.now, second, first, "The same problem.")
    assert one(cast, in_reply_to=thread).case_id == row(cast, first).id


def test_an_answer_states_the_severity_that_was_asked_for(cast: Cast) -> None:
    received = one(cast)
    number = case_of(received).number
    one(cast, in_reply_to=thread_of(cast, number), stated={"severity": 2, "case_class": "premium"})
    assert (row(cast, number).severity, row(cast, number).case_class) == (2, "premium")
    one(cast, in_reply_to=thread_of(cast, number), stated={"severity": 1})
    assert row(cast, number).severity == 2
    assert events_of(row(cast, number)).filter(type="severity_disputed").count() == 1


def test_a_named_contact_decides_the_class_of_what_a_colleague_wrote(cast: Cast) -> None:
    received = one(cast, EMAILS["plus_admin"])
    number = case_of(received).number
    change_class(cast.plus, cast.now, number, "premium", "It is urgent.")
    assert row(cast, number).case_class == "premium"


# ---- limits ----


def test_automatic_mails_to_an_address_are_limited_and_the_withheld_stay_visible(cast: Cast) -> None:
    limits = Limits(automatic=2)
    receive(cast, *(arrival(cast.now, EMAILS["standard"], text=f"Number {n}") for n in range(4)), limits=limits)
    states = list(OutboundMail.objects.filter(is_automatic=True).order_by("id").values_list("state", flat=True))
    assert states == ["waiting", "waiting", "withheld", "withheld"]


def test_too_many_cases_an_hour_wait_in_quarantine(cast: Cast) -> None:
    limits = Limits(cases=2)
    many = [arrival(cast.now, EMAILS["standard"], text=f"Number {n}") for n in range(3)]
    assert [one.reason for one in receive(cast, *many, limits=limits)] == ["opened", "opened", "too_many"]


def test_strangers_of_one_domain_are_acknowledged_so_often_and_no_more(cast: Cast) -> None:
    limits = Limits(strangers_of_domain=2)
    many = [arrival(cast.now, f"someone{n}@spam.example", text=f"Number {n}") for n in range(4)]
    receive(cast, *many, limits=limits)
    assert OutboundMail.objects.filter(why="stranger", state="waiting").count() == 2


def test_whoever_proves_a_message_is_told_its_number_though_the_message_was_answered_before(cast: Cast) -> None:
    message = arrival(cast.now - EARLIER, EMAILS["plus"], UNPROVEN)
    receive(cast, message)
    (link,) = OutboundMail.objects.filter(topic="proof", answers_id=message.envelope.id)
    confirm_proof(link_token(link), cast.now)
    (received,) = receive(cast, replace(message, vouched_for=UUID(cast.plus.id)))
    assert received.outcome == "case"
    (told,) = OutboundMail.objects.filter(topic="opened", address=EMAILS["plus"])
    assert (told.case_id, told.is_automatic, told.state) == (received.case_id, False, "waiting")


def test_an_answer_to_a_case_that_was_joined_with_one_that_closed_opens_that_one_again(cast: Cast) -> None:
    first, second = cast.open("plus").number, cast.open("plus").number
    thread = thread_of(cast, second)
    merge_case(cast.engineer, cast.now, second, first, "The same problem.")
    close_case(cast.engineer, cast.now, first, "solved", "Restarted.")
    received = one(cast, in_reply_to=thread)
    assert (received.outcome, received.case_id) == ("reply", row(cast, first).id)
    assert row(cast, first).state == "reopened"
