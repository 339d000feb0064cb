"""Mean squared error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_squared_error(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The mean over pixels and channels of the squared error between two sRGB pictures (H, W, 3)
    uint8, on the scale of sRGB in [0, 1]; 0 is equal, lower is better. PSNR is its logarithm."""
    return float(((picture.astype(np.float64) - truth.astype(np.float64)) ** 2).mean() / 255**2)
