"""The boxes that AVIF and JPEG 2000 files consist of (ISO/IEC 14496-12, 4.2; ITU-T T.800, I.4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from colorize_core.imaging.limits import MAX_CHUNKS, check_count


class Box(NamedTuple):
    """Where a box is in the file: its body from `begin` to `end`."""

    name: bytes
    begin: int
    end: int


def read_boxes(data: bytes, place: int, end: int) -> Iterator[Box]:
    """Those from `place` to `end`. Raises PictureTooLargeError for more than MAX_CHUNKS of them,
    struct.error where one is cut off."""
    count = 0
    while place + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        size = size or end - place
        if size < head:
            return
        yield Box(name, place + head, min(place + size, end))
        place += size
        count += 1
        check_count(count, MAX_CHUNKS, "boxes")
