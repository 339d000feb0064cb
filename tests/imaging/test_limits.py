from __future__ import annotations

import zlib

import pytest

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import limits


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_no_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(BrokenPictureError, match="no pixels"):
        limits.check_area(*size)


def test_pixels_and_sides() -> None:
    limits.check_area(limits.MAX_SIDE, limits.MAX_PIXELS // limits.MAX_SIDE)
    limits.check_area(10, 10, 100)
    for size, most in (((10, 11), 100), ((25_001, 10_000), None), ((limits.MAX_SIDE + 1, 1), None)):
        with pytest.raises(PictureTooLargeError):
            limits.check_area(*size, most)


def test_counts() -> None:
    limits.check_count(5, 5, "chunks")
    limits.check_frames(limits.MAX_FRAMES)
    with pytest.raises(PictureTooLargeError, match="more than 5 chunks"):
        limits.check_count(6, 5, "chunks")
    with pytest.raises(PictureTooLargeError, match="more than 1,000 frames"):
        limits.check_frames(limits.MAX_FRAMES + 1)


def test_inflating_ends_at_the_limit() -> None:
    packed = zlib.compress(bytes(1000))
    assert limits.inflate(packed) == bytes(1000)
    assert limits.inflate(packed, 1000) == bytes(1000)
    assert limits.inflate(packed, 999) is None
    assert limits.inflate(packed[:-5]) is None
    assert limits.inflate(b"junk") is None
    assert limits.inflate(b"") is None
