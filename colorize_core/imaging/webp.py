"""WebP files taken apart.

Source: WebP Container Specification, https://developers.google.com/speed/webp/docs/riff_container.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from colorize_core.errors import BrokenPictureError
from colorize_core.imaging.limits import MAX_CHUNKS, check_count
from colorize_core.imaging.parts import Parts

PIXELS = (b"VP8 ", b"VP8L", b"ALPH")
ALPHA = 0x10  # a flag


@dataclass
class WebpParts(Parts):
    """A WebP. Its bare file is a still of `inner` pixels, which stands at `place` (left, top) on a
    canvas that is `clear` or black elsewhere: an animation's first frame need not fill it."""

    inner: tuple[int, int] = (0, 0)
    place: tuple[int, int] = (0, 0)
    clear: bool = False


def take_apart(data: bytes) -> WebpParts:
    """Raises BrokenPictureError where there are no pixels, or they are cut off,
    PictureTooLargeError for more than MAX_CHUNKS chunks."""
    found, pixels, pages = dict[bytes, memoryview](), list[tuple[bytes, memoryview]](), 0
    for name, body in _read_chunks(data, 12, _find_end(data)):
        pages += name == b"ANMF"
        if name in PIXELS:
            pixels.append((name, body))
        found.setdefault(name, body)
    canvas = found.get(b"VP8X")
    size = _read_size(canvas, 4) if canvas is not None and len(canvas) >= 10 else None
    parts = WebpParts(b"", size or (0, 0), max(1, pages))
    frame = found.get(b"ANMF") if size else None
    if frame is not None:
        parts.inner = _read_size(frame, 6)
        parts.place = (2 * _read_number(frame, 0), 2 * _read_number(frame, 3))
        pixels = list(_read_chunks(frame, 16, len(frame)))
    if not pixels:
        raise BrokenPictureError("it has no pixels, or is cut off before them")
    parts.size = size or _read_frame_size(dict(pixels))
    parts.inner = parts.inner if frame is not None else parts.size
    parts.clear = _has_alpha(canvas, dict(pixels).get(b"VP8L", b""))
    parts.bare = _write_still(pixels, parts.inner, parts.clear)
    blocks = {name: bytes(found[name]) for name in (b"ICCP", b"EXIF", b"XMP ") if name in found}
    parts.icc, parts.xmp = blocks.get(b"ICCP"), blocks.get(b"XMP ")
    exif = blocks.get(b"EXIF")
    parts.exif = exif.removeprefix(b"Exif\0\0") if exif else None
    return parts


def _find_end(data: bytes) -> int:
    return min(len(data), 8 + int(struct.unpack_from("<I", data, 4)[0]))


def _read_chunks(
    data: bytes | memoryview, place: int, end: int
) -> Iterator[tuple[bytes, memoryview]]:
    view, count = memoryview(data), 0
    while place + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, place)
        if place + 8 + size > len(data):
            raise BrokenPictureError("its header and its contents disagree, or it is cut off")
        yield name, view[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
        count += 1
        check_count(count, MAX_CHUNKS, "chunks")


def _has_alpha(canvas: memoryview | None, lossless: bytes | memoryview) -> bool:
    if canvas is not None and len(canvas):
        return bool(canvas[0] & ALPHA)
    return len(lossless) >= 5 and bool(lossless[4] & 0x10)


def _write_still(
    pixels: list[tuple[bytes, memoryview]], size: tuple[int, int], clear: bool
) -> bytes:
    chunks: list[tuple[bytes, bytes | memoryview]] = [*pixels]
    if clear:
        canvas = b"".join((side - 1).to_bytes(3, "little") for side in size)
        chunks.insert(0, (b"VP8X", struct.pack("<B3x", ALPHA) + canvas))
    body = b"".join(
        piece
        for name, chunk in chunks
        for piece in (struct.pack("<4sI", name, len(chunk)), chunk, bytes(len(chunk) % 2))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _read_number(body: memoryview, place: int) -> int:
    return int.from_bytes(body[place : place + 3], "little")


def _read_size(body: memoryview, place: int) -> tuple[int, int]:
    """Width and height, which are stored less 1."""
    return _read_number(body, place) + 1, _read_number(body, place + 3) + 1


def _read_frame_size(pixels: dict[bytes, memoryview]) -> tuple[int, int]:
    lossy, lossless = pixels.get(b"VP8 ", b""), pixels.get(b"VP8L", b"")
    if len(lossy) >= 10:
        width, height = struct.unpack_from("<HH", lossy, 6)
        return width & 0x3FFF, height & 0x3FFF
    if len(lossless) >= 5:
        (bits,) = struct.unpack_from("<I", lossless, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise BrokenPictureError("it has no pixels, or is cut off before them")
