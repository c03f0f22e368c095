"""The sender's own words are found whatever a mail program puts around them, and no line is lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.mail.rules.own_words import split_words

OWN = "Sigue fallando, adjunto el registro."
CUT_BY = {
    "Gmail in Spanish": "El lun, 23 nov 2026 a las 10:31, Soporte (<soporte@guardia.example>) escribió:",
    "Gmail in Spanish, wrapped": (
        "El lun, 23 nov 2026 a las 10:31, Soporte de Guardia\n(<soporte@guardia.example>) escribió:"
    ),
    "Gmail wrapped over three lines": (
        "El lun, 23 nov 2026 a las 10:31, Soporte de\nGuardia (<soporte@guardia.example>)\nescribió:"
    ),
    "Gmail in English": "On Mon, Nov 23, 2026 at 10:31 AM Support <soporte@guardia.example> wrote:",
    "Apple Mail": "On 23 Nov 2026, at 10:31, Support <soporte@guardia.example> wrote:",
    "Apple Mail in Spanish": "El 23 nov 2026, a las 10:31, Soporte <soporte@guardia.example> escribió:",
    "Thunderbird in German": "Am 23.11.26 um 10:31 schrieb Support:",
    "French": "Le lun. 23 nov. 2026 à 10:31, Support <soporte@guardia.example> a écrit :",
    "Portuguese": "Em seg., 23 de nov. de 2026 às 10:31, Suporte <soporte@guardia.example> escreveu:",
    "Italian": "Il giorno lun 23 nov 2026 alle ore 10:31 Supporto <soporte@guardia.example> ha scritto:",
    "older Gmail": "2026-11-23 10:31 GMT+01:00 Soporte <soporte@guardia.example>:",
    "Outlook in Spanish": (
        "De: Soporte <soporte@guardia.example>\n"
        "Enviado: lunes, 23 de noviembre de 2026 10:31\n"
        "Para: Lucía\n"
        "Asunto: Consola"
    ),
    "Outlook in bold": "*De:* Soporte\n*Enviado el:* lunes 10:31\n*Para:* Lucía\n*Asunto:* Consola",
    "Outlook in English": (
        "From: Support <soporte@guardia.example>\nSent: Monday, November 23, 2026 10:31 AM\nTo: Lucia\nSubject: Console"
    ),
    "Outlook with its rule": (
        "________________________________\nDe: Soporte\nEnviado: lunes 10:31\nPara: Lucía\nAsunto: Consola"
    ),
    "Outlook in German": "Von: Support\nGesendet: Montag 10:31\nAn: Lucia\nBetreff: Konsole",
    "Outlook in French": "De : Support\nEnvoyé : lundi 10:31\nÀ : Lucia\nObjet : Console",
    "Outlook in Italian": "Da: Supporto\nInviato: lunedì\nA: Lucia\nOggetto: Console",
    "Outlook in Portuguese": "De: Suporte\nEnviada em: segunda-feira\nPara: Lucia\nAssunto: Consola",
    "original message": "-----Original Message-----\nFrom: Support",
    "mensaje original": "-----Mensaje original-----\nDe: Soporte",
    "Notes": "----- Forwarded by Lucia Ferrer/Astilleros on 23/11/2026 -----",
    "our own mark": "--- Responda por encima de esta línea ---",
    "our own mark in English": "##- Please reply above this line -##",
}


@pytest.mark.parametrize("cut", CUT_BY.values(), ids=CUT_BY.keys())
def test_what_is_quoted_below_is_not_the_senders(cut: str) -> None:
    own, quoted = split_words(f"{OWN}\n\n{cut}\n\nLínea del soporte, sin marca.\nOtra más.")
    assert own == OWN
    assert quoted == f"{cut}\n\nLínea del soporte, sin marca.\nOtra más."


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_marked_lines_are_quoted_whatever_ends_a_line(ending: str) -> None:
    text = ending.join(["Gracias.", "", "El 23/11/26 a las 10:31, Soporte escribió:", "> ¿Qué versión?", ">> Hola"])
    assert split_words(text) == ("Gracias.", "El 23/11/26 a las 10:31, Soporte escribió:\n> ¿Qué versión?\n>> Hola")


def test_answers_between_and_below_quotes_stay_in_their_order() -> None:
    text = "On 23/11/2026 10:31, Support wrote:\n> Which version?\n8.2\n> Which database?\n20261121.7\n\nThanks"
    own, quoted = split_words(text)
    assert own == "8.2\n20261121.7\n\nThanks"
    assert quoted == "On 23/11/2026 10:31, Support wrote:\n> Which version?\n> Which database?"


def test_a_mail_that_is_only_forwarded_is_the_message() -> None:
    text = "---------- Forwarded message ---------\nDe: Iván <i@x.example>\nDate: lun\nSubject: caída\nTo: Y\n\nNo va."
    assert split_words(text) == (text, "")


def test_a_mail_that_is_only_quoted_is_the_message() -> None:
    assert split_words("> todo citado\n> sin nada más\n") == ("> todo citado\n> sin nada más", "")


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nLucía Ferrer\nAstilleros del Norte\n+34 600 000 000",
        "--\nLucía Ferrer",
        "Enviado desde mi iPhone",
        "Sent from my Galaxy",
        "Get Outlook for iOS",
        "Obtener Outlook para Android<https://aka.example/x>",
        "Enviado desde Correo para Windows",
        "Von meinem iPhone gesendet",
        "Inviato da iPhone",
    ],
)
def test_a_signature_is_no_part_of_the_words(signature: str) -> None:
    assert split_words(f"{OWN}\n\n{signature}\n") == (OWN, signature)


def test_a_rule_of_dashes_with_much_below_is_no_signature() -> None:
    text = "Resumen\n--\n" + "\n".join(f"línea {number}" for number in range(60))
    assert split_words(text) == (text, "")


@pytest.mark.parametrize(
    "notice",
    [
        "AVISO LEGAL: este mensaje es confidencial y va a su destinatario. Si lo recibe por error, notifíquelo.",
        "This e-mail is confidential and intended only for the addressee. If received in\nerror, please notify us.",
        "Antes de imprimir este correo, piense en el medio ambiente.",
        "En cumplimiento del RGPD (2016/679) le informamos: este correo es confidencial.",
    ],
)
def test_a_legal_notice_is_folded(notice: str) -> None:
    assert split_words(f"{OWN}\n\n{notice}") == (OWN, notice)


def test_a_person_may_write_that_a_file_is_confidential() -> None:
    text = "Hola:\n\nEl fichero es confidencial, avisadme antes de subirlo."
    assert split_words(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    [
        "El lunes instalamos la versión 8.2 y el usuario me escribió:\n\nno funciona nada",
        "De: la consola. Falla.\nPara: todos\nel resto bien",
        "On Monday we updated.\nThen it failed.",
        "Rellenar: __________________________________\ny devolver",
        "a > b\nc",
    ],
)
def test_words_that_only_look_like_a_quote_are_the_senders(text: str) -> None:
    assert split_words(text) == (text, "")


def filled(text: str) -> Counter[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Counter(line for line in lines if line.strip())


PIECES = st.sampled_from(
    [
        *(
            "> citado",
            "palabras propias",
            "",
            "-- ",
            "--",
            "Enviado desde mi iPhone",
            "De: X",
            "Enviado: lunes",
            "Para: Y",
        ),
        *("Asunto: Z", "El lun, 23 nov 2026 a las 10:31, X", "escribió:", "On Mon, Nov 23, 2026 at 10:31, X wrote:"),
        *(
            "-----Mensaje original-----",
            "________________________________",
            "Aviso legal: mensaje confidencial",
            "  ",
            "\r",
        ),
    ]
)


@given(st.text() | st.lists(PIECES | st.text(max_size=20)).map("\n".join))
def test_no_line_is_lost_and_none_is_doubled(text: str) -> None:
    own, quoted = split_words(text)
    assert filled(own) + filled(quoted) == filled(text)


@given(st.lists(PIECES, min_size=1).map("\n".join))
def test_there_are_own_words_wherever_there_are_words(text: str) -> None:
    assert bool(split_words(text)[0].strip()) == bool(text.strip())


@pytest.mark.parametrize(
    "line",
    [
        "> ",
        "--\n",
        "-- \n\n",
        "De: x\n",
        "El 23 nov 2026 a las 10:31\n",
        "_" * 40 + "\n",
        "On 1 ",
        "\n\n \n",
        "*" * 30,
        "a wrote:\n",
    ],
)
def test_a_long_text_of_one_kind_of_line_is_split_whole(line: str) -> None:
    text = line * (1_000_000 // len(line))
    own, quoted = split_words(text)
    assert filled(own) + filled(quoted) == filled(text)
