"""Colours of a reference photo, found where the same things are. Torch-free.

Both photos are described by the features that one network makes of their cells. A cell's colour is
the mean of those of the reference's cells that are most like it, and counts as known where these
are very like, agree on the colour, and would choose the cell in their turn.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.steering.hints import Hint

Floats = NDArray[np.floating[Any]]

MATCHES = 6  # cells of the reference that a cell's colour is the mean of
LIKE, LIKE_WIDTH = 0.5, 0.04  # cosine of features at which a match counts half, and how softly
AGREEING = 8.0  # Lab units among the matches' colours at which they count less by half
SURE = 0.5  # confidence from which a cell's colour is taken for known
LEAST_SHARE = 0.1  # of the cells that must be sure; of unrelated photos 3 of 100 have as many
SQUARES = 8  # along the photo's longer side, with one hint each at most
NOTE = "a reference photo"
BACK = 0.12  # of the photo's longer side: how far from a cell its match may lead back to


@dataclass(frozen=True)
class Reference:
    """A photo in colour that others take their colours from. It is known by its pixels."""

    pixels: NDArray[Any] = field(compare=False, repr=False)  # (H, W, 3) uint8 or uint16 sRGB
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        shape = str((self.pixels.shape, self.pixels.dtype)).encode()
        digest = hashlib.sha256(shape + np.ascontiguousarray(self.pixels).tobytes()).hexdigest()
        object.__setattr__(self, "digest", digest[:16])


@dataclass(frozen=True, eq=False)
class Correspondence:
    """What a reference says of each cell of a photo."""

    ab: Floats  # (h, w, 2) in Lab units
    confidence: Floats  # (h, w) in [0, 1]


def match(features: Floats, others: Floats, ab: Floats) -> Correspondence:
    """`features` (C, h, w) of the photo, `others` (C, m, n) of the reference by the same network,
    `ab` (m, n, 2) of the reference in Lab units."""
    shape = features.shape[1:]
    first, second = scale_together(features, others)
    likeness = first.T @ second  # (h * w, m * n)
    best = np.argpartition(-likeness, min(MATCHES, len(second.T)) - 1, axis=1)[:, :MATCHES]
    likes = np.take_along_axis(likeness, best, 1)
    weights = np.exp((likes - likes.max(1, keepdims=True)) / 0.05)
    weights /= weights.sum(1, keepdims=True)
    colours = ab.reshape(-1, 2)[best]
    mean = (weights[..., None] * colours).sum(1)
    apart = np.sqrt((weights * ((colours - mean[:, None]) ** 2).sum(2)).sum(1))
    nearest = likeness.argmax(1)
    back = likeness.argmax(0)[nearest]
    rows, cols = np.divmod(np.arange(len(mean)), shape[1])
    away = np.hypot(rows - back // shape[1], cols - back % shape[1]) / max(shape)
    confidence = (
        1
        / (1 + np.exp((LIKE - likes.max(1)) / LIKE_WIDTH))
        / (1 + (apart / AGREEING) ** 2)
        * (away <= BACK)
    )
    return Correspondence(mean.reshape(*shape, 2), confidence.reshape(shape))


def pick_hints(
    found: Correspondence, free: Floats, cells: tuple[float, float], strength: float
) -> tuple[Hint, ...]:
    """The surest cell of each square of the photo, if it is sure: its colour goes from `free`
    (h, w, 2), what it is without the reference, to the reference's by `strength` in [0, 1].
    `cells`: height and width of the photo in cells. None for a photo that is hardly like the
    reference anywhere."""
    height, width = found.confidence.shape
    if (found.confidence >= SURE).mean() < LEAST_SHARE:
        return ()
    side = max(1, round(max(height, width) / SQUARES))
    hints = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            part = found.confidence[top : top + side, left : left + side]
            down, across = np.unravel_index(part.argmax(), part.shape)
            if part[down, across] < SURE:
                continue
            row, col = top + int(down), left + int(across)
            a, b = (free[row, col] + strength * (found.ab[row, col] - free[row, col])).tolist()
            hints.append(Hint((col + 0.5) / cells[1], (row + 0.5) / cells[0], (a, b), note=NOTE))
    return tuple(hints)


def scale_together(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """(C, h * w) each: every feature with mean 0 and deviation 1 over both, every cell of length
    1."""
    flat = [each.reshape(len(each), -1).astype(np.float32) for each in (first, second)]
    both = np.concatenate(flat, 1)
    mean, deviation = both.mean(1, keepdims=True), both.std(1, keepdims=True) + 1e-5
    scaled = [(each - mean) / deviation for each in flat]
    unit = [each / np.maximum(np.linalg.norm(each, axis=0), 1e-6) for each in scaled]
    return unit[0], unit[1]
