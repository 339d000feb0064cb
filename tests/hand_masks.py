"""Masks drawn by hand, as polygons in hand_masks.json, on the free photographs that ship inside
scikit-image, and the strokes that a person may draw to get them.

examples/SOURCES.md names authors and licences of those that are examples, too; the others' are in
the documentation of scikit-image's functions of the same names. They were drawn by eye, to a pixel
or two; points are (x, y) in pixels. Of strokes one keeps and one drops, each as wide as BRUSH says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from examples.make_examples import gray

Points = list[tuple[float, float]]

BRUSH = 0.012  # radius of a stroke, as a share of the photo's longest side
MARGIN = 0.02  # what a box leaves around its object, likewise


@dataclass(frozen=True)
class Drawn:
    """What is drawn on one photograph. Holes are polygons inside others. `ellipses`: middle and
    half axes of each."""

    what: str
    keep: Points
    drop: Points
    polygons: list[Points] = field(default_factory=list)
    ellipses: list[tuple[float, float, float, float]] = field(default_factory=list)


@lru_cache
def photograph(name: str) -> NDArray[np.uint8]:
    """In gray, (H, W, 3)."""
    if name.startswith("motorcycle"):
        picture = data.stereo_motorcycle()[name.endswith("right")]
    else:
        picture = getattr(data, name)()
    if picture.dtype == bool:
        picture = picture * np.uint8(255)
    return np.dstack([picture if picture.ndim == 2 else gray(picture)] * 3)


@lru_cache
def truth(name: str) -> NDArray[np.bool_]:
    """The mask that was drawn, (H, W)."""
    drawn = PICTURES[name]
    mask = np.zeros(photograph(name).shape[:2], np.uint8)
    corners = [np.array(polygon, np.int32) for polygon in drawn.polygons]
    if corners:
        cv2.fillPoly(mask, corners, 1)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    for cx, cy, rx, ry in drawn.ellipses:
        mask[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1] = 1
    return mask > 0


def box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """As a person draws it: around the mask, with a margin."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    margin = MARGIN * max(mask.shape)
    return (
        max(0.0, float(cols[0]) - margin),
        max(0.0, float(rows[0]) - margin),
        min(float(mask.shape[1]), float(cols[-1]) + 1 + margin),
        min(float(mask.shape[0]), float(rows[-1]) + 1 + margin),
    )


FILE = Path(__file__).with_suffix(".json")
PICTURES = {
    name: Drawn(**values) for name, values in json.loads(FILE.read_text(encoding="utf-8")).items()
}
