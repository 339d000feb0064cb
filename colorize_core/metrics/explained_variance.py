"""Explained variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from colorize_core.metrics.r2 import measure_spread


def explained_variance(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean over the channels of two sRGB pictures (H, W, 3) uint8 of 1 less the variance of the
    error over the truth's. 1 is equal, higher is better. Unlike R2 it forgives a channel that is
    too bright by the same amount everywhere. NaN if the truth has only one level in a channel."""
    expected = truth.astype(np.float64)
    unexplained = (picture.astype(np.float64) - expected).var((0, 1))
    return float((1 - unexplained / measure_spread(expected)).mean())
