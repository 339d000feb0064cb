"""Structural similarity."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError

WINDOW, SIGMA = 11, 1.5  # of the Gaussian window, in pixels
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # keep the quotients finite


def ssim(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """SSIM of two sRGB pictures (H, W, 3) uint8, at least 11 x 11: 1 is equal, higher is better.

    Wang et al., "Image quality assessment: from error visibility to structural similarity" (2004):
    Gaussian window of 11 pixels, sigma 1.5, K 0.01 and 0.03; each channel by itself on the 0 to 255
    scale where the window fits, then the mean. Raises OptionError for smaller pictures.
    """
    check_size(picture, WINDOW, "SSIM")
    light, structure = map_similarity(picture.astype(np.float64), truth.astype(np.float64))
    return float((light * structure).mean())


def map_similarity(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How alike light and structure (contrast included) are at each place where the window fits:
    (H, W, 3) on the 0 to 255 scale twice -> (H - 10, W - 10, 3) twice. SSIM is their product."""
    mean1, mean2 = _average_windows(first), _average_windows(second)
    variances = _average_windows(first**2) - mean1**2 + _average_windows(second**2) - mean2**2
    covariance = _average_windows(first * second) - mean1 * mean2
    light = (2 * mean1 * mean2 + C1) / (mean1**2 + mean2**2 + C1)
    return light, (2 * covariance + C2) / (variances + C2)


def _average_windows(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean under the window, where it fits."""
    rim = WINDOW // 2
    blurred: NDArray[np.float64] = cv2.GaussianBlur(planes, (WINDOW, WINDOW), SIGMA)
    return blurred[rim:-rim, rim:-rim]


def check_size(picture: NDArray[np.uint8], least: int, name: str) -> None:
    """Raises OptionError if a side of the picture is shorter than `least` pixels."""
    height, width = picture.shape[:2]
    if min(height, width) < least:
        raise OptionError(
            f"{name} needs pictures of at least {least} x {least} pixels; this one has "
            f"{width} x {height}."
        )
