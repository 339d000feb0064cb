"""ICC profiles for colours that a file describes in numbers: primaries, white and a curve.

Sources: ICC.1:2010; ITU-T H.273 (the numbers of cICP); IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# x and y of white, red, green and blue, in the order of PNG's cHRM.
Chromaticities = tuple[float, float, float, float, float, float, float, float]
D65 = (0.3127, 0.3290)
SRGB: Chromaticities = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
# By the numbers of ITU-T H.273, table 2.
PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# Curves: the exponent, or (g, a, b, c, d) of (a x + b) ** g from x = d on and c x below.
Curve = float | tuple[float, float, float, float, float]
SRGB_CURVE: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
VIDEO_CURVE: Curve = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
# By the numbers of H.273, table 3. Those of HDR are not here: they say more than a print can show.
CURVES: dict[int, Curve] = {4: 2.2, 5: 2.8, 8: 1.0, 13: SRGB_CURVE}
CURVES |= dict.fromkeys((1, 6, 14, 15), VIDEO_CURVE)

D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def make_gray_profile(curve: Curve) -> bytes:
    """A profile for gray with this curve."""
    return _make_profile(b"GRAY", {b"kTRC": _write_curve(curve)})


def make_rgb_profile(points: Chromaticities, curve: Curve) -> bytes | None:
    """A profile for RGB with these primaries and this curve; None where the points span no
    triangle."""
    columns = _compute_colorants(points)
    if columns is None:
        return None
    tags = {
        name: _write_xyz(column)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True)
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _write_curve(curve))
    return _make_profile(b"RGB ", tags)


def _compute_colorants(points: Chromaticities) -> NDArray[np.float64] | None:
    """XYZ of red, green and blue in columns, adapted to D50 by Bradford's matrix."""
    x, y = np.array(points[::2]), np.array(points[1::2])
    if (y <= 0).any():
        return None
    white, *_ = corners = np.stack([x / y, np.ones(4), (1 - x - y) / y], axis=1)
    try:
        amounts = np.linalg.solve(corners[1:].T, white)
    except np.linalg.LinAlgError:
        return None
    if (amounts <= 0).any():
        return None
    gains = (BRADFORD @ D50) / (BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.inv(BRADFORD) @ np.diag(gains) @ BRADFORD
    columns: NDArray[np.float64] = adapted @ (corners[1:].T * amounts)
    return columns if (np.abs(columns) < 100).all() else None


def _write_curve(curve: Curve) -> bytes:
    values = curve if isinstance(curve, tuple) else (curve,)
    kind = 3 if isinstance(curve, tuple) else 0
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _write_numbers(values)


def _write_xyz(values: Sequence[float] | NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + _write_numbers(values)


def _write_numbers(values: Sequence[float] | NDArray[np.float64]) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(float(v) * 65536) for v in values))


def _make_profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A display's profile, version 4, whose tags have lengths that four divides."""
    tags = {b"wtpt": _write_xyz(D50), **tags}
    place = 132 + 12 * len(tags)
    table, bodies = b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, place + len(bodies), len(body))
        bodies += body
    size = place + len(bodies)
    head = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x04200000, b"mntr", space, b"XYZ ", b"acsp")
    return (
        (head + _write_numbers(D50)).ljust(128, b"\0")
        + struct.pack(">I", len(tags))
        + table
        + bodies
    )
