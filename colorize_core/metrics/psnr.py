"""Peak signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def psnr(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """PSNR in dB over all three sRGB channels of (H, W, 3) uint8; inf if equal."""
    error = np.mean((picture.astype(np.float64) - truth.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
