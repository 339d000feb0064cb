"""PBM, PGM and PPM files: bytes -> samples. Pillow would cut 16 bits to 8.

Source: the Netpbm formats, https://netpbm.sourceforge.net/doc/pnm.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import BrokenPictureError
from colorize_core.imaging.levels import stretch
from colorize_core.imaging.limits import check_area
from colorize_core.imaging.parts import Parts

GAP = rb"(?:\s+|#[^\n\r]*[\n\r])+"
BITS_HEADER = re.compile(rb"P[14]" + GAP + rb"(\d{1,9})" + GAP + rb"(\d{1,9})\s")
HEADER = re.compile(rb"P[2356]" + GAP + (rb"(\d{1,9})" + GAP) * 2 + rb"(\d{1,5})\s")


@dataclass
class PnmParts(Parts):
    """A PBM, PGM or PPM. `kind` is the digit of its first two bytes, `most` what stands for white,
    `start` where the samples begin."""

    kind: int = 6
    most: int = 255
    start: int = 0


def take_apart(data: bytes) -> PnmParts:
    """Raises BrokenPictureError where the header is none."""
    kind = data[1] - ord("0")
    found = (BITS_HEADER if kind in (1, 4) else HEADER).match(data[:10_000])
    if found is None:
        raise BrokenPictureError("its header is damaged")
    width, height, *rest = map(int, found.groups())
    most = rest[0] if rest else 1
    if not 1 <= most <= 65535:
        raise BrokenPictureError("its header is damaged")
    return PnmParts(data, (width, height), kind=kind, most=most, start=found.end())


def read_samples(parts: PnmParts) -> NDArray[Any]:
    """Gray (H, W) or RGB (H, W, 3): uint8, or uint16 where white is above 255. Raises
    BrokenPictureError where samples are missing."""
    width, height = parts.size
    check_area(width, height)
    channels = 3 if parts.kind in (3, 6) else 1
    count = width * height * channels
    if parts.kind == 4:
        step = -(-width // 8)
        packed = _take(parts, np.dtype(np.uint8), step * height).reshape(height, step)
        return (1 - np.unpackbits(packed, axis=1, count=width)) * np.uint8(255)
    if parts.kind in (5, 6):
        samples = _take(parts, np.dtype(">u2" if parts.most > 255 else np.uint8), count)
    else:
        samples = _read_digits(parts, count)
    if parts.kind == 1:
        return ((1 - samples) * np.uint8(255)).reshape(height, width)
    shape = (height, width, 3) if channels == 3 else (height, width)
    return stretch(samples, parts.most).reshape(shape)


def _take(parts: PnmParts, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    if len(parts.bare) - parts.start < count * dtype.itemsize:
        raise BrokenPictureError("its header and its contents disagree, or it is cut off")
    return np.frombuffer(parts.bare, dtype, count, parts.start)


def _read_digits(parts: PnmParts, count: int) -> NDArray[Any]:
    """Samples in decimal digits, between spaces unless they are bits."""
    plain = re.sub(rb"#[^\n\r]*", b"", memoryview(parts.bare)[parts.start :])
    if parts.kind == 1:
        found = np.frombuffer(plain, np.uint8)
        values = found[(found == ord("0")) | (found == ord("1"))] - np.uint8(ord("0"))
    else:
        if re.search(rb"[^\d\s]|\d{6}", plain):
            raise BrokenPictureError("its samples are no numbers")
        values = np.fromstring(plain, np.int32, sep=" ")
    if len(values) < count:
        raise BrokenPictureError("its header and its contents disagree, or it is cut off")
    return values[:count]
