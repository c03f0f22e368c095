"""HTML of strangers: made small and regular in one pass, cleaned by nh3, and turned into text.

- M-1 One linear pass over at most 1 MB keeps known tags with known attributes, closes them in their order, at most 40
  deep and 30,000 in number: no parser behind it can be led into depth or repetition. nh3 then decides what stays.
- M-2 Links lead to http, https and mailto, in a new window, without a referrer. No styles, classes, ids, forms.
- M-3 Pictures are those that came with the mail (`cid:`), as data; remote ones are left out and told of; their
  words stay.
- M-4 The text keeps lines, lists, tables' cells, links; what is quoted begins with `> `.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote

import nh3

LONGEST_HTML: Final = 1_000_000
DEEPEST: Final = 40
MOST_TAGS: Final = 30_000
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})(?![a-zA-Z0-9])([^<>]*)>")
_OTHER: Final = re.compile(r"<[!?/][^<>]*>|<[a-zA-Z][^<>]*>")
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w-])(href|src|alt|colspan|rowspan|start|width|height|align)\s{0,20}=\s{0,20}(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)",
    re.IGNORECASE,
)
_WITHOUT_CONTENT: Final = frozenset(
    {"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "template", "svg"}
    | {"math", "object", "applet", "select", "audio", "video", "canvas", "plaintext"}
)
_VOID: Final = frozenset({"br", "hr", "img"})
_BLOCKS: Final = frozenset(
    {
        "p",
        "div",
        "ul",
        "ol",
        "li",
        "table",
        "tr",
        "blockquote",
        "pre",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "dl",
        "dt",
        "dd",
    }
    | {"hr", "center", "section", "article", "header", "footer", "address", "caption", "thead", "tbody", "tfoot"}
)
_INLINE: Final = frozenset(
    {
        "a",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "strike",
        "del",
        "ins",
        "sub",
        "sup",
        "small",
        "big",
        "code",
        "kbd",
        "samp",
    }
    | {"tt", "span", "q", "cite", "abbr", "mark", "font", "br", "img"}
)
_CELLS: Final = frozenset({"td", "th"})
TAGS: Final = _BLOCKS | _INLINE | _CELLS
_DROPPED_TAGS: Final = frozenset({"font", "span"})
"""Nothing is left of them without their attributes."""
_CLOSED_BY: Final[Mapping[str, frozenset[str]]] = {
    "p": frozenset({"p"}),
    "li": frozenset({"li", "p"}),
    "dt": frozenset({"dt", "dd", "p"}),
    "dd": frozenset({"dt", "dd", "p"}),
    "td": frozenset({"td", "th", "p"}),
    "th": frozenset({"td", "th", "p"}),
    "tr": frozenset({"tr", "td", "th", "p"}),
}
_ATTRIBUTES: Final = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
    "ol": {"start"},
}
_LINK: Final = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_IMAGE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
_SPACES: Final = re.compile(r"[ \t\r\n\f\u00a0]+")


def _allowed(_tag: str, name: str, value: str) -> str | None:
    """The last word on an attribute: pictures are data, links are not."""
    if name == "src":
        return value if _IMAGE.fullmatch(value) else None
    if name == "href":
        return value if _LINK.match(value) else None
    if name in {"colspan", "rowspan", "start", "width", "height"}:
        return value if value.isascii() and value.isdigit() and len(value) < 5 else None  # noqa: PLR2004
    return value


_MANY_REFERENCES: Final = 500
_PIECE: Final = 2_000
_CLEANER: Final = nh3.Cleaner(
    tags=set(TAGS - _DROPPED_TAGS),
    attributes=_ATTRIBUTES,
    attribute_filter=_allowed,
    url_schemes={"http", "https", "mailto", "data"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_relative="deny",
    strip_comments=True,
)


class Event(NamedTuple):
    """A tag that opens or closes, or text: `kind` is `open`, `close` or `text`."""

    kind: str
    name: str
    attributes: Mapping[str, str]


@dataclass(slots=True)
class Shown:
    """HTML fit to be shown. `used` are the content ids of the pictures within it."""

    html: str
    has_remote: bool = False
    used: set[str] = field(default_factory=set)


def events(markup: str) -> Iterator[Event]:
    """Yield tags in a regular order and the text between them (M-1)."""
    opened: list[str] = []
    for event in _loose_events(markup[:LONGEST_HTML]):
        if event.kind == "text" or event.name in _VOID:
            if event.kind != "close":
                yield event
        elif event.kind == "open":
            closes = _CLOSED_BY.get(event.name, frozenset())
            while opened and opened[-1] in closes:
                yield Event("close", opened.pop(), {})
            if len(opened) < DEEPEST:
                opened.append(event.name)
                yield event
        elif event.name in opened:
            while (name := opened.pop()) != event.name:
                yield Event("close", name, {})
            yield Event("close", name, {})
    for name in reversed(opened):
        yield Event("close", name, {})


def _loose_events(markup: str) -> Iterator[Event]:
    """Tags as they stand. Each sign is looked at a fixed number of times."""
    at, tags = 0, 0
    never_closed: set[str] = set()
    while (begin := markup.find("<", at)) >= 0 and tags < MOST_TAGS:
        if begin > at:
            yield Event("text", html.unescape(markup[at:begin]), {})
        tags += 1
        match = _TAG.match(markup, begin)
        if match is None:
            at = _after_no_tag(markup, begin, never_closed)
            if at == begin + 1:
                yield Event("text", "<", {})
            continue
        name = match[2].lower()
        at = match.end()
        if name in _WITHOUT_CONTENT and not match[1]:
            at = _after_content(markup, name, at, never_closed)
        elif name in TAGS:
            yield Event("close" if match[1] else "open", name, {} if match[1] else _attributes(name, match[3]))
    if at < len(markup):
        yield Event("text", html.unescape(re.sub(r"<[^<>]*>", " ", markup[at:])), {})


def _after_no_tag(markup: str, begin: int, never_closed: set[str]) -> int:
    """Where it goes on after a comment or another thing in brackets; one sign further where it is only a bracket."""
    if markup.startswith("<!--", begin) and "!--" not in never_closed:
        end = markup.find("-->", begin + 4)
        if end >= 0:
            return end + 3
        never_closed.add("!--")
    other = _OTHER.match(markup, begin)
    return other.end() if other else begin + 1


def _after_content(markup: str, name: str, at: int, never_closed: set[str]) -> int:
    """Where it goes on after what is never shown; right there where that has no end."""
    if name in never_closed:
        return at
    closing = re.compile(rf"</{name}(?![a-z0-9])[^<>]*>", re.IGNORECASE).search(markup, at)
    if closing:
        return closing.end()
    never_closed.add(name)
    return at


def _attributes(name: str, said: str) -> Mapping[str, str]:
    wanted = _ATTRIBUTES.get(name)
    if not wanted or not said:
        return {}
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(said):
        key, value = match[1].lower(), match[2]
        if key in wanted and key not in found:
            found[key] = html.unescape(value[1:-1] if value[0] in "\"'" else value).strip()
    return found


def shown(markup: str, images: Mapping[str, str]) -> Shown:
    """Return HTML without anything that runs or calls home; `images` are data URIs by content id (M-2, M-3)."""
    result = Shown("")
    out: list[str] = []
    for kind, name, attributes in events(markup):
        if kind == "text":
            out += _apart(html.escape(name, quote=False))
        elif name in _DROPPED_TAGS:
            continue
        elif kind == "close":
            out.append(f"</{name}>")
        elif attributes:
            said = dict(attributes)
            if name == "img":
                _place_image(said, images, result)
            out.append("<" + name + "".join(f' {key}="{html.escape(value)}"' for key, value in said.items()) + ">")
        else:
            out.append(f"<{name}>")
    result.html = _CLEANER.clean("".join(out))
    return result


def _apart(escaped: str) -> Iterator[str]:
    """Text in pieces, with comments between that nh3 takes out: a long text of many references costs it the square."""
    if escaped.count("&") < _MANY_REFERENCES:
        yield escaped
        return
    for at in range(0, len(escaped), _PIECE):
        yield "<!---->" if escaped.rfind("&", max(0, at - 10), at) <= escaped.rfind(";", max(0, at - 10), at) else ""
        yield escaped[at : at + _PIECE]


def _place_image(said: dict[str, str], images: Mapping[str, str], result: Shown) -> None:
    source = said.pop("src", "")
    if source[:4].lower() != "cid:":
        result.has_remote = result.has_remote or bool(source)
        return
    content_id = unquote(source[4:]).strip("<> ")
    if content_id in images:
        said["src"] = images[content_id]
        result.used.add(content_id)


def text_of(markup: str) -> str:
    """Return what the HTML says, as text (M-4)."""
    writer = _Writer()
    for kind, name, attributes in events(markup):
        if kind == "text":
            writer.words(name)
        elif kind == "open":
            writer.open(name, attributes)
        else:
            writer.close(name)
    return writer.text()


class _Writer:
    """Writes lines as they would be read."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quotes = 0
        self.pre = 0
        self.lists: list[int] = []
        self.links: list[tuple[str, int]] = []
        self.said = 0

    def words(self, text: str) -> None:
        if self.pre:
            first, *others = text.replace("\r\n", "\n").split("\n")
            self._add(first)
            for other in others:
                self._end_line(is_kept=True)
                self._add(other)
            return
        plain = _SPACES.sub(" ", text)
        if plain == " " and not self.line:
            return
        self._add(plain)

    def _add(self, text: str) -> None:
        if text:
            self.line.append(text)
            self.said += 1

    def open(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "br":
            self._end_line(is_kept=True)
        elif name == "img":
            if alt := _SPACES.sub(" ", attributes.get("alt", "")).strip():
                self._add(f"[{alt}]")
        elif name == "a":
            self.links.append((attributes.get("href", ""), self.said))
        elif name in _CELLS:
            if self.line:
                self._add(" | ")
        elif name in _BLOCKS:
            self._open_block(name, attributes)

    def _open_block(self, name: str, attributes: Mapping[str, str]) -> None:
        self._end_line(is_kept=False)
        if name in {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote", "pre"}:
            self._blank()
        if name == "hr":
            self.lines.append("> " * self.quotes + "-" * 10)
        elif name == "blockquote":
            self.quotes += 1
        elif name == "pre":
            self.pre += 1
        elif name in {"ul", "ol"}:
            start = attributes.get("start", "1")
            self.lists.append((int(start) if start.isascii() and start.isdigit() else 1) if name == "ol" else 0)
        elif name == "li":
            self._bullet()

    def _bullet(self) -> None:
        number = self.lists[-1] if self.lists else 0
        if number:
            self.lists[-1] += 1
        self._add("  " * max(0, len(self.lists) - 1) + (f"{number}. " if number else "- "))

    def close(self, name: str) -> None:
        if name == "a" and self.links:
            target, before = self.links.pop()
            if _LINK.match(target) and len(target) < 2_000:  # noqa: PLR2004
                words = "".join(self.line).strip()
                if target.removeprefix("mailto:").rstrip("/") not in words or self.said == before:
                    self._add(f" <{target}>")
            return
        if name not in _BLOCKS:
            return
        self._end_line(is_kept=False)
        if name in {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table"}:
            self._blank()
        elif name == "blockquote":
            self.quotes = max(0, self.quotes - 1)
            self._blank()
        elif name == "pre":
            self.pre = max(0, self.pre - 1)
        elif name in {"ul", "ol"} and self.lists:
            self.lists.pop()

    def _end_line(self, *, is_kept: bool) -> None:
        said = "".join(self.line)
        said = said.rstrip() if self.pre else said.strip(" ") if not said.startswith("  ") else said.rstrip()
        if said or is_kept:
            self.lines.append("> " * self.quotes + said)
        self.line = []

    def _blank(self) -> None:
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(("> " * self.quotes).rstrip())

    def text(self) -> str:
        self._end_line(is_kept=False)
        while self.lines and not self.lines[-1].strip("> "):
            self.lines.pop()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self.lines)).strip("\n")
