"""Five errors of a and of b, each by itself, as colorizers that learn ab report them.

The other protocol of these five, in the modules beside, is the mean over red, green and blue, which
lightness rules. Here ab is that of CIELAB over 128, in [-1, 1], of sRGB pictures (H, W, 3) uint8.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import rgb_to_lab

SCALE = 128.0
# A plane that varies less is of one level: rounding sRGB to 8 bits moves ab by more.
FLAT = 1e-4


def read_plane(picture: NDArray[np.uint8], channel: int) -> NDArray[np.float64]:
    """a (channel 0) or b (1) of a picture, (H, W) in [-1, 1]."""
    lab = rgb_to_lab(picture.astype(np.float32) / 255)
    plane: NDArray[np.float64] = lab[..., 1 + channel].astype(np.float64) / SCALE
    return plane


def _r2(picture: NDArray[np.uint8], truth: NDArray[np.uint8], channel: int) -> float:
    """1 less the squared error over the truth's variance; 1 is equal, NaN where that is flat."""
    expected = read_plane(truth, channel)
    error = read_plane(picture, channel) - expected
    return float(1 - (error**2).mean() / _measure_spread(expected))


def _explained_variance(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8], channel: int
) -> float:
    """R2 that forgives a cast: 1 less the error's variance over the truth's."""
    expected = read_plane(truth, channel)
    error = read_plane(picture, channel) - expected
    return float(1 - error.var() / _measure_spread(expected))


def _measure_spread(plane: NDArray[np.float64]) -> float:
    return float(plane.var()) if plane.std() > FLAT else float("nan")


def _mean_absolute_error(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8], channel: int
) -> float:
    return float(np.abs(read_plane(picture, channel) - read_plane(truth, channel)).mean())


def _median_absolute_error(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8], channel: int
) -> float:
    return float(np.median(np.abs(read_plane(picture, channel) - read_plane(truth, channel))))


def _mean_squared_error(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8], channel: int
) -> float:
    return float(((read_plane(picture, channel) - read_plane(truth, channel)) ** 2).mean())


r2_a, r2_b = (partial(_r2, channel=channel) for channel in (0, 1))
explained_variance_a, explained_variance_b = (
    partial(_explained_variance, channel=channel) for channel in (0, 1)
)
mean_absolute_error_a, mean_absolute_error_b = (
    partial(_mean_absolute_error, channel=channel) for channel in (0, 1)
)
median_absolute_error_a, median_absolute_error_b = (
    partial(_median_absolute_error, channel=channel) for channel in (0, 1)
)
mean_squared_error_a, mean_squared_error_b = (
    partial(_mean_squared_error, channel=channel) for channel in (0, 1)
)
