"""What travels in a picture file beside the pixels: EXIF, XMP and the resolution.

The pixels that leave `image.decode` are upright sRGB, so what is kept must say the same: the
orientation becomes 1, the colour space sRGB, and the thumbnail, which shows the old picture, goes.

Sources: CIPA DC-008 (EXIF), TIFF 6.0, Adobe XMP part 3.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

from PIL import Image, TiffImagePlugin

ORIENTATION, COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT = 0x0112, 0xA001, 0xA002, 0xA003
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
# The tags of a TIFF file that describe the photograph; the others describe how its pixels lie.
DESCRIPTIVE = frozenset(
    {269, 270, 271, 272, 285, 305, 306, 315, 316, 18246, 33432, EXIF_IFD, GPS_IFD}
    | set(range(40091, 40096))
)


@dataclass(frozen=True)
class Metadata:
    """What a saved picture keeps of the file it came from; orientation is 1 and colour is sRGB."""

    exif: bytes | None = None  # a TIFF block, beginning with "II" or "MM"
    xmp: bytes | None = None  # an XML packet
    dpi: tuple[float, float] | None = None  # dots an inch, horizontal and vertical


def read_metadata(header: Image.Image, size: tuple[int, int], turned: bool) -> Metadata:
    """The metadata of an opened file. `size` is (width, height) and `turned` tells whether the
    sides were swapped, both after the orientation was applied. What cannot be parsed is left out.
    """
    dpi = _read_dpi(header.info.get("dpi"))
    return Metadata(
        exif=_correct_exif(_find_raw_exif(header), size),
        xmp=_correct_xmp(header.info.get("xmp")),
        dpi=dpi[::-1] if dpi and turned else dpi,
    )


def read_orientation(header: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it cannot be parsed."""
    try:
        value = _read_exif(header).get(ORIENTATION, 1)
    except Exception:  # a damaged block makes the parser raise anything; the pixels are fine
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _read_exif(header: Image.Image) -> Image.Exif:
    return Image.Image.getexif(header)  # PngImageFile's own would decode the pixels first


def _read_dpi(value: Any) -> tuple[float, float] | None:
    try:
        x, y = (float(v) for v in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # PNG counts dots a metre: 300 dpi come back as 299.9994.
    return (round(x, 2), round(y, 2)) if all(0.01 <= v < 65535 for v in (x, y)) else None


def _find_raw_exif(header: Image.Image) -> bytes | None:
    block = header.info.get("exif")
    if isinstance(block, bytes):
        return block.removeprefix(b"Exif\0\0") or None
    try:
        exif = Image.Exif()
        for tag, value in _select_descriptive(_read_exif(header)).items():
            exif[tag] = value
        return exif.tobytes().removeprefix(b"Exif\0\0") if len(exif) else None
    except Exception:  # see orientation_of
        return None


def _select_descriptive(exif: Image.Exif) -> dict[int, Any]:
    """The tags that describe the photograph, the inner directories as dicts."""
    tags: dict[int, Any] = {tag: exif[tag] for tag in exif if tag in DESCRIPTIVE}
    for tag in (EXIF_IFD, GPS_IFD):
        tags.pop(tag, None)
        if inner := {k: v for k, v in exif.get_ifd(tag).items() if k != INTEROP_IFD}:
            tags[tag] = inner
    return tags


def _correct_exif(exif: bytes | None, size: tuple[int, int]) -> bytes | None:
    """The block with the tags corrected in place, so that all else in it stays as it was."""
    if exif is None:
        return None
    block = bytearray(exif)
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(block[:2])]
        first = struct.unpack_from(order + "I", block, 4)[0]
        end = _set_tags(block, order, first, {ORIENTATION: 1})
        struct.pack_into(order + "I", block, end, 0)  # no second directory: it is the thumbnail's
        if inner := _read_pointer(block, order, first, EXIF_IFD):
            values = {COLOR_SPACE: 1, PIXEL_WIDTH: size[0], PIXEL_HEIGHT: size[1]}
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
        if tag in values and kind in (3, 4):  # SHORT, LONG
            short = kind == 3 and values[tag] < 1 << 16
            struct.pack_into(
                order + ("HIHH" if short else "HII"),
                block,
                place + 2,
                *((3, 1, values[tag], 0) if short else (4, 1, values[tag])),
            )
    return start + 2 + 12 * len(entries)


def _read_pointer(block: bytearray, order: str, start: int, wanted: int) -> int:
    for place, tag, _ in _read_entries(block, order, start):
        if tag == wanted:
            return int(struct.unpack_from(order + "I", block, place + 8)[0])
    return 0


def _correct_xmp(xmp: Any) -> bytes | None:
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if not isinstance(xmp, bytes) or not xmp.strip(b"\0 \r\n"):
        return None
    return re.sub(rb'(tiff:Orientation(?:="|=\'|>))[0-9]', rb"\g<1>1", xmp)


def list_descriptive_tags(exif: bytes | None) -> dict[int, Any]:
    """The block as entries of a TIFF file's own directory; empty where it cannot be parsed."""
    block = Image.Exif()
    try:
        block.load(exif or b"")
        tags = _select_descriptive(block)
        directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
        for tag, value in tags.items():
            directory[tag] = value
        directory.tobytes(8)  # what cannot be written must fail here, not in the encoder
    except Exception:  # see orientation_of
        return {}
    return tags
