"""JPEG files taken apart.

Sources: ITU-T T.81 (JPEG), T.871 (JFIF), CIPA DC-008 (EXIF), CIPA DC-007 (several pictures in a
file), ICC.1:2010 annex B.4, Adobe XMP part 3.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from colorize_core.errors import BrokenPictureError, NotAPictureError
from colorize_core.imaging import tiff
from colorize_core.imaging.limits import MAX_BLOCK, MAX_CHUNKS, MAX_SCANS, check_count
from colorize_core.imaging.parts import Parts
from colorize_core.imaging.photoshop import find_iptc

SOI, START_OF_SCAN, END, COMMENT = 0xD8, 0xDA, 0xD9, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ARITHMETIC = frozenset(range(0xC9, 0xD0))  # several blocks can share a bit there
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a body
JFIF, ADOBE = 0xE0, 0xEE
XMP_MARK, EXIF_MARK = b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0"
MORE_XMP_MARK, LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0", "the longer part of XMP"
ICC_MARK, PHOTOSHOP_MARK, SEVERAL_MARK = b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"MPF\0"
ENTRIES = 0xB002  # of the directory of a file with several pictures
SIDE_BY_SIDE = frozenset({0x020001, 0x020002, 0x020003})  # panorama, disparity, multi-angle
MARKER = re.compile(rb"\xff([^\xff\0])", re.DOTALL)


@dataclass
class JpegParts(Parts):
    """A JPEG; `channels` is 1 for gray, 3 for colour and 4 for ink."""

    channels: int = 3


def take_apart(data: bytes) -> JpegParts:
    """Raises BrokenPictureError where there are no pixels, NotAPictureError for more than 8 bits,
    PictureTooLargeError for more than MAX_CHUNKS segments or MAX_SCANS scans."""
    kept = [b"\xff\xd8"]
    profile: dict[int, bytes] = {}
    resources = bytearray()
    parts = JpegParts(b"", (0, 0))
    least: int | None = None
    for marker, body, scan in _read_segments(data):
        if scan:
            if least is None:
                break
            parts.bare = b"".join([*kept, memoryview(data)[scan:]])
            check_count(data.count(b"\xff\xda", scan), MAX_SCANS, "scans")
            parts.complete = least <= len(data) - scan
            parts.icc = _join_profile(profile)
            parts.iptc = find_iptc(bytes(resources))
            return parts
        if marker in FRAMES and least is None:
            precision, height, width, parts.channels = struct.unpack_from(">BHHB", body)
            if precision != 8:
                raise NotAPictureError(
                    f"it is a JPEG of {precision} bits a channel. Save it as TIFF or PNG first"
                )
            parts.size = (width, height)
            least = _count_least(body, parts.size) // (64 if marker in ARITHMETIC else 1)
        if marker == COMMENT:
            parts.add_comment(body.rstrip(b"\0"))
        elif marker == 0xE1 and body.startswith(EXIF_MARK):
            parts.exif = parts.exif or body[6:]
        elif marker == 0xE1 and body.startswith(XMP_MARK):
            parts.xmp = parts.xmp or body[len(XMP_MARK) :]
        elif marker == 0xE1 and body.startswith(MORE_XMP_MARK):
            if LONG_XMP not in parts.left_out:
                parts.left_out.append(LONG_XMP)
        elif marker == 0xE2 and body.startswith(ICC_MARK):
            profile.setdefault(body[12] if len(body) > 12 else 0, body[14:])
        elif marker == 0xE2 and body.startswith(SEVERAL_MARK):
            parts.pages = _count_pictures(body[len(SEVERAL_MARK) :])
        elif marker == 0xED and body.startswith(PHOTOSHOP_MARK) and len(resources) < MAX_BLOCK:
            resources += body[len(PHOTOSHOP_MARK) :]
        elif marker == JFIF and body.startswith(b"JFIF\0"):
            parts.dpi = _read_density(body)
        if marker < 0xE0 or marker in (JFIF, ADOBE):
            kept.append(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)
    raise BrokenPictureError("it has no pixels, or is cut off before them")


def _read_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """(marker, body, 0) of the segments before the pixels, then (marker, b"", where they begin).
    What stands between segments is passed over, as decoders do."""
    place, count = 2, 0
    while found := MARKER.search(data, place):
        marker, place = found[1][0], found.end()
        if marker == START_OF_SCAN:
            yield marker, b"", place - 2
            return
        if marker == END:
            return
        if marker in ALONE:
            continue
        count += 1
        check_count(count, MAX_CHUNKS, "segments")
        if place + 2 > len(data):
            return
        (size,) = struct.unpack_from(">H", data, place)
        yield marker, data[place + 2 : place + size], 0
        place += max(2, size)


def _count_least(frame: bytes, size: tuple[int, int]) -> int:
    """Bytes that the pixels take at least: a bit for each block of 8 x 8 samples. This tells an
    announcement from a picture before the decoder makes room for all of them."""
    rates = [(each >> 4 or 1, each & 15 or 1) for each in frame[7::3]]
    most = [max((rate[i] for rate in rates), default=1) for i in (0, 1)]
    blocks = 0
    for rate in rates:
        across, down = (-(-size[i] * rate[i] // (8 * most[i])) for i in (0, 1))
        blocks += across * down
    return blocks // 8


def _join_profile(segments: dict[int, bytes]) -> bytes | None:
    return b"".join(body for _, body in sorted(segments.items())) or None


def _count_pictures(block: bytes) -> int:
    """How many pictures stand side by side in the file. Previews and gain maps do not count: they
    show the same."""
    try:
        reader = tiff.DirectoryReader(block)
        entries = reader.read(reader.first).raw(ENTRIES) or b""
    except (ValueError, struct.error):
        return 1
    attributes = [
        struct.unpack_from(reader.order + "I", entries, place)[0] & 0xFFFFFF
        for place in range(0, len(entries) - 15, 16)
    ]
    return max(1, sum(each in SIDE_BY_SIDE for each in attributes))


def _read_density(body: bytes) -> tuple[float, float] | None:
    """Dots an inch by JFIF; None where it gives the shape of the dots alone."""
    if len(body) < 12:
        return None
    unit, x, y = struct.unpack_from(">BHH", body, 7)
    inch = {1: 1.0, 2: 2.54}.get(unit)
    return (x * inch, y * inch) if inch and x and y else None
