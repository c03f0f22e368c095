"""Machines are known by what they declare, and people who write about machines are not taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.mail.rules.signals import language_of, signals_of

OURS = ("soporte@guardia.example",)
CODES = {
    *("auto_replied", "auto_generated", "precedence", "list", "own_header", "out_of_office", "null_sender"),
    *("delivery_report", "complaint", "calendar_reply", "receipt"),
}


def signals(
    *headers: tuple[str, str],
    subject: str = "Consola",
    text: str = "La consola no arranca.",
    types: tuple[str, ...] = ("text/plain",),
    envelope: str | None = "lucia.ferrer@astilleros.example",
) -> set[str]:
    return set(signals_of(headers, subject, text, types, envelope, OURS))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("Auto-Submitted", "auto-replied", "auto_replied"),
        ("auto-submitted", "Auto-Replied (vacation)", "auto_replied"),
        ("Auto-Submitted", "(rejected) auto-replied; owner-email=x@y.example", "auto_replied"),
        ("Auto-Submitted", "auto-generated", "auto_generated"),
        ("Auto-Submitted", "auto-notified; owner-token=af", "auto_generated"),
        ("Auto-Submitted", "x-something-new", "auto_generated"),
        ("X-Autoreply", "yes", "auto_replied"),
        ("X-Autorespond", "", ""),
        ("X-Auto-Reply", "1", "auto_replied"),
        ("Precedence", "bulk", "precedence"),
        ("Precedence", "LIST", "precedence"),
        ("Precedence", "junk", "precedence"),
        ("Precedence", "auto_reply", "auto_replied"),
        ("List-Id", "<it.astilleros.example>", "list"),
        ("List-Unsubscribe", "<mailto:x@y.example>", "list"),
        ("X-Guardia-Desk", "", "own_header"),
        ("X-GUARDIA-DESK", "1", "own_header"),
        ("X-Loop", "soporte@guardia.example", "own_header"),
        ("X-Loop", "other@desk.example", "auto_generated"),
        ("X-Zammad-Ticket-Id", "17", "auto_generated"),
        ("X-FreeScout-Mail-Type", "auto.reply", "auto_replied"),
        ("X-FreeScout-Mail-Type", "user.notification", "auto_generated"),
        ("X-OTRS-Loop", "yes", "auto_replied"),
        ("X-RT-Loop-Prevention", "rt.astilleros.example", "auto_generated"),
        ("X-Auto-Generated", "af3b", "auto_generated"),
        ("X-osTicket-Ticket", "9", "auto_generated"),
    ],
)
def test_what_declares_itself_is_believed(name: str, value: str, code: str) -> None:
    assert signals((name, value)) == ({code} if code else set())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "no"),
        ("Auto-Submitted", "No (a person)"),
        ("X-Auto-Response-Suppress", "All"),
        ("Precedence", "normal"),
        ("X-Autoreply", "no"),
        ("Importance", "high"),
        ("X-Mailer", "Microsoft Outlook 16.0"),
    ],
)
def test_what_people_send_too_is_no_signal(name: str, value: str) -> None:
    assert signals((name, value)) == set()


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "Respuesta automática: Consola",
            "Automatic reply: Console",
            "Out of Office: re",
            "Out of office",
            "AutoReply: hi",
        ),
        *("Fuera de la oficina", "Fuera de oficina: Re: [1234 5678] Consola", "Ausente de la oficina hasta el lunes"),
        *("Automatische Antwort: Konsole", "Abwesenheitsnotiz: Konsole", "Réponse automatique : console"),
        *("Absence du bureau", "Risposta automatica: console", "Fuori ufficio", "Resposta automática: consola"),
        *("Resposta automàtica: consola", "Fora do escritório: x", "Automatisch antwoord: console", "Afwezig: console"),
        *(
            "Odpowiedź automatyczna: konsola",
            "Автоматический ответ: консоль",
            "自动回复: 控制台",
            "自動応答: コンソール",
            "不在通知",
        ),
        *("AUTO: Lucia Ferrer is out of the office (returning 30/11/2026)", "[Auto-Reply] Console"),
    ],
)
def test_subjects_of_absence_are_known_in_many_languages(subject: str) -> None:
    assert signals(subject=subject) == {"out_of_office"}


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "[1234 5678] Consola",
            "Re: [#12345678] Consola",
            "Out of office messages are flagged as spam by the gateway",
        ),
        *(
            "Fuera de la oficina no se actualiza el agente",
            "Automatic updates fail",
            "Re: Respuesta del soporte",
            "Autostart",
        ),
        *(
            "Automatic replies to be scanned?",
            "No actualiza de vacaciones",
            "Absence of signatures",
            "Leído el manual, no arranca",
        ),
    ],
)
def test_subjects_of_people_are_no_signal(subject: str) -> None:
    assert signals(subject=subject) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Estoy fuera de la oficina hasta el 30 de noviembre. Para urgencias, contacten con Iván.",
        "Hola:\n\nActualmente me encuentro fuera de la oficina. Volveré el lunes.",
        "I am out of the office until Monday. For urgent matters contact Ivan.",
        "Thank you for your email. I am currently out of the office, returning on 30 November.",
        "Ich bin derzeit nicht im Büro und ab dem 30.11. wieder erreichbar.",
        "Bonjour,\nJe suis actuellement absente, de retour le 30 novembre.",
        "Sono fuori ufficio fino al 30 novembre.",
        "Estou ausente até 30 de novembro.",
        "Sóc fora de l'oficina fins dilluns.",
        "Ik ben momenteel afwezig tot maandag.",
        "Jestem poza biurem do 30 listopada. W pilnych sprawach proszę o kontakt z Ivanem.",
        "Я в отпуске до 30 ноября.",
        "我目前不在办公室,请联系同事。",
        "ただいま不在にしております。30日に戻ります、返信が遅れます。",
    ],
)
def test_first_lines_of_absence_are_known_in_many_languages(text: str) -> None:
    assert signals(text=text) == {"out_of_office"}


@pytest.mark.parametrize(
    "text",
    [
        "La consola falla. Por cierto, estoy fuera de la oficina hasta el lunes.",
        "Estoy fuera de la oficina y no puedo entrar en la cuenta: hay servidores infectados, llamad hasta las 22.",
        "I am out of office until Monday, but the antivirus on the servers blocks our ERP. Please contact Ivan.",
        "El mensaje «out of office» se marca como spam.",
        "Los equipos que están fuera de la oficina no se actualizan.",
    ],
)
def test_a_person_who_is_away_may_write_by_hand(text: str) -> None:
    assert signals(text=text) == set()


@pytest.mark.parametrize(
    ("types", "code"),
    [
        (
            ('multipart/report; report-type="delivery-status"', "text/plain", "message/delivery-status"),
            "delivery_report",
        ),
        (("multipart/report", "text/plain", "message/delivery-status"), "delivery_report"),
        (("multipart/report; report-type=feedback-report", "message/feedback-report"), "complaint"),
        (("multipart/report; report-type=disposition-notification",), "receipt"),
        (("multipart/alternative", "text/plain", 'text/calendar; charset=utf-8; method="REPLY"'), "calendar_reply"),
        (("text/calendar; method=COUNTER",), "calendar_reply"),
    ],
)
def test_reports_and_answers_are_known_by_their_type(types: tuple[str, ...], code: str) -> None:
    assert signals(types=types) == {code}


def test_an_invitation_and_an_attached_bounce_come_from_people() -> None:
    assert signals(types=("multipart/mixed", "text/calendar; method=REQUEST")) == set()
    assert signals(types=("multipart/mixed", "text/plain", "message/rfc822", "message/delivery-status")) == set()


def test_a_calendar_answer_without_its_method_is_known_by_its_subject() -> None:
    assert signals(subject="Aceptado: Revisión", types=("multipart/mixed", "text/calendar")) == {"calendar_reply"}


def test_a_receipt_in_words_is_known_by_subject_and_first_words_together() -> None:
    assert signals(subject="Leído: Consola", text="Su mensaje\n\n Para: Lucía\n\nse leyó el lunes.") == {"receipt"}
    assert signals(subject="Leído: Consola", text="Ya lo he leído y sigue igual.") == set()


def test_the_null_sender_is_known_by_the_envelope_and_by_return_path_only_where_the_envelope_is_unknown() -> None:
    assert signals(envelope="") == {"null_sender"}
    assert signals(("Return-Path", "<>"), envelope=None) == {"null_sender"}
    assert signals(("Return-Path", "<>")) == set()
    assert signals(envelope=None) == set()


def test_the_mailer_daemon_is_a_machine() -> None:
    assert "auto_generated" in signals(("From", "Mail Delivery System <MAILER-DAEMON@mx.example>"))


@given(st.lists(st.tuples(st.text(), st.text())), st.text(), st.text(), st.lists(st.text()))
def test_no_header_is_an_error(headers: list[tuple[str, str]], subject: str, text: str, types: list[str]) -> None:
    assert set(signals_of(headers, subject, text, types, None, OURS)) <= CODES


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hola, el servidor de la oficina no arranca desde ayer.", "es"),
        ("Hello, the server of our office has been down since yesterday.", "en"),
        ("", ""),
        ("12345 %%%", ""),
        ("Der Server startet nicht mehr und wir sind ratlos", ""),
    ],
)
def test_the_language_is_told_by_frequent_words(text: str, language: str) -> None:
    assert language_of(text) == language
