from babel.messages.catalog import Catalog

from guardia.ui.translations import complaints, main, read_catalogue


def test_every_string_has_its_spanish() -> None:
    assert complaints(read_catalogue()) == []


def test_a_missing_a_guessed_and_a_broken_translation_are_each_found() -> None:
    catalogue = Catalog(locale="es")
    catalogue.add("Send request", "")
    catalogue.add("Cases", "Solicitudes", flags=["fuzzy"])
    catalogue.add("Plan %(plan)s", "Plan %(palabra)s", flags=["python-format"])
    catalogue.add(("%(n)s byte", "%(n)s bytes"), ("%(n)s byte", ""))
    catalogue.add("The <b>end</b>", "El fin")
    assert [line.split(":")[0].split(" (")[0] for line in complaints(catalogue)] == [
        "no Spanish",
        "only guessed",
        "placeholders differ",
        "no Spanish",
        "placeholders differ",
    ]


def test_the_customers_page_speaks_the_words_of_the_contract() -> None:
    words = {message.id: message.string for message in read_catalogue() if isinstance(message.id, str)}
    assert words["Qualified answer"] == "Respuesta cualificada"
    assert words["Priority phone line"] == "Línea telefónica prioritaria"
    assert words["Verified on your machine"] == "Comprobado en su equipo"
    assert words["Gates"] == "Controles previos"


def test_an_unknown_act_is_misuse() -> None:
    assert main(["guess"]) == 2
