"""A photo's gray: its luminance, with the tint of an old print taken out.

A sepia or cyan-toned print has one colour for each level of gray. Dividing its channels by the
colour of its brightest tones makes the paper white again before L is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import RGB_TO_XYZ, lab_to_rgb, rgb_to_lab, srgb_to_linear

Picture = NDArray[np.uint8] | NDArray[np.uint16]

FINE = 65535  # linear light counts to here: three times finer than 8 encoded bits at their finest
LEAST_TINT = 3.0  # mean chroma, Lab units, under which a photo counts as gray
ENOUGH = 8192  # pixels to look at
MOST_SPREAD = 2.5  # root mean square distance from one colour a level, over which it is in colour


@dataclass(frozen=True)
class Tone:
    """How luminance is taken: `gains` multiply linear R, G and B. `tint` names what they take
    out, None if the photo is used as it is. `coloured`: it had colours of its own."""

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tint: str | None = None
    coloured: bool = False

    def compress(self, image: Picture) -> NDArray[np.float32]:
        """(H, W, 3) sRGB -> (H, W) float32 (L + 16) / 116."""
        levels = np.iinfo(image.dtype).max + 1
        linear = srgb_to_linear(np.arange(levels) / (levels - 1))
        if self.tint is None and _is_gray(image):
            return _look_up(cv2.extractChannel(image, 0), _compress(linear).astype(np.float32))
        parts = linear[:, None] * RGB_TO_XYZ[1] * self.gains
        if image.dtype == np.uint8:
            # Whole numbers up to FINE, whose sum stops there by itself: off by 0.02 of L at most.
            table = (parts * FINE + 0.5).astype(np.uint16).reshape(1, 256, 3)
            fine = cv2.LUT(np.ascontiguousarray(image), table)
            return cv2.LUT(cv2.transform(fine, np.ones((1, 3))), _compress_levels())
        luminance = sum(parts[:, c].astype(np.float32)[image[..., c]] for c in range(3))
        return _compress(np.minimum(luminance, 1)).reshape(image.shape[:2])

    def lightness(self, image: Picture) -> NDArray[np.float32]:
        """(H, W, 3) sRGB -> (H, W) float32 L in [0, 100]."""
        return 116 * self.compress(image) - 16


@lru_cache(maxsize=1)
def _compress_levels() -> NDArray[np.float32]:
    """Luminance in steps of 1 / FINE -> (1, FINE + 1) float32 (L + 16) / 116."""
    return _compress(np.arange(FINE + 1) / FINE).astype(np.float32).reshape(1, -1)


def _is_gray(image: Picture) -> bool:
    red, green, blue = (image[..., c] for c in range(3))
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))


def _look_up(plane: NDArray[Any], table: NDArray[np.float32]) -> NDArray[np.float32]:
    if plane.dtype == np.uint8:
        return cv2.LUT(np.ascontiguousarray(plane), table)
    return table[plane]


def _compress(luminance: NDArray[Any]) -> NDArray[Any]:
    knee = 6 / 29
    return np.where(
        luminance > knee**3, np.cbrt(luminance), luminance / (3 * knee**2) + 4 / 29
    ).astype(luminance.dtype)


def measure_tone(small: Picture, neutralize: bool = True) -> Tone:
    """Look at a small copy (h, w, 3) of the photo and decide how its gray is taken."""
    top = np.iinfo(small.dtype).max
    pixels = small.reshape(-1, 3)
    some = pixels[:: 1 + len(pixels) // ENOUGH]
    lab = rgb_to_lab(some.astype(np.float64) / top)
    ab = lab[:, 1:]
    if np.hypot(*ab.T).mean() < LEAST_TINT:
        return Tone()
    if _measure_spread(lab) > MOST_SPREAD:
        return Tone(coloured=True)
    if not neutralize:
        return Tone()
    paper = lab[lab[:, 0] >= np.percentile(lab[:, 0], 90)].mean(0)
    linear = srgb_to_linear(np.clip(lab_to_rgb(paper), 0.02, 1))
    luminance = float(RGB_TO_XYZ[1] @ linear)
    red, green, blue = (luminance / linear).tolist()
    return Tone((red, green, blue), _name_tint(ab.mean(0)))


def _measure_spread(lab: NDArray[np.float64]) -> float:
    """How far the colours lie from a smooth curve over L: small for a toned print."""
    level = lab[:, 0] / 50 - 1
    terms = np.stack([level**power for power in range(4)], 1)
    fit, *_ = np.linalg.lstsq(terms, lab[:, 1:], rcond=None)
    return float(np.sqrt(((lab[:, 1:] - terms @ fit) ** 2).sum(1).mean()))


def _name_tint(ab: NDArray[np.float64]) -> str:
    hue = np.degrees(np.arctan2(ab[1], ab[0])) % 360
    if 30 <= hue < 105:
        return "sepia"
    names = ("red tint", "yellow tint", "green tint", "blue tint", "purple tint")
    return names[int(np.searchsorted((30, 130, 215, 300, 340), hue)) % 5]
