"""What travels in a picture file beside the pixels: EXIF, XMP, IPTC, texts and the resolution.

The pixels that leave `image.decode` are upright sRGB, so what is kept must say the same: the
orientation becomes 1, the colour space sRGB, and the thumbnail, which shows the old picture, goes.
All else stays byte for byte: a text whose encoding nobody knows is never decoded.

Sources: CIPA DC-008 (EXIF), TIFF 6.0, Adobe XMP part 3, W3C PNG third edition (keywords).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

from colorize_core.imaging import tiff
from colorize_core.imaging.limits import MAX_BLOCK
from colorize_core.imaging.parts import Parts
from colorize_core.imaging.records import split_record
from colorize_core.imaging.tiff import DirectoryReader, Entry, Tags
from colorize_core.steering.provenance import Record

# The tags of a TIFF file that describe the photograph; the others describe how its pixels lie.
DESCRIPTIVE = frozenset(
    {269, 270, 271, 272, 285, 305, 306, 315, 316, 18246, 33432, *range(40091, 40096)}
)
# What stands for the keywords of PNG in EXIF.
TEXT_TAGS = {
    "Title": tiff.DESCRIPTION,
    "Description": tiff.DESCRIPTION,
    "Comment": tiff.DESCRIPTION,
    "Author": tiff.ARTIST,
    "Copyright": tiff.COPYRIGHT,
    "Software": tiff.SOFTWARE,
}
XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=\"|='|>))([0-9])")


@dataclass(frozen=True)
class Metadata:
    """What a saved picture keeps of the file it came from; orientation is 1 and colour is sRGB."""

    exif: bytes | None = None  # a TIFF block, beginning with "II" or "MM"
    xmp: bytes | None = None  # an XML packet
    dpi: tuple[float, float] | None = None  # dots an inch, horizontal and vertical
    iptc: bytes | None = None  # datasets of the Information Interchange Model
    comments: tuple[bytes, ...] = ()  # of JPEG and GIF, of an unknown encoding
    texts: tuple[tuple[str, str], ...] = ()  # of PNG: keyword, text
    record: Record | None = None  # where its colours come from, in the XMP packet of a file


def read_metadata(parts: Parts, size: tuple[int, int], turned: bool) -> Metadata:
    """The metadata of a file that was taken apart. `size` is (width, height) and `turned` tells
    whether the sides were swapped, both after the orientation was applied. What cannot be parsed is
    left out."""
    dpi = _check_dpi(parts.dpi or read_exif_density(parts.exif))
    xmp, record = split_record(_correct_xmp(parts.xmp))
    return Metadata(
        exif=_correct_exif(parts.exif, size, turned),
        xmp=xmp,
        dpi=dpi[::-1] if dpi and turned else dpi,
        iptc=parts.iptc if len(parts.iptc or b"") <= MAX_BLOCK else None,
        comments=tuple(parts.comments),
        texts=tuple(parts.texts),
        record=record,
    )


def read_record(parts: Parts) -> Record | None:
    """Where the colours of a file that was taken apart come from, if it says so."""
    return split_record(_correct_xmp(parts.xmp))[1]


def list_left_out(parts: Parts) -> tuple[str, ...]:
    """The kinds of metadata that are beyond the limits or damaged, and not kept."""
    blocks = {"EXIF": parts.exif, "XMP": parts.xmp, "IPTC": parts.iptc}
    large = [name for name, block in blocks.items() if block and len(block) > MAX_BLOCK]
    if parts.exif and "EXIF" not in large and tiff.read_first(parts.exif) is None:
        large.append("damaged EXIF")
    return (*parts.left_out, *large)


def read_orientation(parts: Parts) -> int:
    """The orientation, 1 to 8: the file's own, that of EXIF or else that of XMP; 1 where there is
    none or it cannot be parsed."""
    value = parts.orientation
    if value is None and (first := tiff.read_first(parts.exif)):
        value = first.number(tiff.ORIENTATION) or None
    if (
        value is None
        and isinstance(parts.xmp, bytes)
        and (found := XMP_ORIENTATION.search(parts.xmp))
    ):
        value = int(found[2])
    return value if value is not None and 1 <= value <= 8 else 1


def read_exif_density(exif: bytes | None) -> tuple[float, float] | None:
    """The resolution that an EXIF block says, as read_density() reads it."""
    first = tiff.read_first(exif)
    return read_density(first) if first else None


def read_density(directory: tiff.Directory) -> tuple[float, float] | None:
    """Dots an inch, horizontal and vertical; None unless the directory says both and in which
    unit, which is the inch where it does not say (TIFF 6.0)."""
    x, y = directory.fraction(tiff.X_RESOLUTION), directory.fraction(tiff.Y_RESOLUTION)
    inch = {2: 1.0, 3: 2.54}.get(directory.number(tiff.RESOLUTION_UNIT, 2))
    return (x * inch, y * inch) if x and y and inch else None


def _check_dpi(value: Any) -> tuple[float, float] | None:
    try:
        x, y = (float(v) for v in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # PNG counts dots a metre: 300 dpi come back as 299.9994.
    return (round(x, 2), round(y, 2)) if all(0.01 <= v < 65535 for v in (x, y)) else None


def _correct_exif(exif: bytes | None, size: tuple[int, int], turned: bool) -> bytes | None:
    """The block with the tags corrected in place, so that all else in it stays as it was."""
    if exif is None or len(exif) > MAX_BLOCK or tiff.read_first(exif) is None:
        return None
    block = bytearray(exif)
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(block[:2])]
        first = struct.unpack_from(order + "I", block, 4)[0]
        end = _set_tags(block, order, first, {tiff.ORIENTATION: 1})
        struct.pack_into(order + "I", block, end, 0)  # no second directory: it is the thumbnail's
        if turned:
            _exchange(block, order, first, tiff.X_RESOLUTION, tiff.Y_RESOLUTION)
        if inner := _read_pointer(block, order, first, tiff.EXIF_IFD):
            values = {tiff.COLOR_SPACE: 1, tiff.PIXEL_WIDTH: size[0], tiff.PIXEL_HEIGHT: size[1]}
            _set_tags(block, order, inner, values)
    except (KeyError, struct.error):
        return None
    return bytes(block)


def _read_entries(block: bytearray, order: str, start: int) -> list[tuple[int, int, int]]:
    """(position, tag, type) of the entries of the directory at `start`."""
    count = struct.unpack_from(order + "H", block, start)[0]
    places = range(start + 2, start + 2 + 12 * count, 12)
    return [(place, *struct.unpack_from(order + "HH", block, place)) for place in places]


def _set_tags(block: bytearray, order: str, start: int, values: dict[int, int]) -> int:
    """Overwrite the tags that are there; gives where the pointer to the next directory is."""
    entries = _read_entries(block, order, start)
    for place, tag, kind in entries:
        if tag in values and kind in (tiff.SHORT, tiff.LONG):
            short = kind == tiff.SHORT and values[tag] < 1 << 16
            struct.pack_into(
                order + ("HIHH" if short else "HII"),
                block,
                place + 2,
                *((3, 1, values[tag], 0) if short else (4, 1, values[tag])),
            )
    return start + 2 + 12 * len(entries)


def _exchange(block: bytearray, order: str, start: int, one: int, other: int) -> None:
    """Give two tags each other's value, where both are there: all but the tags' numbers change
    places."""
    places = {tag: place for place, tag, _ in _read_entries(block, order, start)}
    if one in places and other in places:
        first, second = (slice(places[tag] + 2, places[tag] + 12) for tag in (one, other))
        block[first], block[second] = block[second], block[first]


def _read_pointer(block: bytearray, order: str, start: int, wanted: int) -> int:
    for place, tag, _ in _read_entries(block, order, start):
        if tag == wanted:
            return int(struct.unpack_from(order + "I", block, place + 8)[0])
    return 0


def _correct_xmp(xmp: Any) -> bytes | None:
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if not isinstance(xmp, bytes) or not xmp.strip(b"\0 \r\n") or len(xmp) > MAX_BLOCK:
        return None
    return XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


def select_descriptive(
    reader: DirectoryReader, directory: tiff.Directory
) -> dict[int, Entry | Tags]:
    """The tags that describe the photograph, the inner directories of EXIF and GPS as such."""
    tags: dict[int, Entry | Tags] = {
        tag: each
        for tag, each in directory.entries.items()
        if tag in DESCRIPTIVE and _is_classic(each)
    }
    for tag in (tiff.EXIF_IFD, tiff.GPS_IFD):
        place = directory.number(tag)
        try:
            entries = reader.read(place).entries if place else {}
        except (ValueError, struct.error):  # damaged: the pixels are fine
            continue
        inner = {k: v for k, v in entries.items() if k != tiff.INTEROP_IFD and _is_classic(v)}
        if inner:
            tags[tag] = inner
    return tags


def _is_classic(entry: Entry) -> bool:
    """Whether EXIF can hold it: types from 16 on are BigTIFF's."""
    return entry.count > 0 and entry.kind < 16


def list_descriptive_tags(exif: bytes | None, order: str) -> dict[int, Entry | Tags]:
    """The block as entries of a TIFF file's own directory, in the byte order of that; empty where
    it cannot be parsed."""
    try:
        reader = DirectoryReader(exif or b"")
        tags = select_descriptive(reader, reader.read(reader.first))
    except (ValueError, struct.error):
        return {}
    return tags if reader.order == order else tiff.swap_tags(tags)


def list_text_tags(metadata: Metadata, order: str) -> dict[int, Entry]:
    """Texts and comments as tags, the first of each; the rest has no place there."""
    tags: dict[int, Entry] = {}
    said = [(key, text.encode()) for key, text in metadata.texts]
    said += [("Comment", comment) for comment in metadata.comments]
    for key, text in said:
        if key in TEXT_TAGS and text.strip(b"\0 "):
            ended = text.rstrip(b"\0") + b"\0"
            tags.setdefault(TEXT_TAGS[key], Entry(tiff.ASCII, len(ended), ended))
    return tags
