"""Mean absolute error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_absolute_error(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The mean over pixels and channels of how far two sRGB pictures (H, W, 3) uint8 are apart, on
    the scale of sRGB in [0, 1]; 0 is equal, lower is better."""
    return float(np.abs(picture.astype(np.float64) - truth.astype(np.float64)).mean() / 255)
