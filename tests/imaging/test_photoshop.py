from __future__ import annotations

import struct

import pytest

from colorize_core.imaging.photoshop import find_iptc, wrap_iptc

IPTC = b"\x1c\x02\x78\x00\x01a"


def resource(number: int, body: bytes, name: bytes = b"") -> bytes:
    named = bytes((len(name),)) + name
    named += bytes(len(named) % 2)
    head = b"8BIM" + struct.pack(">H", number) + named + struct.pack(">I", len(body))
    return head + body + bytes(len(body) % 2)


@pytest.mark.parametrize("name", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("iptc", [IPTC, IPTC + b"b"])
def test_iptc_is_found_among_others(iptc: bytes, name: bytes) -> None:
    others = resource(0x03ED, b"x" * 7, name) + resource(0x0BB7, b"", name)
    assert find_iptc(others + resource(0x0404, iptc, name) + others) == iptc
    assert find_iptc(wrap_iptc(iptc)) == iptc
    assert wrap_iptc(iptc) == resource(0x0404, iptc)


def test_none_is_found_where_there_is_none() -> None:
    whole = resource(0x03ED, b"abc") + wrap_iptc(IPTC)
    for resources in (b"", b"junk", resource(0x03ED, b"abc"), resource(0x0404, b"")):
        assert find_iptc(resources) is None
    for length in range(len(whole)):
        assert find_iptc(whole[:length]) is None
