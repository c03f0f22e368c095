"""The words of digits, numbers, hours and weekdays, from which `spoken.py` composes."""

from collections.abc import Mapping
from typing import Final

from guardia.doors.voice.script import Language


def _words(text: str) -> list[str]:
    return text.split()


_ES: Final = _words(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
)
_EN: Final = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS_ES: Final = _words("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_TENS_EN: Final = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_HUNDREDS_ES: Final = _words(
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_DAYS_ES: Final = _words("lunes martes miércoles jueves viernes sábado domingo")
_DAYS_EN: Final = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")


def _es(value: int) -> str:
    if value < len(_ES):
        return _ES[value]
    tens, unit = divmod(value, 10)
    return f"{_TENS_ES[tens - 3]} y {_ES[unit]}" if unit else _TENS_ES[tens - 3]


def _en(value: int) -> str:
    if value < len(_EN):
        return _EN[value]
    tens, unit = divmod(value, 10)
    return f"{_TENS_EN[tens - 2]} {_EN[unit]}" if unit else _TENS_EN[tens - 2]


def _hour_es(hour: int) -> str:
    return "a la una" if hour == 1 else f"a las {_es(hour)}"


def _minute_en(minute: int) -> str:
    return f"oh {_en(minute)}" if minute < 10 else _en(minute)  # noqa: PLR2004  one digit


NUMBERS: Final[Mapping[str, Mapping[Language, str]]] = {
    **{f"digit.{n}": {"es": _es(n), "en": _en(n)} for n in range(10)},
    **{f"number.{n}": {"es": _es(n), "en": _en(n)} for n in (*range(30), *range(30, 100, 10))},
    "number.100": {"es": "cien", "en": "one hundred"},
    "number.and": {"es": "y", "en": "and"},
    **{f"hundreds.{n}": {"es": _HUNDREDS_ES[n - 1], "en": f"{_en(n)} hundred"} for n in range(1, 10)},
    **{f"weekday.{n}": {"es": _DAYS_ES[n - 1], "en": _DAYS_EN[n - 1]} for n in range(1, 8)},
    **{f"hour.{n}": {"es": _hour_es(n), "en": f"at {_en(n)}"} for n in range(1, 13)},
    **{f"minute.{n}": {"es": f"y {_es(n)}", "en": _minute_en(n)} for n in range(1, 60)},
    "daypart.early": {"es": "de la madrugada", "en": "a.m."},
    "daypart.morning": {"es": "de la mañana", "en": "a.m."},
    "daypart.afternoon": {"es": "de la tarde", "en": "p.m."},
    "daypart.night": {"es": "de la noche", "en": "p.m."},
    "moment.time_in": {"es": "hora de", "en": "by the time in"},
}
