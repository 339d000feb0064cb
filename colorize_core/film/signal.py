"""How a film's numbers stand for light: bits, range, matrix and primaries; gray to L, and ab to the
chroma that goes beside a luma which stays as it is.

Sources: ITU-R BT.601, BT.709, BT.2020 and BT.2100; SMPTE 240M; the numbers are those of ISO/IEC
23091-2, which FFmpeg uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import WHITE, XYZ_TO_RGB, linear_to_srgb, srgb_to_linear

Luma = NDArray[np.uint8] | NDArray[np.uint16]
Plane = NDArray[np.float32]

BT709, UNSPECIFIED, BT470BG, SMPTE170M, SMPTE240M, BT2020, SMPTE431, SMPTE432 = (
    *(1, 2, 5, 6, 7, 9, 11, 12),
)
PQ = 16  # transfer of BT.2100, in which 0.58 is the white of ordinary films
PQ_WHITE = 0.58

_WEIGHTS = {  # matrix -> what red and blue count in luma
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    BT470BG: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_PRIMARIES = {  # x and y of red, green and blue; the white is D65's
    BT470BG: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    SMPTE170M: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    SMPTE240M: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    BT2020: ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    SMPTE432: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
_STEPS = 1 << 14
_KNEE = 6 / 29
_ENCODED = linear_to_srgb(np.arange(_STEPS + 1) / _STEPS).astype(np.float32)


def _lightness_table() -> Plane:
    linear = srgb_to_linear(np.arange(4097) / 4096)
    root = np.where(linear > _KNEE**3, np.cbrt(linear), linear / (3 * _KNEE**2) + 4 / 29)
    return (116 * root - 16).astype(np.float32)


_LIGHTNESS = _lightness_table()


@dataclass(frozen=True)
class Signal:
    """`bits` a sample; `full`: black is 0 and white the largest number; `matrix`, `primaries` and
    `transfer` as the stream's tags name them."""

    bits: int = 8
    full: bool = False
    matrix: int = BT709
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED

    @cached_property
    def _scale(self) -> tuple[float, float, float]:
        """Black, white minus black, and the range of chroma, in numbers of a sample."""
        if self.full:
            top = float((1 << self.bits) - 1)
            return 0.0, top, top
        step = float(1 << (self.bits - 8))
        return 16 * step, 219 * step, 224 * step

    def read_luma(self, luma: NDArray[Any]) -> Plane:
        """Samples -> float32 in [0, 1]."""
        black, span, _ = self._scale
        return np.clip((luma.astype(np.float32) - black) / span, 0, 1)

    def write_chroma(self, chroma: Plane) -> Luma:
        """[-0.5, 0.5] -> samples."""
        samples = chroma * self._scale[2] + ((1 << (self.bits - 1)) + 0.5)
        np.clip(samples, 0, (1 << self.bits) - 1, out=samples)
        return samples.astype(np.uint8) if self.bits == 8 else samples.astype(np.uint16)

    def show(self, luma: Plane) -> Plane:
        """Luma in [0, 1] as the sRGB gray that looks like it, in [0, 1]."""
        return np.minimum(luma / PQ_WHITE, 1) if self.transfer == PQ else luma

    def find_lightness(self, luma: Plane) -> Plane:
        """Luma in [0, 1] -> L in [0, 100]."""
        return _LIGHTNESS[(self.show(luma) * 4096 + 0.5).astype(np.uint16)]

    @cached_property
    def weights(self) -> tuple[float, float]:
        """What red and blue count in luma."""
        return _WEIGHTS.get(self.matrix, _WEIGHTS[BT709])

    @cached_property
    def _to_linear(self) -> NDArray[np.float64]:
        """X, Y and Z relative to white -> linear RGB of the film's primaries."""
        if self.primaries not in _PRIMARIES:
            return XYZ_TO_RGB * WHITE
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in _PRIMARIES[self.primaries]]).T
        return np.linalg.inv(columns * np.linalg.solve(columns, WHITE)) * WHITE

    def find_chroma(self, lightness: Plane, ab: Plane) -> Plane:
        """L (H, W) in [0, 100] and ab (H, W, 2) in Lab units -> Cb and Cr (H, W, 2) in [-0.5, 0.5]
        of that colour, brought into the gamut by losing chroma."""
        fy = (lightness + 16) / 116
        f = np.stack([fy + ab[..., 0] / 500, fy, fy - ab[..., 1] / 200])
        bent = np.maximum(f, _KNEE)
        xyz = bent * bent * bent + (f - bent) * (3 * _KNEE**2)
        linear = self._to_linear.astype(np.float32) @ xyz.reshape(3, -1)
        gray = xyz[1].reshape(-1)
        over = (1 - gray) / np.maximum(linear.max(0) - gray, 1e-6)
        under = gray / np.maximum(gray - linear.min(0), 1e-6)
        linear = gray + np.clip(np.minimum(over, under), 0, 1) * (linear - gray)
        encoded = _ENCODED[(np.clip(linear, 0, 1) * _STEPS + 0.5).astype(np.int32)]
        if self.transfer == PQ:
            encoded *= PQ_WHITE
        red, blue = self.weights
        luma = red * encoded[0] + (1 - red - blue) * encoded[1] + blue * encoded[2]
        pair = (encoded[2] - luma) / (2 - 2 * blue), (encoded[0] - luma) / (2 - 2 * red)
        return np.stack(pair, -1).reshape(*lightness.shape, 2)

    def limit_chroma(self, luma: Plane, chroma: Plane) -> Plane:
        """Cb and Cr (H, W, 2) beside luma (H, W) in [0, 1] -> as much of them as RGB can hold."""
        red, blue = self.weights
        blues, reds = chroma[..., 0] * (2 - 2 * blue), chroma[..., 1] * (2 - 2 * red)
        greens = -(red * reds + blue * blues) / (1 - red - blue)
        most = np.maximum(np.maximum(reds, blues), greens)
        least = np.minimum(np.minimum(reds, blues), greens)
        room = np.minimum((1 - luma) / np.maximum(most, 1e-6), luma / np.maximum(-least, 1e-6))
        return chroma * np.clip(room, 0, 1)[..., None]


def guess_matrix(width: int, height: int) -> int:
    """What players take for a film that does not say: BT.709 for high definition."""
    return BT709 if width >= 1280 or height > 576 else SMPTE170M
