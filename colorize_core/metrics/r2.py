"""Coefficient of determination."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def r2(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean of compute_r2_channels(); 1 is equal, higher is better, NaN if one of them is."""
    return float(compute_r2_channels(picture, truth).mean())


def compute_r2_channels(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """R2 of red, green and blue of two sRGB pictures (H, W, 3) uint8 -> (3,): 1 less the squared
    error over the truth's own variance. 0 is what the truth's mean would get, one level everywhere;
    below it is worse. NaN in a channel where the truth has only one level."""
    expected = truth.astype(np.float64)
    error = ((picture.astype(np.float64) - expected) ** 2).mean((0, 1))
    return 1 - error / measure_spread(expected)


def measure_spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance of each channel, (H, W, 3) -> (3,), NaN in place of 0."""
    variance = values.var((0, 1))
    return np.where(variance > 0, variance, np.nan)
