"""Public holidays of a country and region, as the `holidays` library reckons them.

A calendar version keeps the dates and names that were chosen: a later edition of the library changes no version.
"""

from datetime import date
from functools import cache
from typing import Final

import holidays

LANGUAGES: Final = ("en", "es")
"""The languages in which a holiday's name is kept, where the library has it; else the country's own."""


@cache
def countries() -> frozenset[str]:
    """The two-letter codes of the countries whose holidays are known."""
    return frozenset(holidays.list_supported_countries(include_aliases=False))


@cache
def regions(country: str) -> dict[str, str]:
    """The regions of a known country: code and, where there is one, name."""
    codes = holidays.list_supported_countries(include_aliases=False).get(country, [])
    named: dict[str, str] = {}
    for name, code in holidays.country_holidays(country).subdivisions_aliases.items() if codes else ():
        named.setdefault(code, name)
    return {code: named.get(code, code) for code in codes}


@cache
def holidays_of(country: str, region: str, first_year: int, last_year: int) -> dict[date, dict[str, str]]:
    """The public holidays of these years in order of date, each with its names by language."""
    years = range(first_year, last_year + 1)
    known = holidays.country_holidays(country).supported_languages
    found: dict[date, dict[str, str]] = {}
    for language in LANGUAGES:
        spoken = next((code for code in known if code.split("_")[0] == language), None)
        listed = holidays.country_holidays(country, subdiv=region or None, years=years, language=spoken)
        for day, name in listed.items():
            if first_year <= day.year <= last_year:
                found.setdefault(day, {})[language] = name
    return dict(sorted(found.items()))
