"""A mean and how sure it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000


def estimate_interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean and 95 % bootstrap interval over photos: (N,) -> mean, low, high. Always of the same
    draws, so the same values give the same interval."""
    draws = np.random.default_rng(0).integers(0, len(values), (DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(1), (2.5, 97.5))
    return float(values.mean()), float(low), float(high)
