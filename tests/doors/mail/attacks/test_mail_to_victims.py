"""Attacks that make the desk write to somebody else: forged senders, spread so that no limit sees them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from tests.support.cast import EMAILS, Cast
from tests.support.letters import UNPROVEN, arrival

from guardia.features.mail.models import OutboundMail
from guardia.features.mail.rules.deciding import Limits, domain_of_strangers
from guardia.journeys.answer_mail import MOST_FLAGS
from guardia.journeys.receive_mail import receive_mail

LIMITS = Limits(strangers_of_domain=5, automatic=3)


def states() -> Counter[str]:
    return Counter(OutboundMail.objects.filter(why="stranger").values_list("state", flat=True))


@pytest.mark.django_db
def test_attack_a_victims_domain_spread_over_names_below_it(cast: Cast) -> None:
    batch = [arrival(cast.now, f"x@h{n}.victim.example", UNPROVEN) for n in range(12)]
    receive_mail(batch, cast.now, LIMITS)
    assert states() == {"waiting": 5, "withheld": 7}


@pytest.mark.django_db(transaction=True)
def test_attack_two_workers_that_count_at_the_same_time(cast: Cast) -> None:
    start = Barrier(2)

    def work(_worker: int) -> None:
        try:
            batch = [arrival(cast.now, "x@victim.example", UNPROVEN) for _ in range(8)]
            start.wait()
            receive_mail(batch, cast.now, LIMITS)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        list(both.map(work, range(2)))
    assert states() == {"waiting": 3, "withheld": 13}


@pytest.mark.django_db
def test_attack_a_thousand_alarms_to_whoever_is_on_duty(cast: Cast) -> None:
    """Words of a level 1 from strangers: some are mailed at once, all of them wait in the queue."""
    words = {"sounds_critical": True}
    batch = [arrival(cast.now, f"x@d{n}.example", UNPROVEN, stated=words) for n in range(MOST_FLAGS + 5)]
    receive_mail(batch[:4], cast.now)
    receive_mail(batch[4:], cast.now)
    receive_mail([arrival(cast.now, EMAILS["plus"], UNPROVEN, stated=words)], cast.now)
    alarms = OutboundMail.objects.filter(topic="alarm")
    assert alarms.filter(state="withheld", last_reply="limit").count() == 5
    assert alarms.filter(state="waiting").count() == MOST_FLAGS + 1


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@victim.example", "victim.example"),
        ("a@b.c.victim.example", "victim.example"),
        ("a@x.firma.com.es", "firma.com.es"),
        ("a@firma.co.uk", "firma.co.uk"),
        ("a@co.uk", "co.uk"),
        ("a@localhost", "localhost"),
        ("", ""),
    ],
)
def test_what_is_below_a_domain_counts_for_it(address: str, domain: str) -> None:
    assert domain_of_strangers(address) == domain
