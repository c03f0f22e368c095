import hashlib

import pytest
import yara_x
from hypothesis import given
from hypothesis import strategies as st

from labkit.analysers.yara_text import (
    RuleUnreadable,
    new_rule,
    patterns,
    quoted,
    split_rules,
    text_length,
    with_exception,
)

TRICKY = r"""import "pe"
// condition: { this is a comment
rule Tricky : tag1 tag2
{
  meta:
    case = "has { condition: } inside"
  strings:
    $text = "} condition: \"quoted\" {"
    $hex = { 41 42 [2-4] ( 43 | 44 ) /* } */ 45 46 }
    $regex = /condition:\s*\{\/[a-z}]+/ nocase
  condition:
    /* meta: */ any of them // trailing comment }
    and not pe.is_pe
}
"""
FILES = [("a" * 64, 5)]


@given(text=st.text(), content=st.binary(min_size=1, max_size=80))
def test_any_text_and_content_make_a_rule_that_compiles_and_finds(text: str, content: bytes) -> None:
    rule = new_rule("Found", [("author", text)], content)
    assert len(yara_x.compile(rule).scan(b"--" + content + b"--").matching_rules) == 1


def test_an_exception_leaves_the_rule_otherwise_as_it_was() -> None:
    changed = with_exception(TRICKY, FILES, [("exception_case", "7")])
    assert changed.count('import "hash"') == 1
    for line in TRICKY.splitlines():
        assert line in changed
    rules = yara_x.compile(changed)
    ((_, found),) = [(rule.identifier, dict(rule.metadata)) for rule in rules]
    assert found == {"exception_case": "7", "case": "has { condition: } inside"}


def test_an_exception_binds_to_the_whole_condition() -> None:
    content = b"second-needle"
    source = 'rule R { strings: $a = "first-needle" $b = "second-needle" condition: $a or $b }'
    changed = with_exception(source, [(hashlib.sha256(content).hexdigest(), len(content))], [])
    rules = yara_x.compile(changed)
    assert not rules.scan(content).matching_rules
    assert rules.scan(content + b"!").matching_rules
    twice = with_exception(changed, [(hashlib.sha256(content + b"!").hexdigest(), len(content) + 1)], [])
    assert not yara_x.compile(twice).scan(content + b"!").matching_rules
    assert yara_x.compile(twice).scan(content + b"?").matching_rules
    assert twice.count("import") == 1


def test_several_files_are_excepted_together() -> None:
    contents = [b"needle-one", b"needle-one."]
    files = [(hashlib.sha256(content).hexdigest(), len(content)) for content in contents]
    rules = yara_x.compile(with_exception('rule R { strings: $a = "needle-one" condition: $a }', files, []))
    assert [len(rules.scan(content).matching_rules) for content in [*contents, b"needle-one!"]] == [0, 0, 1]


@pytest.mark.parametrize("source", ["", 'rule R { strings: $a = "x"', "no rule", "rule R { condition }"])
def test_a_text_without_a_condition_is_refused(source: str) -> None:
    with pytest.raises(RuleUnreadable):
        with_exception(source, FILES, [])


def test_patterns_are_read_with_their_kind() -> None:
    assert [(pattern.name, pattern.kind, pattern.text) for pattern in patterns(TRICKY)] == [
        ("$text", "text", '} condition: \\"quoted\\" {'),
        ("$hex", "hex", "4142[2-4](43|44)4546"),
        ("$regex", "regex", r"/condition:\s*\{\/[a-z}]+/"),
    ]


def test_rules_of_a_file_are_told_apart() -> None:
    found = split_rules(f"{TRICKY}\nrule Second {{ condition: true }}\nprivate rule Third {{ condition: false }}")
    assert [text.split()[1] for text in found] == ["Tricky", "Second", "rule"]
    assert found[1] == "rule Second { condition: true }"


@pytest.mark.parametrize(("literal", "length"), [("abc", 3), (r"\x41\x42", 2), (r"a\"b\\", 4), ("é", 2)])
def test_a_text_pattern_is_measured_in_bytes(literal: str, length: int) -> None:
    assert text_length(literal) == length


def test_quoting_leaves_no_way_out_of_the_literal() -> None:
    rule = new_rule("R", [("author", 'x" condition: true } rule Evil { condition: true } //\n')], b"some content")
    assert [found.identifier for found in yara_x.compile(rule)] == ["R"]
    assert quoted("\u202e\x00") == '"??"'
