"""Marks lead an answer to its case, and nobody makes one up."""

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.mail.rules.tokens import MailNames, mail_key, numbers_in_subject, own_ids
from guardia.kernel.ids import case_number

NAMES = MailNames.of(mail_key("a secret of sixteen"), "soporte@guardia.example")
OTHERS = MailNames.of(mail_key("another secret here"), "soporte@guardia.example")
numbers = st.integers(1, 9_999_999).map(case_number)


@given(st.uuids(), numbers)
def test_a_message_id_of_ours_leads_to_its_mail_and_case(mail: UUID, number: str) -> None:
    message_id = NAMES.message_id(mail, number)
    assert NAMES.own_id(message_id) == NAMES.own_id(message_id.upper()) == (mail, number)
    assert OTHERS.own_id(message_id) is None
    assert re.fullmatch(r"[a-z0-9.]{1,64}@guardia\.example", message_id)


@given(st.uuids(), st.uuids(), numbers)
def test_a_reply_address_leads_its_own_person_to_the_case_and_nobody_else(
    person: UUID, other: UUID, number: str
) -> None:
    address = NAMES.reply_address(number, person)
    assert NAMES.replied(address, person) == number
    assert OTHERS.replied(address, person) == ""
    assert NAMES.replied(address, other) == (number if other == person else "")
    assert len(address.partition("@")[0]) <= 64
    assert NAMES.is_own_address(address)


@given(st.uuids())
def test_a_return_path_leads_to_the_mail_that_came_back(mail: UUID) -> None:
    address = NAMES.return_path(mail)
    assert NAMES.bounced(address) == mail
    assert OTHERS.bounced(address) is None
    assert len(address.partition("@")[0]) <= 64


@given(st.text(max_size=200))
def test_whatever_else_is_read_leads_nowhere(text: str) -> None:
    assert NAMES.own_id(text) is None
    assert NAMES.own_id(f"{text}@guardia.example") is None
    assert NAMES.replied(f"soporte+{text}@guardia.example", uuid4()) == ""
    assert NAMES.bounced(f"bounce+{text}@guardia.example") is None


@given(st.uuids(), numbers, st.integers(0, 200), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_mark_with_one_wrong_sign_is_none(mail: UUID, number: str, place: int, sign: str) -> None:
    message_id = NAMES.message_id(mail, number)
    place %= message_id.index("@")
    forged = message_id[:place] + sign + message_id[place + 1 :]
    assert forged == message_id or NAMES.own_id(forged) in (None, (mail, number))


def test_an_id_without_its_mac_is_none() -> None:
    """FreeScout took such ids for its own (CVE-2026-47123)."""
    mail = uuid4()
    without_mac = NAMES.message_id(mail, "40710014").rpartition(".")[0]
    assert NAMES.own_id(f"{without_mac}@guardia.example") is None
    assert NAMES.own_id(f"{without_mac}.@guardia.example") is None


def test_a_mail_about_no_case_leads_to_none() -> None:
    mail = uuid4()
    assert NAMES.own_id(NAMES.message_id(mail, "")) == (mail, "")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: [4071 0014] Solicitud recibida", ("40710014",)),
        ("[#40710014] and [40710014] again", ("40710014",)),
        ("[4071 0041] wrong check digit", ()),
        ("4071 0014 without brackets", ()),
        ("[4071\u00a00014]", ("40710014",)),
        ("[12345]", ()),
        ("", ()),
    ],
)
def test_a_subject_names_cases_in_brackets_whose_check_digit_holds(subject: str, expected: tuple[str, ...]) -> None:
    assert numbers_in_subject(subject) == expected


def test_foreign_ids_among_references_are_left_out() -> None:
    mail = uuid4()
    ids = ["<x@y>", NAMES.message_id(mail, "40710014"), OTHERS.message_id(mail, "40710014")]
    assert own_ids(NAMES, ids) == ((mail, "40710014"),)
