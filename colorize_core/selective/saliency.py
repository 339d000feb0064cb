"""A first guess at what matters in a photo, from its lightness alone.

What cannot be reached from the photo's rim without crossing a difference of L or of texture stands
out; where that says little, what is in the middle does. A box replaces the rim, strokes say more.

Source of the barrier distance: Zhang et al., "Minimum Barrier Salient Object Detection at 80 FPS"
(2015).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Chosen = NDArray[np.bool_]

# Chosen on the pictures of tests/hand_masks.py, which are few: the scores on them flatter.
TEXTURE = 0.5  # how much differences of texture count beside those of L
MIDDLE = 2.0  # how much the middle counts where the distances tell nothing
STROKES = 2.0  # how much nearness to strokes counts
WIDTH, HEIGHT = 0.3, 0.35  # standard deviations of the middle, shares of the box
LOW = 0.55  # of the photo's height: people stand a little below its middle
UPPER = 0.5  # of the photo's sides, from the top, are background; people are cut off further down
WAY = 0.2  # what a pixel of way adds to a distance, in units of L
PASSES = 3  # over the picture in all four directions; what winds more is far anyway


def measure_saliency(
    lightness: Plane, box: tuple[slice, slice] | None
) -> tuple[Plane, Chosen, float]:
    """How much each pixel stands out, from 0; what is background, for sure with a box and probably
    without, (H, W) each; and measure_separability() of the distances. `box`: the rows and
    columns where the object is."""
    height, width = lightness.shape
    rim = np.zeros(lightness.shape, bool)
    if box is not None:
        rim[:] = True
        rim[box] = False
    if not rim.any():
        side = round(height * UPPER)
        rim[0], rim[:side, 0], rim[:side, -1] = True, True, True
    smooth = cv2.GaussianBlur(lightness, (0, 0), 1)
    far = _normalize(measure_barrier(smooth, rim))
    rough = _normalize(measure_barrier(measure_texture(lightness, max(height, width) / 60), rim))
    clear = measure_separability(far if box is None else far[box])
    score = far + TEXTURE * rough + MIDDLE * (1 - clear) * _make_centre_prior(lightness.shape, box)
    return score.astype(np.float32), rim, clear


def measure_texture(lightness: Plane, reach: float) -> Plane:
    """Standard deviation of L within about `reach` pixels."""
    mean = cv2.GaussianBlur(lightness, (0, 0), reach)
    squares = cv2.GaussianBlur(lightness * lightness, (0, 0), reach)
    return np.sqrt(np.maximum(squares - mean * mean, 0))


def measure_nearness(lightness: Plane, keep: Chosen, drop: Chosen) -> Plane:
    """How much nearer each pixel is to `keep` than to `drop`, in [0, 1]; a half without either."""
    smooth = cv2.GaussianBlur(lightness, (0, 0), 1)
    to_keep, to_drop = (_measure_geodesic(smooth, seed) for seed in (keep, drop))
    return to_drop / (to_keep + to_drop + np.float32(1e-3))


def find_threshold(values: Plane) -> float:
    """Otsu's: what parts the values into two groups that are most apart."""
    top = float(values.max()) or 1.0
    level, _ = cv2.threshold(_to_bytes(values / top).reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    return level / 255 * top


def measure_separability(values: Plane) -> float:
    """The share of the variance of values in [0, 1] that is between Otsu's two groups: near 1 where
    they are clearly two."""
    high = values > find_threshold(values)
    variance = float(values.var())
    if variance == 0 or high.all() or not high.any():
        return 0.0
    part = float(high.mean())
    apart = float(values[high].mean() - values[~high].mean())
    return part * (1 - part) * apart**2 / variance


def _normalize(values: Plane) -> Plane:
    """In [0, 1], the few highest cut off."""
    return np.clip(values / (np.percentile(values, 98) + 1e-6), 0, 1).astype(np.float32)


def _to_bytes(values: Plane) -> NDArray[np.uint8]:
    return (np.clip(values, 0, 1) * 255).astype(np.uint8)


def _make_centre_prior(shape: tuple[int, ...], box: tuple[slice, slice] | None) -> Plane:
    """A Gaussian bump in the middle of the box, or of the photo."""
    rows, cols = box or (slice(0, shape[0]), slice(0, shape[1]))
    tall, wide = rows.stop - rows.start, cols.stop - cols.start
    low = rows.start + tall * (0.5 if box else LOW)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x = (x - (cols.start + cols.stop) / 2) / (wide * WIDTH)
    y = (y - low) / (tall * HEIGHT)
    return np.exp(-(x * x + y * y) / 2)


# --- distances over the picture -----------------------------------------------------------------


def measure_barrier(values: Plane, seed: Chosen) -> Plane:
    """The least difference between the highest and the lowest value on a way from the seed to each
    pixel, nearly: ways may turn only so often as there are passes."""
    far = np.where(seed, 0, np.inf).astype(np.float32)
    high, low = values.copy(), values.copy()
    planes = [far, high, low, values]
    for _ in range(PASSES):
        for _turned in range(2):  # down and up, then left and right on copies
            _widen(*planes)
            _widen(*(plane[::-1] for plane in planes))
            planes = [np.ascontiguousarray(plane.T) for plane in planes]
    return planes[0]


def _widen(far: Plane, high: Plane, low: Plane, values: Plane) -> None:
    for row in range(1, len(far)):
        top = np.maximum(high[row - 1], values[row])
        bottom = np.minimum(low[row - 1], values[row])
        span = top - bottom
        better = (span < far[row]) & np.isfinite(far[row - 1])
        np.copyto(far[row], span, where=better)
        np.copyto(high[row], top, where=better)
        np.copyto(low[row], bottom, where=better)


def _measure_geodesic(values: Plane, seed: Chosen) -> Plane:
    """The least sum of differences on a way from the seed to each pixel, and WAY for each step."""
    far = np.where(seed, 0, 1e6).astype(np.float32)
    planes = [far, values]
    for _ in range(PASSES):
        for _turned in range(2):
            _walk(*planes)
            _walk(*(plane[::-1] for plane in planes))
            planes = [np.ascontiguousarray(plane.T) for plane in planes]
    return planes[0]


def _walk(far: Plane, values: Plane) -> None:
    for row in range(1, len(far)):
        step = np.abs(values[row] - values[row - 1]) + np.float32(WAY)
        np.minimum(far[row], far[row - 1] + step, out=far[row])
