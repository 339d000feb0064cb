"""GIF files taken apart.

Source: GIF89a specification, https://www.w3.org/Graphics/GIF/spec-gif89a.txt.
"""

from __future__ import annotations

import struct

from colorize_core.errors import BrokenPictureError
from colorize_core.imaging.limits import MAX_BLOCKS, MAX_FRAMES, check_count
from colorize_core.imaging.parts import Parts

EXTENSION, PICTURE = ord("!"), ord(",")
CONTROL, COMMENT = 0xF9, 0xFE


def take_apart(data: bytes) -> Parts:
    """Counts the frames until they are more than MAX_FRAMES. Raises BrokenPictureError where the
    first one is missing, PictureTooLargeError for more than MAX_BLOCKS blocks."""
    width, height = struct.unpack_from("<HH", data, 6)
    place = 13 + _count_table(data[10])
    kept = [data[:place]]
    parts = Parts(b"", (width, height))
    pages, blocks = 0, 0
    while pages <= MAX_FRAMES and place + 1 < len(data) and data[place] in (EXTENSION, PICTURE):
        begin, label = place, data[place + 1]
        picture = data[place] == PICTURE
        if picture and place + 10 > len(data):
            break
        place += 11 + _count_table(data[place + 9]) if picture else 2
        pieces: list[bytes] = []
        while place < len(data) and (size := data[place]):
            if label == COMMENT and not picture:
                pieces.append(data[place + 1 : place + 1 + size])
            place += size + 1
            blocks += 1
        check_count(blocks, MAX_BLOCKS, "blocks")
        place += 1
        if picture:
            if place > len(data) + 1:
                break
            if pages == 0:
                kept.append(data[begin:place])
                width, height = _extend(data, begin, width, height)
            pages += 1
        elif label == CONTROL and pages == 0:
            kept.append(_write_control(data[begin:place]))
        elif label == COMMENT:
            parts.add_comment(b"".join(pieces))
    if pages == 0:
        raise BrokenPictureError("it has no pixels, or is cut off before them")
    parts.bare, parts.size, parts.pages = b"".join([*kept, b";"]), (width, height), pages
    return parts


def _count_table(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _extend(data: bytes, begin: int, width: int, height: int) -> tuple[int, int]:
    """The screen, made large enough for the first frame."""
    left, top, across, down = struct.unpack_from("<4H", data, begin + 1)
    return max(width, left + across), max(height, top + down)


def _write_control(block: bytes) -> bytes:
    """How the first frame goes does not matter: there is no second."""
    changed = bytearray(block)
    if len(changed) > 3:
        changed[3] &= ~0x1C
    return bytes(changed)
