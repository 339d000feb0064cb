"""Where two pictures differ in colour, as a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics.ciede2000 import delta_e

FULL = 30.0  # CIEDE2000 at which the colours end; more looks the same
LEGEND = (240, 12)  # width and height


def draw_heat_map(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """CIEDE2000 of each pixel of two sRGB pictures (H, W, 3), from black (equal) over red to yellow
    (FULL and more)."""
    first, second = (rgb_to_lab(each.astype(np.float32) / 255) for each in (picture, truth))
    return _colour(delta_e(first, second) / FULL)


def draw_legend() -> NDArray[np.uint8]:
    """The colours from 0 on the left to FULL on the right, as a picture."""
    width, height = LEGEND
    return _colour(np.tile(np.linspace(0, 1, width), (height, 1)))


def _colour(share: NDArray[np.floating]) -> NDArray[np.uint8]:
    levels = np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)
    bgr = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.ascontiguousarray(bgr[..., ::-1])
