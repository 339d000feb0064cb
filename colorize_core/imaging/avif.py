"""AVIF files taken apart.

Pillow reads all that the entries of an EXIF block claim, before anything can be checked: so EXIF is
read here, and hidden from Pillow.

Sources: ISO/IEC 14496-12 (boxes) and 23008-12 (items and EXIF), AV1 Image File Format 1.1.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import AvifImagePlugin

from colorize_core.imaging import tiff
from colorize_core.imaging.boxes import Box, read_boxes
from colorize_core.imaging.limits import MAX_BLOCK, MAX_CHUNKS, check_count
from colorize_core.imaging.parts import Parts

HIDDEN = b"skip"  # a type of item that nobody looks for
FILE, META_DATA = 0, 1  # what the place of an item counts from: the file, the box `idat`


def take_apart(data: bytes) -> Parts:
    """Raises struct.error where boxes are cut off, PictureTooLargeError for more than MAX_CHUNKS of
    them, and what Pillow raises for damaged files."""
    exif, bare = _take_exif(data)
    with AvifImagePlugin.AvifImageFile(io.BytesIO(bare), "") as header:
        info = header.info
        frames = int(getattr(header, "n_frames", 1))
        parts = Parts(bare, header.size, frames, icc=info.get("icc_profile"))
        parts.xmp = info.get("xmp")
        # Pillow tells the turn of the file's own properties as EXIF; what a camera's EXIF says of
        # it does not count (23008-12, A.2).
        first = tiff.read_first((info.get("exif") or b"").removeprefix(b"Exif\0\0"))
        parts.orientation = (first.number(tiff.ORIENTATION) if first else 0) or 1
    if exif is not None and len(exif) > MAX_BLOCK:
        parts.left_out.append("EXIF")
    else:
        parts.exif = exif
    return parts


def _take_exif(data: bytes) -> tuple[bytes | None, bytes]:
    """The EXIF block, and the file with such items hidden."""
    meta = next((box for box in read_boxes(data, 0, len(data)) if box.name == b"meta"), None)
    if meta is None:
        return None, data
    boxes = {box.name: box for box in read_boxes(data, meta.begin + 4, meta.end)}
    types = dict(_find_items(data, boxes[b"iinf"])) if b"iinf" in boxes else {}
    hidden = {number: place for number, place in types.items() if data[place:][:4] == b"Exif"}
    if not hidden:
        return None, data
    changed = bytearray(data)
    for place in hidden.values():
        changed[place : place + 4] = HIDDEN
    return _read_item(data, boxes, min(hidden)), bytes(changed)


def _find_items(data: bytes, infos: Box) -> Iterator[tuple[int, int]]:
    """(number, where its type stands) of the items."""
    first = infos.begin + (6 if data[infos.begin] == 0 else 8)
    for box in read_boxes(data, first, infos.end):
        version = data[box.begin]
        if box.name == b"infe" and version >= 2:
            wide = version > 2
            (number,) = struct.unpack_from(">I" if wide else ">H", data, box.begin + 4)
            yield number, box.begin + (10 if wide else 8)


def _read_item(data: bytes, boxes: dict[bytes, Box], wanted: int) -> bytes | None:
    """The EXIF block that is the first part of an item, behind how far it is from there."""
    if b"iloc" not in boxes:
        return None
    for number, origin, place, size in _read_places(data, boxes[b"iloc"]):
        if number != wanted or origin not in (FILE, META_DATA):
            continue
        if origin == META_DATA:
            place += boxes[b"idat"].begin if b"idat" in boxes else len(data)
        item = data[place : place + size] if size else b""
        if len(item) < 8:
            return None
        (ahead,) = struct.unpack_from(">I", item)
        return item[4 + ahead :] or None
    return None


def _read_places(data: bytes, box: Box) -> Iterator[tuple[int, int, int, int]]:
    """(number, what the place counts from, place, size) of the first part of each item."""
    version, sizes, more = data[box.begin], data[box.begin + 4], data[box.begin + 5]
    wide = ">I" if version == 2 else ">H"
    step = struct.calcsize(wide)
    (count,) = struct.unpack_from(wide, data, box.begin + 6)
    place = box.begin + 6 + step
    check_count(count, MAX_CHUNKS, "items")

    def read(size: int) -> int:
        nonlocal place
        place += size
        return int.from_bytes(data[place - size : place], "big")

    for _ in range(count):
        if place >= box.end:
            return
        number = read(step)
        origin = read(2) & 15 if version else FILE
        read(2)  # the file that it is in
        base, extents = read(more >> 4), read(2)
        for extent in range(min(extents, MAX_CHUNKS)):
            if version:
                read(more & 15)
            begin, size = read(sizes >> 4), read(sizes & 15)
            if extent == 0:
                yield number, origin, base + begin, size
            if place >= box.end:
                return
