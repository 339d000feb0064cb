"""WebP files taken apart.

Source: WebP Container Specification, https://developers.google.com/speed/webp/docs/riff_container.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from colorize_core.errors import BrokenPictureError
from colorize_core.imaging.limits import MAX_CHUNKS, check_count
from colorize_core.imaging.parts import Parts

PIXELS = (b"VP8 ", b"VP8L", b"ALPH")
ANIMATED, ALPHA = 0x02, 0x10  # flags


def take_apart(data: bytes) -> Parts:
    """Raises BrokenPictureError where there are no pixels, or they are cut off."""
    chunks, kept, pages = dict[bytes, bytes](), list[bytes](), 0
    for name, body in _read_chunks(data):
        if name == b"ANMF":
            pages += 1
        if name not in (*PIXELS, b"ANMF", b"ANIM") or (name == b"ANMF" and pages > 1):
            chunks.setdefault(name, bytes(body))
            continue
        kept.append(_write_chunk(name, bytes(body)))
        chunks.setdefault(name, bytes(body[:16]))
    extended = chunks.get(b"VP8X")
    if extended is not None and len(extended) >= 10:
        size = _read_canvas(extended)
        kept.insert(
            0, _write_chunk(b"VP8X", bytes((extended[0] & (ANIMATED | ALPHA),)) + extended[1:])
        )
    else:
        size = _read_frame_size(chunks)
    joined = b"".join(kept)
    return Parts(
        b"RIFF" + struct.pack("<I", 4 + len(joined)) + b"WEBP" + joined,
        size,
        max(1, pages),
        icc=chunks.get(b"ICCP"),
        exif=chunks.get(b"EXIF"),
        xmp=chunks.get(b"XMP "),
    )


def _read_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(data)
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    place, count = 12, 0
    while place + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, place)
        if place + 8 + size > len(data):
            raise BrokenPictureError("its header and its contents disagree, or it is cut off")
        yield name, view[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
        count += 1
        check_count(count, MAX_CHUNKS, "chunks")


def _write_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + bytes(len(body) % 2)


def _read_canvas(extended: bytes) -> tuple[int, int]:
    width, height = (int.from_bytes(extended[i : i + 3], "little") + 1 for i in (4, 7))
    return width, height


def _read_frame_size(chunks: dict[bytes, bytes]) -> tuple[int, int]:
    lossy, lossless = chunks.get(b"VP8 ", b""), chunks.get(b"VP8L", b"")
    if len(lossy) >= 10:
        width, height = struct.unpack_from("<HH", lossy, 6)
        return width & 0x3FFF, height & 0x3FFF
    if len(lossless) >= 5:
        (bits,) = struct.unpack_from("<I", lossless, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise BrokenPictureError("it has no pixels, or is cut off before them")
