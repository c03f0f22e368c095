"""Who is let in where: an entry for every address of the server, read by `test_access`.

An entry is a list of `Door`: a method, what is sent, and the status that each visitor gets. Visitors that an entry does
not name get the usual refusal of its zone (`REFUSALS`). Astilleros own every object of the world; Cerámicas are the
strangers: theirs are a contact, an administrator, a token and a machine.
"""

from collections.abc import Mapping

from tests.architecture.door_words import (
    A_PLAN,
    ALL,
    ALL_CUSTOMERS,
    ALL_STAFF,
    ANALYSTS,
    ANY_STAFF,
    BROWSERS,
    CONTRACT,
    CUSTOMERS,
    DONE,
    INSIDE,
    LEAD,
    LETTER,
    MANAGERS,
    OFFICE,
    PUBLIC,
    REASON,
    STAFF,
    TO_SIGN_IN,
    WHY,
    Door,
    a_policy,
    a_rotation,
    act,
    an_override,
    calendar_form,
    calendar_move,
    calendar_version,
    case,
    case_and_file,
    contract_act,
    contract_of_calendar,
    draft,
    fields,
    in_state,
    joined,
    late_entry,
    live,
    nothing,
    page,
    person,
    same,
    staff_act,
    staff_page,
    statement_of,
    takeover,
    void_form,
)
from tests.architecture.doors_table_calls import CALL_DOORS
from tests.architecture.outgoing_doors import OUTGOING_DOORS

DOORS: Mapping[str, list[Door]] = {
    **OUTGOING_DOORS,
    **CALL_DOORS,
    # ---- for everybody ----
    "healthz": PUBLIC,
    "sign-in/": [Door("everybody", {"anonymous": 200} | same(302, *CUSTOMERS, *STAFF))],
    "sign-out/": [Door("everybody", {"anonymous": 302} | same(200, *CUSTOMERS, *STAFF))],
    "password/reset/": PUBLIC,
    "password/reset/sent/": PUBLIC,
    "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": [
        Door("everybody", ALL, arguments=lambda _: {"uidb36": "1", "key": "no-key"})
    ],
    "password/reset/done/": PUBLIC,
    "account/inactive/": TO_SIGN_IN,
    "account/sign-up/": TO_SIGN_IN,
    "language/": [Door("everybody", same(302, *BROWSERS), "post", form=fields(language="es"))],
    "theme/": [Door("everybody", same(303, *BROWSERS), "post", form=fields(theme="dark"))],
    "": [Door("everybody", same(302, *BROWSERS))],
    # ---- portal ----
    "cases/": [Door("portal", ALL_CUSTOMERS)],
    "cases/new/": [
        Door("portal", ALL_CUSTOMERS),
        Door(
            "portal",
            same(DONE, *CUSTOMERS),
            "post",
            form=fields(kind="incident", case_class="standard", severity="2", subject="One", description="Two"),
        ),
    ],
    "uploads/": [Door("portal", same(201, *CUSTOMERS), "post", headers=fields(**{"X-Filename": "a.bin"}))],
    "cases/<str:number>/": page(case("released")),
    "cases/<str:number>/messages/": act(case("released"), LETTER, same(DONE, *INSIDE)),
    "cases/<str:number>/close/": act(
        case("released"), fields(how="withdrawn", reason="Not needed"), same(DONE, *INSIDE)
    ),
    "cases/<str:number>/reopen/": act(case("closed"), REASON, same(DONE, *INSIDE)),
    "cases/<str:number>/proposal/": act(case("waiting"), fields(decision="agree"), same(DONE, *INSIDE)),
    "cases/<str:number>/dispute/": act(case("held"), fields(wanted="2", reason="Two lines"), same(DONE, *INSIDE)),
    "cases/<str:number>/class/": act(
        case("standard"), fields(case_class="premium", reason="It is urgent"), same(DONE, "owner"), admin=409
    ),
    "cases/<str:number>/files/<uuid:file_id>/": page(case_and_file("released")),
    "cases/<str:number>/evidence/": page(case("released")),
    "machines/": [Door("portal", ALL_CUSTOMERS)],
    "machines/codes/": act(
        nothing, fields(name="SRV-02"), same(200, "admin", "stranger_admin"), owner=403, stranger=403
    ),
    "machines/<uuid:machine_id>/revoke/": act(
        lambda world: {"machine_id": world.machine_id}, REASON, {"admin": DONE}, owner=403, stranger=403
    ),
    "tokens/": [Door("portal", ALL_CUSTOMERS)],
    "tokens/new/": act(nothing, fields(name="script"), same(200, *CUSTOMERS)),
    "tokens/<uuid:token_id>/revoke/": act(
        lambda world: {"token_id": world.token_id}, nothing, {"owner": DONE}, admin=404
    ),
    "cases/new/severity/": [Door("portal", ALL_CUSTOMERS)],
    "contract/": [Door("portal", ALL_CUSTOMERS)],
    "contract/movements/": [Door("portal", ALL_CUSTOMERS)],
    "contract/movements.csv": [Door("portal", ALL_CUSTOMERS)],
    "contract/contacts/": act(
        nothing, person("plus_second"), {"admin": DONE}, owner=403, stranger=403, stranger_admin=404
    ),
    "contract/contacts/end/": act(
        nothing, person("plus_second"), {"admin": DONE}, owner=403, stranger=403, stranger_admin=404
    ),
    "cases/<str:number>/live": live("live portal", case("released"), same(200, *INSIDE, *STAFF)),
    "contract/report/": [Door("portal", ALL_CUSTOMERS)],
    "contract/report/report.csv": [Door("portal", ALL_CUSTOMERS)],
    "contract/statements/": [Door("portal", ALL_CUSTOMERS)],
    "contract/statements/<str:month>/": [Door("portal", ALL_CUSTOMERS, arguments=statement_of)],
    "contract/statements/<str:month>/cases.csv": [Door("portal", ALL_CUSTOMERS, arguments=statement_of)],
    # ---- console ----
    "console/": [Door("console", ANY_STAFF)],
    "console/queue/": staff_page(),
    "console/queue/act/": staff_act(
        nothing,
        lambda world: {"act": "put_back", "case": world.cases["held"], "reason": "because the test says so"},
        ANY_STAFF,
    ),
    "console/queue/views/": staff_act(nothing, fields(name="Plus, level 1"), ANY_STAFF),
    "console/queue/views/<uuid:view_id>/": staff_act(
        lambda world: {"view_id": world.machine_id}, fields(act="up"), {}, others=404
    ),  # nobody has a view of that id, and nobody reaches another's
    "console/queue/languages/": staff_act(nothing, fields(languages="es"), ANY_STAFF),
    "console/take-next/": staff_act(
        nothing, nothing, ANY_STAFF | {"account_manager": 409}
    ),  # account managers belong to no group that serves the queue
    "console/queue/<str:number>/take/": staff_act(case("released"), nothing, ANY_STAFF),
    "console/cases/<str:number>/": staff_page(case("released")),
    "console/cases/<str:number>/take/": staff_act(case("released"), REASON, ANY_STAFF),
    "console/cases/<str:number>/messages/": staff_act(case("released"), LETTER, ANY_STAFF),
    "console/cases/<str:number>/answer/": staff_act(
        case("held"), fields(text="The analysis", how="analysis"), {"engineer": DONE}, others=409
    ),
    "console/cases/<str:number>/wait/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/resume/": staff_act(case("waiting"), REASON, ANY_STAFF),
    "console/cases/<str:number>/to-lab/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/solution/": staff_act(case("held"), LETTER, ANY_STAFF),
    "console/cases/<str:number>/close/": staff_act(case("held"), fields(how="solved", reason="Done"), ANY_STAFF),
    "console/cases/<str:number>/reopen/": staff_act(case("closed"), REASON, ANY_STAFF),
    "console/cases/<str:number>/reject/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/files/<uuid:file_id>/": staff_page(case_and_file("released")),
    "console/cases/<str:number>/evidence/": staff_page(case("released")),
    "console/cases/<str:number>/severity/": staff_act(case("held"), fields(severity="2", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/dispute/": staff_act(in_state("disputed"), REASON, ANY_STAFF),
    "console/cases/<str:number>/call/": staff_act(case("held"), fields(how="known", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/void/": staff_act(in_state("answered"), void_form, LEAD),
    "console/cases/<str:number>/late/": staff_act(
        case("held"), fields(kind="phone_confirmed", occurred_at="2026-11-23T10:00", reason=WHY), ANY_STAFF
    ),
    "console/cases/<str:number>/late/<int:seq>/": staff_act(late_entry, fields(decision="accept", reason=WHY), LEAD),
    "console/cases/<str:number>/class/": staff_act(case("held"), fields(case_class="standard", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/alarm/": staff_act(case("held"), nothing, ANY_STAFF),
    "console/cases/<str:number>/assign/": staff_act(case("held"), person("analyst"), ANY_STAFF),
    "console/cases/<str:number>/put-back/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/group/": staff_act(case("held"), fields(group="lab", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/merge/": staff_act(
        case("held"), lambda world: {"into": world.cases["waiting"], "reason": WHY}, ANY_STAFF
    ),
    "console/cases/<str:number>/undo-merge/": staff_act(joined, REASON, ANY_STAFF),
    "console/cases/<str:number>/not-duplicate/": staff_act(
        case("held"), lambda world: {"other": world.cases["waiting"]}, ANY_STAFF
    ),
    "console/cases/<str:number>/split/": staff_act(
        case("held"), fields(subject="Another thing", text="It is about the console.", reason=WHY), ANY_STAFF
    ),
    "console/calendars/": staff_page(),
    "console/calendars/<str:name>/": staff_page(lambda _: {"name": OFFICE}),
    "console/calendars/new/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}),
        *staff_act(nothing, calendar_form("Office Vigo"), LEAD),
    ],
    "console/calendars/<str:name>/edit/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}, arguments=lambda _: {"name": OFFICE}),
        *staff_act(lambda _: {"name": "office 10-17"}, calendar_form(""), LEAD),
    ],
    "console/calendars/<str:name>/<int:version>/contracts/": staff_act(calendar_version, contract_of_calendar, LEAD),
    "console/calendars/<str:name>/<int:version>/move/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}, arguments=calendar_version),
        *staff_act(calendar_version, REASON, LEAD),
    ],
    "console/calendars/moves/<uuid:move_id>/": staff_page(calendar_move),
    "console/calendars/moves/<uuid:move_id>/live": live("live console", calendar_move, ALL_STAFF),
    "console/lab/": staff_page(),
    "console/lab/<str:number>/": staff_page(case("released")),
    "console/lab/<str:number>/precheck/": staff_act(case("released"), nothing, ANY_STAFF),
    "console/lab/<str:number>/determination/": staff_act(
        case("released"), fields(verdict="fn_confirmed", text="It is harmful"), {"analyst": DONE, "reviewer": 409}
    ),  # the reviewer may analyse, but does not hold this case
    "console/lab/<str:number>/proposals/": staff_act(case("released"), nothing, ANALYSTS),
    "console/lab/<str:number>/drafts/": staff_act(
        case("proposed"), fields(proposal="0", title="A rule", reason="As proposed"), ANALYSTS
    ),
    "console/lab/<str:number>/join/": staff_act(case("ahead"), nothing, ANALYSTS),
    "console/lab/<str:number>/drafts/<int:n>/": staff_page(draft("released")),
    "console/lab/<str:number>/drafts/<int:n>/gates/": staff_act(draft("failed"), nothing, ANALYSTS),
    "console/lab/<str:number>/drafts/<int:n>/review/": staff_act(
        draft("gated"), lambda world: {"build_digest": world.drafts["gated"].build_digest}, {"reviewer": DONE}
    ),
    "console/lab/<str:number>/drafts/<int:n>/approve/": staff_act(
        draft("reviewed"),
        lambda world: {
            "build_digest": world.drafts["reviewed"].build_digest,
            "confirm": world.drafts["reviewed"].build_label,
        },
        {"releaser": DONE},
    ),
    "console/tokens/": staff_page(),
    "console/tokens/new/": staff_act(nothing, fields(name="phone line"), ALL_STAFF),
    "console/tokens/<uuid:token_id>/revoke/": staff_act(
        lambda world: {"token_id": world.staff_token_id}, nothing, {"engineer": DONE}, others=404
    ),
    "console/duty/": staff_page(),
    "console/duty/live": live("live console", nothing, ALL_STAFF),
    "console/alerts/": staff_page(),
    "console/alerts/live": live("live console", nothing, ALL_STAFF),
    "console/alerts/<str:number>/acknowledge/": staff_act(case("held"), nothing, same(DONE, *STAFF)),
    "console/escalation/": staff_page(),
    "console/escalation/<slug:code>/": staff_page(lambda _: {"code": "default"}),
    "console/escalation/<slug:code>/edit/": [
        *staff_page(lambda _: {"code": "default"}),
        *staff_act(lambda _: {"code": "default"}, a_policy, same(DONE, "duty_manager")),
    ],
    "console/roster/": staff_page(),
    "console/roster/<slug:code>/rotation/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}, arguments=lambda _: {"code": "on_duty"}),
        Door("console", same(403, *STAFF) | {"duty_manager": DONE}, "post", lambda _: {"code": "on_duty"}, a_rotation),
    ],
    "console/roster/<slug:code>/overrides/": staff_act(
        lambda _: {"code": "on_duty"}, takeover, same(DONE, "engineer", "duty_manager")
    ),
    "console/roster/overrides/<uuid:override_id>/revoke/": staff_act(an_override, nothing, same(DONE, "duty_manager")),
    "console/reports/": staff_page(),
    "console/reports/report.csv": staff_page(),
    "console/contracts/<str:number>/statements/": staff_page(CONTRACT),
    "console/contracts/<str:number>/statements/<str:month>/": staff_page(statement_of),
    "console/contracts/<str:number>/statements/<str:month>/cases.csv": staff_page(statement_of),
    "console/releases/": staff_page(),
    "console/releases/standard-batch/": staff_act(nothing, REASON, same(DONE, "releaser", "duty_manager")),
    "console/releases/<int:n>/evidence/": staff_page(lambda _: {"n": 2}),
    "console/contracts/": staff_page(),
    "console/contracts/new/": [
        *staff_page(),
        *staff_act(
            nothing,
            lambda world: {
                "company": world.stage.cast.people["plus"].company_id,
                "number": "MSA-5000",
                "plan": "plus",
                "first_day": "2040-01-01",
                "last_day": "2040-12-31",
                "region": "ES-MD",
                "zone": "Europe/Madrid",
                "reason": "Sold",
            },
            MANAGERS,
        ),
    ],
    "console/contracts/<str:number>/": staff_page(CONTRACT),
    "console/contracts/<str:number>/statement.csv": staff_page(CONTRACT),
    "console/contracts/<str:number>/<str:act>/": [
        *contract_act("renew", fields(number="MSA-5000", last_day="2030-01-31")),
        *contract_act("plan", fields(plan="business")),
        *contract_act("overrides", fields(incidents="own", premium_incidents="20")),
        *contract_act("manager", fields(person="")),
        *contract_act("calendar", lambda world: {"calendar": world.calendar_id}),
        *contract_act("name_contact", person("plus_second")),
        *contract_act("end_contact", person("plus_second")),
        *contract_act(
            "licence", fields(product="endpoint-8.2", seats="5", first_day="2026-01-01", last_day="2026-12-31")
        ),
        *contract_act("end_licence", lambda world: {"licence": world.licence_id}),
        *contract_act("adjust", fields(amount="2", direction="add")),
        *contract_act("refund", lambda world: {"case": world.cases["held"]}),
    ],
    "console/plans/": staff_page(),
    "console/plans/<slug:code>/": staff_page(lambda _: {"code": "business"}),
    "console/plans/<slug:code>/edit/": [
        *staff_page(lambda _: {"code": "business"}),
        *staff_act(lambda _: {"code": "business"}, fields(**A_PLAN), MANAGERS),
    ],
    "console/plans/<slug:code>/retire/": staff_act(
        lambda _: {"code": "business"}, fields(retired="on", reason="Old"), MANAGERS
    ),
    "console/products/": [
        *staff_page(),
        *staff_act(
            nothing, fields(code="endpoint-9", name="Atalaya Endpoint 9", line="Endpoint", phase="full"), MANAGERS
        ),
    ],
    "console/cases/<str:number>/live": live("live console", case("released"), ALL_STAFF),
    "console/lab/<str:number>/live": live("live console", case("released"), ALL_STAFF),
    "console/lab/<str:number>/drafts/<int:n>/live": live("live console", draft("released"), ALL_STAFF),
    "console/releases/live": live("live console", nothing, ALL_STAFF),
    # ---- JSON API ----
    "api/v1/": [Door("everybody", same(404, *BROWSERS))],
    "api/v1/openapi.json": PUBLIC,
    "api/v1/uploads": [Door("contacts", same(201, "token", "stranger_token"), "post")],
    "api/v1/cases": [
        Door("contacts", same(200, "token", "stranger_token")),
        Door(
            "contacts",
            same(201, "token", "stranger_token"),
            "post",
            json=fields(kind="incident", case_class="standard", severity=2, subject="One", description="Two"),
        ),
    ],
    "api/v1/cases/<number>": [Door("contacts", {"token": 200, "stranger_token": 404}, arguments=case("released"))],
    "api/v1/cases/<number>/messages": [
        Door("contacts", {"token": 201, "stranger_token": 404}, "post", case("released"), json=LETTER)
    ],
    "api/v1/cases/<number>/severity-dispute": [
        Door(
            "contacts",
            {"token": 200, "stranger_token": 404},
            "post",
            case("held"),
            json=fields(wanted=3, reason="It can wait."),
        )
    ],
    "api/v1/cases/<number>/severity-proposal": [
        Door("contacts", {"token": 200, "stranger_token": 404}, "post", case("waiting"), json=fields(agrees=True))
    ],
    "api/v1/cases/<number>/class": [
        Door(
            "contacts",
            {"token": 200, "stranger_token": 404},
            "post",
            case("standard"),
            json=fields(case_class="premium", reason="It cannot wait."),
        )
    ],
    "api/v1/desk/cases/<number>/phone-confirmation": [
        Door("desk", {"staff_token": 200}, "post", case("held"), json=fields(how="known", reason="Known by voice."))
    ],
    "api/v1/contract": [Door("contacts", same(200, "token", "stranger_token"))],
    "api/v1/contract/statement": [Door("contacts", same(200, "token", "stranger_token"))],
    "api/v1/severity-suggestion": [Door("contacts", same(200, "token", "stranger_token"))],
    "api/v1/agents/enrol": [
        Door(
            "everybody",
            same(201, *BROWSERS),
            "post",
            json=lambda world: {"code": world.code, "public_key": world.public_key, "name": "SRV-03"},
        ),
        Door(
            "everybody",
            same(409, *BROWSERS),
            "post",
            json=lambda world: {"code": "ABCDE-ABCDE-ABCDE-ABCDE", "public_key": world.public_key, "name": "SRV-03"},
        ),
    ],
    "api/v1/agents/me": [Door("machines", same(200, "machine", "stranger_machine"))],
    "api/v1/agents/me/challenges": [
        Door(
            "machines",
            {"machine": 201, "stranger_machine": 404},
            "post",
            json=lambda world: {"case": world.cases["released"]},
        )
    ],
    "api/v1/agents/me/proofs": [
        Door(
            "machines",
            same(200, "machine", "stranger_machine"),  # judged, and refused in the answer: `accepted` is false
            "post",
            json=fields(statement="e30=", signature="e30="),
        )
    ],
    # ---- lab gate ----
    "lab/v1/lease": [Door("lab", {"lab": 200}, "post", json=fields(worker="w"))],
    "lab/v1/jobs/<uuid:job_id>/samples/<str:sha256>": [
        Door("lab", {"lab": 200}, arguments=lambda w: w.job_and("sample"), headers=lambda w: w.lease),
        Door("lab", {"lab": 409}, arguments=lambda w: w.job_and("sample")),
    ],
    "lab/v1/jobs/<uuid:job_id>/files/<str:sha256>": [
        Door("lab", {"lab": 200}, arguments=lambda w: w.job_and("file"), headers=lambda w: w.lease),
        Door("lab", {"lab": 409}, arguments=lambda w: w.job_and("file")),
    ],
    "lab/v1/jobs/<uuid:job_id>/progress": [
        Door("lab", {"lab": 204}, "post", lambda w: w.job_and(), json=fields(steps=[]), headers=lambda w: w.lease),
        Door("lab", {"lab": 409}, "post", lambda w: w.job_and(), json=fields(steps=[])),
    ],
    "lab/v1/jobs/<uuid:job_id>/result": [
        Door(
            "lab",
            {"lab": 204},
            "post",
            lambda w: w.job_and(),
            json=fields(ok=False, error="None"),
            headers=lambda w: w.lease,
        ),
        Door("lab", {"lab": 409}, "post", lambda w: w.job_and(), json=fields(ok=False, error="None")),
    ],
}
