from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import override_settings
from django.utils import translation

from guardia.kernel import clock
from guardia.reports.showing import ClockStretch, ClockView, QuotaView

NOW = datetime(2026, 11, 23, 9, 2, tzinfo=UTC)
PLAIN_FILES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}


def shown(source: str, language: str = "en", **context: object) -> str:
    with clock.frozen_at(NOW), translation.override(language), override_settings(STORAGES=PLAIN_FILES):
        return Template("{% load guardia %}" + source).render(Context(context))


def view(state: str, **facts: object) -> ClockView:
    plain: dict[str, object] = {
        "as_of": NOW,
        "due_at": NOW + timedelta(minutes=88),
        "answered_at": None,
        "breached_at": None,
        "target_s": 14400,
        "used_s": 9120,
        "remaining_s": 5280,
        "over_s": 0,
        "share": 63,
        "is_soon": False,
    }
    return ClockView(state=state, **(plain | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "facts", "words", "look"),
    [
        ("running", {}, "1\xa0h\xa028\xa0min", "g-clock--run"),
        ("running", {"is_soon": True}, "due 11:30", "g-clock--soon"),
        ("breached", {"over_s": 720}, "12\xa0min over", "g-clock--over"),
        ("met", {"answered_at": NOW}, "Met 10:02", "g-clock--met"),
        ("answered", {"answered_at": NOW, "due_at": None}, "Answered 10:02", "g-clock--none"),
        ("best_effort", {"due_at": None}, "Best effort", "g-clock--none"),
    ],
)
def test_a_clock_says_its_state_in_words_and_not_by_colour_alone(
    state: str, facts: dict[str, object], words: str, look: str
) -> None:
    html = shown("{% clock_chip clock %}", clock=view(state, **facts))
    assert words in html
    assert look in html


def test_the_clock_panel_shows_its_sum() -> None:
    friday = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    monday = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    stretches = (
        ClockStretch(friday, friday + timedelta(minutes=90), 5400, 5400, "calendar"),
        ClockStretch(monday, monday + timedelta(minutes=150), 9000, 14400, "calendar"),
    )
    html = shown("{% clock_panel clock %}", "es", clock=view("running", stretches=stretches))
    assert "17:30\u201319:00 viernes" in html
    assert "total 4\xa0h: vence" in html
    assert "consumidas 2\xa0h\xa032\xa0min de 4\xa0h" in html


def test_a_quota_has_a_tick_for_each_incident_and_an_outline_for_the_one_being_spent() -> None:
    html = shown("{% quota quota 1 %}", quota=QuotaView(12, 5, 7, "31 Jan 2027"))
    assert html.count('<i class="used">') == 5
    assert html.count('<i class="now">') == 1
    assert html.count("<i>") == 6
    assert "7 of 12 premium incidents left" in html


def test_an_unlimited_plan_has_a_word_and_no_ticks() -> None:
    html = shown("{% quota quota %}", quota=QuotaView(None, 40, None, ""))
    assert "Unlimited" in html
    assert "<i" not in html


def test_severity_is_a_number_and_a_word() -> None:
    html = shown("{% severity 1 %}", "es")
    assert "<b>1</b>" in html
    assert "Crítico" in html


def test_a_shortened_hash_has_a_button_that_copies_it_whole() -> None:
    digest = "9f2c4be1a07d63c85e1f90b2d4a7731c6be0558f21ac94d37e60f8815b3d02c7"
    html = shown("{{ digest|hash }}", digest=digest)
    assert f'data-copy="{digest}"' in html
    assert "9f2c4be1…5b3d02c7" in html


@pytest.mark.parametrize(
    "source", ["{% tag text 'warn' %}", "{% avatar text %}", "{{ text|hash }}", "{% copy_button text %}"]
)
def test_what_people_typed_is_never_markup(source: str) -> None:
    html = shown(source, text='"><script>alert(1)</script>')
    assert "<script" not in html


def test_a_case_number_is_two_groups_that_stay_on_one_line() -> None:
    assert shown("{{ number|case_number }}", number="40718823") == "4071\xa08823"


def test_every_form_gets_its_own_token_and_a_shown_again_form_can_keep_one() -> None:
    first, second = shown("{% form_token %}"), shown("{% form_token %}")
    assert first != second
    assert 'value="kept"' in shown("{% form_token 'kept' %}")


def test_a_wrong_field_points_at_its_sentence() -> None:
    errors = {"subject": "Say what is wrong."}
    html = shown("<input {% invalid errors 'subject' %}>{% field_error errors 'subject' %}", errors=errors)
    assert 'aria-describedby="subject-error"' in html
    assert 'id="subject-error"' in html
    assert "aria-invalid" not in shown("{% invalid errors 'other' %}", errors=errors)
