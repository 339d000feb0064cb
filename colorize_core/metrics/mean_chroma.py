"""Mean chroma of one picture, without a reference: what a collapse to gray takes away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import rgb_to_lab


def mean_chroma(picture: NDArray[np.uint8]) -> float:
    """The mean over all pixels of the distance of ab from gray, in Lab units, of an sRGB picture
    (H, W, 3) uint8; 0 is gray."""
    ab = rgb_to_lab(picture.astype(np.float32) / 255)[..., 1:]
    return float(np.hypot(ab[..., 0], ab[..., 1]).mean())
