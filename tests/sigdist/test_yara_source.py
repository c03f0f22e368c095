"""The small reader of rules: what it takes, what it refuses, and that YARA-X never sees more than it does."""

import pytest
import yara_x
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sigdist.records.yara_source import SourceRefused, is_identifier, read_rule

TRICKY = r"""
// include "never"
/* rule hidden { condition: true } */
import "pe"
import "pe"
rule Tricky : tag_one tag_two {
  meta:
    case = "10{17"
  strings:
    $text = "}{ \" include rule" wide ascii
    $reg = /a\/b{2,3}[}]"c/is
    $hex = { 4D 5? [2-4] ( 41 | 42 ) ~43 ?? /* } */ // }
             44 }
  condition:
    any of them and #text > 1 and @reg[1] < 1KB and 6 \ 2 == 3 and pe.is_pe and not (uint16(0) & 0xFF00 != 0)
}
// done
"""


def test_strings_patterns_and_comments_do_not_confuse_it() -> None:
    yara_x.compile(TRICKY)
    rule = read_rule(TRICKY)
    assert (rule.name, rule.imports) == ("Tricky", ("pe",))
    assert rule.text.startswith("rule Tricky")
    assert rule.text.endswith("}")


def test_lines_that_end_as_browsers_send_them_are_read() -> None:
    assert "\r" not in read_rule("rule a {\r\n condition:\r\n true }\r\n").text


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "there is no rule"),
        ('include "/etc/passwd" rule a { condition: true }', "`include` is not allowed"),
        ('rule a { condition: true }\ninclude "x"', "line 2: `include` is not allowed"),
        ("rule a { condition: true include }", "`include` is not allowed"),
        ("rule a { condition: true } rule b { condition: true }", "exactly one rule"),
        ("rule a { condition: true } }", "exactly one rule"),
        ("global rule a { condition: false }", "a `global` rule is not allowed"),
        ("private rule a { condition: true }", "a `private` rule is not allowed"),
        ("rule a { condition: true", "do not balance"),
        ("rule a } {", "do not balance"),
        ("rule condition { condition: true }", "not a name"),
        ("rule 1a { condition: true }", "not a name"),
        ('import "../x" rule a { condition: true }', "needs a module name"),
        ("import pe rule a { condition: true }", "needs a module name"),
        ('rule a { strings: $a = "open condition: $a }', "cannot read"),
        ("rule a { condition: true /* open }", "cannot read"),
        ("rule a { condition: rule b { } }", "`rule` inside the rule"),
        ("rule a { condition: true \x00 }", "cannot read"),
        ("rule a { condition: true } // \ud800", "half a character"),
        ("rule a { condition: true }" + " " * 70_000, "longer than"),
    ],
)
def test_a_source_that_is_not_one_safe_rule_is_refused(source: str, says: str) -> None:
    with pytest.raises(SourceRefused, match=says):
        read_rule(source)


def test_names_that_yara_x_refuses_are_refused() -> None:
    for name in ("all", "them", "filesize", "a" * 129, "", "ñ", "a-b", "0a"):
        assert not is_identifier(name), name


_WORDS = 'rule |a |b|{|}|"|/|//|/*|*/|\n| |condition:|true|strings:|$x|=|"q"|/r/|{ 41 }|include |global |private |and '
_PIECES = st.sampled_from([*_WORDS.split("|"), "\\", 'import "pe"', "rule a { condition: true }"])


@settings(max_examples=400)
@given(st.lists(_PIECES, max_size=14).map("".join))
@example("rule a { condition: true } // rule b { condition: true }")
@example('rule a { strings: $x = "//" condition: $x } /* " */ rule b { condition: true }')
@example("rule a { strings: $x = /[/]/ condition: $x }")
def test_what_it_accepts_is_never_more_than_one_rule_to_yara_x(source: str) -> None:
    try:
        rule = read_rule(source)
    except SourceRefused:
        return
    try:
        compiled = yara_x.compile(rule.text)
    except yara_x.CompileError:
        return
    assert [found.identifier for found in compiled] == [rule.name]
