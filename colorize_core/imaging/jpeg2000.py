"""JPEG 2000 files taken apart: JP2 boxes or a codestream alone.

Sources: ITU-T T.800 (JPEG 2000); Adobe XMP part 3, section 1.1.4; ExifTool's "Jpeg2000 Tags".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging.boxes import read_boxes
from colorize_core.imaging.limits import MAX_WAVELET
from colorize_core.imaging.parts import Parts

CODESTREAM = b"\xff\x4f\xff\x51"
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF_BOX = b"JpgTiffExif->JP2"
IPTC_BOX = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")


@dataclass
class Jpeg2000Parts(Parts):
    """A JPEG 2000. `depth` is the most bits of a component, `channels` how many there are."""

    depth: int = 8
    channels: int = 3


def take_apart(data: bytes) -> Jpeg2000Parts:
    """Raises BrokenPictureError where there is no codestream, struct.error where it is cut off, and
    PictureTooLargeError where it would take more memory than any other picture may: OpenJPEG holds
    a tile's samples in 4 bytes each, and OpenCV, which reads more than 8 bits, those of all."""
    parts = Jpeg2000Parts(data, (0, 0))
    start = 0
    if not data.startswith(CODESTREAM):
        start = _read_file(data, parts)
    if not start and not data.startswith(CODESTREAM):
        raise BrokenPictureError("it has no pixels, or is cut off before them")
    announced = parts.size
    right, low, left, top = struct.unpack_from(">4I", data, start + 8)
    (parts.channels,) = struct.unpack_from(">H", data, start + 40)
    depths = data[start + 42 : start + 42 + 3 * parts.channels : 3]
    parts.size = (right - left, low - top)
    parts.complete = announced in ((0, 0), parts.size)  # Pillow makes room for what is announced
    parts.depth = max((each & 0x7F) + 1 for each in depths)
    tile = struct.unpack_from(">2I", data, start + 24) if parts.depth <= 8 else parts.size
    pixels = min(tile[0], parts.size[0]) * min(tile[1], parts.size[1])
    if pixels * parts.channels > MAX_WAVELET:
        raise PictureTooLargeError(
            f"has {pixels / 1e6:,.0f} megapixels that must be decoded at once; of such JPEG 2000 "
            f"at most {MAX_WAVELET / parts.channels / 1e6:,.0f} are read. Save it elsewhere as TIFF"
        )
    return parts


def _read_file(data: bytes, parts: Jpeg2000Parts) -> int:
    """What the boxes say, and where the codestream begins (0: nowhere)."""
    start = 0
    for name, begin, end in read_boxes(data, 0, len(data)):
        if name == b"jp2c":
            start = start or begin
        if name == b"jp2h":
            for inner, first, last in read_boxes(data, begin, end):
                if inner == b"colr" and data[first] == 2 and parts.icc is None:
                    parts.icc = data[first + 3 : last]
                if inner == b"ihdr":
                    height, width = struct.unpack_from(">II", data, first)
                    parts.size = (width, height)
                if inner == b"res ":
                    _read_density(data, first, last, parts)
        if name == b"uuid":
            mark, body = data[begin : begin + 16], data[begin + 16 : end]
            if mark == XMP_BOX:
                parts.xmp = parts.xmp or body
            elif mark == EXIF_BOX:
                parts.exif = parts.exif or body.removeprefix(b"Exif\0\0")
            elif mark == IPTC_BOX:
                parts.iptc = parts.iptc or body
    return start


def _read_density(data: bytes, begin: int, end: int, parts: Jpeg2000Parts) -> None:
    """Dots an inch, from the resolution that was captured or else that to be shown."""
    for name, place, _ in sorted(read_boxes(data, begin, end)):
        if name in (b"resc", b"resd") and parts.dpi is None:
            up, down, across, below, tens, tens_across = struct.unpack_from(">4H2b", data, place)
            if up and down and across and below:
                y, x = up / down * 10.0**tens, across / below * 10.0**tens_across
                parts.dpi = (x * 0.0254, y * 0.0254)
