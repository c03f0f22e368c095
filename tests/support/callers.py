"""Who phones in tests: contract digits and sample PINs by part, and a caller as the desk found it."""

from datetime import datetime
from uuid import UUID, uuid4

from guardia.doors.voice.desk import Desk
from guardia.doors.voice.questions import Caller, Identified, IdentifyByCode, IdentifyByPin
from guardia.journeys.make_sample_data import PINS
from tests.support.cast import EMAILS

CONTRACTS = {"plus": "4071", "standard": "2210"}
NUMBER = "+34600111222"


def contract_of(part: str) -> str:
    """The digits of the contract of somebody's company."""
    return CONTRACTS[part.split("_", maxsplit=1)[0]]


def pin_of(part: str) -> str:
    """Somebody's sample PIN."""
    return PINS[EMAILS[part]]


def desk(call_id: UUID | None = None, number: str = NUMBER, language: str = "es") -> Desk:
    """The desk of one call."""
    return Desk(call_id or uuid4(), number, language)


def known(part: str, now: datetime) -> Caller:
    """Somebody, as the desk knows them by PIN."""
    answer = desk().answer(IdentifyByPin(contract_of(part), pin_of(part)), now)
    assert isinstance(answer, Identified)
    return answer.caller


def known_by_code(number: str, code: str, now: datetime) -> Caller:
    """Whoever gives a case's code."""
    answer = desk().answer(IdentifyByCode(number, code), now)
    assert isinstance(answer, Identified)
    return answer.caller
