"""XMP packets: properties read, taken out and put in; all else stays byte for byte.

A packet comes from a stranger: declarations of a document type are refused, so that no entity is
ever expanded, and nothing beyond MOST_BYTES and MOST_ELEMENTS is parsed.

Sources: Adobe XMP parts 1 and 3 (ISO 16684-1), IPTC Photo Metadata Standard (Iptc4xmpExt).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape

MOST_BYTES = 4_000_000
MOST_ELEMENTS = 100_000  # and attributes
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMESPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "autochrome": "urn:autochrome-studio:provenance:",
}
START = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    f'<rdf:RDF xmlns:rdf="{RDF}">'
).encode()
END = b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
_BETWEEN = "\x01"  # no XML has it
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_TAG = re.compile(rb"""<[^"'<>]*(?:(?:"[^"]*"|'[^']*')[^"'<>]*)*>""")


@dataclass(frozen=True)
class Property:
    """One property of a packet; `begin` to `end` is where it stands. Of one that is more than a
    text, `text` is what is left of it without tags."""

    name: str  # its namespace and its own name, one after the other
    text: str
    begin: int
    end: int


class Description(NamedTuple):
    """What holds properties. `typed`: its name says something, too, and is kept."""

    begin: int
    end: int
    properties: list[Property]
    typed: bool


class Packet:
    """What stands where in a packet. Of one that is cut off or damaged, what comes before that.
    Raises ValueError where that is nothing, and where it is too large or declares a document
    type."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise ValueError("an XMP packet that is too large")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            data = data.decode("utf-16").encode()
        if b"\0" in data[:4]:  # whose places would not be those of bytes
            raise ValueError("an XMP packet that is not UTF-8")
        self.data = data
        self.properties: list[Property] = []
        self.descriptions: list[Description] = []
        self.empty = False  # whether nothing is left of it
        self.head = self.tail = b""  # new descriptions go between them
        self._left = MOST_ELEMENTS
        self._open: list[tuple[str, bytes, int]] = []  # written name, tag and place of elements
        self._rdf = 0  # how deep rdf:RDF is
        self._found: list[Property] = []
        self._text: list[str] = []
        parser = expat.ParserCreate("utf-8", _BETWEEN)
        parser.namespace_prefixes = parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._finish
        parser.CharacterDataHandler = self._read_text
        self._parser = parser
        with suppress(expat.ExpatError):
            parser.Parse(data, True)
        del self._parser  # which holds on to this in turn
        if not self.descriptions:
            raise ValueError("an XMP packet without a description")
        if not self.head:  # damaged or cut off behind its last whole description
            self.head = data[: self.descriptions[-1].end]
            names = [name for name, _, _ in self._open[: self._rdf]]
            self.tail = "".join(f"</{name}>" for name in reversed(names)).encode()

    def _refuse(self, *_: object) -> NoReturn:
        raise ValueError("an XMP packet that declares a document type")

    def remove(self, unwanted: Callable[[Property], bool]) -> None:
        """Take properties out, and descriptions that have no others. Once only: places have
        moved then."""
        cuts, kept = [], []
        for each in self.descriptions:
            gone = [own for own in each.properties if unwanted(own)]
            if gone and len(gone) == len(each.properties) and not each.typed:
                cuts.append((each.begin, each.end))
            else:
                kept.append(each)
                cuts += [(own.begin, own.end) for own in gone]
        self.empty = not kept
        self.properties = [each for each in self.properties if not unwanted(each)]
        place, parts = 0, []
        for begin, end in sorted(cuts):
            parts.append(self.head[place:begin])
            place = end
        self.head = b"".join([*parts, self.head[place:]])

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1 + len(attributes)
        if self._left < 0:
            raise ValueError("an XMP packet of too many elements")
        place = self._parser.CurrentByteIndex
        full, written = _split(name)
        depth = len(self._open) - self._rdf if self._rdf else -1
        found = _TAG.match(self.data, place) if depth <= 1 else None
        tag = found[0] if found else b""
        self._open.append((written, tag, place))
        if not self._rdf and full == f"{RDF}RDF":
            self._rdf = len(self._open)
        elif depth == 0:
            self._found = []
            spans = {each[1].decode(): each.span() for each in _ATTRIBUTE.finditer(tag)}
            for name, text in attributes.items():
                full, written = _split(name)
                begin, end = spans.get(written, (0, 0))
                self._found.append(Property(full, text, place + begin, place + end))
        elif depth == 1:
            self._text = []

    def _read_text(self, text: str) -> None:
        if self._rdf and len(self._open) >= self._rdf + 2:
            self._text.append(text)

    def _finish(self, name: str) -> None:
        place = self._parser.CurrentByteIndex
        _, tag, begin = self._open.pop()
        depth = len(self._open) - self._rdf
        if not self._rdf or depth > 1 or self.head:
            return
        closed = tag.endswith(b"/>")
        end = place if closed else self.data.index(b">", place) + 1
        full, _ = _split(name)
        if depth == 1:
            self._found.append(Property(full, "".join(self._text), begin, end))
        elif depth == 0:
            own = [each for each in self._found if not each.name.startswith(RDF)]
            self.properties += own
            typed = full != f"{RDF}Description"
            self.descriptions.append(Description(begin, end, own, typed))
        elif not closed:
            self.head, self.tail = self.data[:place], self.data[place:]


def _split(name: str) -> tuple[str, str]:
    """A parsed name as namespace and own name, and as it is written."""
    parts = name.split(_BETWEEN)  # namespace, own name, prefix; or the own name alone
    own = parts[1] if parts[1:] else name
    return "".join(parts[:2]), ":".join([*parts[2:], own])


def make_block(properties: Mapping[str, str]) -> bytes:
    """A description to put between the two parts of a packet, of properties named as "prefix:Name"
    by NAMESPACES."""
    prefixes = sorted({name.partition(":")[0] for name in properties})
    declared = "".join(f' xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in prefixes)
    body = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in properties.items())
    return (
        f'<rdf:Description xmlns:rdf="{RDF}"{declared} rdf:about="">{body}</rdf:Description>'
    ).encode()
