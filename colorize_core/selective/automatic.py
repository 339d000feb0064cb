"""Masks that nobody has to draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import WeightsError
from colorize_core.selective.masks import Mask

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Layer:
    name: str
    mask: Mask
    share: float


def grabcut(
    photo: Picture,
    *,
    box: tuple[float, float, float, float] | None = None,
    keep: Sequence[tuple[Sequence[tuple[float, float]], float]] = (),
    drop: Sequence[tuple[Sequence[tuple[float, float]], float]] = (),
) -> Mask:
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = box or (width * 0.2, height * 0.15, width * 0.8, height * 0.95)
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[round(y0) : round(y1), round(x0) : round(x1)] = cv2.GC_PR_FGD
    for strokes, label in ((keep, cv2.GC_FGD), (drop, cv2.GC_BGD)):
        for points, radius in strokes:
            line = np.round(points).astype(np.int32)
            cv2.polylines(labels, [line], False, label, max(1, round(2 * radius)))
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(photo, labels, None, *models, 2, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


def classes(
    photo: Picture,
    *,
    network: str = "mobile",
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> tuple[Layer, ...]:
    raise WeightsError("There is no network here.")


def pointed(
    photo: Picture,
    *,
    points: Sequence[tuple[float, float]] = (),
    box: tuple[float, float, float, float] | None = None,
    device: str = "auto",
) -> Mask:
    raise WeightsError("There is no network here.")
