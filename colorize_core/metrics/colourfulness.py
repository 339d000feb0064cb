"""Colourfulness of one picture, without a reference, and against one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colourfulness(picture: NDArray[np.uint8]) -> float:
    """Hasler and Suesstrunk, "Measuring colourfulness in natural images" (2003), of an sRGB picture
    (H, W, 3) uint8: 0 is gray, 33 "averagely", 59 "quite", 109 "extremely" colourful."""
    r, g, b = np.moveaxis(picture.astype(np.float64), -1, 0)
    rg, yb = r - g, (r + g) / 2 - b
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def colourfulness_difference(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The picture's colourfulness less the truth's: below 0 is too timid, above it too bold."""
    return colourfulness(picture) - colourfulness(truth)
