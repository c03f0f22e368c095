"""Tables as CSV: opened by a double click in Spanish, and nothing in them is a formula."""

import pytest
from django.utils import translation

from guardia.ui.csv_answer import csv_answer


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_that_begins_like_a_formula_stays_a_text(text: str) -> None:
    assert f"'{text}"[:3] in csv_answer("a.csv", [[text]]).content.decode()


def test_numbers_stay_numbers_and_nothing_stays_empty() -> None:
    with translation.override("en"):
        assert csv_answer("a.csv", [[-3, 66.7, None]]).content.decode() == "\ufeff-3;66.7;\r\n"
    with translation.override("es"):
        assert csv_answer("a.csv", [[-3, 66.7, None]]).content.decode() == "\ufeff-3;66,7;\r\n"


def test_separators_and_quotes_within_a_cell_keep_it_whole() -> None:
    assert csv_answer("a.csv", [['a;b "c"', "d"]]).content.decode() == '\ufeff"a;b ""c""";d\r\n'
