"""Writes YARA rules, and reads and changes the text of one rule without touching what it means elsewhere. Pure.

Rules:
- In YARA a division is written with a backslash, so a slash outside strings and comments opens a regular expression
  or a comment, and braces outside those balance. Sections are found by tokens, never by searching the text.
- A condition that gets an exception is put into parentheses first; its text stays as it was.
- Text that came with a sample goes into a rule only escaped.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<regex>/(?![*/])(?:[^/\\\n]|\\[^\n])+/[a-z]*)
      | (?P<word>[$\#@!]?[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})|\\(.)", re.DOTALL)
_HEX_NOISE: Final = re.compile(r"//[^\n]*|/\*.*?\*/|\s+", re.DOTALL)
_BRACED: Final = re.compile(r"\{((?://[^\n]*|/\*.*?\*/|[^}/])*)\}", re.DOTALL)


class RuleUnreadable(ValueError):
    """The text is not one YARA rule whose sections can be found."""


@dataclass(frozen=True)
class Pattern:
    """One pattern of a rule: its name, kind (`text`, `hex`, `regex`) and text between its delimiters."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class _Sections:
    opening: int
    meta: int | None
    condition: int
    closing: int


def quoted(text: str) -> str:
    """A YARA string literal for any text."""
    escaped = "".join(_escape(character) for character in text)
    return f'"{escaped}"'


def new_rule(name: str, metadata: Sequence[tuple[str, str]], content: bytes) -> str:
    """A rule that detects files which hold `content`."""
    lines = "".join(f"    {key} = {quoted(value)}\n" for key, value in metadata)
    meta = f"  meta:\n{lines}" if lines else ""
    if all(0x20 <= byte < 0x7F for byte in content):  # noqa: PLR2004 - printable ASCII
        pattern = quoted(content.decode("ascii"))
    else:
        pattern = "{ " + content.hex(" ").upper() + " }"
    return f"rule {name}\n{{\n{meta}  strings:\n    $a = {pattern}\n  condition:\n    $a\n}}\n"


def with_exception(source: str, files: Sequence[tuple[str, int]], metadata: Sequence[tuple[str, str]]) -> str:
    """The rule, not matching the given (sha256, size) files any more. Raises RuleUnreadable."""
    sections = _sections(source)
    condition = source[sections.condition : sections.closing].strip("\n ")
    exact = [f'(filesize == {size} and hash.sha256(0, filesize) == "{sha256}")' for sha256, size in files]
    exception = exact[0] if len(exact) == 1 else "(\n      " + "\n      or ".join(exact) + "\n    )"
    head = source[: sections.condition]
    tail = source[sections.closing :]
    changed = f"{head}\n    (\n    {condition}\n    )\n    and not {exception}\n{tail}"
    changed = _with_metadata(changed, sections, metadata)
    return changed if re.search(r'^\s*import\s+"hash"', changed, re.MULTILINE) else f'import "hash"\n\n{changed}'


def patterns(source: str) -> list[Pattern]:
    """The patterns of a rule's strings section."""
    tokens = [token for token in _tokens(source) if token.lastgroup != "space"]
    found: list[Pattern] = []
    for at, token in enumerate(tokens[:-2]):
        if token.lastgroup != "word" or not token[0].startswith("$") or tokens[at + 1][0] != "=":
            continue
        value = tokens[at + 2]
        if tokens[at + 3 : at + 4] and value[0] == "=":
            continue  # `$a == ...` can only be in a condition
        if value.lastgroup == "string":
            found.append(Pattern(token[0], "text", value[0][1:-1]))
        elif value.lastgroup == "regex":
            found.append(Pattern(token[0], "regex", value[0]))
        elif value[0] == "{":
            found.append(Pattern(token[0], "hex", _braced(source, value.start())))
    return found


def text_length(literal: str) -> int:
    """How many bytes a text pattern has, escapes counted as what they stand for."""
    return len(_ESCAPED.sub("x", literal).encode("utf-8"))


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    return character if character.isprintable() else "?"


def _braced(source: str, start: int) -> str:
    """A hex pattern's content without comments and blanks."""
    held = _BRACED.match(source, start)
    return _HEX_NOISE.sub("", held[1]) if held else ""


def _tokens(source: str) -> Iterator[re.Match[str]]:
    yield from _TOKEN.finditer(source)


def _sections(source: str) -> _Sections:
    opening = meta = condition = closing = None
    depth = 0
    tokens = [token for token in _tokens(source) if token.lastgroup != "space"]
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if token[0] == "{" and token.lastgroup == "mark":
            depth += 1
            opening = token.end() if opening is None else opening
        elif token[0] == "}" and token.lastgroup == "mark":
            depth -= 1
            closing = token.start() if depth == 0 else closing
        elif depth == 1 and token.lastgroup == "word" and following is not None and following[0] == ":":
            if token[0] == "meta":
                meta = following.end()
            elif token[0] == "condition":
                condition = following.end()
    if opening is None or condition is None or closing is None:
        raise RuleUnreadable("cannot find the condition of this rule: is it one complete rule?")
    return _Sections(opening, meta, condition, closing)


def _with_metadata(source: str, sections: _Sections, metadata: Sequence[tuple[str, str]]) -> str:
    """Add metadata at the end of the head of the meta section; what was there stays."""
    lines = "".join(f"\n    {key} = {quoted(value)}" for key, value in metadata)
    if not lines:
        return source
    if sections.meta is not None:
        return source[: sections.meta] + lines + source[sections.meta :]
    return source[: sections.opening] + "\n  meta:" + lines + source[sections.opening :]


def split_rules(source: str) -> list[str]:
    """The text of each rule of a file, from its first word to its closing brace."""
    found: list[str] = []
    depth = 0
    start: int | None = None
    for token in _tokens(source):
        if start is None and token.lastgroup == "word" and token[0] in {"rule", "global", "private"}:
            start = token.start()
        elif token.lastgroup == "mark" and token[0] == "{":
            depth += 1
        elif token.lastgroup == "mark" and token[0] == "}":
            depth -= 1
            if depth == 0 and start is not None:
                found.append(source[start : token.end()])
                start = None
    return found
