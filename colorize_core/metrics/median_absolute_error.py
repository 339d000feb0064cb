"""Median absolute error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def median_absolute_error(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The median over pixels and channels of how far two sRGB pictures (H, W, 3) uint8 are apart,
    on the scale of sRGB in [0, 1]; 0 is equal, lower is better. Half of the picture may be as wrong
    as it likes."""
    return float(np.median(np.abs(picture.astype(np.int16) - truth.astype(np.int16))) / 255)
