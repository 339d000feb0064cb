"""`recombine-256`: how a full-reference score is taken, the same for every method."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import combine_ab, rgb_to_lab

SIDE = 256
NAME = "recombine-256"


def crop_square(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Short side to 256 by area averaging (bilinear where that enlarges), then the centre:
    (H, W, 3) -> (256, 256, 3)."""
    height, width = photo.shape[:2]
    scale = SIDE / min(height, width)
    size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(photo, size, interpolation=method)
    top, left = (size[1] - SIDE) // 2, (size[0] - SIDE) // 2
    return np.ascontiguousarray(scaled[top : top + SIDE, left : left + SIDE])


def to_gray(truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The gray photo of the same L, which is what a method is given."""
    lightness = rgb_to_lab(truth.astype(np.float32) / 255)[..., :1]
    return np.repeat(combine_ab(lightness, np.zeros_like(truth[..., :2]))[..., :1], 3, axis=-1)


def recombine(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture's ab on the truth's L, clamped to the gamut: what is scored."""
    lightness = rgb_to_lab(truth.astype(np.float32) / 255)[..., :1]
    ab = rgb_to_lab(picture.astype(np.float32) / 255)[..., 1:]
    return combine_ab(lightness, ab)
