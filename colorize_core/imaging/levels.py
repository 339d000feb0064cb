"""Samples of any depth -> the whole range of 8 or 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import BrokenPictureError


def stretch(samples: NDArray[Any], most: int) -> NDArray[Any]:
    """Whole numbers from 0 to `most`, any shape -> uint8 up to 255, or uint16 up to 65,535 where
    `most` is above 255. Raises BrokenPictureError where a sample is larger."""
    top, dtype = (65535, np.uint16) if most > 255 else (255, np.uint8)
    if samples.size and int(samples.max()) > most:
        raise BrokenPictureError("its samples are larger than its header says")
    if most == top:
        return samples.astype(dtype, copy=False)
    levels = (np.arange(most + 1, dtype=np.int64) * top + most // 2) // most
    return np.take(levels.astype(dtype), samples)
