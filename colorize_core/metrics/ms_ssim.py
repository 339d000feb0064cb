"""Structural similarity on five scales."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.metrics.ssim import WINDOW, check_size, map_similarity

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # fine to coarse, as published
LEAST_SIDE = WINDOW * 2 ** (len(WEIGHTS) - 1)  # 176: the window fits the coarsest scale


def ms_ssim(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """MS-SSIM of two sRGB pictures (H, W, 3) uint8, at least 176 x 176, so that 256 x 256 is
    enough: 1 is equal, higher is better.

    Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment"
    (2003): structure on every scale, light on the coarsest, each half the size of the one before by
    means of 2 x 2. The constants and the window are SSIM's; each channel by itself, then the mean.
    Structure that runs against the truth's counts as 0. Raises OptionError for smaller pictures.
    """
    check_size(picture, LEAST_SIDE, "MS-SSIM")
    first, second = picture.astype(np.float64), truth.astype(np.float64)
    product = np.ones(3)
    for scale, weight in enumerate(WEIGHTS):
        light, structure = map_similarity(first, second)
        coarsest = scale == len(WEIGHTS) - 1
        alike = light * structure if coarsest else structure
        product *= np.maximum(alike.mean((0, 1)), 0) ** weight
        if not coarsest:
            first, second = _halve(first), _halve(second)
    return float(product.mean())


def _halve(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of 2 x 2; an odd last row or column is left out."""
    height, width = (side // 2 for side in planes.shape[:2])
    even = planes[: 2 * height, : 2 * width]
    halved: NDArray[np.float64] = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    return halved
