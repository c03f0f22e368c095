"""What an engineer hears who is rung, and what a key makes of it."""

import pytest
from tests.support.playbook import Player

from guardia.doors.voice.engineer_dialogue import Offer, PageFacts, offer, page
from guardia.doors.voice.script import HungUp, Language
from guardia.kernel.vocabulary import Clock

MARKS = ("50", "75", "90", "breach", "called", "unassigned")


def _offer(language: Language = "es") -> Offer:
    return Offer(language, "40718831", 1, "Astilleros del Norte", is_known=True)


def _page(mark: str = "breach", clock: str = "response", language: Language = "es") -> PageFacts:
    return PageFacts(language, "40718831", 1, "Astilleros del Norte", clock, mark)


@pytest.mark.parametrize("language", ["es", "en"])
def test_an_offer_says_case_severity_and_company_before_the_question(language: Language) -> None:
    play = Player(offer(_offer(language))).run(["1"])
    assert play.outcome == "accepted"
    assert play.heard == [
        *("offer.waits", "case.number", "severity.1", "offer.known", "offer.menu"),
        "offer.accepted",
    ]
    assert (play.digits, play.texts) == (["40718831"], ["Astilleros del Norte"])
    assert {say.language for say in play.says} == {language}


def test_an_offer_of_somebody_unknown_names_nobody() -> None:
    play = Player(offer(Offer("en", "", 4, "Astilleros del Norte", is_known=False))).run(["1"])
    assert {"offer.no_case", "offer.unknown"} <= set(play.heard)
    assert not play.texts
    assert not play.digits


def test_an_offer_is_declined() -> None:
    assert Player(offer(_offer())).run(["2"]).outcome == "declined"


def test_an_answering_machine_takes_no_call() -> None:
    play = Player(offer(_offer())).run(["--"])
    assert play.outcome == "silent"
    assert play.heard.count("offer.menu") == 2


def test_nine_repeats_and_is_no_silence() -> None:
    play = Player(offer(_offer())).run(["9", "-", "9", "1"])
    assert play.outcome == "accepted"
    assert play.heard.count("offer.menu") == 4


def test_an_engineer_who_hangs_up_has_taken_nothing() -> None:
    assert Player(offer(_offer())).run([HungUp()]).outcome == "hung_up"


def test_keys_without_meaning_end_the_offer() -> None:
    assert Player(offer(_offer())).run(["7777777777"]).outcome == "silent"


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("clock", [clock.value for clock in Clock])
def test_a_page_says_what_mark_has_passed(clock: str, mark: str, language: Language) -> None:
    play = Player(page(_page(mark, clock, language))).run(["1"])
    assert play.outcome == "acknowledged"
    assert f"mark.{mark}" in play.heard
    assert play.heard[-1] == "page.acknowledged"
    assert play.texts == ["Astilleros del Norte"]


def test_a_page_is_passed_on() -> None:
    play = Player(page(_page())).run(["2"])
    assert (play.outcome, play.heard[-1]) == ("declined", "page.passed_on")


def test_a_page_that_nobody_answers_is_silent() -> None:
    assert Player(page(_page())).run(["--"]).outcome == "silent"


def test_a_page_that_is_hung_up_on_is_not_acknowledged() -> None:
    assert Player(page(_page())).run(["9", HungUp()]).outcome == "hung_up"


def test_an_alarm_stays_acknowledged_when_the_thanks_are_not_heard_out() -> None:
    assert Player(page(_page())).run(["1", HungUp()]).outcome == "acknowledged"


def test_a_caller_is_not_joined_with_an_engineer_who_hung_up() -> None:
    assert Player(offer(_offer())).run(["1", HungUp()]).outcome == "hung_up"
