"""sippy keeps each answer for up to 64 seconds, to give it again: a flood must not fill the memory with them."""

from collections.abc import Iterator

import pytest

from guardia.doors.voice.sip import wire
from guardia.doors.voice.sip.guard import Guard


@pytest.fixture(name="transactions")
def _transactions() -> Iterator[wire.Transactions]:
    found = wire.Transactions(Guard([]), "127.0.0.1", 0, "127.0.0.1", lambda *_: None)
    yield found
    found.shutdown()


def answer(transactions: wire.Transactions, number: int, text: str) -> None:
    transactions.transmitData(transactions.wire, text, ("192.0.2.1", 5060), number)


def test_many_answers_push_out_the_oldest(transactions: wire.Transactions) -> None:
    for number in range(3 * wire.MOST_REMEMBERED):
        answer(transactions, number, "x")
    assert len(transactions.l1rcache) == wire.MOST_REMEMBERED
    assert min(transactions.l1rcache) == 2 * wire.MOST_REMEMBERED


def test_large_answers_push_out_the_oldest(transactions: wire.Transactions) -> None:
    for number in range(3000):
        answer(transactions, number, "x" * 8000)
    kept = list(transactions.l1rcache.values())
    assert sum(len(each.data) for each in kept) <= wire.LARGEST_REMEMBERED
    assert 2999 in transactions.l1rcache


def test_after_half_a_minute_the_bound_is_the_same(transactions: wire.Transactions) -> None:
    for purged in range(3):
        for number in range(3000):
            answer(transactions, purged * 3000 + number, "x" * 8000)
        transactions.rCachePurge()
    for cache in (transactions.l1rcache, transactions.l2rcache):
        assert sum(len(each.data) for each in cache.values()) <= wire.LARGEST_REMEMBERED
    assert 8999 in transactions.l2rcache


def test_an_answer_given_again_counts_once(transactions: wire.Transactions) -> None:
    for _ in range(5000):
        answer(transactions, 1, "x" * 8000)
    answer(transactions, 2, "y")
    assert set(transactions.l1rcache) == {1, 2}
    assert transactions.l1rcache.size == 8001
