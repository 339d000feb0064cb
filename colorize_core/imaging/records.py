"""Records of where a picture's colours come from, in its XMP packet.

`Iptc4xmpExt:DigitalSourceType` is what other programs look for; `autochrome:Statement` says the
same to people, `autochrome:Record` is all of it as JSON.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from dataclasses import replace

from colorize_core.imaging import xmp
from colorize_core.imaging.limits import MAX_BLOCK
from colorize_core.imaging.xmp import NAMESPACES, Packet, Property
from colorize_core.steering.provenance import SOFTWARE, Record

_OWN = NAMESPACES["autochrome"]
_KEY = f"{_OWN}Record"
_SOURCE = f"{NAMESPACES['Iptc4xmpExt']}DigitalSourceType"
_TOOL = f"{NAMESPACES['xmp']}CreatorTool"


def _is_of_record(each: Property) -> bool:
    own_tool = each.name == _TOOL and each.text.startswith(SOFTWARE)
    return own_tool or each.name == _SOURCE or each.name.startswith(_OWN)


def split_record(data: bytes | None) -> tuple[bytes | None, Record | None]:
    """A packet without its record, and the record; the packet as it is where it has none that can
    be read."""
    if data and _OWN.encode() in data:
        with suppress(ValueError):
            packet = Packet(data)
            texts = {each.name: each.text for each in packet.properties}
            record = Record.read(texts.get(_KEY, ""))
            packet.remove(_is_of_record)
            return None if packet.empty else packet.head + packet.tail, record
    return data, None


def join_record(
    data: bytes | None, record: Record | None, most: int = MAX_BLOCK + 1
) -> tuple[bytes | None, list[str]]:
    """The packet with the record in place of one that it has, in fewer than `most` bytes, and what
    had to be left out, in words: first hints, then the packet, then settings."""
    if record is None:
        fits = data is None or len(data) < most
        return (data, []) if fits else (None, ["XMP"])
    packet, dropped = _open(data)
    least = record.cut(0)
    if len(_join(packet, least)) >= most:
        dropped += ["XMP"] * (packet is not None)
        packet = None
    if len(_join(packet, least)) >= most:
        dropped.append("settings of the colours")
        record = replace(record, settings={})
    count, whole = len(record.hints), record
    if len(_join(packet, whole)) >= most:
        kept = bisect_left(range(count), most, key=lambda n: len(_join(packet, whole.cut(n + 1))))
        record = whole.cut(kept)
        dropped.append(f"{count - kept} of {count} colour hints")
    return _join(packet, record), dropped


def _open(data: bytes | None) -> tuple[Packet | None, list[str]]:
    """A packet without a record, and what is lost of it."""
    if not data:
        return None, []
    try:
        packet = Packet(data)
    except ValueError:
        return None, ["XMP" if len(data) > xmp.MOST_BYTES else "damaged XMP"]
    packet.remove(_is_of_record)
    return None if packet.empty else packet, []


def _join(packet: Packet | None, record: Record) -> bytes:
    own = {
        "Iptc4xmpExt:DigitalSourceType": record.source_type,
        "autochrome:Statement": record.statement,
        "autochrome:Record": record.write(),
    }
    if packet is None or all(each.name != _TOOL for each in packet.properties):
        own["xmp:CreatorTool"] = record.software
    head, tail = (packet.head, packet.tail) if packet else (xmp.START, xmp.END)
    return head + xmp.make_block(own) + tail
