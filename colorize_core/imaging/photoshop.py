"""Photoshop's image resources, in which JPEG and TIFF files carry IPTC.

Source: Adobe Photoshop File Formats Specification, "Image Resources Section".
"""

from __future__ import annotations

import struct

IPTC = 0x0404
IPTC_MARK = b"\x1c"  # begins each dataset of the Information Interchange Model


def find_iptc(resources: bytes) -> bytes | None:
    """The IPTC datasets among image resources; None where there are none or they are damaged."""
    place = 0
    while resources.startswith((b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR"), place):
        if place + 7 > len(resources):
            return None
        (number,) = struct.unpack_from(">H", resources, place + 4)
        name = 1 + resources[place + 6]  # a Pascal string, padded
        start = place + 6 + name + name % 2
        if start + 4 > len(resources):
            return None
        (size,) = struct.unpack_from(">I", resources, start)
        body = resources[start + 4 : start + 4 + size]
        if number == IPTC:
            return body if len(body) == size and size else None
        place = start + 4 + size + size % 2
    return None


def wrap_iptc(iptc: bytes) -> bytes:
    """IPTC datasets as one image resource."""
    return struct.pack(">4sHHI", b"8BIM", IPTC, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
