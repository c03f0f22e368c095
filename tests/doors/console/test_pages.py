"""Every page of the console, rendered from made-up facts: whole, safe under the strict policy, plain without script."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory, override_settings
from django.urls import reverse
from django.utils import translation
from tests.doors.console import made_up
from tests.doors.console.made_up import NOW, NUMBER, PROBE, clock, row

import guardia.doors.console
from guardia.doors.console import drafts, lab, queue
from guardia.doors.console.lane_plot import plot_lanes
from guardia.doors.console.posting import Failure
from guardia.doors.console.urls import urlpatterns
from guardia.kernel.errors import Refused
from guardia.reports.calls_page import MessagesWaiting
from guardia.reports.duty_view import DutyView
from guardia.reports.lab_views import DraftPage
from guardia.reports.mail_health import QuarantineCount
from guardia.reports.release_page import ReleasePage

CONSOLE = Path(guardia.doors.console.__file__).parent
STAGES = (
    "precheck",
    "triage",
    "drafting",
    "gating",
    "gate_failed",
    "review",
    "approval",
    "releasing",
    "released",
    "verified",
)
PLAIN_FILES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}


def a_queue(*rows: Any, **about: Any) -> dict[str, Any]:
    return queue.queue_context(made_up.queue_page(*rows, **about))


def a_draft(page: DraftPage) -> dict[str, Any]:
    return {"page": page, "records": drafts.record_fields(page, None), "tally": drafts.tally(page.gates)}


def a_log(page: ReleasePage) -> dict[str, Any]:
    return {"page": page, "plot": plot_lanes(page)}


DUTIES = [
    (DutyView("on_duty", "Engineer on duty", PROBE, NOW), True),
    (DutyView("duty_manager", "Duty manager on duty", "", None), False),
]
FULL_QUEUE = (
    row(clock=clock("breached", over_s=720)),
    row(holder="", clock=clock("met"), case_class="undecided", claim=""),
    row(tier="standard", severity=4, clock=clock("best_effort")),
)
LOG = made_up.release_page(
    made_up.release(4, accelerated=False, standard=False),
    made_up.release(3, standard=False),
    made_up.release(2),
    accelerated=3,
    standard=2,
)
EMPTY_TRIAGE = made_up.triage_page(
    precheck_outcome="",
    precheck_running=True,
    scans=(),
    determinations=(),
    facts=(),
    proposals=(),
    drafts=(),
    drafting="leased",
    join_label="",
    acts=made_up.acts(precheck="It runs already.", determination="Only an analyst does this."),
)
READY = made_up.draft_page(
    state="reviewed",
    acts=made_up.acts(draft="", gates="They have passed.", review="You wrote this draft.", approve=""),
)


def page_cases() -> dict[str, tuple[str, dict[str, Any]]]:
    verdicts = lab.verdict_words()
    return {
        "queue": ("queue", a_queue(*FULL_QUEUE)),
        "empty queue": ("queue", a_queue()),
        "empty search": ("queue", a_queue(view="mine", search=PROBE)),
        "case": ("case", {"page": made_up.case_page()}),
        "bare case": ("case", {"page": made_up.case_page(report=None, files=(), timeline=(), steps=(), holder="")}),
        "lab": ("lab", {"page": made_up.lab_list(*STAGES)}),
        "empty lab": ("lab", {"page": made_up.lab_list()}),
        "triage": ("triage", {"page": made_up.triage_page(), "verdicts": verdicts}),
        "running triage": ("triage", {"page": EMPTY_TRIAGE, "verdicts": verdicts}),
        "failed draft": ("draft", a_draft(made_up.draft_page())),
        "ready draft": ("draft", a_draft(READY)),
        "releases": ("releases", a_log(LOG)),
        "no releases": ("releases", a_log(made_up.release_page(accelerated=None, standard=None))),
    }


def rendered(name: str, language: str = "en", **more: Any) -> str:
    template, context = page_cases()[name]
    request = RequestFactory().get("/console/queue/?view=mine")
    request.user = SimpleNamespace(  # type: ignore[assignment]
        pk=7, name="Tomás Vega", email="t@example.com", is_authenticated=True, is_staff=True, roles=["analyst"]
    )
    waiting = {"waiting_mail": QuarantineCount(3), "waiting_calls": MessagesWaiting(2)}
    with translation.override(language), override_settings(STORAGES=PLAIN_FILES):
        return render_to_string(
            f"console/{template}.html", context | {"now": NOW, "duties": DUTIES, "bell": 2} | waiting | more, request
        )


def forms_of(html: str) -> list[str]:
    return re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)


@pytest.fixture(params=list(page_cases()))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_page_has_an_inline_style_or_script_or_a_foreign_address(name: str, language: str) -> None:
    html = rendered(name, language)
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|javascript:", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", html)


def test_what_people_and_files_say_is_shown_as_text(name: str) -> None:
    assert PROBE not in rendered(name)


def test_every_form_carries_both_tokens_and_works_without_script(name: str) -> None:
    for form in forms_of(rendered(name)):
        assert "csrfmiddlewaretoken" in form
        if not re.search(r'action="/(theme|language|sign-out)/', form):
            assert 'name="form_token"' in form
        assert "<button" in form or 'id="take-row"' in form


def test_every_closed_act_says_why_beside_it(name: str) -> None:
    html = rendered(name)
    for described_by in re.findall(r'aria-disabled="true" aria-describedby="([^"]+)"', html):
        reason = re.search(rf'id="{described_by}">([^<]+)<', html)
        assert reason
        assert len(reason[1]) > 5


def test_no_id_stands_twice(name: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', rendered(name))
    assert len(ids) == len(set(ids))


def test_every_field_has_a_label(name: str) -> None:
    html = rendered(name)
    for field in re.findall(r"<(?:textarea|input)[^>]*>", html):
        if 'type="hidden"' in field or 'type="radio"' in field or 'type="checkbox"' in field or "aria-label" in field:
            continue
        field_id = re.search(r'\sid="([^"]+)"', field)
        assert field_id, field
        assert f'for="{field_id[1]}"' in html, field


def test_the_queue_says_premium_before_standard_and_unassigned_rows_can_be_taken() -> None:
    html = rendered("queue")
    assert html.index(">Premium</th>") < html.index(">Standard</th>")
    assert html.count("data-take=") == 1


def test_a_refused_answer_keeps_words_choice_and_files() -> None:
    request = RequestFactory().post("/", {"text": "My words", "how": "asks_for_data", "wait": "on"})
    failure = Failure("answer", Refused("held", "Marta has the case."), request.POST)
    html = rendered("case", **failure.as_context())
    answer = html[html.index('data-act="answer"') :]
    assert re.search(r'data-act="answer" open', html)
    assert "Marta has the case." in html
    assert ">My words</textarea>" in answer
    assert re.search(r'value="asks_for_data" checked', answer)
    assert re.search(r'name="wait" checked', answer)


def test_an_internal_note_says_that_the_customer_does_not_see_it() -> None:
    assert "g-msg--inside" in rendered("case")


def test_a_failed_gate_names_rule_file_offset_and_marks_the_bytes() -> None:
    html = rendered("failed draft")
    assert "Guardia_FN_1" in html
    assert "$loader" in html
    assert "0x00000a14" in html
    assert "<mark>3c</mark>" in html
    assert html.count('class="g-fail__in"') == 2


def test_the_releaser_types_the_number_and_sends_the_digest_of_what_was_seen() -> None:
    form = next(form for form in forms_of(rendered("ready draft")) if 'name="confirm"' in form)
    assert f'name="build_digest" value="{made_up.DIGEST}"' in form


def test_a_draft_that_must_not_change_offers_no_field() -> None:
    page = made_up.draft_page(acts=made_up.acts(draft="This draft is released already."))
    html = rendered("failed draft", **a_draft(page))
    assert "<textarea" not in html
    assert "This draft is released already." in html


def test_every_address_of_the_console_can_be_named() -> None:
    samples = {"int": 3, "uuid": UUID(made_up.FILE_ID), "str": NUMBER, "slug": "plus"}
    for pattern in urlpatterns:
        kinds = {key: type(kind).__name__.removesuffix("Converter") for key, kind in pattern.pattern.converters.items()}
        wanted = {key: samples[{"String": "str"}.get(kind, kind.lower())] for key, kind in kinds.items()}
        assert reverse(f"console:{pattern.name}", kwargs=wanted).startswith("/console/")


def test_no_template_or_script_of_the_console_breaks_the_policy() -> None:
    for path in (CONSOLE / "templates" / "console").rglob("*.html"):
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|hx-on", path.read_text(encoding="utf-8")), path
    for script in ("keys.js", "console.js"):
        text = (CONSOLE / "static" / "guardia" / script).read_text(encoding="utf-8")
        assert not re.search(r"\beval\(|innerHTML|\.style\b|https?://", text), script
