"""Masks (H, W) float32 in [0, 1]: 1 is coloured, 0 is kept out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core import image

Mask = NDArray[np.float32]


def painted(
    mask: Mask,
    points: Sequence[tuple[float, float]],
    radius: float,
    *,
    erase: bool = False,
    hardness: float = 1.0,
) -> Mask:
    stroke = np.zeros(mask.shape, np.uint8)
    line = np.round(np.asarray(points) * 16).astype(np.int32)
    thick = max(1, round(2 * radius))
    if len(line) == 1:
        centre = int(line[0, 0]), int(line[0, 1])
        cv2.circle(stroke, centre, round(radius * 16), 255, -1, cv2.LINE_AA, 4)
    else:
        cv2.polylines(stroke, [line], False, 255, thick, cv2.LINE_AA, 4)
    share = stroke.astype(np.float32) / 255
    return np.minimum(mask, 1 - share) if erase else np.maximum(mask, share)


def grown(mask: Mask, pixels: float) -> Mask:
    size = 2 * round(abs(pixels)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return (cv2.dilate if pixels > 0 else cv2.erode)(mask, disc)


def feathered(mask: Mask, pixels: float) -> Mask:
    return cv2.GaussianBlur(mask, (0, 0), pixels)


def filled(mask: Mask) -> Mask:
    outlines, _ = cv2.findContours(
        (mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    solid = cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, -1)
    return np.maximum(mask, solid.astype(np.float32))


def inverted(mask: Mask) -> Mask:
    return 1 - mask


def snapped(mask: Mask, lightness: NDArray[np.float32], pixels: float = 8) -> Mask:
    return mask.copy()


def read_mask(path: str | Path) -> Mask:
    return image.read(path).pixels[..., 0].astype(np.float32) / 255


def write_mask(path: str | Path, mask: Mask) -> None:
    cv2.imwrite(str(path), np.round(mask * 255).astype(np.uint8))


def refined(mask: Mask, lightness: NDArray[np.float32]) -> Mask:
    return cv2.resize(mask, lightness.shape[::-1], interpolation=cv2.INTER_LINEAR)
