"""Reads one YARA rule's source far enough to know what it is: its imports, its name, its text. Pure.

Rules:
1. A source holds `import` lines and exactly one rule. Comments before and between
   are allowed and dropped from the text.
2. `include` is refused anywhere outside strings and comments: a rule never reads another file.
3. `global` is refused: it would silence every other rule of the database. `private` is refused: a rule that never
   reports can only serve other rules, and a record must stand by itself.
4. In YARA a division is written with a backslash, so a slash outside strings and comments always opens a regular
   expression or a comment; braces outside those balance. This makes the end of a rule unambiguous.
5. Whether the rule compiles is the engine's word, not this reader's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SOURCE_BYTES = 65_536
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_MODULE = re.compile(r"[a-z_][a-z0-9_]{0,63}")
_KEYWORDS = frozenset(
    """all and any ascii at base64 base64wide condition contains defined endswith entrypoint false filesize for fullword
    global icontains iendswith iequals import in include int16 int16be int32 int32be int8 int8be istartswith matches
    meta nocase none not of or private rule startswith strings them true uint16 uint16be uint32 uint32be uint8 uint8be
    wide xor with""".split()  # noqa: SIM905 - thirty words read better as a paragraph
)
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<regex>/(?![*/])(?:[^/\\\n]|\\[^\n])+/[a-z]*)
  | (?P<word>[$\#@!]?[A-Za-z_][A-Za-z0-9_]*|[$\#@!]|[0-9][A-Za-z0-9_.]*)
  | (?P<mark>[{}:;=()\[\],.<>|&^~+\-*%\\?])
    """,
    re.VERBOSE,
)


class SourceRefused(ValueError):
    """The source is not one self-contained rule; the message says why and on which line."""


@dataclass(frozen=True)
class RuleSource:
    """What the reader found: module names (sorted), the rule's name, its text from `rule` to the closing brace."""

    imports: tuple[str, ...]
    name: str
    text: str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def read_rule(source: str) -> RuleSource:
    """The one rule of `source`. Raises SourceRefused."""
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError as wrong:
        raise SourceRefused("the source holds half a character, which no file can hold; type it again") from wrong
    if size > MAX_SOURCE_BYTES:
        raise SourceRefused(f"the source is longer than {MAX_SOURCE_BYTES} bytes; shorten it or split it")
    source = source.replace("\r\n", "\n")
    tokens = list(_tokens(source))
    for token in tokens:
        if token.text == "include":
            raise SourceRefused(f"line {_line(source, token)}: `include` is not allowed; paste the text instead")
    imports, tokens = _imports(source, tokens)
    name, end = _rule(source, tokens)
    return RuleSource(imports=imports, name=name, text=source[tokens[0].start : end])


def is_identifier(name: str) -> bool:
    """Whether YARA accepts `name` as the name of a rule."""
    return _IDENTIFIER.fullmatch(name) is not None and name not in _KEYWORDS


def _tokens(source: str) -> Iterator[_Token]:
    position = 0
    while position < len(source):
        found = _TOKEN.match(source, position)
        if found is None:
            line = source.count("\n", 0, position) + 1
            shown = source[position : position + 12]
            raise SourceRefused(f"line {line}: cannot read {shown!r}; is a string, comment or pattern left open?")
        if found.lastgroup != "space":
            yield _Token(found.lastgroup or "", found.group(), found.start(), found.end())
        position = found.end()


def _imports(source: str, tokens: list[_Token]) -> tuple[tuple[str, ...], list[_Token]]:
    names: set[str] = set()
    while tokens and tokens[0].text == "import":
        module = tokens[1].text[1:-1] if len(tokens) > 1 and tokens[1].kind == "string" else ""
        if not _MODULE.fullmatch(module):
            raise SourceRefused(f'line {_line(source, tokens[0])}: `import` needs a module name such as "pe"')
        names.add(module)
        tokens = tokens[2:]
    return tuple(sorted(names)), tokens


def _rule(source: str, tokens: list[_Token]) -> tuple[str, int]:
    if not tokens:
        raise SourceRefused("line 1: there is no rule here; a source holds exactly one `rule name { ... }`")
    first = tokens[0]
    if first.text in {"global", "private"}:
        raise SourceRefused(f"line {_line(source, first)}: a `{first.text}` rule is not allowed; write a plain rule")
    if first.text != "rule" or len(tokens) < 3:  # noqa: PLR2004 - rule, name, brace
        raise SourceRefused(f"line {_line(source, first)}: expected `rule`, found {first.text!r}")
    name = tokens[1].text
    if not is_identifier(name):
        raise SourceRefused(f"line {_line(source, tokens[1])}: {name!r} is not a name that a rule may have")
    last = _closing_brace(source, tokens)
    if last + 1 < len(tokens):
        extra = tokens[last + 1]
        raise SourceRefused(f"line {_line(source, extra)}: more text after the rule; a source holds exactly one rule")
    return name, tokens[last].end


def _closing_brace(source: str, tokens: list[_Token]) -> int:
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind != "mark":
            if depth and token.text in {"rule", "import", "global"}:
                raise SourceRefused(f"line {_line(source, token)}: `{token.text}` inside the rule; is a brace missing?")
            continue
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth < 0:
            break
        if depth == 0 and token.text == "}":
            return index
    raise SourceRefused(f"line {_line(source, tokens[-1])}: the braces of the rule do not balance")


def _line(source: str, token: _Token) -> int:
    return source.count("\n", 0, token.start) + 1
