"""Keeps the Spanish texts: `python -m guardia.ui.translations extract|compile|check`.

- extract: finds every string of the server's code and templates (developers only: needs GNU gettext) and writes the
  catalogue anew, keeping what is translated. New strings come out empty, never guessed.
- compile: writes the binary catalogue that Django reads (pure Python, part of `make setup`; not committed).
- check: ends with 1 where a string has no Spanish, or a placeholder that the other language does not have.
"""

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SERVER = Path(__file__).resolve().parents[1]
CATALOGUE = SERVER / "ui" / "locale" / "es" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|{\w+}|%[sd]|<[^>]+>")
UNWANTED_LINES = ("POT-Creation-Date", "PO-Revision-Date", "Report-Msgid-Bugs-To", "Last-Translator", "Language-Team")


def read_catalogue(path: Path = CATALOGUE) -> Catalog:
    """Return the Spanish catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale="es")


def extract() -> int:
    """Run Django's makemessages over the server; no times and names stay in the file, so that it changes with texts."""
    import django  # noqa: PLC0415  set-up for this act only
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.core.management.commands.makemessages import Command  # noqa: PLC0415

    class Exact(Command):
        msgmerge_options = [*Command.msgmerge_options, "--no-fuzzy-matching"]

    settings.configure(LOCALE_PATHS=[str(CATALOGUE.parents[2])], USE_I18N=True)
    django.setup()
    with contextlib.chdir(SERVER):
        call_command(
            Exact(),
            locale=["es"],
            no_wrap=True,
            no_obsolete=True,
            add_location="file",
            ignore_patterns=["node_modules"],
        )
    lines = CATALOGUE.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in UNWANTED_LINES))]
    CATALOGUE.write_text("".join(kept), encoding="utf-8")
    return 0


def compile_catalogue() -> int:
    """Write the binary catalogue beside the text."""
    with CATALOGUE.with_suffix(".mo").open("wb") as file:
        write_mo(file, read_catalogue())
    return 0


def _pairs(message: Message) -> Iterator[tuple[str, str]]:
    """Yield each source with its translation; the plural forms are compared with the plural source."""
    if isinstance(message.id, str):
        yield message.id, message.string if isinstance(message.string, str) else ""
        return
    strings = message.string if isinstance(message.string, (tuple, list)) else ()
    for position in range(max(2, len(strings))):
        yield message.id[min(position, 1)], strings[position] if position < len(strings) else ""


def complaints(catalogue: Catalog) -> list[str]:
    """Return what is wrong with the catalogue, a line for each string."""
    found = []
    for message in catalogue:
        if not message.id:
            continue
        for source, spanish in _pairs(message):
            if not spanish:
                found.append(f"no Spanish: {source!r}")
            elif message.fuzzy:
                found.append(f"only guessed (fuzzy): {source!r}")
            elif strange := set(PLACEHOLDER.findall(spanish)) ^ set(PLACEHOLDER.findall(source)):
                found.append(f"placeholders differ ({', '.join(sorted(strange))}): {source!r}")
    return found


def check() -> int:
    """Print what is wrong; 1 where something is."""
    found = complaints(read_catalogue())
    for line in found:
        sys.stderr.write(f"guardia.ui.translations: {line}\n")
    return 1 if found else 0


ACTS = {"extract": extract, "compile": compile_catalogue, "check": check}


def main(arguments: list[str]) -> int:
    """Entry point: one of the three acts; 2 for anything else."""
    if len(arguments) != 1 or arguments[0] not in ACTS:
        sys.stderr.write(f"usage: python -m guardia.ui.translations {'|'.join(ACTS)}\n")
        return 2
    return ACTS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
